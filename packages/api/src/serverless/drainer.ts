import {
  createWorker,
  type DrainResult,
  type Handler,
  type Millrace,
  QueueError,
  sleep,
  type StateCounts,
} from 'millrace'
import {
  type DrainReport,
  type DrainState,
  formatInstant,
  type PendingCounts,
  pendingCounts,
} from '../documents/index.ts'
import {
  checkDrainSettings,
  type CheckedDrainSettings,
  type DrainSettings,
  mostJobs,
  wholeNumber,
} from './drain-settings.ts'

/** What a drain needs: an `Application`, or a queue and what does its jobs. */
export interface Drainable {
  readonly millrace: Millrace
  readonly handlers: readonly Handler[]
}

export interface DrainRequest {
  maxJobs?: number
  budgetMs?: number
  /** When the client goes away or the server stops, handlers get their signal and what does not finish is released. */
  signal?: AbortSignal
}

export interface Drainer {
  readonly settings: CheckedDrainSettings
  /**
   * Works within one call: due schedules are ticked, ended leases rescued, due jobs run, and what retention no longer
   * keeps is pruned. Any number may run side by side, in any process; no job is run by two. Resolves within the budget,
   * `graceMs` and two seconds, though a handler ignores its signal. Throws `invalid-argument`, and `unavailable` when the store does not answer by
   * then; what it holds comes back when its lease ends.
   */
  drain(request?: DrainRequest): Promise<DrainReport>
}

/** For settling what the handlers have left, when they are done or given up. */
const settleMs = 2_000

/** Drains of an application without a process of its own. Throws `invalid-argument`; see `DrainSettings`. */
export function createDrainer({ millrace, handlers }: Drainable, options: DrainSettings = {}): Drainer {
  const settings = checkDrainSettings(options, handlers)
  const { clock } = millrace
  return {
    settings,
    async drain({ maxJobs = settings.maxJobs, budgetMs = settings.budgetMs, signal } = {}) {
      wholeNumber('drain.maxJobs', maxJobs, 1, mostJobs)
      wholeNumber('drain.budgetMs', budgetMs, 1, settings.maxBudgetMs)
      const since = clock.monotonic()
      // Each has a worker of its own: two at once work side by side, and each knows what it has done.
      const worker = createWorker(millrace, handlers, {
        concurrency: settings.concurrency,
        graceMs: settings.graceMs,
      })
      const stop = (): void => void worker.stop({ deadlineMs: 0 })
      const work = worker.drain({ maxJobs, budgetMs })
      if (signal?.aborted) stop()
      else signal?.addEventListener('abort', stop, { once: true })
      try {
        const longestMs = budgetMs + settings.graceMs + settleMs
        const [result, { total }] = await within(
          millrace,
          longestMs,
          work.then(async done => [done, await millrace.stats()] as const),
        )
        return {
          processed: processed(result),
          ...result,
          pending: pendingCounts(total),
          tookMs: Math.round(clock.monotonic() - since),
        }
      } finally {
        signal?.removeEventListener('abort', stop)
      }
    },
  }
}

/** What `GET /api/v1/drain` answers. */
export async function drainState(millrace: Millrace): Promise<DrainState> {
  const [stats, nextDueAt, schedules] = await Promise.all([
    millrace.stats(),
    millrace.nextDueAt(),
    millrace.schedules.list(),
  ])
  const ticking = schedules.filter(each => !each.paused && each.disabledReason === null)
  const nextTickAt = ticking.reduce<number | null>(
    (first, { nextAt }) => (first === null || nextAt < first ? nextAt : first),
    null,
  )
  return {
    pending: pendingCounts(stats.total),
    byQueue: unfinished(stats.byQueue),
    byType: unfinished(stats.byType),
    nextDueAt: nextDueAt === null ? null : formatInstant(nextDueAt),
    nextTickAt: nextTickAt === null ? null : formatInstant(nextTickAt),
  }
}

async function within<T>(millrace: Millrace, ms: number, work: Promise<T>): Promise<T> {
  const answered = new AbortController()
  const late = sleep(millrace.clock, ms, answered.signal).then(
    () => {
      throw new QueueError(
        'unavailable',
        'the store did not answer in time; what was begun ends with its lease',
      )
    },
    () => new Promise<never>(() => {}),
  )
  // Whoever loses the race may still fail, when nobody listens any more.
  work.catch((error: unknown) => {
    if (answered.signal.aborted)
      millrace.events.emit('trouble', { where: 'a drain that was given up', error })
  })
  try {
    return await Promise.race([work, late])
  } finally {
    answered.abort()
  }
}

function processed({ completed, retried, dead, snoozed, waiting, cancelled }: DrainResult): number {
  return completed + retried + dead + snoozed + waiting + cancelled
}

function unfinished(counts: Record<string, StateCounts>): Record<string, PendingCounts> {
  const picked = Object.entries(counts).map(([name, each]) => [name, pendingCounts(each)] as const)
  return Object.fromEntries(
    picked.filter(([, { ready, delayed, blocked, running }]) => ready + delayed + blocked + running > 0),
  )
}
