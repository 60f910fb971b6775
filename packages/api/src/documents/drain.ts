import type { StateCounts } from 'millrace'
import { z } from 'zod'
import { count, instantText } from './shared.ts'

const pendingSchema = z
  .object({ ready: count, delayed: count, blocked: count, running: count })
  .meta({ id: 'PendingCounts', description: 'Jobs that have not finished' })
export type PendingCounts = z.infer<typeof pendingSchema>

export const drainReportSchema = z
  .object({
    processed: count.meta({
      description: 'Attempts that have ended, whatever their end; not those that were released',
    }),
    completed: count,
    retried: count,
    dead: count,
    snoozed: count,
    waiting: count,
    cancelled: count,
    released: count.meta({ description: 'Given back because the time was up; no attempt is spent' }),
    rescued: count,
    ticks: count.meta({ description: 'Ticks of schedules' }),
    pruned: count,
    endedBy: z.enum(['empty', 'max-jobs', 'budget', 'stopped']),
    pending: pendingSchema,
    tookMs: count,
  })
  .meta({ id: 'DrainReport', description: 'What one drain did, and what is left in the whole store' })
/** What one drain did, and what is left in the whole store. */
export type DrainReport = z.infer<typeof drainReportSchema>

export const drainStateSchema = z
  .object({
    pending: pendingSchema,
    byQueue: z.record(z.string(), pendingSchema),
    byType: z.record(z.string(), pendingSchema),
    nextDueAt: instantText
      .nullable()
      .meta({ description: 'When the next job that waits for its time falls due; null when none does' }),
    nextTickAt: instantText.nullable().meta({ description: 'When the next schedule fires' }),
  })
  .meta({ id: 'DrainState', description: 'What there is to do' })
/** What there is to do. */
export type DrainState = z.infer<typeof drainStateSchema>

export function pendingCounts({ ready, delayed, blocked, running }: StateCounts): PendingCounts {
  return { ready, delayed, blocked, running }
}
