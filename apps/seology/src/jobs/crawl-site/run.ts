import type { AttemptLog } from 'millrace'
import { type AddressGuard, createAddressGuard } from '../../crawl/address-guard.ts'
import type { CrawlBrowser } from '../../crawl/browser.ts'
import { createHttpClient, type HttpClient, type MayFetch } from '../../crawl/http.ts'
import type { FetchedPage } from '../../crawl/page.ts'
import { createPacer, isLoopback, type Pacer } from '../../crawl/politeness.ts'
import { createRobotsStore, type RobotsStore } from '../../crawl/robots-store.ts'
import { unless } from '../../crawl/unless.ts'
import type { OpenCrawl } from '../../tables/crawls.ts'
import type { Tables } from '../../tables/open.ts'
import type { CrawlSitePayload } from '../crawl-site.ts'
import { SliceEnded } from './ending.ts'
import type { CrawlProgress } from './progress.ts'
import type { CrawlSettings } from './settings.ts'
import type { Slots } from './slots.ts'

/** Fetches or renders one page, as the payload asks. */
export type Visit = (url: string, signal: AbortSignal) => Promise<FetchedPage>

/** What the steps of one attempt work with. */
export interface CrawlRun {
  readonly payload: CrawlSitePayload
  readonly settings: CrawlSettings
  readonly tables: Tables
  readonly crawl: OpenCrawl
  readonly signal: AbortSignal
  readonly log: AttemptLog
  readonly progress: CrawlProgress
  readonly guard: AddressGuard
  readonly pacer: Pacer
  readonly http: HttpClient
  readonly robots: RobotsStore
  readonly mayFetch: MayFetch
  readonly visit: Visit
  /** Waits between the tries of what failed for a reason that may pass. */
  readonly retryDelaysMs: readonly number[]
  /** Failures from now on say nothing about the host: they are of pages that have failed before. */
  expectFailures(expected: boolean): void
  /** Throws `SliceEnded` when the attempt has had its time. */
  checkTime(): void
  isOverTime(): boolean
  close(): Promise<void>
}

export interface RunParts {
  payload: CrawlSitePayload
  settings: CrawlSettings
  tables: Tables
  crawl: OpenCrawl
  signal: AbortSignal
  log: AttemptLog
  progress: CrawlProgress
  browsers: Slots
}

export function createRun(parts: RunParts): CrawlRun {
  const { settings, payload } = parts
  const startedAt = performance.now()
  const loopback = isLoopback(new URL(payload.url).hostname)
  const guard = createAddressGuard({
    allowPrivate: settings.allowPrivate,
    alsoAllow: settings.alsoAllow,
    ...(settings.resolver ? { resolver: settings.resolver } : {}),
  })
  const patience = { failing: false }
  const connections = payload.render === 'browser' ? 1 : 2
  const pacer = forgiving(createPacer({ connections, loopbackConnections: settings.concurrency }), patience)
  const http = createHttpClient({
    guard,
    pacer,
    userAgent: settings.userAgent,
    connections: settings.concurrency,
  })
  const robots = createRobotsStore({
    http,
    token: settings.robotsToken,
    ...(loopback ? { retryDelaysMs: [200, 500] } : {}),
  })
  const mayFetch: MayFetch = (url, pageSignal) => robots.mayFetch(url, pageSignal)
  const browser = lazyBrowser({ ...parts, guard, pacer, robots })
  const isOverTime = () => performance.now() - startedAt > settings.sliceMs
  return {
    ...parts,
    guard,
    pacer,
    http,
    robots,
    mayFetch,
    visit: async (url, pageSignal) =>
      payload.render === 'fetch'
        ? http.fetchPage(url, { signal: pageSignal, mayFetch })
        : (await unless(pageSignal, browser.get())).fetchPage(url, { signal: pageSignal, mayFetch }),
    retryDelaysMs: settings.retryDelaysMs ?? (loopback ? [200, 500] : [30_000, 120_000]),
    expectFailures: expected => {
      patience.failing = expected
    },
    isOverTime,
    checkTime() {
      if (isOverTime()) throw new SliceEnded(0, 'the attempt has had its time; the next one goes on')
    },
    async close() {
      await Promise.all([browser.close(), http.close()])
    },
  }
}

/** A pacer that does not count failures while they are expected. */
function forgiving(pacer: Pacer, patience: { failing: boolean }): Pacer {
  return {
    ...pacer,
    async turn(url, signal) {
      const turn = await pacer.turn(url, signal)
      return {
        done(outcome) {
          const asksToWait = outcome.status === 429 || outcome.retryAfterMs != null
          turn.done(patience.failing && !asksToWait ? { ...outcome, ignore: true } : outcome)
        },
      }
    },
  }
}

interface BrowserNeeds extends RunParts {
  guard: AddressGuard
  pacer: Pacer
  robots: RobotsStore
}

/** A browser is heavy to load and to start: only a crawl that renders does either, and only once it has a page. */
function lazyBrowser({ settings, signal, browsers, guard, pacer, robots }: BrowserNeeds) {
  let launched: Promise<CrawlBrowser> | null = null
  let giveBack = () => {}
  return {
    get: () => (launched ??= launch()),
    async close() {
      if (launched === null) return
      try {
        await (await launched.catch(() => null))?.close()
      } finally {
        giveBack()
      }
    },
  }

  async function launch(): Promise<CrawlBrowser> {
    giveBack = await browsers.take(signal)
    const { launchCrawlBrowser } = await import('../../crawl/browser.ts')
    return launchCrawlBrowser(
      {
        guard,
        pacer,
        userAgent: settings.userAgent,
        concurrency: settings.concurrency,
        mayLoad: url => robots.peek(url)?.mayFetch(url).allowed ?? true,
      },
      signal,
    )
  }
}
