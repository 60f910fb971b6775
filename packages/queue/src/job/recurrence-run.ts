import { nextCivilMatch } from './civil-time.ts'
import { nextAfter, type Recurrence } from './recurrence.ts'
import { RecurrenceError } from './recurrence-error.ts'
import type { OffsetSpan, TimeZone } from './time-zone.ts'

/** A tick as people see it: what the clock on the wall shows, and what a clock change did to it. */
export interface ScheduledRun {
  /** Epoch milliseconds. */
  at: number
  /** What the wall clock of the rule's zone shows then, without an offset: `2026-03-29T03:00:00`. */
  local: string
  /** Ahead of UTC. */
  offsetMs: number
  /**
   * `gap`: the time that the rule names is skipped that day, and it runs when the clock has jumped. `overlap`: the clock is
   * put back and shows this time twice.
   */
  clockChange: 'gap' | 'overlap' | null
  /** Of a `gap`: the first of the times that were skipped. */
  skipped: string | null
}

const dayMs = 86_400_000
/** No clock is put back by more: from UTC+14 to UTC-12. */
const longestOverlapMs = 26 * 3_600_000
/** A rule that comes true once in decades must not be looked for until the year 9999. */
const horizonMs = 50 * 366 * dayMs

/**
 * The first `count` runs from `from` on (inclusive), ascending; fewer where the rule ends, and none that lie more than
 * fifty years apart from `from`.
 */
export function upcomingRuns(recurrence: Recurrence, from: number, count: number): ScheduledRun[] {
  const runs: ScheduledRun[] = []
  for (let at = from - 1; runs.length < count; ) {
    const next = nextOrNull(recurrence, at)
    if (next === null || next - from > horizonMs) break
    runs.push(describeRun(recurrence, next))
    at = next
  }
  return runs
}

function nextOrNull(recurrence: Recurrence, after: number): number | null {
  try {
    return nextAfter(recurrence, after)
  } catch (error) {
    if (error instanceof RecurrenceError && error.fault === 'never') return null
    throw error
  }
}

/** How the wall clock stands at a tick of the rule. Elapsed intervals know no wall clock; theirs is UTC. */
export function describeRun(recurrence: Recurrence, at: number): ScheduledRun {
  if (recurrence.kind === 'every')
    return { at, local: reading(at), offsetMs: 0, clockChange: null, skipped: null }
  const { civil, zone } = recurrence
  const span = zone.spanAt(at)
  const { offsetMs } = span
  const skippedAt =
    civil.fixedTime && at === span.fromAt
      ? nextCivilMatch(civil, span.fromAt + span.offsetBeforeMs, at + offsetMs)
      : undefined
  const clockChange = skippedAt !== undefined ? 'gap' : showsTwice(zone, span, at) ? 'overlap' : null
  return {
    at,
    local: reading(at + offsetMs),
    offsetMs,
    clockChange,
    skipped: skippedAt === undefined ? null : reading(skippedAt),
  }
}

/** Whether the wall clock shows the same time again after the instant, or has shown it before. */
function showsTwice(zone: TimeZone, span: OffsetSpan, at: number): boolean {
  const shown = at + span.offsetMs
  if (shown < span.fromAt + span.offsetBeforeMs) return true
  for (let next = span; next.untilAt - at <= longestOverlapMs; ) {
    next = zone.spanAt(next.untilAt)
    if (next.offsetMs < next.offsetBeforeMs && shown >= next.fromAt + next.offsetMs) return true
  }
  return false
}

function reading(at: number): string {
  return new Date(at).toISOString().slice(0, 19)
}
