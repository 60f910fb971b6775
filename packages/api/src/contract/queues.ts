import { z } from 'zod'
import { queueSchema } from '../documents/index.ts'
import { name, notAnObject, wholeNumber } from './fields.ts'
import { operation } from './operation.ts'

const tag = 'queues'
const path = '/api/v1/queues/{queue}'
const params = z.strictObject({ queue: name })
const after = { 200: { description: 'The queue after it', schema: queueSchema } }

export const listQueues = operation({
  id: 'listQueues',
  method: 'get',
  path: '/api/v1/queues',
  summary: 'List every queue that was configured or ever held a job, by name.',
  tag,
  permission: 'queues:read',
  replies: {
    200: {
      description: 'The queues',
      schema: z.object({ queues: z.array(queueSchema) }).meta({ id: 'Queues' }),
    },
  },
  conditional: true,
})

export const getQueue = operation({
  id: 'getQueue',
  method: 'get',
  path,
  summary: 'Read a queue with its settings and counts.',
  tag,
  permission: 'queues:read',
  params,
  replies: { 200: { description: 'The queue', schema: queueSchema } },
  problems: ['not-found'],
  conditional: true,
})

export const editQueue = operation({
  id: 'editQueue',
  method: 'patch',
  path,
  summary: 'Pause or resume a queue, or bound how many queued jobs it takes.',
  description: 'A queue that never held a job is made, so that it can be set up before its first one.',
  tag,
  permission: 'queues:change',
  params,
  body: z
    .strictObject(
      {
        paused: z.boolean('must be true or false').optional(),
        maxQueued: wholeNumber(0, 2 ** 31 - 1)
          .nullable()
          .optional()
          .meta({ description: 'Enqueue answers queue-full above this many; null lifts the bound' }),
      },
      notAnObject,
    )
    .refine(body => Object.values(body).some(value => value !== undefined), 'changes nothing')
    .meta({ id: 'EditQueueRequest', examples: [{ maxQueued: 10_000 }] }),
  replies: after,
})

export const pauseQueue = operation({
  id: 'pauseQueue',
  method: 'post',
  path: `${path}/pause`,
  summary: 'Stop claims from a queue, in all processes.',
  description: 'What runs, runs on; jobs are still taken in.',
  tag,
  permission: 'queues:change',
  params,
  replies: after,
})

export const resumeQueue = operation({
  id: 'resumeQueue',
  method: 'post',
  path: `${path}/resume`,
  summary: 'Let workers claim from a queue again.',
  tag,
  permission: 'queues:change',
  params,
  replies: after,
})
