import { z } from 'zod'
import { auditSchema } from '../documents/index.ts'
import { cursor, instant, limit, text } from './fields.ts'
import { operation } from './operation.ts'

export const listAudit = operation({
  id: 'listAudit',
  method: 'get',
  path: '/api/v1/audit',
  summary: 'List who changed what, newest first.',
  tag: 'audit',
  permission: 'audit:read',
  query: z.strictObject({
    principal: text(1_000).optional(),
    action: text(200).optional(),
    target: text(1_000).optional(),
    from: instant.optional(),
    until: instant.optional(),
    limit,
    cursor,
  }),
  replies: {
    200: {
      description: 'A page',
      schema: z
        .object({ entries: z.array(auditSchema), cursor: z.string().nullable() })
        .meta({ id: 'AuditPage' }),
    },
  },
})
