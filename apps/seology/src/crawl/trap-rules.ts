import type { RedirectHop } from './page.ts'
import type { TrapLimits, TrapReason } from './traps.ts'

/** The traps that a URL shows by itself. */
export function trapInUrl(fetchUrl: string, limits: TrapLimits, now: number): TrapReason | null {
  if (fetchUrl.length > limits.maxUrlLength) return 'url-too-long'
  const url = new URL(fetchUrl)
  const segments = url.pathname.split('/').filter(segment => segment !== '')
  if (segments.length > limits.maxPathDepth) return 'path-too-deep'
  if (repeatsSegment(segments, limits.segmentRepeats)) return 'repeated-segment'
  if (repeatsPair(segments)) return 'repeated-pair'
  const names = [...url.searchParams.keys()]
  if (names.length > limits.maxParams) return 'too-many-params'
  if (mostFrequent(names) > limits.maxParamRepeats) return 'repeated-param'
  if (isUnsafeAction(segments, url.searchParams)) return 'unsafe-action'
  if (isFarFromNow(calendarMonth(url), limits.calendarYears, now)) return 'calendar'
  if (pageIndex(url) > limits.maxPageIndex) return 'pagination'
  return null
}

function repeatsSegment(segments: readonly string[], limit: number): boolean {
  // Short numbers repeat in honest paths: /2011/11/11.
  return mostFrequent(segments.filter(segment => !/^\d{1,2}$/.test(segment))) >= limit
}

function repeatsPair(segments: readonly string[]): boolean {
  return segments.some(
    (segment, at) =>
      segment === segments[at + 2] &&
      segments[at + 1] !== undefined &&
      segments[at + 1] === segments[at + 3] &&
      !/^\d+$/.test(segment),
  )
}

function mostFrequent(values: readonly string[]): number {
  const counts = new Map<string, number>()
  let most = 0
  for (const value of values) {
    const count = (counts.get(value) ?? 0) + 1
    counts.set(value, count)
    most = Math.max(most, count)
  }
  return most
}

const unsafeToken = /^(?:log-?_?out|sign-?_?out|add-?_?to-?_?cart|delete)$/i
const actionParam = /^(?:action|act|do|cmd|op|task|method|_method)$/i

/** Links that a careless site lets a GET act on. Whole words only: `/how-to-delete-an-account` is content. */
function isUnsafeAction(segments: readonly string[], params: URLSearchParams): boolean {
  const words = segments.map(segment => segment.replace(/\.\w{1,5}$/, ''))
  if (words.some(word => unsafeToken.test(word))) return true
  return [...params].some(
    ([name, value]) => unsafeToken.test(name) || (actionParam.test(name) && unsafeToken.test(value)),
  )
}

const monthNumber = String.raw`(0?[1-9]|1[0-2])`
const dayNumber = String.raw`(?:0?[1-9]|[12]\d|3[01])`
const trailingDate = new RegExp(String.raw`(?:^|[/_-])(\d{4})[/_-]${monthNumber}(?:[/_-]${dayNumber})?/?$`)
const wholeDate = new RegExp(String.raw`^(\d{4})-?${monthNumber}(?:-?${dayNumber})?(?:T.*)?$`)

/**
 * The month (year × 12 + month) that a calendar page shows, or null. Only a date that ends the path or stands in the
 * query: what follows `/2015/06/` by a name is an article.
 */
export function calendarMonth(url: URL): number | null {
  const inPath = trailingDate.exec(url.pathname)
  if (inPath) return Number(inPath[1]) * 12 + Number(inPath[2])
  for (const value of url.searchParams.values()) {
    const inQuery = wholeDate.exec(value)
    if (inQuery) return Number(inQuery[1]) * 12 + Number(inQuery[2])
  }
  const year = numberParam(url, ['year', 'y', 'yr'])
  const month = numberParam(url, ['month', 'm', 'mon'])
  return year !== null && month !== null && year >= 1000 && month <= 12 ? year * 12 + month : null
}

function isFarFromNow(month: number | null, years: number, now: number): boolean {
  if (month === null) return false
  const today = new Date(now)
  const thisMonth = today.getUTCFullYear() * 12 + today.getUTCMonth() + 1
  return Math.abs(month - thisMonth) > years * 12
}

// `p` is left out: it is as often a product or a post (`/p/1234`, WordPress' `?p=1234`).
function pageIndex(url: URL): number {
  const inPath = /\/(?:page|seite|pagina)[/-]?(\d+)(?:\.\w+)?\/?$/i.exec(url.pathname)?.[1]
  return Number(inPath ?? numberParam(url, ['page', 'pg', 'paged', 'pagenum', 'page_no', 'pageno']) ?? 0)
}

function numberParam(url: URL, names: readonly string[]): number | null {
  for (const [name, value] of url.searchParams)
    if (names.includes(name.toLowerCase()) && /^\d{1,9}$/.test(value)) return Number(value)
  return null
}

/** Every one of at least `least` redirects added a parameter to the URL before it. */
export function isGrowingRedirect(hops: readonly RedirectHop[], least: number): boolean {
  return (
    hops.length >= least &&
    hops.every(({ url, location }) => new URL(location).searchParams.size > new URL(url).searchParams.size)
  )
}
