import { canonicalLiteral } from './address-guard.ts'
import { type Clock, systemClock } from './clock.ts'

/** The pace of requests to an origin (scheme, host and port): being a guest, not a load test. */
export interface PacerOptions {
  clock?: Clock
  /** Requests in flight an origin. */
  connections?: number
  /** Shortest time between two starts. */
  minDelayMs?: number
  maxDelayMs?: number
  /** The same for loopback addresses; 0 by default. */
  loopbackDelayMs?: number
  /** Requests in flight to a loopback origin. */
  loopbackConnections?: number
  /** Consecutive failures after which a host is given up. */
  maxConsecutiveFailures?: number
  /** Share of failures in the last `failureWindow` requests after which it is given up. */
  maxFailureShare?: number
  failureWindow?: number
  /** A longer Retry-After is not waited for: `HostThrottledError`. */
  maxRetryAfterMs?: number
}

/** What a request came to, for the pace of the next. */
export interface PaceOutcome {
  /** 0 when no answer came. */
  status: number
  latencyMs: number
  retryAfterMs?: number | null
  /** The request was not made or was aborted by us: counts neither way. */
  ignore?: boolean
}

export interface PacerTurn {
  done(outcome: PaceOutcome): void
}

export class HostStoppedError extends Error {
  readonly code = 'host-stopped'
  readonly origin: string
  constructor(origin: string, reason: string) {
    super(`${origin} is given up: ${reason}`)
    this.name = 'HostStoppedError'
    this.origin = origin
  }
}

export class HostThrottledError extends Error {
  readonly code = 'host-throttled'
  readonly origin: string
  readonly retryAfterMs: number
  constructor(origin: string, retryAfterMs: number) {
    super(`${origin} asks to come back in ${Math.ceil(retryAfterMs / 1000)} s`)
    this.name = 'HostThrottledError'
    this.origin = origin
    this.retryAfterMs = retryAfterMs
  }
}

export interface Pacer {
  /**
   * Waits for the origin's next turn, first come first served. Rejects with `HostStoppedError`,
   * `HostThrottledError` or the signal's reason.
   */
  turn(url: string, signal: AbortSignal): Promise<PacerTurn>
  /** A crawl-delay: the origin's minimum becomes the larger of both. */
  setCrawlDelay(url: string, ms: number): void
  /** Gives a host up from outside (robots.txt unreachable). */
  stop(url: string, reason: string): void
  isStopped(url: string): boolean
  stopped(): { origin: string; reason: string }[]
  /** The present delay between starts. */
  delayMs(url: string): number
}

const defaults = {
  connections: 2,
  minDelayMs: 500,
  maxDelayMs: 30_000,
  loopbackDelayMs: 0,
  loopbackConnections: 8,
  maxConsecutiveFailures: 5,
  maxFailureShare: 0.1,
  failureWindow: 50,
  maxRetryAfterMs: 120_000,
}

interface Waiter {
  start(): void
  fail(error: Error): void
}

interface Host {
  origin: string
  waiters: Waiter[]
  inFlight: number
  connections: number
  minDelayMs: number
  delayMs: number
  nextStartAt: number
  retryAt: number
  /** True for a failure, newest last. */
  recent: boolean[]
  consecutiveFailures: number
  stopReason: string | null
  timer: AbortController | null
}

export function createPacer(options: PacerOptions = {}): Pacer {
  const settings = { ...defaults, ...options }
  const clock = options.clock ?? systemClock
  const hosts = new Map<string, Host>()

  function hostOf(url: string): Host {
    const { origin, hostname } = new URL(url)
    const known = hosts.get(origin)
    if (known !== undefined) return known
    const loopback = isLoopback(hostname)
    const minDelayMs = loopback ? settings.loopbackDelayMs : settings.minDelayMs
    const host: Host = {
      origin,
      waiters: [],
      inFlight: 0,
      connections: loopback ? settings.loopbackConnections : settings.connections,
      minDelayMs,
      delayMs: minDelayMs,
      nextStartAt: 0,
      retryAt: 0,
      recent: [],
      consecutiveFailures: 0,
      stopReason: null,
      timer: null,
    }
    hosts.set(origin, host)
    return host
  }

  /** Starts whoever may start now and sets a timer for the next. */
  function pump(host: Host): void {
    host.timer?.abort()
    host.timer = null
    while (host.waiters.length > 0 && host.inFlight < host.connections) {
      const now = clock.now()
      if (host.retryAt - now > settings.maxRetryAfterMs) {
        host.waiters.shift()?.fail(new HostThrottledError(host.origin, host.retryAt - now))
        continue
      }
      const waitMs = Math.max(host.nextStartAt, host.retryAt) - now
      if (waitMs > 0) {
        wakeIn(host, waitMs)
        return
      }
      host.inFlight += 1
      host.nextStartAt = now + host.delayMs
      host.waiters.shift()?.start()
    }
  }

  function wakeIn(host: Host, waitMs: number): void {
    const timer = new AbortController()
    host.timer = timer
    clock.sleep(waitMs, timer.signal).then(
      () => pump(host),
      () => undefined,
    )
  }

  function stop(host: Host, reason: string): void {
    if (host.stopReason !== null) return
    host.stopReason = reason
    host.timer?.abort()
    for (const waiter of host.waiters.splice(0)) waiter.fail(new HostStoppedError(host.origin, reason))
  }

  function learn(host: Host, outcome: PaceOutcome): void {
    const throttled = outcome.status === 429 || (outcome.status === 503 && outcome.retryAfterMs != null)
    if (throttled) {
      const askedMs = outcome.retryAfterMs ?? Math.max(1_000, host.delayMs * 2)
      host.retryAt = Math.max(host.retryAt, clock.now() + askedMs)
    }
    // With no minimum there is no pace to adapt: a site of our own, or a test.
    if (host.minDelayMs > 0) adapt(host, outcome)
    const failed = !throttled && (outcome.status === 0 || outcome.status >= 500)
    host.consecutiveFailures = failed ? host.consecutiveFailures + 1 : 0
    host.recent.push(failed)
    if (host.recent.length > settings.failureWindow) host.recent.shift()
    const failures = host.recent.filter(Boolean).length
    if (host.consecutiveFailures >= settings.maxConsecutiveFailures)
      stop(host, `${host.consecutiveFailures} failures in a row`)
    else if (
      host.recent.length >= settings.failureWindow &&
      failures >= settings.maxFailureShare * settings.failureWindow
    )
      stop(host, `${failures} failures in the last ${host.recent.length} requests`)
  }

  /** Half-way towards the latency, as Scrapy's AutoThrottle does; an error, being quick, never speeds up. */
  function adapt(host: Host, { status, latencyMs }: PaceOutcome): void {
    const next = Math.min(settings.maxDelayMs, Math.max(host.minDelayMs, (host.delayMs + latencyMs) / 2))
    if (status === 200 || next > host.delayMs) host.delayMs = next
  }

  return {
    turn(url, signal) {
      const host = hostOf(url)
      if (signal.aborted) return Promise.reject(signal.reason)
      if (host.stopReason !== null) return Promise.reject(new HostStoppedError(host.origin, host.stopReason))
      return new Promise((resolve, reject) => {
        const onAbort = () => {
          host.waiters.splice(host.waiters.indexOf(waiter), 1)
          if (host.waiters.length === 0) host.timer?.abort()
          reject(signal.reason)
        }
        const waiter: Waiter = {
          start() {
            signal.removeEventListener('abort', onAbort)
            resolve(turnOf(host))
          },
          fail(error) {
            signal.removeEventListener('abort', onAbort)
            reject(error)
          },
        }
        signal.addEventListener('abort', onAbort, { once: true })
        host.waiters.push(waiter)
        pump(host)
      })
    },
    setCrawlDelay(url, ms) {
      const host = hostOf(url)
      host.minDelayMs = Math.max(host.minDelayMs, ms)
      host.delayMs = Math.max(host.delayMs, ms)
    },
    stop: (url, reason) => stop(hostOf(url), reason),
    isStopped: url => hosts.get(new URL(url).origin)?.stopReason != null,
    stopped: () =>
      [...hosts.values()].flatMap(({ origin, stopReason }) =>
        stopReason === null ? [] : [{ origin, reason: stopReason }],
      ),
    delayMs: url => hostOf(url).delayMs,
  }

  function turnOf(host: Host): PacerTurn {
    let isDone = false
    return {
      done(outcome) {
        if (isDone) return
        isDone = true
        host.inFlight -= 1
        if (!outcome.ignore) learn(host, outcome)
        pump(host)
      },
    }
  }
}

export function isLoopback(hostname: string): boolean {
  if (/(?:^|\.)localhost\.?$/i.test(hostname)) return true
  const literal = canonicalLiteral(hostname)
  return literal !== null && (literal.startsWith('127.') || literal === '::1')
}

/** Milliseconds that a Retry-After header (seconds or an HTTP date) asks for; null when there is none. */
export function parseRetryAfter(value: string | undefined, now: number): number | null {
  if (value === undefined) return null
  if (/^\s*\d{1,9}\s*$/.test(value)) return Number(value) * 1_000
  const at = Date.parse(value)
  return Number.isNaN(at) ? null : Math.max(0, at - now)
}
