/**
 * What fetching one URL yielded, before anybody judges it. The crawler (`crawl/`) makes it, the audit (`audit/`)
 * reads it; nothing here refers to the network or the database.
 */

export type RenderMode = 'browser' | 'fetch'

/** One HTTP answer on the way to the final one. */
export interface RedirectHop {
  /** The URL that was requested for this hop. */
  url: string
  status: number
  /** The absolute URL that the answer pointed to. */
  location: string
}

/** A document change that no HTTP redirect explains (meta refresh, script). Browser mode only. */
export interface ClientNavigation {
  from: string
  to: string
}

/** One sub-resource that the browser asked for while rendering. Browser mode only. */
export interface SubResource {
  url: string
  /** Chromium's resource type: `script`, `stylesheet`, `image`, `font`, `xhr` … */
  type: string
  status: number
  /** Bytes over the wire (CDP `encodedDataLength`). */
  transferBytes: number
  /** Why it was not loaded: our own robots rules, the address guard, our policy (analytics, non-GET), a network failure. */
  blockedBy?: 'robots' | 'address-guard' | 'policy' | 'network'
}

export type FetchErrorKind =
  | 'dns'
  | 'connect'
  | 'tls'
  | 'timeout'
  | 'reset'
  | 'too-large'
  | 'protocol'
  | 'redirect-loop'
  | 'address-refused'
  | 'robots'
  /** The browser itself failed on this page (crash). Browser mode only. */
  | 'browser'

export interface FetchedPage {
  /** What was asked for: tracking parameters dropped, parameter order kept. */
  fetchUrl: string
  /** Where the last answer came from. Equal to `fetchUrl` when nothing redirected. */
  finalUrl: string
  mode: RenderMode
  fetchedAt: number
  /** Final status; 0 when no answer came (see `error`). */
  status: number
  hops: RedirectHop[]
  /** Raw header lines of the final answer, names lower-cased, repeated lines kept apart. */
  headers: [name: string, value: string][]
  /** Decoded text of the HTML answer; null for anything else. */
  html: string | null
  /** Decoded bytes of the body as far as it was read. */
  bodyBytes: number
  /** Milliseconds to the first byte of the final answer, redirects excluded. */
  ttfbMs: number
  attempts: number
  error: { kind: FetchErrorKind; message: string } | null
  /** Present in browser mode: the DOM after it settled, and what the browser saw. */
  rendered?: {
    html: string
    /** `document.baseURI` at extraction. */
    baseUri: string
    settledBy: 'quiet' | 'cap'
    navigations: ClientNavigation[]
    resources: SubResource[]
    elementCount: number
    transferBytes: number
  }
}
