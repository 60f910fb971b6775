import { type Fault, QueueError } from 'millrace'
import { z } from 'zod'
import { severities } from '../tables/issues.ts'

const once = z
  .array(z.string())
  .length(1, 'is given more than once')
  .transform(values => values[0] as string)
  .pipe(z.string().min(1, 'must not be empty').max(4_000, 'is too long'))

/** Given more than once, or with commas. */
const several = <Value extends string>(values: readonly Value[] | null, what: string) =>
  z
    .array(z.string())
    .transform(given => given.flatMap(each => each.split(',')))
    .pipe(
      z
        .array(
          z.custom<Value>(
            each =>
              values === null ? /^[a-z0-9-]{1,64}$/.test(String(each)) : values.includes(each as Value),
            values === null ? `must be ${what}` : `must be of ${values.join(', ')}`,
          ),
        )
        .max(100, 'must be at most 100 values'),
    )

const wholeNumber = (most: number) =>
  once
    .transform(value => (/^\d{1,15}$/.test(value) ? Number(value) : Number.NaN))
    .pipe(z.int(`must be a whole number from 1 to ${most}`).min(1).max(most))

const of = {
  /** The tenant of the jobs that crawled the site. */
  owner: z
    .array(z.string().max(200))
    .length(1, 'is given more than once')
    .transform(values => values[0] as string)
    .default(''),
  crawl: wholeNumber(Number.MAX_SAFE_INTEGER).optional(),
  limit: wholeNumber(500).default(50),
  cursor: once.optional(),
}

export const siteQuery = z.strictObject({ owner: of.owner })

export const pagesQuery = z.strictObject({
  ...of,
  state: several(['queued', 'fetching', 'done', 'failed', 'skipped'], 'a state').default(['done', 'failed']),
})

export const issuesQuery = z.strictObject({
  ...of,
  severity: several(severities, 'a severity').optional(),
  id: several(null, 'the id of a check').optional(),
  category: several(null, 'a category').optional(),
  verdict: once.pipe(z.enum(['fail', 'unverified'], 'must be fail or unverified')).default('fail'),
})

/** Throws `invalid-argument` with every fault and its path. */
export function readQuery<Schema extends z.ZodType>(
  schema: Schema,
  query: Record<string, string[]>,
): z.output<Schema> {
  const checked = schema.safeParse(query)
  if (checked.success) return checked.data
  const faults = checked.error.issues.flatMap(readIssue)
  const shown = faults.slice(0, 5).map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new QueueError('invalid-argument', `The query is refused: ${shown.join('; ')}.`, { faults })
}

function readIssue(issue: z.core.$ZodIssue): Fault[] {
  const path = issue.path.map(step => (typeof step === 'symbol' ? String(step) : step))
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }]
  return issue.keys.map(key => ({ path: [...path, key], message: 'is not known here' }))
}

/** Opaque to callers: where the page before has ended. */
export function writeCursor(mark: unknown): string {
  return Buffer.from(JSON.stringify(mark)).toString('base64url')
}

/** Throws `invalid-argument` for what this list has not given out. */
export function readCursor<Schema extends z.ZodType>(
  schema: Schema,
  cursor: string | undefined,
): z.output<Schema> | undefined {
  if (cursor === undefined) return undefined
  try {
    return schema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()))
  } catch {
    throw new QueueError('invalid-argument', 'The cursor is not one of this list; begin without one.', {
      faults: [{ path: ['cursor'], message: 'is not one of this list' }],
    })
  }
}
