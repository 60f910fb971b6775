import { RecurrenceError } from './recurrence-error.ts'

/** A stretch of time, `[fromAt, untilAt)` in epoch milliseconds, in which a zone keeps one offset from UTC. */
export interface OffsetSpan {
  readonly fromAt: number
  readonly untilAt: number
  readonly offsetMs: number
  /** The offset until `fromAt`; equal to `offsetMs` where the span starts without a clock change. */
  readonly offsetBeforeMs: number
}

/** A time zone's offsets. Adjoining spans may have the same offset. */
export interface TimeZone {
  /** The name as the caller wrote it. */
  readonly name: string
  /** The span that contains the instant; years 1 to 9999. */
  spanAt(at: number): OffsetSpan
}

const SECOND_MS = 1_000
const DAY_MS = 86_400_000

/**
 * Distance of the probes between which a clock change is searched. It has to be shorter than any time that
 * a zone has changed its clock for: northern Brazil kept summer time for one week in October 2000.
 */
const PROBE_MS = 5 * DAY_MS

/**
 * Each year's spans start this much before the year, so that a change just before New Year is still known
 * while the hours that it repeats go by (26 hours at most: from UTC+14 to UTC-12).
 */
const LOOK_BACK_MS = 2 * DAY_MS

const MAX_CACHED_YEARS = 100

const UTC_SPAN: OffsetSpan = { fromAt: -Infinity, untilAt: Infinity, offsetMs: 0, offsetBeforeMs: 0 }

const zones = new Map<string, TimeZone>()

/**
 * The time zone of an IANA name (upper or lower case) or of a fixed offset such as `+05:45`.
 *
 * Offsets come from the runtime's own zone data through `Intl`, which is slow to ask, so a zone and its
 * clock changes are remembered.
 *
 * @throws RecurrenceError `time-zone` if the runtime does not know the name.
 */
export function timeZone(name: string): TimeZone {
  if (name === 'UTC') return { name, spanAt: () => UTC_SPAN }
  const key = name.toLowerCase()
  const known = zones.get(key)
  if (known !== undefined) return known.name === name ? known : { ...known, name }
  const zone = cached(name, offsetReader(name))
  zones.set(key, zone)
  return zone
}

function offsetReader(name: string): (at: number) => number {
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' })
  } catch (cause) {
    throw new RecurrenceError(
      'time-zone',
      `time zone ${JSON.stringify(name)} is not known here: write an IANA name such as "Europe/Paris", or "UTC"`,
      { cause },
    )
  }
  return at => {
    const text = format.format(at)
    const parts = /GMT(?:([+\-−])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(text)
    if (parts === null) {
      throw new RecurrenceError(
        'time-zone',
        `the offset of time zone "${name}" cannot be read from "${text}"`,
      )
    }
    const [, sign, hours = '0', minutes = '0', seconds = '0'] = parts
    const ms = (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)) * SECOND_MS
    return sign === undefined || sign === '+' ? ms : -ms
  }
}

function cached(name: string, offsetAt: (at: number) => number): TimeZone {
  const years = new Map<number, readonly OffsetSpan[]>()
  let latest = { fromAt: NaN, untilAt: NaN, offsetMs: 0, offsetBeforeMs: 0 } satisfies OffsetSpan
  return {
    name,
    spanAt(at) {
      if (at >= latest.fromAt && at < latest.untilAt) return latest
      const year = new Date(at).getUTCFullYear()
      let spans = years.get(year)
      if (spans === undefined) {
        if (years.size >= MAX_CACHED_YEARS) years.clear()
        spans = spansOfYear(year, offsetAt)
        years.set(year, spans)
      }
      const span = spans.find(each => at < each.untilAt)
      if (span === undefined) throw new RecurrenceError('instant', `${at} is not an instant of year ${year}`)
      latest = span
      return span
    },
  }
}

function spansOfYear(year: number, offsetAt: (at: number) => number): OffsetSpan[] {
  const startAt = startOfYear(year) - LOOK_BACK_MS
  const endAt = startOfYear(year + 1)
  const lastAt = endAt - SECOND_MS
  const spans: OffsetSpan[] = []
  let fromAt = startAt
  let offsetMs = offsetAt(startAt)
  let offsetBeforeMs = offsetAt(startAt - SECOND_MS)
  for (let probedAt = startAt; probedAt < lastAt; ) {
    const nextAt = Math.min(probedAt + PROBE_MS, lastAt)
    if (offsetAt(nextAt) === offsetMs) {
      probedAt = nextAt
      continue
    }
    const changeAt = firstOther(probedAt, nextAt, offsetMs, offsetAt)
    spans.push({ fromAt, untilAt: changeAt, offsetMs, offsetBeforeMs })
    offsetBeforeMs = offsetMs
    offsetMs = offsetAt(changeAt)
    fromAt = changeAt
    probedAt = changeAt
  }
  spans.push({ fromAt, untilAt: endAt, offsetMs, offsetBeforeMs })
  return spans
}

/** The first second in `(lowAt, highAt]` that has not the offset of `lowAt`. */
function firstOther(
  lowAt: number,
  highAt: number,
  offsetMs: number,
  offsetAt: (at: number) => number,
): number {
  let low = lowAt / SECOND_MS
  let high = highAt / SECOND_MS
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(middle * SECOND_MS) === offsetMs) low = middle
    else high = middle
  }
  return high * SECOND_MS
}

function startOfYear(year: number): number {
  // Date.UTC reads 0 to 99 as 1900 to 1999; 400 years are always 146,097 days.
  return Date.UTC(year + 400, 0, 1) - 146_097 * DAY_MS
}
