import type { RecurrenceRule } from '../job/recurrence-rule.ts'
import type { NewJob } from './contract.ts'

/** Schedules, as engines keep them. */
export type MisfirePolicy = { kind: 'skip' } | { kind: 'fire-once' } | { kind: 'catch-up'; max: number }
/** `skip`: a tick is skipped while the job of the tick before it is not finished. */
export type OverlapPolicy = 'allow' | 'skip'

export interface ScheduleSettings {
  name: string
  rule: RecurrenceRule
  misfire: MisfirePolicy
  overlap: OverlapPolicy
  job: {
    type: string
    queue: string
    tenant: string
    priority: number
    maxAttempts: number
    payloadJson: string
    attributes?: Record<string, string>
  }
  /** The first instant to fire, computed by the caller from the rule. Used when new, or when the rule has changed. */
  firstAt: number
}

export type PutScheduleAnswer = 'created' | 'changed' | 'unchanged' | 'taken'

export interface ScheduleRecord extends Omit<ScheduleSettings, 'firstAt'> {
  /** The last instant that was dealt with; null before the first. */
  cursorAt: number | null
  nextAt: number
  paused: boolean
  disabledReason: string | null
  lastJobId: string | null
  createdAt: number
}

export interface Tick {
  schedule: string
  scheduledAt: number
  /** The `nextAt` that the caller computed from; a scheduler that was overtaken changes nothing. */
  expectedNextAt: number
  nextAt: number
  outcome: 'fire' | 'skip' | 'coalesce'
  job: NewJob | null
}

/**
 * `skipped-overlap`: recorded, but the job of the tick before still lives. `queue-full`: recorded as fired, without a job,
 * because its queue holds as many as it may.
 */
export type TickAnswer = 'recorded' | 'skipped-overlap' | 'queue-full' | 'already' | 'cursor-moved'

export interface TickRecord {
  schedule: string
  scheduledAt: number
  outcome: 'fired' | 'skipped' | 'coalesced' | 'skipped-overlap'
  /** Null when it has fired into a full queue, too. */
  jobId: string | null
  recordedAt: number
}
