import { createHash } from 'node:crypto'
import type { JobRecord, NewJob } from '../engine/contract.ts'
import { QueueError } from '../engine/errors.ts'
import { type EnqueueOptions, newJob } from '../enqueue.ts'
import { canonicalJson } from '../job/json.ts'
import { isTerminal } from '../job/state.ts'
import type { Registry } from '../registry.ts'

/** What is not given is as the original has it; the tenant is always the original's. */
export type RetryWithOptions = Omit<EnqueueOptions, 'tenant' | 'tx'>

/**
 * The job that a finished one becomes with another payload. Its idempotency key follows from the original and the payload,
 * so the same edit twice is one job. Throws `conflict` for a job that has not finished, or whose place in a flow a new
 * job could not take.
 */
export function editedJob(
  original: JobRecord,
  payload: unknown,
  options: RetryWithOptions,
  from: { registry: Registry; newId: () => string },
): NewJob {
  const { id, type, flow, state, tenant, queue, priority, maxAttempts } = original
  if (!isTerminal(state))
    throw new QueueError(
      'conflict',
      `job ${id} is ${state}: cancel it, or wait until it has finished, before it is run with another payload`,
    )
  // A flow that the job has made itself, for its children, holds nothing that waits for it.
  if (flow !== null && flow !== id)
    throw new QueueError(
      'conflict',
      `job ${id} belongs to flow ${flow}, where others wait for it and not for a new job; mend the handler and retry the flow, or enqueue the flow anew with the other payload`,
    )
  const definition = from.registry.get(type)
  const kept = { queue, priority, maxAttempts, ...(tenant === '' ? {} : { tenant }) }
  const job = newJob(from.newId(), definition, payload as never, { ...kept, ...options })
  if (options.idempotencyKey !== undefined) return { ...job, origin: id }
  const idempotencyKey = `retry:${id}:${hashOf(job.payloadJson)}`
  return {
    ...newJob(job.id, definition, payload as never, { ...kept, ...options, idempotencyKey }),
    origin: id,
  }
}

function hashOf(payloadJson: string): string {
  return createHash('sha256').update(canonicalJson(payloadJson)).digest('base64url')
}
