import type { CDPSession } from 'playwright-core'
import type {
  DataReceived,
  LoadingFailed,
  LoadingFinished,
  RequestWillBeSent,
  ResponseFacts,
  ResponseReceived,
  ResponseReceivedExtraInfo,
} from './cdp-types.ts'
import type { FetchError } from './fetch-errors.ts'
import type { GuardProxy } from './guard-proxy.ts'
import { headerLinesOf, proxyFailure } from './cdp-response.ts'
import type { ClientNavigation, RedirectHop, SubResource } from './page.ts'

export type BlockReason = NonNullable<SubResource['blockedBy']>

/** What the document's own request came to. */
export interface DocumentFacts {
  /** The request's and the document's id, known from its first request on. */
  loaderId: string | null
  url: string
  status: number
  mimeType: string
  headers: [name: string, value: string][]
  hops: RedirectHop[]
  ttfbMs: number
  bodyBytes: number
  transferBytes: number
  /** The text of the answer, asked for as soon as it is complete. */
  html: Promise<string | null>
  failure: FetchError | null
}

/** Everything that one page asks of the network, from its navigation on. */
export interface TabTraffic {
  readonly document: DocumentFacts
  readonly navigations: ClientNavigation[]
  inFlight(): number
  /** Milliseconds since more than `maxInFlight` requests were in flight. */
  quietMs(): number
  resources(): SubResource[]
  /** Says why a request will fail, before it is made to. */
  markBlocked(requestId: string, reason: BlockReason): void
  fail(failure: FetchError): void
  stop(): void
}

export interface TrafficOptions {
  url: string
  mainFrameId: string
  proxy: GuardProxy
  maxInFlight: number
  maxBodyBytes: number
  /** Bytes over the wire by URL, for what comes from the cache on later pages. */
  knownBytes: Map<string, number>
  onFailure(): void
}

interface Entry extends SubResource {
  fromCache: boolean
}

export function watchTraffic(cdp: CDPSession, options: TrafficOptions): TabTraffic {
  const document: DocumentFacts = {
    loaderId: null,
    url: options.url,
    status: 0,
    mimeType: '',
    headers: [],
    hops: [],
    ttfbMs: 0,
    bodyBytes: 0,
    transferBytes: 0,
    html: Promise.resolve(null),
    failure: null,
  }
  const entries = new Map<string, Entry>()
  const finished: Entry[] = []
  const blocked = new Map<string, BlockReason>()
  let busyAt = performance.now()

  const noteBusy = () => {
    if (entries.size > options.maxInFlight) busyAt = performance.now()
  }
  const fail = (failure: FetchError) => {
    document.failure ??= failure
    options.onFailure()
  }

  function onRequest(event: RequestWillBeSent): void {
    const { requestId, request, redirectResponse, type } = event
    if (type === 'Document' && event.frameId === options.mainFrameId) {
      document.loaderId ??= event.loaderId
      if (event.loaderId !== document.loaderId) return
      if (redirectResponse) document.hops.push(hopOf(redirectResponse, request.url))
      document.url = request.url
      return
    }
    if (!/^https?:/.test(request.url) || type === 'Preflight') return
    const previous = entries.get(requestId)
    if (previous && redirectResponse) {
      previous.status = redirectResponse.status
      finish(requestId, redirectResponse.encodedDataLength)
    }
    const entry: Entry = {
      url: request.url,
      type: (type ?? 'other').toLowerCase(),
      status: 0,
      transferBytes: 0,
      fromCache: false,
    }
    entries.set(requestId, entry)
    noteBusy()
  }

  function onExtraInfo(event: ResponseReceivedExtraInfo): void {
    // Comes once a hop, before or after `responseReceived`: the last one is the document's.
    if (
      event.requestId === document.loaderId &&
      !(event.statusCode >= 300 && event.statusCode < 400 && event.statusCode !== 304)
    )
      document.headers = headerLinesOf(event.headers, event.headersText)
  }

  function onResponse({ requestId, response }: ResponseReceived): void {
    const refused = proxyFailure(response, options.proxy)
    if (requestId === document.loaderId) {
      if (refused) return fail(refused)
      document.status = response.status
      document.mimeType = response.mimeType
      document.url = response.url.replace(/#.*$/, '')
      if (document.headers.length === 0) document.headers = headerLinesOf(response.headers, undefined)
      const { timing } = response
      document.ttfbMs = timing ? Math.max(0, timing.receiveHeadersStart - timing.sendStart) : 0
      return
    }
    const entry = entries.get(requestId)
    if (!entry) return
    entry.status = refused ? 0 : response.status
    if (refused) entry.blockedBy = refused.kind === 'address-refused' ? 'address-guard' : 'network'
    entry.fromCache ||= response.fromDiskCache === true || response.fromPrefetchCache === true
  }

  function onCached({ requestId }: { requestId: string }): void {
    const entry = entries.get(requestId)
    if (entry) entry.fromCache = true
  }

  function onData({ requestId, dataLength }: DataReceived): void {
    if (requestId !== document.loaderId) return
    document.bodyBytes += dataLength
    if (document.bodyBytes > options.maxBodyBytes)
      fail({ kind: 'too-large', message: `the body exceeds ${options.maxBodyBytes} bytes` })
  }

  function onFinished({ requestId, encodedDataLength }: LoadingFinished): void {
    if (requestId === document.loaderId) {
      document.transferBytes = encodedDataLength
      document.html = cdp.send('Network.getResponseBody', { requestId }).then(
        ({ body, base64Encoded }) => (base64Encoded ? Buffer.from(body, 'base64').toString() : body),
        () => null,
      )
      return
    }
    finish(requestId, encodedDataLength)
  }

  function onFailed({ requestId, blockedReason, canceled }: LoadingFailed): void {
    const entry = entries.get(requestId)
    if (!entry) return
    const marked = blocked.get(requestId) ?? (blockedReason === 'inspector' ? 'policy' : undefined)
    const guarded = options.proxy.failure(authorityOf(entry.url))?.kind === 'address-refused'
    if (marked || guarded) entry.blockedBy = marked ?? 'address-guard'
    else if (canceled) entries.delete(requestId)
    else entry.blockedBy = 'network'
    finish(requestId, 0)
  }

  function finish(requestId: string, wireBytes: number): void {
    const entry = entries.get(requestId)
    if (!entry) return
    noteBusy()
    entries.delete(requestId)
    entry.transferBytes = entry.fromCache ? (options.knownBytes.get(entry.url) ?? wireBytes) : wireBytes
    if (!entry.fromCache && wireBytes > 0) options.knownBytes.set(entry.url, wireBytes)
    finished.push(entry)
  }

  cdp.on('Network.requestWillBeSent', onRequest)
  cdp.on('Network.responseReceivedExtraInfo', onExtraInfo)
  cdp.on('Network.responseReceived', onResponse)
  cdp.on('Network.requestServedFromCache', onCached)
  cdp.on('Network.dataReceived', onData)
  cdp.on('Network.loadingFinished', onFinished)
  cdp.on('Network.loadingFailed', onFailed)

  return {
    document,
    navigations: [],
    inFlight: () => entries.size,
    quietMs: () => (entries.size > options.maxInFlight ? 0 : performance.now() - busyAt),
    resources: () =>
      [...finished, ...entries.values()].map(({ fromCache: _fromCache, ...resource }) => resource),
    markBlocked: (requestId, reason) => void blocked.set(requestId, reason),
    fail,
    stop() {
      cdp.off('Network.requestWillBeSent', onRequest)
      cdp.off('Network.responseReceivedExtraInfo', onExtraInfo)
      cdp.off('Network.responseReceived', onResponse)
      cdp.off('Network.requestServedFromCache', onCached)
      cdp.off('Network.dataReceived', onData)
      cdp.off('Network.loadingFinished', onFinished)
      cdp.off('Network.loadingFailed', onFailed)
    },
  }
}

function hopOf(response: ResponseFacts, to: string): RedirectHop {
  return { url: response.url.replace(/#.*$/, ''), status: response.status, location: to.replace(/#.*$/, '') }
}

export function authorityOf(url: string): string {
  const { hostname, port, protocol } = new URL(url)
  return `${hostname}:${port || (/^(?:https|wss):$/.test(protocol) ? 443 : 80)}`
}
