import {
  type AuditFilter,
  auditKept,
  type AuditRecord,
  type NewAuditEntry,
  readAuditCursor,
  writeAuditCursor,
} from '../../engine/audit.ts'
import { formatId, parseId } from '../../job/id.ts'
import type { Store } from './store.ts'

/** Inside a write. */
export function appendAudit(store: Store, now: number, entries: readonly NewAuditEntry[]): void {
  for (const each of entries)
    store.run(
      `INSERT INTO millrace_audit (id, at, principal, role, action, target, before, after, request)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
      parseId(each.id),
      now,
      each.principal,
      each.role,
      each.action,
      each.target,
      each.beforeJson,
      each.afterJson,
      each.requestJson,
    )
}

interface Row {
  n: number
  id: Uint8Array
  at: number
  principal: string
  role: string
  action: string
  target: string
  before: string | null
  after: string | null
  request: string | null
}

export function audit(
  store: Store,
  filter: AuditFilter,
  page: { cursor?: string; limit: number },
): { entries: AuditRecord[]; cursor: string | null } {
  const [at, n] =
    page.cursor === undefined ? [filter.until ?? Number.MAX_SAFE_INTEGER, 0] : readAuditCursor(page.cursor)
  const conditions = ['(at, n) < (?, ?)', 'at >= ?']
  const values: (string | number)[] = [at, n, filter.from ?? 0]
  for (const name of ['principal', 'action', 'target'] as const) {
    const wanted = filter[name]
    if (wanted === undefined) continue
    conditions.push(`${name} = ?`)
    values.push(wanted)
  }
  const rows = store.all<Row>(
    `SELECT n, id, at, principal, role, action, target, before, after, request FROM millrace_audit
     WHERE ${conditions.join(' AND ')} ORDER BY at DESC, n DESC LIMIT ?`,
    ...values,
    page.limit + 1,
  )
  const shown = rows.slice(0, page.limit)
  const last = rows.length > shown.length ? shown.at(-1) : undefined
  return { entries: shown.map(record), cursor: last ? writeAuditCursor([last.at, last.n]) : null }
}

function record({ id, at, principal, role, action, target, ...json }: Row): AuditRecord {
  const { before, after, request } = json
  return {
    id: formatId(id),
    at,
    principal,
    role,
    action,
    target,
    beforeJson: before,
    afterJson: after,
    requestJson: request,
  }
}

/** Inside a write. Answers whether more may wait. */
export function pruneAudit(store: Store, now: number, limit: number): boolean {
  const gone = store.run(
    `DELETE FROM millrace_audit WHERE n IN (SELECT n FROM millrace_audit ORDER BY n LIMIT ?)
       AND (at < ? OR n <= (SELECT max(n) FROM millrace_audit) - ?)`,
    limit,
    now - auditKept.ageMs,
    auditKept.entries,
  )
  return gone >= limit
}
