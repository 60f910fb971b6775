import type { Store } from './store.ts'

export type GoneRow = [id: Uint8Array, tenant: string, idempotencyKey: string | null]

/** An idempotency key is kept at least this long, however soon its job goes. */
const keysKeptMs = 24 * 3_600_000

/** Deletes what stands about jobs outside their own rows. Inside a write. */
export function forget(store: Store, now: number, gone: GoneRow[]): void {
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
