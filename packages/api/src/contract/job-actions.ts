import { z } from 'zod'
import { jobId } from '../documents/index.ts'
import { enqueued } from './enqueue.ts'
import { idParams, notAnObject, text } from './fields.ts'
import { operation } from './operation.ts'

const tag = 'jobs'
const id = '/api/v1/jobs/{id}'

const outcome = <const Names extends readonly [string, ...string[]]>(id: string, names: Names) =>
  z.object({ id: jobId, outcome: z.enum(names) }).meta({ id })

export const cancelBody = z
  .strictObject({ reason: text(1_000).optional() }, notAnObject)
  .meta({ id: 'CancelRequest', examples: [{ reason: 'not needed any more' }] })
export const cancelOutcome = outcome('CancelOutcome', ['cancelled', 'requested', 'already-finished'])

export const cancelJob = operation({
  id: 'cancelJob',
  method: 'post',
  path: `${id}/cancel`,
  summary: 'Cancel a job.',
  description:
    'A waiting job is cancelled at once, a running one is asked to stop, a finished one stays as it is.',
  tag,
  permission: 'jobs:change',
  params: idParams,
  body: cancelBody,
  bodyOptional: true,
  replies: {
    200: { description: 'Cancelled, or finished before', schema: cancelOutcome },
    202: { description: 'It runs, and hears of it within two seconds', schema: cancelOutcome },
  },
  problems: ['not-found'],
})

export const retryJob = operation({
  id: 'retryJob',
  method: 'post',
  path: `${id}/retry`,
  summary: 'Run a finished job again.',
  description:
    'The same id and payload, attempts counted afresh. With a payload: a new job whose origin is this one; the same edit twice is one job.',
  tag,
  permission: 'jobs:change',
  params: idParams,
  body: z
    .strictObject({ forgetSteps: z.boolean().optional(), payload: z.unknown().optional() }, notAnObject)
    .meta({ id: 'RetryRequest', examples: [{ forgetSteps: false }] }),
  bodyOptional: true,
  replies: {
    200: { description: 'It is queued again', schema: outcome('RetryOutcome', ['redriven']) },
    201: { description: 'A new job with the other payload', schema: enqueued },
  },
  problems: ['not-found', 'conflict', 'invalid-payload', 'unknown-type', 'queue-full'],
})

export const sendSignal = operation({
  id: 'sendSignal',
  method: 'post',
  path: `${id}/signals`,
  summary: 'Send a signal to a job.',
  description: 'Kept until the job takes it, even when it does not wait for it yet.',
  tag,
  permission: 'jobs:change',
  params: idParams,
  body: z
    .strictObject({ name: text(200), payload: z.unknown().optional() }, notAnObject)
    .meta({ id: 'SignalRequest', examples: [{ name: 'delivered', payload: { at: 'the door' } }] }),
  replies: {
    202: {
      description: 'Delivered',
      schema: z
        .object({ id: jobId, name: z.string(), outcome: z.literal('delivered') })
        .meta({ id: 'SignalOutcome' }),
    },
  },
  problems: ['not-found', 'conflict', 'invalid-payload'],
})
