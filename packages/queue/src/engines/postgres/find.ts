import { one, type Queries } from './queries.ts'

/** The job that an idempotency key stands for. */
export async function findByKey(
  db: Queries,
  now: number | null,
  tenant: string,
  key: string,
): Promise<string | null> {
  const row = await one<{ id: string }>(
    db,
    `SELECT i.id FROM millrace.idempotency i
     WHERE i.tenant = $1 AND i.key = $2 AND (i.expires_at IS NULL OR i.expires_at > millrace.now_ms($3))`,
    [tenant, key, now],
  )
  return row?.id ?? null
}
