import type { DeadGroup } from 'millrace'
import { z } from 'zod'
import { formatInstant } from './instant.ts'
import { count, instantText, jobId } from './shared.ts'

export const deadGroupSchema = z
  .object({
    type: z.string(),
    fingerprint: z.string(),
    count,
    queues: z.array(z.string()),
    error: z.object({ name: z.string(), message: z.string() }),
    firstAt: instantText,
    lastAt: instantText,
    ids: z.array(jobId),
  })
  .meta({ id: 'DeadGroup', description: 'Dead jobs that died of the same fault' })
export type DeadGroupDocument = z.infer<typeof deadGroupSchema>

export function deadGroupDocument({ firstAt, lastAt, ...rest }: DeadGroup): DeadGroupDocument {
  return { ...rest, firstAt: formatInstant(firstAt), lastAt: formatInstant(lastAt) }
}
