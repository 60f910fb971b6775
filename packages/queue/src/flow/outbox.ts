import {
  type AnyJob,
  checkName,
  defineJob,
  type JobDefinition,
  type PayloadInput,
  type Schema,
} from '../definition.ts'
import { type ErrorCode, QueueError } from '../engine/errors.ts'
import { duration, type Enqueued, type EnqueueOptions, instant, newJob } from '../enqueue.ts'
import { handle, type Handler } from '../handler.ts'
import { exponential } from '../job/backoff.ts'
import { NonRetryableError } from '../job/decide.ts'
import type { Millrace } from '../queue.ts'

/** What waits in the source's store. */
interface Entry {
  type: string
  payload: unknown
  /** `delayMs` counts from when the entry was stored. */
  options: Pick<EnqueueOptions, 'queue' | 'priority' | 'maxAttempts' | 'tenant' | 'idempotencyKey'> & {
    runAt?: number
    delayMs?: number
  }
}

/** What became of an entry: the job in the target. */
interface Relayed {
  id: string
  /** It was there already: relayed before, or enqueued by somebody else under the same key. */
  duplicate: boolean
}

export interface OutboxOptions {
  /** The queue that entries wait in. Default `outbox`. */
  queue?: string
}

/** No other attempt can make these succeed. */
const hopeless: readonly ErrorCode[] = [
  'invalid-payload',
  'invalid-argument',
  'payload-too-large',
  'unknown-type',
  'idempotency-conflict',
]

/**
 * A way for jobs from one store to a queue that lives on another engine. An entry is a job of the source store, so it can
 * be part of the caller's transaction there; a worker of the source relays it, at least once, under an idempotency key, so
 * that the target has it once.
 */
export class Outbox {
  /** The entries' own definition. */
  readonly job: JobDefinition<string, Schema<Entry>, Schema<Relayed>>

  constructor(name: string, options: OutboxOptions = {}) {
    this.job = defineJob({
      type: checkName('outbox', `millrace.outbox.${name}`),
      payload: shape<Entry>('an outbox entry', value => typeof value.type === 'string' && 'payload' in value),
      result: shape<Relayed>('a relayed entry', value => typeof value.id === 'string'),
      queue: options.queue ?? 'outbox',
      // With ten minutes at most between two, a target may be away for a month.
      maxAttempts: 10_000,
      backoff: exponential({ firstMs: 1_000, maxMs: 600_000, jitter: 'full' }),
      timeoutMs: 60_000,
      // The target's own definition bounds what it takes.
      maxPayloadBytes: Number.MAX_SAFE_INTEGER,
    })
  }

  /**
   * Stores an entry in `source`, with a `tx` in the caller's transaction. The payload and the options are checked against
   * the target's definition at once. Answers the entry's id: `source.result(id)` resolves to the target's job when it is
   * there. Throws what `enqueue` throws.
   */
  async enqueue<Job extends AnyJob>(
    source: Millrace<never>,
    definition: Job,
    payload: PayloadInput<Job>,
    options: EnqueueOptions = {},
  ): Promise<Enqueued<Outbox['job']>> {
    const { tx, runAt, delay, ...rest } = options
    const { type, payloadJson } = newJob('', definition, payload, options)
    const entry: Entry = {
      type,
      payload: JSON.parse(payloadJson) as unknown,
      options: {
        ...rest,
        ...(runAt === undefined ? {} : { runAt: instant('runAt', runAt) }),
        ...(delay === undefined ? {} : { delayMs: duration('delay', delay) }),
      },
    }
    const own = {
      ...(rest.tenant === undefined ? {} : { tenant: rest.tenant }),
      ...(tx === undefined ? {} : { tx }),
    }
    return (source as unknown as Millrace).enqueue(this.job, entry, own)
  }

  /**
   * The handler for a worker of the source store: enqueues each entry in `target`, under the caller's idempotency key or
   * one of its own. While the target is away it is tried again, for weeks; what the target can never accept is dead at
   * once.
   */
  relay(target: Millrace<never>): Handler {
    return handle(this.job, async ({ payload: { type, payload, options }, job }) => {
      const {
        delayMs,
        runAt = delayMs === undefined ? undefined : job.createdAt + delayMs,
        ...rest
      } = options
      try {
        return await (target as unknown as Millrace).enqueueByType(type, payload, {
          idempotencyKey: `outbox:${job.id}`,
          ...rest,
          ...(runAt === undefined ? {} : { runAt }),
        })
      } catch (error) {
        if (error instanceof QueueError && hopeless.includes(error.code))
          throw new NonRetryableError(`the target refuses it (${error.code}): ${error.message}`, {
            cause: error,
          })
        throw error
      }
    })
  }
}

/** Defines an outbox. Its name is part of what is stored, and never changes. */
export function defineOutbox(name: string, options: OutboxOptions = {}): Outbox {
  return new Outbox(name, options)
}

/** A schema for what this file itself writes. */
function shape<T extends object>(what: string, holds: (value: Partial<T>) => boolean): Schema<T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'millrace',
      validate: value =>
        typeof value === 'object' && value !== null && holds(value)
          ? { value: value as T }
          : { issues: [{ message: `is not ${what}` }] },
    },
  }
}
