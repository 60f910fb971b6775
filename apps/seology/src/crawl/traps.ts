import type { RedirectHop } from './page.ts'
import { calendarMonth, isGrowingRedirect, trapInUrl } from './trap-rules.ts'
import { urlPattern } from './url-pattern.ts'

/** Why a URL is not crawled. Skips are to be logged, never silent. */
export type TrapReason =
  | 'url-too-long'
  | 'path-too-deep'
  | 'repeated-segment'
  | 'repeated-pair'
  | 'too-many-params'
  | 'repeated-param'
  | 'crawl-too-deep'
  | 'calendar'
  | 'calendar-chain'
  | 'pagination'
  | 'unsafe-action'
  | 'quarantined'
  | 'pattern-cap'
  | 'growing-path'
  | 'growing-redirect'

export interface TrapLimits {
  maxUrlLength: number
  maxPathDepth: number
  /** A segment that occurs this often is a trap. */
  segmentRepeats: number
  maxParams: number
  maxParamRepeats: number
  maxCrawlDepth: number
  calendarYears: number
  maxChain: number
  maxPageIndex: number
  /** Fetched pages of one pattern before its novelty is judged. */
  patternSample: number
  /** Share of pages with a new main-text hash under which a pattern is quarantined. */
  minNovelty: number
  keepSamples: number
  /** Largest share of the page budget that one pattern may take. */
  patternShare: number
  /** Page budget from which `patternShare` applies. */
  patternShareFloor: number
  maxGrowth: number
}

export const defaultTrapLimits: TrapLimits = {
  maxUrlLength: 2_048,
  maxPathDepth: 12,
  segmentRepeats: 3,
  maxParams: 8,
  maxParamRepeats: 2,
  maxCrawlDepth: 20,
  calendarYears: 2,
  maxChain: 24,
  maxPageIndex: 500,
  patternSample: 50,
  minNovelty: 0.1,
  keepSamples: 5,
  patternShare: 0.2,
  patternShareFloor: 500,
  maxGrowth: 3,
}

export interface QuarantinedPattern {
  pattern: string
  fetched: number
  novel: number
  /** Up to `keepSamples` URLs as evidence. */
  samples: string[]
}

/** A stored page, as far as the guard needs it. Recording all of them in order of fetching rebuilds the guard. */
export interface TrapRecord {
  fetchUrl: string
  /** The page that it was found on, null for seeds. */
  parentUrl: string | null
  /** SHA-256 (any stable hash) of the main text, null when there was none. */
  contentHash: string | null
  hops?: readonly RedirectHop[]
}

export interface TrapGuard {
  /** Why a URL shall not be enqueued or fetched, or null. Call it before both: a pattern may fall in between. */
  check(candidate: { fetchUrl: string; depth: number; parentUrl: string | null }): TrapReason | null
  /** Takes a fetched page in; answers the pattern that it brought into quarantine, if any. */
  record(page: TrapRecord): QuarantinedPattern | null
  quarantined(): QuarantinedPattern[]
}

interface PatternState {
  fetched: number
  /** For the last `patternSample` pages with a main text: was it new? */
  recent: boolean[]
  samples: string[]
  quarantined: QuarantinedPattern | null
}

interface PageState {
  contentHash: string | null
  /** Ancestors in a row of the same calendar. */
  chain: number
  /** Ancestors in a row whose path it lengthens without changing the text. */
  growth: number
}

export interface TrapGuardOptions {
  pageBudget: number
  /** The crawl's start, so that a resumed crawl decides alike. */
  now: number
  limits?: Partial<TrapLimits>
}

export function createTrapGuard(options: TrapGuardOptions): TrapGuard {
  const limits = { ...defaultTrapLimits, ...options.limits }
  const patterns = new Map<string, PatternState>()
  const pages = new Map<string, PageState>()
  const hashes = new Set<string>()
  const growingPaths = new Set<string>()
  const patternCap =
    options.pageBudget < limits.patternShareFloor
      ? Number.POSITIVE_INFINITY
      : Math.max(limits.patternSample, Math.ceil(options.pageBudget * limits.patternShare))

  return {
    check({ fetchUrl, depth, parentUrl }) {
      const own = trapInUrl(fetchUrl, limits, options.now)
      if (own !== null) return own
      if (depth > limits.maxCrawlDepth) return 'crawl-too-deep'
      const parent = parentUrl === null ? undefined : pages.get(parentUrl)
      if (parentUrl !== null && parent !== undefined) {
        if (parent.chain >= limits.maxChain && sameCalendar(fetchUrl, parentUrl)) return 'calendar-chain'
        if (parent.growth >= limits.maxGrowth && lengthensPath(fetchUrl, parentUrl)) return 'growing-path'
      }
      if (fetchUrl.includes('?') && growingPaths.has(pathPattern(fetchUrl))) return 'growing-redirect'
      const state = patterns.get(urlPattern(fetchUrl))
      if (state === undefined) return null
      if (state.quarantined !== null) return 'quarantined'
      return state.fetched >= patternCap ? 'pattern-cap' : null
    },

    record({ fetchUrl, parentUrl, contentHash, hops = [] }) {
      const parent = parentUrl === null ? undefined : pages.get(parentUrl)
      pages.set(fetchUrl, {
        contentHash,
        chain: parentUrl !== null && sameCalendar(fetchUrl, parentUrl) ? (parent?.chain ?? 0) + 1 : 0,
        growth:
          parentUrl !== null &&
          contentHash !== null &&
          contentHash === parent?.contentHash &&
          lengthensPath(fetchUrl, parentUrl)
            ? parent.growth + 1
            : 0,
      })
      if (isGrowingRedirect(hops, limits.maxGrowth)) growingPaths.add(pathPattern(fetchUrl))
      return recordPattern(fetchUrl, contentHash)
    },

    quarantined: () =>
      [...patterns.values()].map(state => state.quarantined).filter(pattern => pattern !== null),
  }

  function recordPattern(fetchUrl: string, contentHash: string | null): QuarantinedPattern | null {
    const pattern = urlPattern(fetchUrl)
    const state = patterns.get(pattern) ?? { fetched: 0, recent: [], samples: [], quarantined: null }
    patterns.set(pattern, state)
    state.fetched += 1
    if (state.samples.length < limits.keepSamples) state.samples.push(fetchUrl)
    if (contentHash === null) return null
    state.recent.push(!hashes.has(contentHash))
    hashes.add(contentHash)
    if (state.recent.length > limits.patternSample) state.recent.shift()
    const novel = state.recent.filter(Boolean).length
    if (state.quarantined !== null || state.recent.length < limits.patternSample) return null
    if (novel >= limits.minNovelty * limits.patternSample) return null
    state.quarantined = { pattern, fetched: state.fetched, novel, samples: state.samples }
    return state.quarantined
  }
}

function sameCalendar(a: string, b: string): boolean {
  return calendarMonth(new URL(a)) !== null && urlPattern(a) === urlPattern(b)
}

function lengthensPath(longer: string, shorter: string): boolean {
  const [a, b] = [new URL(longer), new URL(shorter)]
  return a.host === b.host && a.pathname.length > b.pathname.length && a.pathname.startsWith(stem(b.pathname))
}

/** `/a/b.html` links to `c.html` beside it, which is no lengthening; `/a/b/` and `/a/b` are lengthened by `/a/b/c`. */
function stem(path: string): string {
  return path.endsWith('/') ? path : `${path}/`
}

function pathPattern(fetchUrl: string): string {
  return urlPattern(fetchUrl.split('?', 1)[0] ?? fetchUrl)
}
