import { type Duration, type JobState, jobStates } from 'millrace'
import { z } from 'zod'
import { parseInstant } from '../documents/index.ts'

const text = (longest: number) =>
  z
    .string({ error: issue => (issue.input === undefined ? 'is missing' : 'must be text') })
    .min(1, 'must not be empty')
    .max(longest, `must be at most ${longest} characters`)
    .refine(value => value.isWellFormed() && !value.includes('\0'), 'holds NUL or half a surrogate pair')

const name = text(128)

function toInstant(value: unknown, context: z.RefinementCtx): number {
  const ms = typeof value === 'string' || typeof value === 'number' ? parseInstant(value) : null
  if (ms !== null) return ms
  context.addIssue(
    'must be ISO 8601 with its offset, such as 2026-11-23T14:00:00Z, or milliseconds since 1970',
  )
  return z.NEVER
}

const wholeNumber = (least: number, most: number) => {
  const message = `must be a whole number from ${least} to ${most}`
  return z.int(message).min(least, message).max(most, message)
}

/** What the queue itself would refuse with one message is refused here with a path. */
export const enqueueBody = z
  .strictObject(
    {
      type: name,
      payload: z.custom<unknown>(value => value !== undefined, 'is missing'),
      queue: name.optional(),
      priority: wholeNumber(1, 10).optional(),
      maxAttempts: wholeNumber(1, 10_000).optional(),
      runAt: z.unknown().transform(toInstant).optional(),
      delay: z
        .custom<Duration>(
          value => typeof value === 'string' || typeof value === 'number',
          "must be milliseconds, or text like '90s', '1h30m'",
        )
        .optional(),
      tenant: text(200).optional(),
    },
    { error: issue => (issue.code === 'invalid_type' ? 'must be a JSON object' : undefined) },
  )
  .refine(body => body.runAt === undefined || body.delay === undefined, {
    path: ['delay'],
    message: 'can not stand beside runAt',
  })
  .transform(({ type, payload, ...options }) => ({ type, payload, ...defined(options) }))

export const cancelBody = z.strictObject({ reason: text(1_000).optional() })
export const noBody = z.strictObject({})

const once = z
  .array(z.string())
  .length(1, 'is given more than once')
  .transform(values => values[0] as string)
/** Given more than once, or with commas. */
const several = z
  .array(z.string())
  .transform(values => values.flatMap(value => value.split(',')))
  .pipe(z.array(name).max(100, 'must be at most 100 values'))

const isState = (value: string): value is JobState => (jobStates as readonly string[]).includes(value)

export const listQuery = z
  .strictObject({
    state: several
      .pipe(
        z.array(z.custom<JobState>(value => isState(String(value)), `must be of ${jobStates.join(', ')}`)),
      )
      .optional(),
    type: several.optional(),
    queue: several.optional(),
    tenant: once.pipe(text(200)).optional(),
    from: once.transform(toInstant).optional(),
    until: once.transform(toInstant).optional(),
    limit: once
      .transform(value => (/^\d{1,4}$/.test(value) ? Number(value) : Number.NaN))
      .pipe(wholeNumber(1, 200))
      .default(50),
    cursor: once.pipe(text(1_000)).optional(),
  })
  .transform(({ state, type, queue, tenant, from, until, limit, cursor }) => ({
    limit,
    ...defined({ states: state, types: type, queues: queue, tenant, from, until, cursor }),
  }))

type Defined<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> }

/** Without the members that are undefined, which is not the same as absent. */
function defined<Fields extends object>(fields: Fields): Defined<Fields> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Defined<Fields>
}
