import type { MisfireOption, MisfirePolicy, ScheduleRecord, ScheduledRun, TickRecord } from 'millrace'
import { z } from 'zod'
import { formatInstant } from './instant.ts'
import { anyJson, at, instantText, jobId, tenantOrNull } from './shared.ts'

export const misfireSchema = z.union([
  z.enum(['skip', 'fire-once']),
  z.object({ catchUp: z.int().min(1).max(1_000) }),
])

export const scheduleSchema = z
  .object({
    name: z.string(),
    rule: z.union([
      z.object({ cron: z.string(), timeZone: z.string() }),
      z.object({ everyMs: z.number().meta({ description: 'Milliseconds of elapsed time' }) }),
    ]),
    misfire: misfireSchema.meta({ description: 'What becomes of ticks that nobody was there for' }),
    overlap: z.enum(['allow', 'skip']),
    job: z.object({
      type: z.string(),
      queue: z.string(),
      tenant: z.string().nullable(),
      priority: z.int(),
      maxAttempts: z.int(),
      payload: anyJson,
    }),
    cursorAt: instantText.nullable().meta({ description: 'The last tick that was dealt with' }),
    nextAt: instantText,
    paused: z.boolean().meta({ description: 'Its ticks pass without a job' }),
    disabledReason: z
      .string()
      .nullable()
      .meta({ description: 'Why its next tick can not be computed; putting it anew mends it' }),
    lastJobId: jobId.nullable(),
    createdAt: instantText,
  })
  .meta({ id: 'Schedule', description: 'A recurring job' })
export type ScheduleDocument = z.infer<typeof scheduleSchema>

export const tickSchema = z
  .object({
    scheduledAt: instantText,
    outcome: z.enum(['fired', 'skipped', 'coalesced', 'skipped-overlap']),
    jobId: jobId.nullable().meta({ description: 'Null when no job was enqueued, or the queue was full' }),
    recordedAt: instantText,
  })
  .meta({ id: 'Tick', description: 'One tick of a schedule, and what became of it' })
export type TickDocument = z.infer<typeof tickSchema>

export const runSchema = z
  .object({
    at: instantText,
    local: z
      .string()
      .meta({ description: "What the wall clock of the rule's zone shows, without an offset" }),
    offset: z.string().meta({ description: 'Of that zone from UTC then: +02:00' }),
    clockChange: z.enum(['gap', 'overlap']).nullable().meta({
      description:
        'gap: the time that the rule names is skipped that day, and it runs when the clock has jumped. overlap: the clock shows this time twice',
    }),
    skipped: z.string().nullable().meta({ description: 'Of a gap: the time that is skipped' }),
  })
  .meta({ id: 'ScheduledRun', description: 'When a rule comes due' })
export type ScheduledRunDocument = z.infer<typeof runSchema>

export function scheduleDocument(schedule: ScheduleRecord): ScheduleDocument {
  const { rule, misfire, job, cursorAt, nextAt, createdAt, ...rest } = schedule
  const { payloadJson, tenant, ...target } = job
  return {
    ...rest,
    rule:
      'everyMs' in rule ? { everyMs: rule.everyMs } : { cron: rule.cron, timeZone: rule.timeZone ?? 'UTC' },
    misfire: misfireOption(misfire),
    job: { ...target, tenant: tenantOrNull(tenant), payload: JSON.parse(payloadJson) as unknown },
    cursorAt: at(cursorAt),
    nextAt: formatInstant(nextAt),
    createdAt: formatInstant(createdAt),
  }
}

/** As it is said when a schedule is put. */
function misfireOption(misfire: MisfirePolicy): MisfireOption {
  return misfire.kind === 'catch-up' ? { catchUp: misfire.max } : misfire.kind
}

export function tickDocument({ scheduledAt, outcome, jobId, recordedAt }: TickRecord): TickDocument {
  return { scheduledAt: formatInstant(scheduledAt), outcome, jobId, recordedAt: formatInstant(recordedAt) }
}

export function runDocument({ at, offsetMs, ...rest }: ScheduledRun): ScheduledRunDocument {
  return { ...rest, at: formatInstant(at), offset: formatOffset(offsetMs) }
}

/** Seconds only where a zone has some, as local mean times had. */
function formatOffset(offsetMs: number): string {
  const seconds = Math.abs(offsetMs) / 1_000
  const parts = [seconds / 3_600, (seconds / 60) % 60, seconds % 60].map(part =>
    String(Math.floor(part)).padStart(2, '0'),
  )
  return (offsetMs < 0 ? '-' : '+') + parts.slice(0, seconds % 60 === 0 ? 2 : 3).join(':')
}
