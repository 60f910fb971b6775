import { z } from 'zod'
import { bulkPlanSchema, bulkResultSchema } from '../documents/index.ts'
import { name, notAnObject, text, wholeNumber } from './fields.ts'
import { jobFilterQuery } from './jobs.ts'
import { operation } from './operation.ts'

const actions = ['cancel', 'retry', 'remove', 'move', 'reprioritise'] as const

const action = z
  .discriminatedUnion(
    'do',
    [
      z.strictObject({ do: z.literal('cancel'), reason: text(1_000).optional() }),
      z.strictObject({ do: z.literal('retry'), forgetSteps: z.boolean().optional() }),
      z.strictObject({ do: z.literal('remove') }),
      z.strictObject({ do: z.literal('move'), queue: name }),
      z.strictObject({ do: z.literal('reprioritise'), priority: wholeNumber(1, 10) }),
    ],
    {
      error: issue =>
        issue.code === 'invalid_union'
          ? `must be of ${actions.join(', ')}`
          : issue.code === 'invalid_type'
            ? 'must be a JSON object'
            : undefined,
    },
  )
  .meta({ id: 'BulkAction' })

export const bulkJobs = operation({
  id: 'bulkJobs',
  method: 'post',
  path: '/api/v1/jobs/bulk',
  summary: 'Act on all jobs that match a filter.',
  description:
    'Without `dryRun: false` it only tells what it would do. A run works for some twenty seconds; when `complete` is false, the same request does the rest. To remove jobs, whoever asks must be allowed to delete one.',
  tag: 'jobs',
  permission: 'jobs:bulk',
  body: z
    .strictObject(
      {
        action,
        filter: z
          .strictObject(jobFilterQuery, notAnObject)
          .meta({ id: 'BulkFilter', description: 'As for listing jobs; state, type and queue are lists' }),
        everything: z
          .boolean()
          .optional()
          .meta({ description: 'Must be true for a filter that names nothing' }),
        dryRun: z.boolean().default(true),
      },
      notAnObject,
    )
    .meta({
      id: 'BulkRequest',
      examples: [{ action: { do: 'retry' }, filter: { state: ['dead'], type: ['GREET'] }, dryRun: true }],
    }),
  replies: {
    200: {
      description: 'The plan, or what was done',
      schema: z.discriminatedUnion('dryRun', [bulkPlanSchema, bulkResultSchema]),
    },
  },
})
