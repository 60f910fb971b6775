import type { AddressGuard } from './address-guard.ts'
import type { Clock } from './clock.ts'
import type { FetchedPage, FetchErrorKind, RedirectHop } from './page.ts'
import type { Pacer } from './politeness.ts'

export interface HttpClientOptions {
  guard: AddressGuard
  /** `Name/1.0 (+https://host/bot)`. */
  userAgent: string
  pacer?: Pacer
  clock?: Clock
  connectTimeoutMs?: number
  /** For one request with its body; redirects count anew. */
  totalTimeoutMs?: number
  maxBodyBytes?: number
  maxRedirects?: number
  /** Sockets an origin. */
  connections?: number
  acceptLanguage?: string
  /** Extra certificates to trust (PEM), beside the usual ones. */
  ca?: string
}

/** Asked before each redirect hop: does robots.txt of its origin let us? */
export type MayFetch = (url: string, signal: AbortSignal) => Promise<boolean>

export interface FetchOptions {
  signal: AbortSignal
  /** 1, the default, is no retry. Network failures, 5xx and 429 are retried. */
  maxAttempts?: number
  /** Waits before the second, third … attempt, with jitter; a short Retry-After wins. 30 s, 120 s. */
  backoffMs?: readonly number[]
  mayFetch?: MayFetch
  headers?: Readonly<Record<string, string>>
}

export interface OpenOptions {
  signal: AbortSignal
  method?: 'GET' | 'HEAD'
  headers?: Readonly<Record<string, string>>
  maxRedirects?: number
  totalTimeoutMs?: number
  mayFetch?: MayFetch
}

/** An answer whose body is still to be read. Read it to its end or `discard()` it. */
export interface OpenAnswer {
  ok: true
  finalUrl: string
  status: number
  hops: RedirectHop[]
  /** Raw lines, names lower-cased, repeated ones kept apart. */
  headers: [name: string, value: string][]
  ttfbMs: number
  /** HTTP content codings undone; throws `FetchFailure` past `maxBytes` or when the transfer breaks. */
  body(maxBytes: number): AsyncIterable<Uint8Array>
  discard(): void
}

export interface FailedAnswer {
  ok: false
  finalUrl: string
  /** The status of the last redirect followed, 0 when no answer came. */
  status: number
  hops: RedirectHop[]
  error: { kind: FetchErrorKind; message: string }
}

export interface HttpClient {
  readonly userAgent: string
  /**
   * GETs a page. Failures are told in its `error`; it rejects only with the signal's reason or when the pacer gives
   * the host up (`HostStoppedError`, `HostThrottledError`).
   */
  fetchPage(url: string, options: FetchOptions): Promise<FetchedPage>
  /** One request with its redirects, the body unread. Rejects as `fetchPage` does. */
  open(url: string, options: OpenOptions): Promise<OpenAnswer | FailedAnswer>
  close(): Promise<void>
}

/** The first line of that name. */
export function headerValue(headers: readonly [string, string][], name: string): string | undefined {
  return headers.find(([candidate]) => candidate === name)?.[1]
}
