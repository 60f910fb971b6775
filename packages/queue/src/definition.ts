import type { StandardSchemaV1 } from '@standard-schema/spec'
import { QueueError } from './engine/errors.ts'
import { type Backoff, defaultBackoff } from './job/backoff.ts'
import type { Retention } from './job/retention.ts'

/** Any Standard Schema (Zod, Valibot, ArkType …) whose check does not need to wait. */
export type Schema<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output>

/** Null and undefined: this job does not have it. Numbers and booleans are found by how JavaScript writes them. */
export type AttributeValue = string | number | boolean | null | undefined

/**
 * Names, and where each job has the value from. It is read once, at enqueue, so it must depend on the payload alone. (Written
 * as a method, so that a definition of any payload is still an `AnyJob`.)
 */
export type SearchAttributes<Payload = unknown> = Readonly<
  Record<string, { read(payload: Payload): AttributeValue }['read']>
>

export interface JobOptions<Type extends string, Payload extends Schema, Result extends Schema> {
  /** The persisted name. Never changes; a renamed type lists its old names in `aliases`. */
  type: Type
  payload: Payload
  result?: Result
  /** Default `'default'`. */
  queue?: string
  /** 1 (first) to 10 (last). Default 5. */
  priority?: number
  /** How often the handler may start, the first time included. Default 3. */
  maxAttempts?: number
  /** Default: exponential from 1 s with full jitter. */
  backoff?: Backoff
  /** An attempt that takes longer is aborted and counts as failed. Default 10 minutes; `null` for no limit. */
  timeoutMs?: number | null
  retention?: Retention
  /** Names that this type had before; jobs stored under them are handled by it. */
  aliases?: readonly string[]
  /** Largest payload, in bytes of JSON. Default 1 MiB. */
  maxPayloadBytes?: number
  /**
   * The handler is written in steps (`step.run` …), none of which takes long: cut short, the job goes on in another call
   * where it was. Says so to those who drain within a budget, who refuse a job that may take longer and has no steps; the
   * worker itself does not look at it. Default false.
   */
  usesSteps?: boolean
  /**
   * What its jobs can be found by, taken from the payload as the handler will see it: `{ site: payload => payload.siteId }`.
   * At most 16, and texts of at most 200 characters. Stored when the job is; a later change of the definition counts for
   * later jobs.
   */
  searchAttributes?: SearchAttributes<StandardSchemaV1.InferOutput<Payload>>
}

/**
 * A job as a value: what it is called, what it takes and gives, and the policy of its attempts. It has no driver and no
 * handler, so a web bundle can import it.
 */
export interface JobDefinition<
  Type extends string = string,
  Payload extends Schema = Schema,
  Result extends Schema = Schema,
> {
  readonly type: Type
  readonly payload: Payload
  readonly result: Result | undefined
  readonly queue: string
  readonly priority: number
  readonly maxAttempts: number
  readonly backoff: Backoff
  readonly timeoutMs: number | null
  readonly retention: Retention
  readonly aliases: readonly string[]
  readonly maxPayloadBytes: number
  readonly usesSteps: boolean
  readonly searchAttributes: SearchAttributes<StandardSchemaV1.InferOutput<Payload>>
}

/** Any definition, whatever its payload and result. */
export type AnyJob = JobDefinition

/** What `enqueue` takes. */
export type PayloadInput<Job extends AnyJob> = StandardSchemaV1.InferInput<Job['payload']>
/** What the handler gets: the input with the schema's defaults and transformations. */
export type PayloadOutput<Job extends AnyJob> = StandardSchemaV1.InferOutput<Job['payload']>
/** What the handler returns. */
export type ResultInput<Job extends AnyJob> =
  Job extends JobDefinition<string, Schema, infer R> ? StandardSchemaV1.InferInput<R> : never
/** What `result(id)` resolves to. */
export type ResultOutput<Job extends AnyJob> =
  Job extends JobDefinition<string, Schema, infer R> ? StandardSchemaV1.InferOutput<R> : never

const typePattern = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$/

/** Queue names and job types are short plain words, so that they can stand in URLs, metrics and logs. */
export function checkName(what: string, name: string): string {
  if (typeof name !== 'string' || !typePattern.test(name))
    throw new QueueError(
      'invalid-argument',
      `${what} ${JSON.stringify(name)} is not a usable name: 1 to 128 letters, digits, '_', '-', '.', ':', starting with a letter or digit`,
    )
  return name
}

/** 1 runs before 10. */
export function checkPriority(priority: number): number {
  if (!Number.isInteger(priority) || priority < 1 || priority > 10)
    throw new QueueError(
      'invalid-argument',
      `priority must be a whole number from 1 (first) to 10 (last), not ${priority}`,
    )
  return priority
}

export function checkMaxAttempts(maxAttempts: number): number {
  if (!Number.isInteger(maxAttempts) || maxAttempts < 1 || maxAttempts > 10_000)
    throw new QueueError(
      'invalid-argument',
      `maxAttempts must be a whole number from 1 to 10000, not ${maxAttempts}`,
    )
  return maxAttempts
}

/** A bound of NaN would bound nothing, or everything. */
function checkBound(what: string, bound: number): void {
  if (!(typeof bound === 'number' && bound >= 0))
    throw new QueueError('invalid-argument', `${what} must be a number of at least 0, not ${bound}`)
}

const attributesAtMost = 16

function checkAttributes<Payload>(
  type: string,
  attributes: SearchAttributes<Payload> = {},
): SearchAttributes<Payload> {
  const declared = Object.entries(attributes)
  if (declared.length > attributesAtMost)
    throw new QueueError(
      'invalid-argument',
      `${type}: ${declared.length} search attributes; there may be ${attributesAtMost}`,
    )
  for (const [name, read] of declared) {
    checkName(`${type}: search attribute`, name)
    if (typeof read !== 'function')
      throw new QueueError(
        'invalid-argument',
        `${type}: searchAttributes.${name} must be a function of the payload, such as payload => payload.${name}`,
      )
  }
  return Object.freeze(Object.fromEntries(declared))
}

/** Defines a job. Throws `invalid-argument` for a policy that can't work. */
export function defineJob<
  const Type extends string,
  Payload extends Schema,
  Result extends Schema = Schema<unknown>,
>(options: JobOptions<Type, Payload, Result>): JobDefinition<Type, Payload, Result> {
  const timeoutMs = options.timeoutMs === undefined ? 600_000 : options.timeoutMs
  if (timeoutMs !== null && !(timeoutMs > 0))
    throw new QueueError(
      'invalid-argument',
      `${options.type}: timeoutMs must be above 0, or null for no limit`,
    )
  const maxPayloadBytes = options.maxPayloadBytes ?? 2 ** 20
  checkBound(`${options.type}: maxPayloadBytes`, maxPayloadBytes)
  for (const [state, limit] of Object.entries(options.retention ?? {}))
    for (const [bound, value] of Object.entries(limit))
      if (value !== undefined) checkBound(`${options.type}: retention.${state}.${bound}`, value as number)
  const definition: JobDefinition<Type, Payload, Result> = {
    type: checkName('job type', options.type) as Type,
    payload: options.payload,
    result: options.result,
    queue: checkName('queue', options.queue ?? 'default'),
    priority: checkPriority(options.priority ?? 5),
    maxAttempts: checkMaxAttempts(options.maxAttempts ?? 3),
    backoff: options.backoff ?? defaultBackoff,
    timeoutMs,
    retention: options.retention ?? {},
    aliases: (options.aliases ?? []).map(alias => checkName('alias', alias)),
    maxPayloadBytes,
    usesSteps: options.usesSteps ?? false,
    searchAttributes: checkAttributes(options.type, options.searchAttributes),
  }
  return Object.freeze(definition)
}
