import { invalid } from './problem.ts'

/** A secret, or what fetches it when it is needed, such as a token that is renewed. */
export type Secret = string | (() => string | Promise<string>)

export interface ClientOptions {
  /** Where the server is: `https://jobs.example.com`, with a path when it is mounted under one. */
  url: string
  /** Of the staff, of the cron service, or a JWT: sent as `Authorization: Bearer`. */
  token?: Secret
  /** Of the job processor: sent as `x-api-key`. */
  apiKey?: Secret
  /** In a browser: by the cookie that `login` sets. The client sends the session's CSRF token with every change. */
  session?: boolean
  /** Default: the platform's own. */
  fetch?: typeof globalThis.fetch
  /** How long one try may take. Default 30 s; what takes as long as it is asked to, such as a drain, has none. */
  timeoutMs?: number
  /**
   * How often a call is tried again after 429, 502, 503, a proxy's 504 or no answer, if doing it twice does nothing more.
   * Default 2.
   */
  retries?: number
}

/** What every call takes besides. */
export interface CallOptions {
  signal?: AbortSignal
  /** How long one try may take. Default: the client's. */
  timeoutMs?: number
  /** Default: the client's. */
  retries?: number
}

export interface Settings {
  /** Without a slash at the end. */
  url: string
  token: Secret | null
  apiKey: Secret | null
  fetch: typeof globalThis.fetch
  /** Null: what fits the call. */
  timeoutMs: number | null
  retries: number
}

/** Throws `invalid-argument` for what can't work. */
export function settingsOf(options: ClientOptions): Settings {
  const { url, token = null, apiKey = null, session = false, timeoutMs = null, retries = 2 } = options
  if ([token !== null, apiKey !== null, session].filter(Boolean).length > 1)
    throw invalid('Give one of token, apiKey and session, not several.')
  if (token === '' || apiKey === '') throw invalid('The token or apiKey is empty. Is its variable set?')
  if (timeoutMs !== null) checkNumber('timeoutMs', timeoutMs, 1)
  checkNumber('retries', retries, 0)
  // Called as a method of something else, a browser's own fetch refuses.
  const fetch = options.fetch ?? ((...args: Parameters<typeof globalThis.fetch>) => globalThis.fetch(...args))
  return { url: checkUrl(url), token, apiKey, fetch, timeoutMs, retries }
}

export function checkNumber(name: string, value: number, least: number): void {
  if (typeof value !== 'number' || !(value >= least))
    throw invalid(`${name} must be a number of at least ${least}, not ${String(value)}.`)
}

function checkUrl(url: string): string {
  const page = (globalThis as { location?: { href: string } }).location?.href
  let parsed: URL
  try {
    parsed = new URL(url, page)
  } catch (cause) {
    throw invalid(`The url ${JSON.stringify(url)} is not one; give it like https://jobs.example.com.`, cause)
  }
  const { protocol, username, password, search, hash } = parsed
  if (protocol !== 'http:' && protocol !== 'https:')
    throw invalid(`The url must begin with http:// or https://, not ${protocol}//.`)
  if (username || password) throw invalid('The url holds a name or password; give a token instead.')
  if (search || hash) throw invalid('The url holds a query or a fragment; leave it out.')
  return parsed.href.replace(/\/+$/, '')
}
