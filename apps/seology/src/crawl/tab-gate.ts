import type { CDPSession } from 'playwright-core'
import type { RequestPaused, ResourceType } from './cdp-types.ts'
import type { MayFetch } from './http.ts'
import type { TabTraffic } from './tab-traffic.ts'

export interface GateOptions {
  mainFrameId: string
  maxRedirects: number
  signal: AbortSignal
  mayFetch: MayFetch | undefined
  mayLoad: ((url: string, type: string) => boolean) | undefined
  onClientNavigation(): void
}

// Scripts, styles, images and fonts are only ever fetched; pausing them would cost a round trip each for nothing.
const writingTypes: readonly ResourceType[] = [
  'Document',
  'XHR',
  'Fetch',
  'Ping',
  'CSPViolationReport',
  'Other',
]

/** The requests that have to wait for our word, for `Fetch.enable`. */
export function gatePatterns(
  judgesAll: boolean,
): { urlPattern?: string; resourceType?: ResourceType; requestStage: 'Request' }[] {
  return judgesAll
    ? [{ urlPattern: '*', requestStage: 'Request' }]
    : writingTypes.map(resourceType => ({ resourceType, requestStage: 'Request' }))
}

export interface Gate {
  /** Refuses the navigations that were held, and any further one, so that the page can be talked to again. */
  refuseNavigations(): Promise<void>
  close(): void
}

/** Lets requests of a page pass or not. */
export function openGate(cdp: CDPSession, traffic: TabTraffic, options: GateOptions): Gate {
  const held: string[] = []
  let refusesNavigations = false
  const visits = new Map<string, number>()
  const pass = (requestId: string) => send(cdp.send('Fetch.continueRequest', { requestId }))
  const refuse = (requestId: string, errorReason: 'Aborted' | 'BlockedByClient') =>
    send(cdp.send('Fetch.failRequest', { requestId, errorReason }))

  async function judgeDocument(requestId: string, url: string): Promise<void> {
    const { hops } = traffic.document
    const count = (visits.get(url) ?? 0) + 1
    visits.set(url, count)
    // Twice is allowed: a first visit may only set a cookie.
    if (count > 2 || hops.length > options.maxRedirects)
      traffic.fail({
        kind: 'redirect-loop',
        message: count > 2 ? `${url} is redirected to again` : `more than ${options.maxRedirects} redirects`,
      })
    else if (hops.length > 0 && options.mayFetch && !(await options.mayFetch(url, options.signal)))
      traffic.fail({ kind: 'robots', message: `robots.txt disallows ${url}` })
    await (traffic.document.failure === null ? pass(requestId) : refuse(requestId, 'Aborted'))
  }

  function onPaused({ requestId, networkId, request, resourceType, frameId }: RequestPaused): void {
    const isRead = /^(?:GET|HEAD|OPTIONS)$/.test(request.method)
    if (resourceType === 'Document' && frameId === options.mainFrameId) {
      traffic.document.loaderId ??= networkId ?? null
      if (networkId === traffic.document.loaderId) {
        judgeDocument(requestId, request.url).catch(() => refuse(requestId, 'Aborted'))
        return
      }
      const from = traffic.document.url
      if (traffic.navigations.length < 10)
        traffic.navigations.push({ from, to: request.url.replace(/#.*$/, '') })
      options.onClientNavigation()
      // Refused at once it would stop the parser half-way, and what is rendered shall be this document to its end.
      if (refusesNavigations) void refuse(requestId, 'Aborted')
      else held.push(requestId)
      return
    }
    const type = resourceType.toLowerCase()
    const reason = !isRead ? 'policy' : options.mayLoad?.(request.url, type) === false ? 'robots' : null
    if (reason === null) return void pass(requestId)
    if (networkId) traffic.markBlocked(networkId, reason)
    void refuse(requestId, 'BlockedByClient')
  }

  cdp.on('Fetch.requestPaused', onPaused)
  return {
    async refuseNavigations() {
      refusesNavigations = true
      await Promise.all(held.splice(0).map(requestId => refuse(requestId, 'Aborted')))
    },
    close: () => cdp.off('Fetch.requestPaused', onPaused),
  }
}

/** A request that went away meanwhile needs no word any more. */
async function send(command: Promise<unknown>): Promise<void> {
  await command.catch(() => undefined)
}
