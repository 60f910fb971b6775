import { createHash } from 'node:crypto'
import {
  type AnyJob,
  checkMaxAttempts,
  checkName,
  checkPriority,
  type PayloadInput,
  type ResultOutput,
} from './definition.ts'
import type { EnqueueAnswer, NewJob } from './engine/contract.ts'
import { QueueError } from './engine/errors.ts'
import { type Duration, parseDuration } from './job/duration.ts'
import { isId } from './job/id.ts'
import { canonicalJson } from './job/json.ts'
import { readAttributes } from './search-attributes.ts'
import { encodePayload } from './validate.ts'

export interface EnqueueOptions {
  /** Default: the definition's. */
  queue?: string
  priority?: number
  maxAttempts?: number
  /** Not before this instant. */
  runAt?: Date | number
  /** Not before this much time has passed. */
  delay?: Duration
  /** Whom the job belongs to. Idempotency keys are the tenant's own. */
  tenant?: string
  /** Enqueues at most once: the same key with the same payload answers the first job's id. */
  idempotencyKey?: string
  /** The caller's open transaction on the same store. The job exists when it commits. */
  tx?: unknown
}

/** A job's id that remembers, for the compiler, what its result will be. */
export type JobId<Result = unknown> = string & { readonly __result?: Result }

export interface Enqueued<Job extends AnyJob = AnyJob> {
  id: JobId<ResultOutput<Job>>
  /** True when the idempotency key was known and this is the earlier job. */
  duplicate: boolean
}

/** Validates and encodes one enqueue. Throws `invalid-payload`, `payload-too-large` or `invalid-argument`. */
export function newJob<Job extends AnyJob>(
  id: string,
  definition: Job,
  payload: PayloadInput<Job>,
  options: EnqueueOptions,
): NewJob {
  const { json: payloadJson, value } = encodePayload(definition, payload)
  const attributes = readAttributes(definition, value)
  const runAt = options.runAt === undefined ? null : instant('runAt', options.runAt)
  return {
    id,
    type: definition.type,
    queue: options.queue === undefined ? definition.queue : checkName('queue', options.queue),
    tenant: options.tenant === undefined ? '' : checkText('tenant', options.tenant, 200),
    priority: options.priority === undefined ? definition.priority : checkPriority(options.priority),
    payloadJson,
    delayMs: options.delay === undefined ? 0 : duration('delay', options.delay),
    runAt,
    maxAttempts:
      options.maxAttempts === undefined ? definition.maxAttempts : checkMaxAttempts(options.maxAttempts),
    idempotency:
      options.idempotencyKey === undefined
        ? null
        : {
            key: checkText('idempotencyKey', options.idempotencyKey, 500),
            bodyHash: bodyHash(definition.type, payloadJson),
          },
    ...(attributes ? { attributes } : {}),
  }
}

/** What two enqueues under one key must agree in: the type and the payload, whatever the order of its members. */
function bodyHash(type: string, payloadJson: string): string {
  return createHash('sha256')
    .update(`${type}\n${canonicalJson(payloadJson)}`)
    .digest('base64url')
}

/** The engine's answer as the caller hears it. */
export function readAnswer(answer: EnqueueAnswer, job: NewJob): Enqueued {
  switch (answer.outcome) {
    case 'enqueued':
      return { id: answer.id, duplicate: false }
    case 'duplicate':
      return { id: answer.id, duplicate: true }
    case 'idempotency-conflict':
      throw new QueueError(
        'idempotency-conflict',
        `the idempotency key was used before for job ${answer.id} with another type or payload; use a new key for new work`,
      )
    case 'queue-full':
      throw new QueueError(
        'queue-full',
        `queue ${job.queue} holds ${answer.queued} jobs and takes no more than ${answer.limit}; try again later`,
        { retryAfterMs: 1_000 },
      )
  }
}

/** The years 0 to 9999: what ISO 8601 writes with four digits, and every reader of it understands. */
const [firstMs, lastMs] = [-62_167_219_200_000, 253_402_300_799_999]

export function instant(what: string, value: Date | number): number {
  const ms = typeof value === 'number' ? value : value instanceof Date ? value.getTime() : Number.NaN
  if (!Number.isFinite(ms) || ms < firstMs || ms > lastMs)
    throw new QueueError(
      'invalid-argument',
      `${what} must be a Date or epoch milliseconds of the years 0 to 9999, not ${String(value)}`,
    )
  return Math.round(ms)
}

/** Longer ones lead beyond what a Date, or a column, can hold. */
const longestDelayMs = 100 * 366 * 24 * 3_600_000

export function duration(what: string, value: Duration): number {
  let ms: number
  try {
    ms = Math.round(parseDuration(value))
  } catch (error) {
    throw new QueueError('invalid-argument', `${what}: ${(error as Error).message}`)
  }
  if (ms > longestDelayMs)
    throw new QueueError('invalid-argument', `${what}: ${value} is more than a hundred years`)
  return ms
}

export function checkId(id: string): string {
  if (typeof id === 'string' && isId(id)) return id.toLowerCase()
  throw new QueueError('invalid-argument', `${JSON.stringify(id)} is not a job id; ids are UUIDs`)
}

export function checkText(what: string, text: string, longest: number): string {
  if (typeof text !== 'string' || text.length === 0 || text.length > longest)
    throw new QueueError('invalid-argument', `${what} must be text of 1 to ${longest} characters`)
  if (text.includes('\0') || !text.isWellFormed())
    throw new QueueError(
      'invalid-argument',
      `${what} holds characters that a database can not store (NUL or half a surrogate pair)`,
    )
  return text
}
