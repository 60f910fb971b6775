import type { Duration } from 'millrace'
import { z } from 'zod'
import { parseInstant } from '../documents/index.ts'

/** Text that any store can hold. */
export const text = (longest: number) =>
  z
    .string({ error: issue => (issue.input === undefined ? 'is missing' : 'must be text') })
    .min(1, 'must not be empty')
    .max(longest, `must be at most ${longest} characters`)
    .refine(value => value.isWellFormed() && !value.includes('\0'), 'holds NUL or half a surrogate pair')

export const name = text(128)
export const tenant = text(200)

export const wholeNumber = (least: number, most: number) => {
  const message = `must be a whole number from ${least} to ${most}`
  return z.int(message).min(least, message).max(most, message)
}

function toInstant(value: unknown, context: z.RefinementCtx): number {
  const ms = typeof value === 'string' || typeof value === 'number' ? parseInstant(value) : null
  if (ms !== null) return ms
  context.addIssue(
    'must be ISO 8601 with its offset, such as 2026-11-23T14:00:00Z, or milliseconds since 1970',
  )
  return z.NEVER
}

const instantSchema = {
  anyOf: [
    { type: 'string', format: 'date-time' },
    { type: 'integer', minimum: 0, maximum: 253_402_300_799_999 },
  ],
  description: 'ISO 8601 with its offset, or milliseconds since 1970',
}
export const instant = z.unknown().transform(toInstant).meta(instantSchema)

export const duration = z
  .custom<Duration>(
    value => typeof value === 'string' || typeof value === 'number',
    "must be milliseconds, or text like '90s', '1h30m'",
  )
  .meta({ type: ['string', 'number'], description: "Milliseconds, or text like '90s', '1h30m'" })

export const payload = z
  .custom<unknown>(value => value !== undefined, 'is missing')
  .meta({ description: 'Any JSON value that the job type accepts' })

export const notAnObject = {
  error: (issue: { code?: string | undefined }) =>
    issue.code === 'invalid_type' ? 'must be a JSON object' : undefined,
}

/** A header: sending the request again does nothing more. */
export const idempotencyKey = {
  'Idempotency-Key': {
    description: '1 to 255 printable ASCII characters. The same key and body: the same job',
    schema: z.string(),
  },
}

export const idParams = z.strictObject({
  id: z.string().meta({ format: 'uuid' }),
})

/** Of a query: a whole number written in digits. */
export const digits = (least: number, most: number) =>
  z
    .string()
    .transform(value => (/^\d{1,9}$/.test(value) ? Number(value) : Number.NaN))
    .pipe(wholeNumber(least, most))
    .meta({ type: 'integer', minimum: least, maximum: most })

/** Of a query: yes or no, in a word. */
export const yesOrNo = z
  .enum(['true', 'false'], "must be 'true' or 'false'")
  .transform(value => value === 'true')
  .meta({ type: 'boolean' })

const separated = new WeakSet<z.ZodType>()
const repeatable = new WeakSet<z.ZodType>()

/** Of a query: given more than once, or with commas. */
export function several<Item extends z.ZodType<unknown, string>>(item: Item, most = 100) {
  const schema = z.array(item).max(most, `must be at most ${most} values`)
  separated.add(schema)
  return schema.optional()
}

/** Of a query: given more than once. A comma is a part of a value. */
export function repeated<Item extends z.ZodType<unknown, string>>(item: Item, most = 16) {
  const schema = z.array(item).max(most, `must be at most ${most} values`)
  repeatable.add(schema)
  return schema.optional()
}

export function isSeveral(schema: z.ZodType | undefined): boolean {
  return separated.has(listOf(schema))
}

export function isRepeated(schema: z.ZodType | undefined): boolean {
  return repeatable.has(listOf(schema))
}

/** What is described is a copy; the list within is still the same. */
function listOf(schema: z.ZodType | undefined): z.ZodType {
  return (schema instanceof z.ZodOptional ? schema.unwrap() : schema) as z.ZodType
}

/** `site=s1`: the name of a search attribute and its value, which may hold further equals signs. */
export const condition = text(400)
  .refine(value => value.indexOf('=') > 0, 'must be a name, = and a value, such as site=s1')
  .transform(value => {
    const at = value.indexOf('=')
    return [value.slice(0, at), value.slice(at + 1)] as const
  })
  .meta({ type: 'string', pattern: '^[^=]+=', description: 'site=s1' })

export const cursor = text(1_000).optional()
export const limit = digits(1, 200).default(50)
export const oneOf = <const Name extends string>(names: readonly Name[]) =>
  z.enum(names as readonly [Name, ...Name[]], `must be of ${names.join(', ')}`)
