import type { Agent } from 'undici'
import { type Clock, systemClock } from './clock.ts'
import { createGuardedAgent } from './http-agent.ts'
import { acceptEncoding, decodedBody } from './http-body.ts'
import { describeError, FetchFailure } from './fetch-errors.ts'
import { fetchPage } from './fetch-page.ts'
import {
  type FailedAnswer,
  headerValue,
  type HttpClient,
  type HttpClientOptions,
  type OpenAnswer,
  type OpenOptions,
} from './http-client.ts'

export * from './http-client.ts'
import { createCookieJar, type CookieJar } from './cookie-jar.ts'
import type { FetchErrorKind, RedirectHop } from './page.ts'
import { type Pacer, parseRetryAfter } from './politeness.ts'

export function createHttpClient(options: HttpClientOptions): HttpClient {
  const settings: Settings = {
    userAgent: options.userAgent,
    pacer: options.pacer,
    clock: options.clock ?? systemClock,
    totalTimeoutMs: options.totalTimeoutMs ?? 30_000,
    maxBodyBytes: options.maxBodyBytes ?? 15 * 1024 * 1024,
    maxRedirects: options.maxRedirects ?? 10,
    acceptLanguage: options.acceptLanguage ?? 'en',
    agent: createGuardedAgent({
      guard: options.guard,
      connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
      connections: options.connections ?? 8,
      ca: options.ca,
    }),
  }
  const open = (url: string, request: OpenOptions) => follow(settings, url, request)
  return {
    userAgent: options.userAgent,
    open,
    fetchPage: (url, request) =>
      fetchPage({ open, clock: settings.clock, maxBodyBytes: settings.maxBodyBytes }, url, request),
    close: () => settings.agent.destroy(),
  }
}

interface Settings {
  agent: Agent
  userAgent: string
  pacer: Pacer | undefined
  clock: Clock
  totalTimeoutMs: number
  maxBodyBytes: number
  maxRedirects: number
  acceptLanguage: string
}

/** Follows redirects by hand, so that each hop is recorded, paced, and checked like a request of its own. */
async function follow(
  settings: Settings,
  start: string,
  request: OpenOptions,
): Promise<OpenAnswer | FailedAnswer> {
  const first = await followOnce(settings, start, request, null)
  if (first.ok || first.error.kind !== 'redirect-loop' || first.hops.length > 3) return first
  // A site that sets a cookie and redirects to itself loops only for those who keep none.
  return followOnce(settings, start, request, createCookieJar())
}

async function followOnce(
  settings: Settings,
  start: string,
  request: OpenOptions,
  cookies: CookieJar | null,
): Promise<OpenAnswer | FailedAnswer> {
  const maxRedirects = request.maxRedirects ?? settings.maxRedirects
  const hops: RedirectHop[] = []
  const seen = new Set<string>([start])
  let url = start
  for (;;) {
    const fail = (kind: FetchErrorKind, message: string): FailedAnswer => ({
      ok: false,
      finalUrl: url,
      status: hops.at(-1)?.status ?? 0,
      hops,
      error: { kind, message },
    })
    const answer = await requestOnce(settings, url, request, cookies).catch((error: unknown) => {
      if (isOurs(error, request.signal)) throw error
      return describeError(error)
    })
    if ('kind' in answer) return fail(answer.kind, answer.message)
    const location = redirectTarget(answer, url)
    if (location === null) return { ...answer, hops }
    answer.discard()
    hops.push({ url, status: answer.status, location })
    cookies?.take(url, answer.headers)
    url = location
    if (hops.length > maxRedirects) return fail('redirect-loop', `more than ${maxRedirects} redirects`)
    if (seen.has(location) && cookies?.changed() !== true)
      return fail('redirect-loop', `${location} is redirected to again`)
    seen.add(location)
    if (request.mayFetch && !(await request.mayFetch(location, request.signal)))
      return fail('robots', `robots.txt disallows ${location}`)
  }
}

/** Aborts and the pacer's refusals are not answers of the site. */
function isOurs(error: unknown, signal: AbortSignal): boolean {
  if (signal.aborted) return true
  const code = error instanceof Error && 'code' in error ? error.code : ''
  return code === 'host-stopped' || code === 'host-throttled'
}

async function requestOnce(
  settings: Settings,
  url: string,
  request: OpenOptions,
  cookies: CookieJar | null,
): Promise<OpenAnswer> {
  const turn = await settings.pacer?.turn(url, request.signal)
  const timeout = new AbortController()
  const timeoutMs = request.totalTimeoutMs ?? settings.totalTimeoutMs
  const timer = setTimeout(
    () => timeout.abort(new FetchFailure('timeout', `no complete answer within ${timeoutMs} ms`)),
    timeoutMs,
  )
  const { origin, pathname, search } = new URL(url)
  const startedAt = performance.now()
  try {
    const cookie = cookies?.header(url)
    const response = await settings.agent.request({
      origin,
      path: pathname + search,
      method: request.method ?? 'GET',
      headers: {
        'user-agent': settings.userAgent,
        accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
        'accept-language': settings.acceptLanguage,
        'accept-encoding': acceptEncoding,
        ...(cookie ? { cookie } : {}),
        ...request.headers,
      },
      signal: AbortSignal.any([request.signal, timeout.signal]),
      responseHeaders: 'raw',
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
    })
    const ttfbMs = performance.now() - startedAt
    // With `responseHeaders: 'raw'` undici answers a flat list, whatever its types say.
    const headers = headerLines(response.headers as unknown as string[])
    const retryAfterMs = parseRetryAfter(headerValue(headers, 'retry-after'), settings.clock.now())
    const outcome = { status: response.statusCode, latencyMs: ttfbMs, retryAfterMs }
    const finish = () => {
      clearTimeout(timer)
      turn?.done(request.signal.aborted ? { ...outcome, ignore: true } : outcome)
    }
    response.body.once('close', finish)
    response.body.on('error', () => undefined)
    return {
      ok: true,
      finalUrl: url,
      status: response.statusCode,
      hops: [],
      headers,
      ttfbMs,
      body: maxBytes => decodedBody(response.body, headerValue(headers, 'content-encoding'), maxBytes),
      discard() {
        // Reading a short rest is cheaper than a new connection.
        const length = Number(headerValue(headers, 'content-length') ?? Number.NaN)
        if (request.method === 'HEAD' || length <= 16_384) response.body.resume()
        else response.body.destroy()
        // Not on close, which comes later: whoever asks next shall know already that the host wants a pause.
        finish()
      },
    }
  } catch (error) {
    clearTimeout(timer)
    turn?.done({ status: 0, latencyMs: performance.now() - startedAt, ignore: request.signal.aborted })
    throw timeout.signal.aborted && !request.signal.aborted ? timeout.signal.reason : error
  }
}

function redirectTarget(answer: OpenAnswer, url: string): string | null {
  if (![301, 302, 303, 307, 308].includes(answer.status)) return null
  const location = headerValue(answer.headers, 'location')
  const target = location === undefined ? null : URL.parse(location, url)
  if (target === null || !/^https?:$/.test(target.protocol)) return null
  target.hash = ''
  target.username = ''
  target.password = ''
  return target.href
}

function headerLines(raw: readonly string[]): [string, string][] {
  const lines: [string, string][] = []
  for (let at = 0; at + 1 < raw.length; at += 2)
    lines.push([(raw[at] ?? '').toLowerCase(), fromHeaderBytes(raw[at + 1] ?? '')])
  return lines
}

/** Header bytes arrive as Latin-1; those beyond ASCII (in a Location) are UTF-8 nowadays. */
function fromHeaderBytes(value: string): string {
  if (!/[\x80-\xff]/.test(value)) return value
  const text = Buffer.from(value, 'latin1').toString('utf8')
  return text.includes('\ufffd') ? value : text
}
