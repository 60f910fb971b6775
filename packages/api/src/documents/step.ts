import type { Step } from 'millrace'
import { z } from 'zod'
import { formatInstant } from './instant.ts'
import { anyJson, at, count, instantText, jobError, jobId } from './shared.ts'

export const stepSchema = z
  .object({
    ordinal: count,
    name: z.string(),
    kind: z.string(),
    state: z.string(),
    result: anyJson,
    error: jobError.nullable(),
    attempt: count,
    epoch: count,
    startedAt: instantText,
    endedAt: instantText.nullable(),
    wakeAt: instantText.nullable().meta({ description: 'When it stops waiting, at the latest' }),
    due: z.boolean(),
    signal: z.string().nullable(),
    childId: jobId.nullable(),
  })
  .meta({ id: 'Step', description: "A memoized part of a job's handler" })
export type StepDocument = z.infer<typeof stepSchema>

export function stepDocument({ startedAt, endedAt, wakeAt, ...rest }: Step): StepDocument {
  return { ...rest, startedAt: formatInstant(startedAt), endedAt: at(endedAt), wakeAt: at(wakeAt) }
}
