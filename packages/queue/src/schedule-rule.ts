import type { MisfirePolicy } from './engine/contract.ts'
import { QueueError } from './engine/errors.ts'
import { type Duration, parseDuration } from './job/duration.ts'
import { parseRecurrence, type Recurrence, upcoming } from './job/recurrence.ts'
import { RecurrenceError } from './job/recurrence-error.ts'
import { type ScheduledRun, upcomingRuns } from './job/recurrence-run.ts'
import type { RecurrenceRule } from './job/recurrence-rule.ts'

/** When a schedule fires: `cron` or `every`, and not both. */
export interface RuleOptions {
  /** Five or six cron fields. Give this or `every`. */
  cron?: string
  /** IANA name for `cron`. Default UTC. */
  timeZone?: string
  /** A fixed interval of elapsed time. */
  every?: Duration
}

export type MisfireOption = 'skip' | 'fire-once' | { catchUp: number }

const mostShown = 1_000

/** The next instants of a rule, for a preview. Throws `invalid-argument` for one that can't be computed. */
export function previewSchedule(options: RuleOptions, preview: { after: number; count: number }): number[] {
  const recurrence = readRecurrence('preview', readRule(options))
  return recurring('preview', () => upcoming(recurrence, preview.after, preview.count))
}

/**
 * The next runs of a rule with what the wall clock shows, and what clock changes do to them: at most `count` (1 to 1000)
 * later than `after`, and none that lies more than fifty years ahead. Throws `invalid-argument` for a rule that can't be
 * computed.
 */
export function previewRuns(options: RuleOptions, preview: { after: number; count: number }): ScheduledRun[] {
  const recurrence = readRecurrence('preview', readRule(options))
  const count = checkCount(preview.count)
  return recurring('preview', () => upcomingRuns(recurrence, preview.after + 1, count))
}

/** The runs of a stored rule from `from` on. */
export function runsOf(name: string, rule: RecurrenceRule, from: number, count: number): ScheduledRun[] {
  const recurrence = readRecurrence(name, rule)
  checkCount(count)
  return recurring(name, () => upcomingRuns(recurrence, from, count))
}

function checkCount(count: number): number {
  if (Number.isInteger(count) && count >= 1 && count <= mostShown) return count
  throw new QueueError(
    'invalid-argument',
    `count must be a whole number from 1 to ${mostShown}, not ${count}`,
  )
}

export function readRule({ cron, timeZone, every }: RuleOptions): RecurrenceRule {
  if ((cron === undefined) === (every === undefined))
    throw new QueueError('invalid-argument', 'a schedule needs either cron or every, and not both')
  if (cron !== undefined) return { cron, timeZone: timeZone ?? 'UTC' }
  try {
    return { everyMs: parseDuration(every as Duration) }
  } catch (error) {
    throw new QueueError('invalid-argument', `every: ${(error as Error).message}`)
  }
}

export function readRecurrence(name: string, rule: RecurrenceRule): Recurrence {
  return recurring(name, () => parseRecurrence(rule))
}

/** What a rule is refused for is the caller's doing. */
export function recurring<T>(name: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof RecurrenceError)
      throw new QueueError('invalid-argument', `schedule ${name}: ${error.message}`, { cause: error })
    throw error
  }
}

export function readMisfire(policy: MisfireOption): MisfirePolicy {
  if (policy === 'skip' || policy === 'fire-once') return { kind: policy }
  const { catchUp } = policy
  if (!Number.isInteger(catchUp) || catchUp < 1 || catchUp > 1_000)
    throw new QueueError('invalid-argument', `catchUp must be a whole number from 1 to 1000, not ${catchUp}`)
  return { kind: 'catch-up', max: catchUp }
}
