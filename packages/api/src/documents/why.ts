import type { Why, WhyCause } from 'millrace'
import { z } from 'zod'
import { formatInstant } from './instant.ts'
import { jobId, jobState } from './shared.ts'

const causes = [
  'finished',
  'running',
  'not-due',
  'paused-queue',
  'no-worker',
  'unknown-type',
  'blocked',
  'waiting-signal',
  'waiting-job',
  'sleeping',
  'queue-position',
] as const satisfies readonly WhyCause[]

export const whySchema = z
  .object({
    id: jobId,
    state: jobState,
    cause: z.enum(causes),
    sentence: z.string().meta({ description: 'For people: one sentence that needs no other' }),
    details: z.record(z.string(), z.unknown()).meta({ description: 'What each cause comes with' }),
  })
  .meta({ id: 'Why', description: 'The one thing that keeps a job from running now' })
/** What each cause holds is told by the library's `WhyDetails`; its instants are ISO 8601 here. */
export type WhyDocument = z.infer<typeof whySchema>

const instants = new Set(['at', 'since', 'until', 'runAt'])

export function whyDocument({ id, state, cause, sentence, details }: Why): WhyDocument {
  const members = Object.entries(details).map(([name, value]: [string, unknown]) => [
    name,
    instants.has(name) && typeof value === 'number' ? formatInstant(value) : value,
  ])
  return { id, state, cause, sentence, details: Object.fromEntries(members) as Record<string, unknown> }
}
