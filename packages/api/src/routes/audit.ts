import { type Route, route } from '../border/route.ts'
import { listAudit } from '../contract/audit.ts'
import { defined } from '../defined.ts'
import { auditDocument } from '../documents/index.ts'

export const auditRoutes: Route[] = [
  route(listAudit, async ({ millrace, query }) => {
    const { limit, cursor, ...filter } = query
    const page = await millrace.audit.list(defined(filter), { limit, ...defined({ cursor }) })
    return { status: 200, body: { entries: page.entries.map(auditDocument), cursor: page.cursor } }
  }),
]
