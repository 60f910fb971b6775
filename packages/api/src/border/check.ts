import type { Fault } from 'millrace'
import type { z } from 'zod'
import { Problem } from '../problem.ts'

/** Checks what came from outside. Throws a `Problem` with every fault and its path. */
export function check<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  what: string,
): z.output<Schema> {
  const checked = schema.safeParse(value)
  if (checked.success) return checked.data
  const faults = checked.error.issues.flatMap(readIssue)
  const shown = faults.slice(0, 5).map(fault => `${fault.path.join('.') || what}: ${fault.message}`)
  const more = faults.length > shown.length ? ` (and ${faults.length - shown.length} more)` : ''
  throw new Problem('invalid-argument', `The ${what} is refused: ${shown.join('; ')}${more}.`, { faults })
}

function readIssue(issue: z.core.$ZodIssue): Fault[] {
  const path = issue.path.map(step => (typeof step === 'symbol' ? String(step) : step))
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }]
  return issue.keys.map(key => ({ path: [...path, key], message: 'is not known here' }))
}
