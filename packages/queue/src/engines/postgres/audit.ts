import {
  type AuditFilter,
  auditKept,
  type AuditRecord,
  type NewAuditEntry,
  readAuditCursor,
  writeAuditCursor,
} from '../../engine/audit.ts'
import type { Queries } from './queries.ts'

export async function appendAudit(
  db: Queries,
  now: number | null,
  entries: readonly NewAuditEntry[],
): Promise<void> {
  const stored = entries.map(({ beforeJson, afterJson, requestJson, ...rest }) => ({
    ...rest,
    before: beforeJson,
    after: afterJson,
    request: requestJson,
  }))
  await db.all('SELECT millrace.audit_append($1, $2)', [now, JSON.stringify(stored)])
}

type Row = AuditRecord & { n: number }

export async function audit(
  db: Queries,
  filter: AuditFilter,
  page: { cursor?: string; limit: number },
): Promise<{ entries: AuditRecord[]; cursor: string | null }> {
  const [at, n] =
    page.cursor === undefined ? [filter.until ?? Number.MAX_SAFE_INTEGER, 0] : readAuditCursor(page.cursor)
  const conditions = ['(a.at, a.n) < ($1::int8, $2::int8)', 'a.at >= $3::int8']
  const values: unknown[] = [at, n, filter.from ?? 0, page.limit + 1]
  for (const name of ['principal', 'action', 'target'] as const)
    if (filter[name] !== undefined) conditions.push(`a.${name} = $${values.push(filter[name])}`)
  const rows = await db.all<Row>(
    `SELECT a.n, a.id, a.at, a.principal, a.role, a.action, a.target, a.before AS "beforeJson", a.after AS "afterJson",
       a.request AS "requestJson"
     FROM millrace.audit a WHERE ${conditions.join(' AND ')} ORDER BY a.at DESC, a.n DESC LIMIT $4`,
    values,
  )
  const shown = rows.slice(0, page.limit)
  const last = rows.length > shown.length ? shown.at(-1) : undefined
  return {
    entries: shown.map(record),
    cursor: last ? writeAuditCursor([last.at, last.n]) : null,
  }
}

function record(row: Row): AuditRecord {
  const { id, at, principal, role, action, target, beforeJson, afterJson, requestJson } = row
  return { id, at, principal, role, action, target, beforeJson, afterJson, requestJson }
}

/** Answers whether more may wait. */
export async function pruneAudit(db: Queries, now: number | null, limit: number): Promise<boolean> {
  const gone = await db.rows(
    `DELETE FROM millrace.audit a USING (SELECT o.n FROM millrace.audit o ORDER BY o.n LIMIT $2) AS old
     WHERE a.n = old.n AND (a.at < millrace.now_ms($1) - $3::int8
       OR a.n <= (SELECT m.n FROM millrace.audit m ORDER BY m.n DESC LIMIT 1) - $4::int8) RETURNING 1`,
    [now, limit, auditKept.ageMs, auditKept.entries],
  )
  return gone.length >= limit
}
