import type { BrowserContext, CDPSession } from 'playwright-core'
import type { LifecycleEvent } from './cdp-types.ts'
import { netError } from './cdp-response.ts'
import type { Clock } from './clock.ts'
import { describeError, type FetchError, FetchFailure } from './fetch-errors.ts'
import type { GuardProxy } from './guard-proxy.ts'
import type { MayFetch } from './http.ts'
import type { FetchedPage } from './page.ts'
import { gatePatterns, openGate } from './tab-gate.ts'
import {
  type Extract,
  extractSource,
  isWaitingSource,
  pageSource,
  observerSource,
  type QuietState,
  quietStateSource,
  worldName,
} from './tab-script.ts'
import { type SettleOptions, settle } from './tab-settle.ts'
import { authorityOf, type TabTraffic, watchTraffic } from './tab-traffic.ts'
import { unless } from './unless.ts'

export interface TabOptions {
  proxy: GuardProxy
  clock: Clock
  settle: Required<SettleOptions>
  pageTimeoutMs: number
  maxRedirects: number
  maxBodyBytes: number
  mayLoad: ((url: string, type: string) => boolean) | undefined
  blockUrls: readonly string[]
  knownBytes: Map<string, number>
}

/** One tab in a context of its own: nothing that a page stores is seen by the next, nor by another tab. */
export interface Tab {
  readonly isUsable: boolean
  render(url: string, options: { signal: AbortSignal; mayFetch?: MayFetch | undefined }): Promise<FetchedPage>
  close(): Promise<void>
}

const answerTimeoutMs = 2_000

export async function openTab(context: BrowserContext, options: TabOptions): Promise<Tab> {
  const page = await context.newPage()
  context.on('page', popup => void popup.close().catch(() => undefined))
  const cdp = await context.newCDPSession(page)
  const mainFrameId = await prepare(cdp, options)

  let worldId: number | null = null
  let isUsable = true
  let crash = () => {}
  cdp.on('Runtime.executionContextCreated', ({ context: world }) => {
    const { frameId } = (world.auxData ?? {}) as { frameId?: string }
    if (world.name === worldName && frameId === mainFrameId) worldId = world.id
  })
  const die = () => {
    isUsable = false
    crash()
  }
  page.on('crash', die)
  page.on('close', die)

  /** Runs a source in our own world (the page's: context null); null when the page does not answer. */
  function evaluate<T>(expression: string, contextId: number | null = worldId): Promise<T | null> {
    const params = { expression, returnByValue: true, ...(contextId === null ? {} : { contextId }) }
    const answer = cdp.send('Runtime.evaluate', params).then(({ result, exceptionDetails }) => {
      if (exceptionDetails) throw new FetchFailure('browser', exceptionDetails.text)
      return result.value as T
    })
    return answerWithin(answer, answerTimeoutMs)
  }

  /** A script that never ends is stopped; what it made of the document remains. */
  async function evaluateForSure<T>(expression: string): Promise<T | null> {
    const value = await evaluate<T>(expression)
    if (value !== null) return value
    await answerWithin(cdp.send('Runtime.terminateExecution'), answerTimeoutMs)
    return evaluate<T>(expression)
  }

  /** A renderer that dies takes the request of its document along, and that may be heard first. */
  async function reasonOf(heard: FetchError): Promise<FetchError> {
    if (heard.kind !== 'reset') return heard
    const alive = answerWithin(cdp.send('Runtime.evaluate', { expression: '0' }), answerTimeoutMs)
    isUsable &&= (await alive.catch(() => null)) !== null
    return isUsable ? heard : describeError(new FetchFailure('browser', 'the page crashed'))
  }

  async function render(
    url: string,
    request: { signal: AbortSignal; mayFetch?: MayFetch | undefined },
  ): Promise<FetchedPage> {
    const fetchedAt = options.clock.now()
    const stop = new AbortController()
    const timer = setTimeout(
      () => stop.abort(new FetchFailure('timeout', `not rendered within ${options.pageTimeoutMs} ms`)),
      options.pageTimeoutMs,
    )
    const signal = AbortSignal.any([request.signal, stop.signal])
    crash = () => stop.abort(new FetchFailure('browser', 'the page crashed'))
    const leaving = gate()
    const loaded = gate()
    const traffic = watchTraffic(cdp, {
      url,
      mainFrameId,
      maxInFlight: options.settle.maxInFlight,
      maxBodyBytes: options.maxBodyBytes,
      proxy: options.proxy,
      knownBytes: options.knownBytes,
      onFailure: () => stop.abort(new FetchFailure('protocol', 'the document failed')),
    })
    const passage = openGate(cdp, traffic, {
      mainFrameId,
      maxRedirects: options.maxRedirects,
      signal,
      mayFetch: request.mayFetch,
      mayLoad: options.mayLoad,
      onClientNavigation: leaving.open,
    })
    const onLifecycle = (event: LifecycleEvent) => {
      if (
        event.name === 'load' &&
        event.frameId === mainFrameId &&
        event.loaderId === traffic.document.loaderId
      )
        loaded.open()
    }
    cdp.on('Page.lifecycleEvent', onLifecycle)
    const result = (rest: Partial<FetchedPage>) => pageOf(url, fetchedAt, traffic, rest)
    try {
      worldId = null
      const { errorText } = await unless(signal, cdp.send('Page.navigate', { url }))
      const failure = traffic.document.failure
      if (failure) return result({ error: await reasonOf(failure) })
      // Chromium replaces an empty error answer by a page of its own, and gives a file to download instead of showing it.
      if (traffic.document.status > 0 && (errorText || !isHtml(traffic.document.mimeType))) return result({})
      if (errorText) {
        const heard = options.proxy.failure(authorityOf(traffic.document.url)) ?? netError(errorText)
        return result({ error: await reasonOf(heard) })
      }
      const settledBy = await settle(
        {
          traffic,
          loaded: loaded.opened,
          leaving: leaving.opened,
          quietState: () => evaluate<QuietState>(quietStateSource),
          isWaiting: withinMs => evaluate<boolean>(isWaitingSource(withinMs), null),
        },
        options.settle,
        options.clock,
        signal,
      )
      // While a navigation is held, Chromium hands nothing to the page.
      await unless(signal, passage.refuseNavigations())
      const extract = await unless(signal, evaluateForSure<Extract>(extractSource))
      if (extract === null) throw new FetchFailure('browser', 'the page does not answer')
      const html = await unless(signal, traffic.document.html)
      const resources = traffic.resources()
      const transferBytes = resources.reduce(
        (sum, each) => sum + each.transferBytes,
        traffic.document.transferBytes,
      )
      return result({
        html,
        rendered: { ...extract, settledBy, navigations: [...traffic.navigations], resources, transferBytes },
      })
    } catch (error) {
      request.signal.throwIfAborted()
      isUsable &&= traffic.document.failure !== null || describeError(error).kind !== 'browser'
      return result({ error: await reasonOf(traffic.document.failure ?? describeError(error)) })
    } finally {
      clearTimeout(timer)
      crash = () => {}
      traffic.stop()
      passage.close()
      cdp.off('Page.lifecycleEvent', onLifecycle)
      if (isUsable) isUsable = await leave(cdp, traffic.document.url)
    }
  }

  return {
    get isUsable() {
      return isUsable
    },
    render,
    close: () => context.close().catch(() => undefined),
  }
}

async function prepare(cdp: CDPSession, options: TabOptions): Promise<string> {
  const [{ frameTree }] = await Promise.all([
    cdp.send('Page.getFrameTree'),
    cdp.send('Page.enable'),
    cdp.send('Page.setLifecycleEventsEnabled', { enabled: true }),
    cdp.send('Network.enable', {
      maxResourceBufferSize: options.maxBodyBytes,
      maxTotalBufferSize: 2 * options.maxBodyBytes,
    }),
    cdp.send('Network.setBypassServiceWorker', { bypass: true }),
    cdp.send('Network.setBlockedURLs', { urls: [...options.blockUrls] }),
    cdp.send('Fetch.enable', { patterns: gatePatterns(options.mayLoad !== undefined) }),
    cdp.send('Page.setPrerenderingAllowed', { isAllowed: false }),
    cdp.send('Page.addScriptToEvaluateOnNewDocument', { source: observerSource, worldName }),
    cdp.send('Page.addScriptToEvaluateOnNewDocument', { source: pageSource }),
    cdp.send('Runtime.enable'),
  ])
  return frameTree.frame.id
}

/** Ends the page's scripts and forgets what it stored. */
async function leave(cdp: CDPSession, url: string): Promise<boolean> {
  // The command answers before the page is gone, and a navigation that starts in between is lost.
  const gone = gate()
  const onNavigated = ({ frame }: { frame: { parentId?: string; url: string } }) => {
    if (frame.parentId === undefined && frame.url === 'about:blank') gone.open()
  }
  cdp.on('Page.frameNavigated', onNavigated)
  const left = Promise.all([
    cdp.send('Page.navigate', { url: 'about:blank' }),
    gone.opened,
    cdp.send('Network.clearBrowserCookies'),
    cdp.send('Storage.clearDataForOrigin', {
      origin: new URL(url).origin,
      storageTypes: 'local_storage,indexeddb,cache_storage,service_workers',
    }),
  ])
  const isLeft = await answerWithin(left, answerTimeoutMs).catch(() => null)
  cdp.off('Page.frameNavigated', onNavigated)
  return isLeft !== null
}

function pageOf(
  url: string,
  fetchedAt: number,
  { document }: TabTraffic,
  rest: Partial<FetchedPage>,
): FetchedPage {
  return {
    fetchUrl: url,
    finalUrl: document.url,
    mode: 'browser',
    fetchedAt,
    status: document.status || (document.hops.at(-1)?.status ?? 0),
    hops: document.hops,
    headers: document.headers,
    html: null,
    bodyBytes: document.bodyBytes,
    ttfbMs: document.ttfbMs,
    attempts: 1,
    error: null,
    ...rest,
  }
}

function isHtml(mimeType: string): boolean {
  return mimeType === 'text/html' || mimeType === 'application/xhtml+xml'
}

function gate(): { opened: Promise<void>; open(): void } {
  let open = () => {}
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  return { opened, open }
}

async function answerWithin<T>(promise: Promise<T>, ms: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<null>(resolve => {
    timer = setTimeout(() => resolve(null), ms)
  })
  promise.catch(() => undefined)
  try {
    return await Promise.race([promise, timeout])
  } finally {
    clearTimeout(timer)
  }
}
