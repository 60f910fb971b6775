import type { Health } from '../../engine/contract.ts'
import type { Store } from './store.ts'

export async function health(store: Store, schemaVersion: () => number): Promise<Health> {
  const shared = { engine: 'postgres', durability: 'durable' } as const
  try {
    const version = schemaVersion()
    const { server, listens } = store
    const [row] = await store.all<{ commit: string; readOnly: string }>(
      `SELECT current_setting('synchronous_commit') AS commit, current_setting('transaction_read_only') AS "readOnly"`,
    )
    const relaxed = row?.commit === 'off'
    const notes = [
      `${server.pooler ? 'through a pooler' : 'direct'}, wake-ups by ${listens ? 'LISTEN' : 'polling twelve times a second'}`,
    ]
    if (relaxed)
      notes.push('synchronous_commit is off: what was acknowledged may be lost when the server dies')
    if (row?.readOnly === 'on') notes.push('the database is read-only')
    return {
      ...shared,
      ok: row?.readOnly !== 'on',
      durability: relaxed ? 'relaxed' : 'durable',
      schemaVersion: version,
      notes,
    }
  } catch (error) {
    const note = error instanceof Error ? error.message : String(error)
    return { ...shared, ok: false, schemaVersion: 0, notes: [note] }
  }
}
