import { nextCivilMatch } from './civil-time.ts'
import type { CivilRule } from './civil-time.ts'
import { parseCron } from './cron-expression.ts'
import { RecurrenceError } from './recurrence-error.ts'
import type { RecurrenceRule } from './recurrence-rule.ts'
import { timeZone } from './time-zone.ts'
import type { OffsetSpan, TimeZone } from './time-zone.ts'

/** A rule that has been read and found computable; see {@link parseRecurrence}. */
export type Recurrence =
  | { readonly kind: 'cron'; readonly civil: CivilRule; readonly zone: TimeZone }
  | { readonly kind: 'every'; readonly everyMs: number; readonly anchorAt: number }

const SECOND_MS = 1_000
const EARLIEST_AT = new Date('0001-01-03T00:00:00Z').getTime()
const LATEST_AT = new Date('9999-12-30T00:00:00Z').getTime()

/**
 * Reads a recurring rule: a cron expression on a zone's wall clock (default `UTC`), or every so many
 * milliseconds counted from `anchorAt` (default the epoch, so that all processes agree).
 *
 * @throws RecurrenceError saying what is wrong, where, and how to mend it: an expression that cannot be
 * read, a date that no year has, a zone that the runtime does not know, an interval that is not a whole
 * number of milliseconds.
 */
export function parseRecurrence(rule: RecurrenceRule): Recurrence {
  // Rules also arrive as JSON from a border that may have let anything through.
  const { cron, timeZone: zoneName, everyMs, anchorAt } = (rule ?? {}) as Readonly<Record<string, unknown>>
  if ((cron === undefined) === (everyMs === undefined)) {
    throw new RecurrenceError('rule', 'a recurring rule has either "cron" or "everyMs": write one of the two')
  }
  if (cron !== undefined) {
    if (anchorAt !== undefined) {
      throw new RecurrenceError(
        'rule',
        '"anchorAt" belongs to "everyMs": remove it from the rule with "cron"',
      )
    }
    return parseCronRule(cron, zoneName)
  }
  if (zoneName !== undefined) {
    throw new RecurrenceError(
      'rule',
      '"everyMs" counts elapsed time: remove "timeZone", or write "cron" instead',
    )
  }
  return parseEveryRule(everyMs, anchorAt)
}

function parseCronRule(cron: unknown, zoneName: unknown = 'UTC'): Recurrence {
  if (typeof cron !== 'string') {
    throw new RecurrenceError('expression', '"cron" is not text: write an expression such as "30 2 * * *"')
  }
  if (typeof zoneName !== 'string') {
    throw new RecurrenceError(
      'time-zone',
      '"timeZone" is not text: write an IANA name such as "Europe/Paris"',
    )
  }
  return { kind: 'cron', civil: parseCron(cron), zone: timeZone(zoneName) }
}

function parseEveryRule(everyMs: unknown, anchorAt: unknown = 0): Recurrence {
  if (typeof everyMs !== 'number' || !Number.isSafeInteger(everyMs) || everyMs < 1) {
    throw new RecurrenceError(
      'interval',
      `"everyMs" is ${String(everyMs)}: write a whole number of milliseconds, at least 1`,
    )
  }
  if (typeof anchorAt !== 'number' || !Number.isSafeInteger(anchorAt) || !isInRange(anchorAt)) {
    throw new RecurrenceError(
      'interval',
      `"anchorAt" is ${String(anchorAt)}: write an instant in whole epoch milliseconds`,
    )
  }
  return { kind: 'every', everyMs, anchorAt }
}

/**
 * The rule's first tick later than `after`; both in epoch milliseconds.
 *
 * `everyMs` counts elapsed time and never looks at a wall clock. A cron expression at a clock change:
 * - *Times of day* (minute and hour without `*`, `?` and `/`; lists and ranges count) come due when the
 *   wall clock first reaches or passes them. One that is skipped fires once, at the first instant after
 *   the gap, together with others that were skipped; one that is repeated fires the first time only. So
 *   `30 2 * * *` fires once every civil day.
 * - *Cadences* (a wildcard or step in minute or hour) fire at each matching reading that the wall clock
 *   really shows: not in a gap, and in both passes of a repeated hour. So `0,30 * * * *` keeps 30 real
 *   minutes. A cadence over hours meets the change as the wall clock does: where 02:00 is skipped,
 *   `0 0-22/2 * * *` goes from 00:00 to 04:00. The idea is Vixie cron's, see cron(8); there only `*` makes a cadence.
 *
 * @throws RecurrenceError `instant` if `after` is not one of years 1 to 9999, `never` if no tick follows
 * within them.
 */
export function nextAfter(recurrence: Recurrence, after: number): number {
  if (!isInRange(after)) {
    throw new RecurrenceError('instant', `cannot look for a tick after ${after}: pass epoch milliseconds`)
  }
  const next = recurrence.kind === 'every' ? nextEvery(recurrence, after) : nextCron(recurrence, after)
  if (!(next > after)) {
    throw new RecurrenceError('never', `the tick computed after ${after} is not later than it: ${next}`)
  }
  return next
}

/** The first `count` ticks later than `after`, ascending. */
export function upcoming(recurrence: Recurrence, after: number, count: number): number[] {
  return ticksBetween(recurrence, after, Infinity, count)
}

/**
 * The earliest `max` ticks later than `after` and not later than `until`, ascending: what came due between
 * two looks at the clock. Ask for one more than is needed to learn whether more came due.
 */
export function ticksBetween(recurrence: Recurrence, after: number, until: number, max: number): number[] {
  const ticks: number[] = []
  for (let at = after; ticks.length < max && at < until; ) {
    at = nextAfter(recurrence, at)
    if (at <= until) ticks.push(at)
  }
  return ticks
}

function nextEvery({ everyMs, anchorAt }: Recurrence & { kind: 'every' }, after: number): number {
  const elapsedMs = Math.floor(after) - anchorAt
  const intoMs = ((elapsedMs % everyMs) + everyMs) % everyMs
  return inRange(anchorAt + elapsedMs - intoMs + everyMs, after)
}

function nextCron({ civil, zone }: Recurrence & { kind: 'cron' }, after: number): number {
  let at = (Math.floor(after / SECOND_MS) + 1) * SECOND_MS
  while (at < LATEST_AT) {
    const span = zone.spanAt(at)
    const found = nextInSpan(civil, span, at)
    if (found !== undefined) return found
    at = span.untilAt
  }
  throw neverAgain(after)
}

/** The first tick in the part of the span that starts at `at`. */
function nextInSpan(civil: CivilRule, span: OffsetSpan, at: number): number | undefined {
  let reading = at + span.offsetMs
  if (civil.fixedTime) {
    // All earlier readings have been shown, or skipped and made good for, by the time the span starts.
    const settledUntil = span.fromAt + span.offsetBeforeMs
    if (at === span.fromAt && nextCivilMatch(civil, settledUntil, reading) !== undefined) return at
    reading = Math.max(reading, settledUntil)
  }
  const match = nextCivilMatch(civil, reading, Math.min(span.untilAt, LATEST_AT) + span.offsetMs)
  return match === undefined ? undefined : match - span.offsetMs
}

function isInRange(at: number): boolean {
  return at >= EARLIEST_AT && at <= LATEST_AT
}

function inRange(next: number, after: number): number {
  if (!isInRange(next)) throw neverAgain(after)
  return next
}

function neverAgain(after: number): RecurrenceError {
  return new RecurrenceError(
    'never',
    `no tick follows ${new Date(after).toISOString()} before the year 10000`,
  )
}
