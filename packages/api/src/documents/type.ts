import { type AnyJob, backoffWaits, defaultRetention, type RetentionLimit, type Schema } from 'millrace'
import { z } from 'zod'
import { type Side, tellSchema, type ToldSchema } from './json-schema.ts'
import { count } from './shared.ts'

const told = z
  .object({
    vendor: z.string().meta({ description: 'The library that the schema is written with' }),
    jsonSchema: z
      .record(z.string(), z.unknown())
      .nullable()
      .meta({ description: 'Draft 2020-12; null when the vendor can not tell it' }),
    note: z.string().nullable().meta({ description: 'Why there is none; left out: nobody asked for it' }),
  })
  .meta({ id: 'ToldSchema' })

const limit = z
  .object({ maxAgeMs: z.number().nullable(), maxCount: z.number().nullable() })
  .meta({ id: 'RetentionLimit', description: 'Whichever is reached first ends it; null: no bound' })

export const typeSchema = z
  .object({
    type: z.string(),
    aliases: z.array(z.string()).meta({ description: 'Names that it had before' }),
    queue: z.string(),
    priority: z.int(),
    maxAttempts: count,
    timeoutMs: z.number().nullable().meta({ description: 'Of one attempt; null: no limit' }),
    maxPayloadBytes: z.number(),
    backoff: z
      .array(z.object({ attempt: count, leastMs: z.number(), mostMs: z.number() }))
      .meta({ description: 'How long it waits after each failed attempt, ten at most' }),
    retention: z.object({ completed: limit, cancelled: limit, dead: limit }),
    payload: told.meta({ description: 'What enqueue takes' }),
    result: told
      .nullable()
      .meta({ description: 'What result answers; null when the type has no schema for it' }),
  })
  .meta({ id: 'JobType', description: 'A job type that this server knows, with its policy and its schemas' })
export type TypeDocument = z.infer<typeof typeSchema>

const waitsShown = 10

export function typeDocument(job: AnyJob, withSchemas: boolean): TypeDocument {
  const { type, aliases, queue, priority, maxAttempts, timeoutMs, maxPayloadBytes, retention } = job
  const kept = (state: 'completed' | 'cancelled' | 'dead') =>
    bounds(retention[state] ?? defaultRetention[state])
  const shown = (schema: Schema, side: Side): ToldSchema => {
    const told = tellSchema(schema, side)
    return withSchemas ? told : { vendor: told.vendor, jsonSchema: null, note: told.note ?? 'left out' }
  }
  return {
    type,
    aliases: [...aliases],
    queue,
    priority,
    maxAttempts,
    timeoutMs: finite(timeoutMs),
    maxPayloadBytes,
    backoff: backoffWaits(job.backoff, Math.min(waitsShown, maxAttempts - 1)),
    retention: { completed: kept('completed'), cancelled: kept('cancelled'), dead: kept('dead') },
    payload: shown(job.payload, 'input'),
    result: job.result ? shown(job.result, 'output') : null,
  }
}

function bounds({ maxAgeMs, maxCount }: RetentionLimit) {
  return { maxAgeMs: finite(maxAgeMs), maxCount: finite(maxCount) }
}

/** JSON has no infinity. */
function finite(bound: number | null | undefined): number | null {
  return bound === undefined || bound === null || !Number.isFinite(bound) ? null : bound
}
