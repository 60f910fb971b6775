import type { Clock } from './clock.ts'
import type { QuietState } from './tab-script.ts'
import type { TabTraffic } from './tab-traffic.ts'

export interface SettleOptions {
  /** Time with at most `maxInFlight` requests. */
  networkQuietMs?: number
  maxInFlight?: number
  /** Time without a change of the DOM. */
  domQuietMs?: number
  /** Either of the two for a page none of whose timers is about to fire and which has nothing in flight. */
  idleQuietMs?: number
  /** Longest wait after navigation. */
  capMs?: number
}

export const defaultSettle: Required<SettleOptions> = {
  networkQuietMs: 500,
  maxInFlight: 2,
  domQuietMs: 1_000,
  idleQuietMs: 200,
  capMs: 10_000,
}

/** What settling needs of a tab. */
export interface SettlingTab {
  traffic: TabTraffic
  /** Resolves at the document's load event. */
  loaded: Promise<void>
  /** Resolves when the page asked to become another one. */
  leaving: Promise<void>
  /** Null when the page does not answer. */
  quietState(): Promise<QuietState | null>
  /** Will a timer of the page fire within that time? */
  isWaiting(withinMs: number): Promise<boolean | null>
}

/** A page that is about to leave gets this long to finish loading. */
const leavingMs = 200
// A refresh that takes longer is no redirect that anybody waits for.
const longestRefreshMs = 5_000
const refreshSlackMs = 250

/**
 * Waits until the page has loaded and keeps still. A page that no script can change settles as soon as it has loaded
 * with nothing in flight.
 */
export async function settle(
  tab: SettlingTab,
  options: Required<SettleOptions>,
  clock: Clock,
  signal: AbortSignal,
): Promise<'quiet' | 'cap'> {
  const deadline = performance.now() + options.capMs
  const left = () => deadline - performance.now()
  // A page that leaves answers no more.
  const withoutLeaving = <T>(answer: Promise<T>) => Promise.race([answer, tab.leaving.then(() => null)])
  const within = (event: Promise<void>, ms: number) => race(event, ms, clock, signal)

  let leaving = false
  void tab.leaving.then(() => {
    leaving = true
  })
  if (!(await within(Promise.race([tab.loaded, tab.leaving]), left()))) return 'cap'
  if (leaving) {
    await within(tab.loaded, Math.min(leavingMs, left()))
    return 'quiet'
  }
  const loadedAt = performance.now()
  const headerRefresh = tab.traffic.document.headers.find(([name]) => name === 'refresh')?.[1]
  for (;;) {
    const state = await withoutLeaving(tab.quietState())
    if (leaving) return 'quiet'
    if (state === null) return 'cap'
    const refreshMs = 1_000 * (state.refreshSeconds ?? Number.parseFloat(headerRefresh ?? ''))
    const refreshes = refreshMs <= longestRefreshMs
    if (state.isStatic && !refreshes && tab.traffic.inFlight() === 0) return 'quiet'
    const isIdle =
      tab.traffic.inFlight() === 0 &&
      (state.isStatic || (await withoutLeaving(tab.isWaiting(options.domQuietMs))) === false)
    const waitMs = Math.max(
      (isIdle ? options.idleQuietMs : options.networkQuietMs) - tab.traffic.quietMs(),
      (isIdle ? options.idleQuietMs : options.domQuietMs) - state.quietMs,
      refreshes ? refreshMs + refreshSlackMs - (performance.now() - loadedAt) : 0,
    )
    if (waitMs <= 0) return 'quiet'
    // In flight beyond what is let pass: look again soon, there is no event to wait for.
    const isLeaving = await within(tab.leaving, Math.min(Math.max(waitMs, 20), Math.max(left(), 0)))
    if (isLeaving) return 'quiet'
    if (left() <= 0) return 'cap'
  }
}

/** True when the event came first. */
async function race(event: Promise<void>, ms: number, clock: Clock, signal: AbortSignal): Promise<boolean> {
  const done = new AbortController()
  const timer = clock.sleep(ms, AbortSignal.any([signal, done.signal])).then(
    () => false,
    () => {
      signal.throwIfAborted()
      return false
    },
  )
  try {
    return await Promise.race([event.then(() => true), timer])
  } finally {
    done.abort()
  }
}
