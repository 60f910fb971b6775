import { formatId } from '../../job/id.ts'
import { insertFlow } from './enqueue-flow.ts'
import { policyCode } from './flow-codes.ts'
import type { Store } from './store.ts'

/** A running job, as far as those that it adds need it. */
export interface Adder {
  id: Uint8Array
  flow: Uint8Array | null
  type: string
  tenant: string
}

export const adderColumns = `j.id, j.flow, k.type, j.tenant FROM millrace_job j JOIN millrace_kind k ON k.kind = j.kind`

/** The adder's flow, made where there is none: of this one job. */
export function ensureFlow(store: Store, now: number, adder: Adder): Uint8Array {
  if (adder.flow) return adder.flow
  const { id, type, tenant } = adder
  insertFlow(store, now, { id, name: type, tenant, total: 1, idempotencyKey: null })
  store.run(
    'INSERT INTO millrace_node (job, flow, ordinal, name, on_failure) VALUES (?1, ?1, 0, ?2, ?3)',
    id,
    type,
    policyCode.fail,
  )
  store.run('UPDATE millrace_job SET flow = ?1 WHERE id = ?1', id)
  return id
}

/** Where the next job of the flow stands in its order. */
export function nextOrdinal(store: Store, flow: Uint8Array): number {
  const row = store.get<{ last: number | null }>(
    'SELECT max(ordinal) AS "last" FROM millrace_node WHERE flow = ?',
    flow,
  )
  return (row?.last ?? -1) + 1
}

export function nodeByName(
  store: Store,
  flow: Uint8Array,
  name: string,
): { id: string; type: string } | undefined {
  const row = store.get<{ job: Uint8Array; type: string }>(
    `SELECT d.job, k.type FROM millrace_node d
       LEFT JOIN millrace_job j ON j.id = d.job LEFT JOIN millrace_history h ON h.id = d.job
       JOIN millrace_kind k ON k.kind = coalesce(j.kind, h.kind)
     WHERE d.flow = ? AND d.name = ?`,
    flow,
    name,
  )
  return row && { id: formatId(row.job), type: row.type }
}
