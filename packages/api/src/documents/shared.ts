import { type JobState, jobStates } from 'millrace'
import { z } from 'zod'
import { formatInstant } from './instant.ts'

/** An instant in a document: ISO 8601 in UTC, with milliseconds. */
export const instantText = z
  .string()
  .meta({ format: 'date-time', description: 'ISO 8601 in UTC, with milliseconds' })
export const jobState = z.enum(jobStates as readonly [JobState, ...JobState[]])
export const jobId = z.string().meta({ format: 'uuid' })
export const count = z.int().min(0)
/** Any JSON value. */
export const anyJson = z.unknown().meta({ description: 'Any JSON value' })

export const jobError = z
  .object({
    name: z.string(),
    message: z.string(),
    stack: z.string().nullable(),
    fingerprint: z
      .string()
      .meta({ description: 'The same for the same fault, whatever ids its message holds' }),
  })
  .meta({ id: 'JobError', description: "An attempt's error, as plain bounded text" })

export function at(ms: number | null): string | null {
  return ms === null ? null : formatInstant(ms)
}

/** Nobody in particular is '' in the store and null outside. */
export function tenantOrNull(tenant: string): string | null {
  return tenant === '' ? null : tenant
}
