import { formatId, parseId } from '../../job/id.ts'
import { idList } from './end-waiting.ts'
import type { Store } from './store.ts'

export type GoneRow = [id: Uint8Array, tenant: string, idempotencyKey: string | null, flow: Uint8Array | null]
/** What `forget` wants to know of a deleted job. */
export const goneColumns = 'id, tenant, idempotency_key, flow'

/** An idempotency key is kept at least this long, however soon its job goes. */
const keysKeptMs = 24 * 3_600_000

/** Deletes what stands about jobs outside their own rows. Inside a write. */
export function forget(store: Store, now: number, gone: GoneRow[]): void {
  if (gone.length === 0) return
  const ids = idList(gone.map(([id]) => formatId(id)))
  for (const table of ['millrace_step', 'millrace_signal', 'millrace_attribute'])
    store.run(`DELETE FROM ${table} WHERE job IN (SELECT unhex(value, '-') FROM json_each(?))`, ids)
  forgetNodes(store, now, gone)
  for (const [id, tenant, key] of gone) {
    store.run('DELETE FROM millrace_attempt WHERE id = ?', id)
    store.run('DELETE FROM millrace_log WHERE id = ?', id)
    store.run('DELETE FROM millrace_progress WHERE id = ?', id)
    if (key !== null)
      store.run(
        'UPDATE millrace_idempotency SET expires_at = max(?, created_at + ?) WHERE tenant = ? AND key = ? AND id = ?',
        now,
        keysKeptMs,
        tenant,
        key,
        id,
      )
  }
}

/** A flow goes with its last job. */
function forgetNodes(store: Store, now: number, gone: GoneRow[]): void {
  const members = gone.filter(([, , , flow]) => flow !== null)
  if (members.length === 0) return
  const ids = idList(members.map(([id]) => formatId(id)))
  const listed = `(SELECT unhex(value, '-') FROM json_each(?))`
  store.run(`DELETE FROM millrace_edge WHERE job IN ${listed}`, ids)
  store.run(`DELETE FROM millrace_edge WHERE dependent IN ${listed}`, ids)
  store.run(`DELETE FROM millrace_node WHERE job IN ${listed}`, ids)
  const flows = new Set(members.map(([, , , flow]) => formatId(flow as Uint8Array)))
  for (const flow of flows) {
    const row = store.get<{ tenant: string; idempotency_key: string | null }>(
      `DELETE FROM millrace_flow WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM millrace_node WHERE flow = ?1)
       RETURNING tenant, idempotency_key`,
      parseId(flow),
    )
    if (row && row.idempotency_key !== null)
      store.run(
        'UPDATE millrace_flow_key SET expires_at = max(?, created_at + ?) WHERE tenant = ? AND key = ? AND id = ?',
        now,
        keysKeptMs,
        row.tenant,
        row.idempotency_key,
        parseId(flow),
      )
  }
}
