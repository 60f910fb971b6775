import { type Clock, systemClock } from './clock.ts'
import type { FetchError } from './fetch-errors.ts'
import { type FailedAnswer, type HttpClient, headerValue, type OpenAnswer } from './http.ts'
import type { FetchErrorKind, RedirectHop } from './page.ts'
import { parseRetryAfter } from './politeness.ts'
import type { RobotsStore } from './robots-store.ts'
import { classifyStatus, type StatusClass } from './status-class.ts'
import { canonicalize } from './url.ts'

/**
 * `broken`: 404 or 410 by GET; for internal links any other 4xx that is no refusal, too. `suspect`: DNS failure, no
 * connection, timeout or 5xx; broken when a second crawl, 24 h later, says the same. `unverified`: refused, throttled,
 * behind a login, robots.txt or a challenge: nothing can be said.
 */
export type LinkVerdict = 'ok' | 'redirect' | 'broken' | 'suspect' | 'unverified'

export interface LinkCheck {
  /** As asked (a `fetchUrl`). */
  url: string
  key: string
  verdict: LinkVerdict
  statusClass: StatusClass
  /** Final status, 0 when no answer came. */
  status: number
  finalUrl: string
  hops: RedirectHop[]
  error: { kind: FetchErrorKind; message: string } | null
  /** Every request made, in order, as evidence. */
  requests: { method: 'HEAD' | 'GET-range' | 'GET'; status: number; error: FetchErrorKind | null }[]
  checkedAt: number
  /** The host asked to wait longer than this crawl may. */
  retryAfterMs: number | null
}

export interface LinkCheckerOptions {
  /** Its pacer gives the pace; for foreign hosts one connection and 2 s between starts. */
  http: HttpClient
  robots: RobotsStore
  clock?: Clock
  /** Time for one request. */
  timeoutMs?: number
  /** Hosts that are asked at a time; one host is asked one thing at a time. */
  concurrency?: number
  /** A 429 that asks for no longer is asked again once. */
  maxRetryAfterMs?: number
  isInternal?: (url: string) => boolean
  /** A recent check by key (one that was ok is good for 7 days), answered instead of asking again. */
  known?: (key: string) => LinkCheck | undefined
}

export interface LinkChecker {
  /** Each distinct URL (by key) is asked once, however often it is given. Rejects only with the signal's reason. */
  check(url: string, signal: AbortSignal): Promise<LinkCheck>
  /** Checks all, reporting each distinct one as it is known. */
  checkAll(
    urls: Iterable<string>,
    signal: AbortSignal,
    onResult: (check: LinkCheck) => void | Promise<void>,
  ): Promise<void>
}

export function createLinkChecker(options: LinkCheckerOptions): LinkChecker {
  const clock = options.clock ?? systemClock
  const checks = new Map<string, Promise<LinkCheck>>()

  function check(url: string, signal: AbortSignal): Promise<LinkCheck> {
    const key = canonicalize(url)?.key ?? url
    const known = options.known?.(key)
    if (known !== undefined) return Promise.resolve(known)
    const running = checks.get(key) ?? checkOnce(url, key, options, clock, signal)
    checks.set(key, running)
    // An aborted check is no answer for whoever asks later.
    running.catch(() => checks.delete(key))
    return running
  }

  return {
    check,
    async checkAll(urls, signal, onResult) {
      const hosts = [...byHost(urls).values()]
      const worker = async () => {
        for (let host = hosts.shift(); host !== undefined; host = hosts.shift())
          for (const url of host) await onResult(await check(url, signal))
      }
      await Promise.all(Array.from({ length: options.concurrency ?? 8 }, worker))
    },
  }
}

/** Grouped, so that one slow host holds up one worker and not all of them. */
function byHost(urls: Iterable<string>): Map<string, string[]> {
  const hosts = new Map<string, string[]>()
  const seen = new Set<string>()
  for (const url of urls) {
    const canonical = canonicalize(url)
    if (canonical === null || seen.has(canonical.key)) continue
    seen.add(canonical.key)
    const { host } = new URL(canonical.fetchUrl)
    const group = hosts.get(host)
    if (group === undefined) hosts.set(host, [url])
    else group.push(url)
  }
  return hosts
}

type Method = LinkCheck['requests'][number]['method']

async function checkOnce(
  url: string,
  key: string,
  options: LinkCheckerOptions,
  clock: Clock,
  signal: AbortSignal,
): Promise<LinkCheck> {
  const requests: LinkCheck['requests'] = []
  const isInternal = options.isInternal?.(url) ?? false
  const finish = (answer: OpenAnswer | FailedAnswer, retryAfterMs: number | null = null): LinkCheck => ({
    url,
    key,
    ...judge(answer, isInternal),
    status: answer.ok ? answer.status : 0,
    finalUrl: answer.finalUrl,
    hops: answer.hops,
    error: answer.ok ? null : answer.error,
    requests,
    checkedAt: clock.now(),
    retryAfterMs,
  })
  const failed = (error: FetchError): FailedAnswer => ({
    ok: false,
    finalUrl: url,
    status: 0,
    hops: [],
    error,
  })

  async function ask(method: Method): Promise<OpenAnswer | FailedAnswer> {
    const answer = await options.http.open(url, {
      signal,
      method: method === 'HEAD' ? 'HEAD' : 'GET',
      totalTimeoutMs: options.timeoutMs ?? 10_000,
      mayFetch: options.robots.mayFetch,
      ...(method === 'GET-range' ? { headers: { range: 'bytes=0-1023' } } : {}),
    })
    if (answer.ok) answer.discard()
    requests.push({
      method,
      status: answer.ok ? answer.status : 0,
      error: answer.ok ? null : answer.error.kind,
    })
    return answer
  }

  try {
    const robots = await options.robots.get(url, signal)
    if (robots.state === 'unreachable' && robots.error !== null) return finish(failed(robots.error))
    if (!robots.mayFetch(url).allowed)
      return finish(failed({ kind: 'robots', message: `robots.txt disallows ${url}` }))
    let answer = await ask('HEAD')
    if (isDoubtful(answer)) answer = await ask('GET-range')
    if (isDoubtful(answer)) answer = await ask('GET')
    const askedMs = retryAfterOf(answer, clock.now())
    if (!isThrottled(answer)) return finish(answer)
    if (askedMs === null || askedMs > (options.maxRetryAfterMs ?? 60_000)) return finish(answer, askedMs)
    await clock.sleep(askedMs, signal)
    answer = await ask('GET')
    return finish(answer, retryAfterOf(answer, clock.now()))
  } catch (error) {
    signal.throwIfAborted()
    // The pacer has given the host up, or it asks for more time than we have.
    const retryAfterMs = error instanceof Error && 'retryAfterMs' in error ? Number(error.retryAfterMs) : null
    const message = error instanceof Error ? error.message : String(error)
    return { ...finish(failed({ kind: 'connect', message }), retryAfterMs), verdict: 'unverified' }
  }
}

/** Not every server knows HEAD or ranges: only a plain GET condemns. */
function isDoubtful(answer: OpenAnswer | FailedAnswer): boolean {
  if (answer.ok) return answer.status >= 400 && answer.status !== 429
  return answer.error.kind === 'protocol' || answer.error.kind === 'reset' || answer.error.kind === 'timeout'
}

function isThrottled(answer: OpenAnswer | FailedAnswer): boolean {
  return answer.ok && (answer.status === 429 || (answer.status === 503 && retryAfterOf(answer, 0) !== null))
}

function retryAfterOf(answer: OpenAnswer | FailedAnswer, now: number): number | null {
  return answer.ok ? parseRetryAfter(headerValue(answer.headers, 'retry-after'), now) : null
}

const suspectKinds = new Set<FetchErrorKind>(['dns', 'connect', 'timeout'])

function judge(
  answer: OpenAnswer | FailedAnswer,
  isInternal: boolean,
): { verdict: LinkVerdict; statusClass: StatusClass } {
  if (!answer.ok)
    return { verdict: suspectKinds.has(answer.error.kind) ? 'suspect' : 'unverified', statusClass: 'network' }
  const { status, headers, hops } = answer
  const statusClass = classifyStatus({
    status,
    hasLocation: headerValue(headers, 'location') !== undefined,
    hasRetryAfter: headerValue(headers, 'retry-after') !== undefined,
  })
  const isChallenge = headerValue(headers, 'cf-mitigated') === 'challenge'
  return {
    verdict: isChallenge ? 'unverified' : verdictOf(statusClass, status, hops.length > 0, isInternal),
    statusClass,
  }
}

function verdictOf(
  statusClass: StatusClass,
  status: number,
  isRedirected: boolean,
  isInternal: boolean,
): LinkVerdict {
  switch (statusClass) {
    case 'gone':
      return 'broken'
    case 'client-error':
      // 405 answers the method, not the address.
      return isInternal && status !== 405 ? 'broken' : 'unverified'
    case 'server-error':
    case 'origin-down':
      return 'suspect'
    case 'auth':
    case 'refused':
    case 'throttled':
    case 'network':
    case 'odd3xx':
      return 'unverified'
    default:
      return isRedirected ? 'redirect' : 'ok'
  }
}
