import type { AddressGuard } from './address-guard.ts'
import { blockedUrlPatterns } from './browser-blocklist.ts'
import { type BrowserProcess, launchBrowserProcess } from './browser-process.ts'
import { type Clock, systemClock } from './clock.ts'
import { retrying } from './fetch-page.ts'
import { startGuardProxy } from './guard-proxy.ts'
import { headerValue, type MayFetch } from './http.ts'
import type { FetchedPage } from './page.ts'
import { type Pacer, parseRetryAfter } from './politeness.ts'
import { openTab, type Tab } from './tab.ts'
import { defaultSettle, type SettleOptions } from './tab-settle.ts'
import { unless } from './unless.ts'

export type { SettleOptions } from './tab-settle.ts'

export interface CrawlBrowserOptions {
  guard: AddressGuard
  userAgent: string
  pacer?: Pacer
  clock?: Clock
  /** Tabs at a time. */
  concurrency?: number
  viewport?: { width: number; height: number }
  settle?: SettleOptions
  /** Time for one page, navigation included. */
  pageTimeoutMs?: number
  launchTimeoutMs?: number
  closeTimeoutMs?: number
  maxRedirects?: number
  maxBodyBytes?: number
  /** Launches after the first, when the browser crashes in mid-crawl. */
  maxRelaunches?: number
  /** Our robots rules for sub-resources, asked synchronously (first-party rules are in memory by then). */
  mayLoad?: (url: string, type: string) => boolean
  /** Extra URL patterns (`*` wildcards) never to load, beside the built-in analytics list. */
  blockUrls?: readonly string[]
  /** Path of the browser; else `CHROME_PATH`, an installed one, the bundled one. */
  executablePath?: string
}

export interface BrowserFetchOptions {
  signal: AbortSignal
  /** Asked before each redirect hop of the document. */
  mayFetch?: MayFetch
  /** See `FetchOptions`: network failures, 5xx and 429 are retried. */
  maxAttempts?: number
  backoffMs?: readonly number[]
}

export interface CrawlBrowser {
  /** `Chromium/153.0.0.0` and the like. */
  readonly version: string
  /** The browser's process, for a supervisor. */
  readonly pid: number
  /**
   * Renders a page; waits for a free tab. Failures are told in its `error`; it rejects only with the signal's reason,
   * when the pacer gives the host up, or when the browser is gone for good (`BrowserGoneError`).
   */
  fetchPage(url: string, options: BrowserFetchOptions): Promise<FetchedPage>
  /** Ends every process of the browser. Safe to repeat. */
  close(): Promise<void>
}

/** The browser was closed, or crashed more often than it is relaunched. */
export class BrowserGoneError extends Error {
  readonly code = 'browser-gone'
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'BrowserGoneError'
  }
}

// Memory of a renderer grows with what it has shown.
const pagesPerTab = 100

interface Slot {
  tab: Tab
  process: BrowserProcess
  pages: number
}

/** Launches one browser for a crawl. When the signal aborts, now or later, the browser is closed. */
export async function launchCrawlBrowser(
  options: CrawlBrowserOptions,
  signal: AbortSignal,
): Promise<CrawlBrowser> {
  signal.throwIfAborted()
  const clock = options.clock ?? systemClock
  const concurrency = options.concurrency ?? 4
  const settle = { ...defaultSettle, ...options.settle }
  const knownBytes = new Map<string, number>()
  const proxy = await startGuardProxy(options.guard)
  const closed = new AbortController()
  const idle: Slot[] = []
  const waiting: (() => void)[] = []
  let busy = 0
  let relaunchesLeft = options.maxRelaunches ?? 1
  let closing: Promise<void> | null = null

  const launch = () =>
    launchBrowserProcess({
      proxyPort: proxy.port,
      executablePath: options.executablePath,
      launchTimeoutMs: options.launchTimeoutMs ?? 30_000,
      closeTimeoutMs: options.closeTimeoutMs ?? 5_000,
    })
  // What is running, or about to: closing waits for a launch, so that none is forgotten half-way.
  let current: Promise<BrowserProcess> = launch()
  current.catch(() => undefined)

  function close(): Promise<void> {
    signal.removeEventListener('abort', onAbort)
    closed.abort(new BrowserGoneError('the browser was closed'))
    closing ??= current
      .then(
        process => process.close(),
        () => undefined,
      )
      .then(() => proxy.close())
    return closing
  }
  const onAbort = () => void close()
  signal.addEventListener('abort', onAbort, { once: true })

  let process: BrowserProcess
  try {
    process = await current
    signal.throwIfAborted()
  } catch (error) {
    await close()
    signal.throwIfAborted()
    throw error
  }

  /** The running browser; a crashed one is replaced once. */
  async function living(): Promise<BrowserProcess> {
    const running = await current
    if (running.browser.isConnected()) return running
    closed.signal.throwIfAborted()
    if (running !== process) return living()
    if (relaunchesLeft <= 0) throw new BrowserGoneError('the browser crashed again')
    relaunchesLeft -= 1
    current = running.close().then(launch)
    process = await current
    return process
  }

  async function takeSlot(): Promise<Slot> {
    const running = await living()
    let slot = idle.pop()
    while (slot !== undefined && (slot.process !== running || !slot.tab.isUsable)) slot = idle.pop()
    return slot ?? unless(running.gone, openSlot(running))
  }

  async function openSlot(running: BrowserProcess): Promise<Slot> {
    const context = await running.browser.newContext({
      userAgent: options.userAgent,
      viewport: options.viewport ?? { width: 1280, height: 900 },
      locale: 'en-US',
      serviceWorkers: 'block',
      acceptDownloads: false,
    })
    const tab = await openTab(context, {
      proxy,
      clock,
      settle,
      knownBytes,
      pageTimeoutMs: options.pageTimeoutMs ?? 30_000,
      maxRedirects: options.maxRedirects ?? 10,
      maxBodyBytes: options.maxBodyBytes ?? 15 * 1024 * 1024,
      mayLoad: options.mayLoad,
      blockUrls: [...blockedUrlPatterns, ...(options.blockUrls ?? [])],
    })
    return { tab, process: running, pages: 0 }
  }

  async function giveBack(slot: Slot): Promise<void> {
    if (slot.tab.isUsable && slot.pages < pagesPerTab && slot.process === process) idle.push(slot)
    else await slot.tab.close()
  }

  /** A free tab in order of asking. */
  async function inTurn<T>(pageSignal: AbortSignal, work: () => Promise<T>): Promise<T> {
    if (busy >= concurrency) await untilFree(pageSignal)
    else busy += 1
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) busy -= 1
      else next()
    }
  }

  function untilFree(pageSignal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onStop = () => {
        waiting.splice(waiting.indexOf(start), 1)
        reject(pageSignal.reason)
      }
      const start = () => {
        pageSignal.removeEventListener('abort', onStop)
        resolve()
      }
      pageSignal.addEventListener('abort', onStop, { once: true })
      waiting.push(start)
    })
  }

  async function renderOnce(
    url: string,
    request: BrowserFetchOptions,
    pageSignal: AbortSignal,
  ): Promise<FetchedPage> {
    const turn = await options.pacer?.turn(url, pageSignal)
    const startedAt = performance.now()
    try {
      const slot = await takeSlot()
      slot.pages += 1
      try {
        const page = await slot.tab.render(url, { signal: pageSignal, mayFetch: request.mayFetch })
        turn?.done({
          status: page.status,
          latencyMs: page.ttfbMs,
          retryAfterMs: parseRetryAfter(headerValue(page.headers, 'retry-after'), clock.now()),
          ignore: page.error?.kind === 'browser',
        })
        return page
      } finally {
        await giveBack(slot)
      }
    } finally {
      turn?.done({ status: 0, latencyMs: performance.now() - startedAt, ignore: true })
    }
  }

  async function attempt(
    url: string,
    request: BrowserFetchOptions,
    pageSignal: AbortSignal,
  ): Promise<FetchedPage> {
    for (;;) {
      const before = process
      try {
        const page = await renderOnce(url, request, pageSignal)
        if (page.error?.kind !== 'browser' || before.browser.isConnected()) return page
      } catch (error) {
        pageSignal.throwIfAborted()
        if (before.browser.isConnected() || error instanceof BrowserGoneError) throw error
      }
      // The whole browser went down under this page: once more in its successor, if there is to be one.
    }
  }

  return {
    get version() {
      return process.version
    },
    get pid() {
      return process.pid
    },
    fetchPage(url, request) {
      const pageSignal = AbortSignal.any([request.signal, signal, closed.signal])
      if (pageSignal.aborted) return Promise.reject(pageSignal.reason)
      const page = inTurn(pageSignal, () =>
        retrying(() => attempt(url, request, pageSignal), clock, { ...request, signal: pageSignal }),
      )
      return unless(pageSignal, page)
    },
    close,
  }
}
