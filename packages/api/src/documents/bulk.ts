import type { BulkPlan, BulkResult, RedrivePlan, RedriveResult } from 'millrace'
import { z } from 'zod'
import { jobSummary, jobSummaryDocument } from './job.ts'
import { count, jobId, jobState } from './shared.ts'

const exact = z.boolean().meta({ description: 'False: there are more, only so many were counted' })
const complete = z.boolean().meta({ description: 'False: the time was up. The same request does the rest' })
const hint = z.string().nullable().meta({ description: 'What to do when it is not complete' })

export const bulkPlanSchema = z
  .object({
    dryRun: z.literal(true),
    count: count.meta({ description: 'How many jobs it would take now' }),
    exact,
    sample: z.array(jobSummaryDocument).meta({ description: 'The first ten' }),
    states: z.array(jobState).meta({ description: "Which of the filter's states the action takes" }),
    refused: z
      .partialRecord(jobState, count)
      .meta({ description: 'Jobs that match but are in a state that the action can not take' }),
  })
  .meta({ id: 'BulkPlan', description: 'What a bulk action would do; nothing was changed' })

export const bulkResultSchema = z
  .object({
    dryRun: z.literal(false),
    complete,
    hint,
    done: count.meta({ description: 'Jobs that were looked at' }),
    changed: count,
    skipped: count,
    failed: count,
    skippedBy: z.record(z.string(), count).meta({ description: 'Why jobs were skipped, and how many' }),
    failures: z.array(z.object({ id: jobId, message: z.string() })).meta({ description: 'The first ten' }),
  })
  .meta({ id: 'BulkResult', description: 'What a bulk action did' })

export const redrivePlanSchema = z
  .object({
    dryRun: z.literal(true),
    count,
    exact,
    types: z.record(z.string(), count),
    batches: z.array(count).meta({ description: 'How many jobs each batch would redrive, the canary first' }),
  })
  .meta({ id: 'RedrivePlan', description: 'What a redrive would do; nothing was changed' })

export const redriveResultSchema = z
  .object({
    dryRun: z.literal(false),
    complete,
    hint,
    stoppedAt: z.enum(['done', 'canary', 'ramp', 'aborted']).meta({
      description:
        'canary, ramp: too many died again, in the first or a later batch. aborted: the time was up',
    }),
    total: count.meta({ description: 'How many were dead of this cause when it began' }),
    redriven: count,
    completed: count,
    died: count.meta({ description: 'Redriven, and dead again' }),
    ended: count.meta({ description: 'Redriven, then cancelled or removed by somebody' }),
    skipped: count.meta({ description: 'No longer dead when their turn came' }),
    running: count.meta({ description: 'Redriven and not finished yet: they go on' }),
    batch: count,
    left: count.meta({ description: 'As dead as before' }),
  })
  .meta({ id: 'RedriveResult', description: 'What a redrive did' })

export function bulkPlanDocument(plan: BulkPlan): z.infer<typeof bulkPlanSchema> {
  return { dryRun: true, ...plan, sample: plan.sample.map(jobSummary) }
}

export function bulkResultDocument({ aborted, ...rest }: BulkResult): z.infer<typeof bulkResultSchema> {
  const hint = aborted ? 'The time was up. Send the same request again: it goes on with what is left.' : null
  return { dryRun: false, complete: !aborted, hint, ...rest }
}

export function redrivePlanDocument(plan: RedrivePlan): z.infer<typeof redrivePlanSchema> {
  return { dryRun: true, ...plan }
}

export function redriveResultDocument(result: RedriveResult): z.infer<typeof redriveResultSchema> {
  const aborted = result.stoppedAt === 'aborted'
  const hint = aborted
    ? 'The time was up. What was redriven goes on; send the same request again for those that are still dead. It begins with a canary anew.'
    : null
  return { dryRun: false, complete: !aborted, hint, ...result }
}
