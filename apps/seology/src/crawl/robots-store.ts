import { type Clock, systemClock } from './clock.ts'
import { describeError } from './fetch-errors.ts'
import type { HttpClient } from './http.ts'
import type { FetchErrorKind, RedirectHop } from './page.ts'
import { type ParsedRobots, parseRobots, type RobotsDecision, type RobotsProblem } from './robots.ts'

/** `rules`: a 2xx was parsed. `none`: 4xx or too many redirects. `unreachable`: 5xx, 429 or no answer: nothing may be fetched. */
export type RobotsState = 'rules' | 'none' | 'unreachable'

export interface RobotsFile {
  origin: string
  url: string
  finalUrl: string
  state: RobotsState
  status: number
  hops: RedirectHop[]
  error: { kind: FetchErrorKind; message: string } | null
  fetchedAt: number
  attempts: number
  /** The text that was parsed, so that it can be stored; null when there was none. */
  text: string | null
  parsed: ParsedRobots | null
  /** The last good copy (at most 24 h old) stands in for an unreachable file. */
  fromLastGood: boolean
  problems: RobotsProblem[]
  /** Absolute sitemap URLs listed. */
  sitemaps: string[]
  /** What we keep between starts: the asked delay, capped; null when none is asked. */
  crawlDelayMs: number | null
  /** The asked delay was above the cap: tell the user and shrink the budget. */
  crawlDelayCapped: boolean
  /** For our own token: decides whether we fetch. */
  mayFetch(url: string): RobotsDecision
  /** For the audited engine: feeds findings. */
  engineMayFetch(url: string): RobotsDecision
}

export interface RobotsStore {
  /** One file an origin, fetched at first use and kept for `maxAgeMs`. Concurrent calls share one request. */
  get(url: string, signal: AbortSignal): Promise<RobotsFile>
  /** What is already known, without fetching. */
  peek(url: string): RobotsFile | undefined
  /** For our own token; false while the file is unreachable. */
  mayFetch(url: string, signal: AbortSignal): Promise<boolean>
}

export interface RobotsStoreOptions {
  http: HttpClient
  clock?: Clock
  /** Our product token. */
  token: string
  engineToken?: string
  maxAgeMs?: number
  maxCrawlDelayMs?: number
  /** Waits between the tries of an unreachable file; 5 s and 30 s. */
  retryDelaysMs?: readonly number[]
  /** Good copies kept from an earlier crawl, by origin. */
  lastGood?: ReadonlyMap<string, { text: string; fetchedAt: number }>
}

// A little more than is parsed, to tell that a file is too large.
const maxReadBytes = 1_000_000

export function createRobotsStore(options: RobotsStoreOptions): RobotsStore {
  const clock = options.clock ?? systemClock
  const maxAgeMs = options.maxAgeMs ?? 24 * 3_600_000
  const files = new Map<string, RobotsFile>()
  const pending = new Map<string, Promise<RobotsFile>>()

  async function get(url: string, signal: AbortSignal): Promise<RobotsFile> {
    const { origin } = new URL(url)
    const known = files.get(origin)
    if (known !== undefined && clock.now() - known.fetchedAt < maxAgeMs) return known
    const running = pending.get(origin)
    if (running === undefined) {
      const load = loadRobots(origin, options, clock, signal).finally(() => pending.delete(origin))
      pending.set(origin, load)
      const file = await load
      files.set(origin, file)
      return file
    }
    try {
      return await running
    } catch (error) {
      // Whoever asked first has given up; we have not.
      signal.throwIfAborted()
      if (pending.get(origin) === running) throw error
      return get(url, signal)
    }
  }

  return {
    get,
    peek: url => files.get(new URL(url).origin),
    mayFetch: async (url, signal) => (await get(url, signal)).mayFetch(url).allowed,
  }
}

interface Attempt {
  state: RobotsState
  finalUrl: string
  status: number
  hops: RedirectHop[]
  error: RobotsFile['error']
  body: Uint8Array | null
}

async function loadRobots(
  origin: string,
  options: RobotsStoreOptions,
  clock: Clock,
  signal: AbortSignal,
): Promise<RobotsFile> {
  const waits = options.retryDelaysMs ?? [5_000, 30_000]
  for (let attempts = 1; ; attempts++) {
    const attempt = await fetchRobots(`${origin}/robots.txt`, options.http, signal)
    const waitMs = waits[attempts - 1]
    const mayPass = attempt.state === 'unreachable' && attempt.error?.kind !== 'address-refused'
    if (!mayPass || waitMs === undefined) return robotsFile(origin, attempt, attempts, options, clock.now())
    await clock.sleep(waitMs, signal)
  }
}

async function fetchRobots(url: string, http: HttpClient, signal: AbortSignal): Promise<Attempt> {
  const failed = (error: unknown): Attempt => {
    signal.throwIfAborted()
    return {
      state: 'unreachable',
      finalUrl: url,
      status: 0,
      hops: [],
      error: describeError(error),
      body: null,
    }
  }
  // The pacer may have given the host up: then nothing of it can be fetched either.
  const answer = await http.open(url, { signal, maxRedirects: 5 }).catch(failed)
  if ('state' in answer) return answer
  const { finalUrl, status, hops } = answer
  if (!answer.ok) {
    // RFC 9309: beyond five redirects the file may be taken as absent.
    const state = answer.error.kind === 'redirect-loop' ? 'none' : 'unreachable'
    return { state, finalUrl, status, hops, error: answer.error, body: null }
  }
  const facts = { finalUrl, status, hops, error: null, body: null }
  if (status < 200 || status >= 300) {
    answer.discard()
    return { ...facts, state: status === 429 || status >= 500 ? 'unreachable' : 'none' }
  }
  try {
    return { ...facts, state: 'rules', body: await readStart(answer.body(64 * 1024 * 1024)) }
  } catch (error) {
    return { ...failed(error), finalUrl, status, hops }
  }
}

async function readStart(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes >= maxReadBytes) break
  }
  return Buffer.concat(chunks)
}

function robotsFile(
  origin: string,
  attempt: Attempt,
  attempts: number,
  options: RobotsStoreOptions,
  now: number,
): RobotsFile {
  const maxCrawlDelayMs = options.maxCrawlDelayMs ?? 30_000
  const stored = attempt.state === 'unreachable' ? options.lastGood?.get(origin) : undefined
  const lastGood = stored !== undefined && now - stored.fetchedAt < 24 * 3_600_000 ? stored.text : null
  const body = attempt.body ?? lastGood
  const parsed = body === null ? null : parseRobots(body)
  const askedMs = parsed?.crawlDelayMs(options.token) ?? null
  const fallback: RobotsDecision = { allowed: attempt.state !== 'unreachable', rule: null }
  return {
    origin,
    url: `${origin}/robots.txt`,
    finalUrl: attempt.finalUrl,
    state: attempt.state,
    status: attempt.status,
    hops: attempt.hops,
    error: attempt.error,
    fetchedAt: now,
    attempts,
    text: attempt.body === null ? lastGood : new TextDecoder().decode(attempt.body.subarray(0, 512_000)),
    parsed,
    fromLastGood: lastGood !== null,
    problems: parsed?.problems ?? [],
    sitemaps: [...new Set(parsed?.sitemaps.map(({ text }) => text) ?? [])],
    crawlDelayMs: askedMs === null ? null : Math.min(askedMs, maxCrawlDelayMs),
    crawlDelayCapped: askedMs !== null && askedMs > maxCrawlDelayMs,
    mayFetch: url => parsed?.decide(url, options.token) ?? fallback,
    engineMayFetch: url => parsed?.decideLikeGoogle(url, options.engineToken ?? 'Googlebot') ?? fallback,
  }
}
