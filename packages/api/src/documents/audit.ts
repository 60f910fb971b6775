import type { AuditEntry } from 'millrace'
import { z } from 'zod'
import { formatInstant } from './instant.ts'
import { anyJson, instantText } from './shared.ts'

export const auditSchema = z
  .object({
    id: z.string(),
    at: instantText,
    principal: z.string().meta({ description: 'Who' }),
    role: z.string(),
    action: z.string().meta({ description: 'The operation' }),
    target: z.string().meta({ description: 'What was changed: `job 0198…`, `queue mail`' }),
    before: anyJson,
    after: anyJson,
    request: anyJson,
  })
  .meta({ id: 'AuditEntry', description: 'Who changed what' })
export type AuditDocument = z.infer<typeof auditSchema>

export function auditDocument({ at, ...rest }: AuditEntry): AuditDocument {
  return { ...rest, at: formatInstant(at) }
}
