import { z } from 'zod'
import { count, jobId } from '../documents/index.ts'
import {
  duration,
  idempotencyKey,
  instant,
  name,
  notAnObject,
  payload,
  tenant,
  text,
  wholeNumber,
} from './fields.ts'
import { operation } from './operation.ts'

const tag = 'jobs'

const enqueueFields = {
  type: name,
  payload,
  queue: name.optional(),
  priority: wholeNumber(1, 10).optional().meta({ description: '1 runs before 10' }),
  maxAttempts: wholeNumber(1, 10_000).optional(),
  runAt: instant.optional(),
  delay: duration.optional(),
  tenant: tenant.optional(),
}
const notBoth = { path: ['delay'], message: 'can not stand beside runAt' }

const enqueueBody = z
  .strictObject(enqueueFields, notAnObject)
  .refine(body => body.runAt === undefined || body.delay === undefined, notBoth)
  .meta({ id: 'EnqueueRequest', examples: [{ type: 'GREET', payload: { name: 'Ada' }, delay: '10m' }] })
const batchItem = z
  .strictObject({ ...enqueueFields, idempotencyKey: text(255).optional() }, notAnObject)
  .refine(body => body.runAt === undefined || body.delay === undefined, notBoth)
  .meta({ id: 'EnqueueBatchItem', examples: [{ type: 'GREET', payload: { name: 'Ada' } }] })

export const enqueued = z
  .object({
    id: jobId,
    duplicate: z.boolean().meta({ description: 'The idempotency key was known: this is the earlier job' }),
  })
  .meta({ id: 'Enqueued' })

export const enqueueJob = operation({
  id: 'enqueueJob',
  method: 'post',
  path: '/api/v1/jobs',
  summary: 'Enqueue a job.',
  description: 'Durable when it answers. With an Idempotency-Key, sending it again enqueues nothing more.',
  tag,
  permission: 'jobs:enqueue',
  audit: 'follows',
  headers: idempotencyKey,
  body: enqueueBody,
  replies: {
    201: { description: 'Enqueued', schema: enqueued },
    200: { description: 'The key was known: nothing new', schema: enqueued },
  },
  problems: ['invalid-payload', 'unknown-type', 'payload-too-large', 'idempotency-conflict', 'queue-full'],
})

export const enqueueJobs = operation({
  id: 'enqueueJobs',
  method: 'post',
  path: '/api/v1/jobs/batch',
  summary: 'Enqueue up to 1,000 jobs, each with its own answer.',
  tag,
  permission: 'jobs:enqueue',
  audit: 'follows',
  body: z
    .strictObject(
      { jobs: z.array(batchItem).min(1, 'is empty').max(1_000, 'must be at most 1000 jobs') },
      notAnObject,
    )
    .meta({ id: 'EnqueueBatchRequest' }),
  maxBodyBytes: 16 * 2 ** 20,
  replies: {
    200: {
      description: 'What became of each, in the order of the request',
      schema: z
        .object({
          enqueued: count,
          refused: count,
          results: z.array(
            z.union([
              enqueued,
              z
                .object({
                  code: z.string(),
                  detail: z.string(),
                  faults: z.array(
                    z.object({ path: z.array(z.union([z.string(), z.number()])), message: z.string() }),
                  ),
                })
                .meta({ id: 'Refused' }),
            ]),
          ),
        })
        .meta({ id: 'EnqueueBatchResult' }),
    },
  },
  problems: ['payload-too-large'],
})
