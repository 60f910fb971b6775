import { QueueError } from '../../engine/errors.ts'
import type { EnqueueFlowAnswer, NewFlow } from '../../engine/flow.ts'
import { formatId, parseId } from '../../job/id.ts'
import { CounterChanges } from './counters.ts'
import { QueueRoom } from './enqueue.ts'
import type { Kinds } from './kinds.ts'
import { fullQueue, insertNode, refuseKnownJobs } from './nodes.ts'
import type { Store } from './store.ts'

/** Stores a flow whole; runs inside a write, or inside the caller's own transaction. */
export function enqueueFlow(store: Store, kinds: Kinds, now: number, flow: NewFlow): EnqueueFlowAnswer {
  const id = parseId(flow.id)
  if (store.get('SELECT 1 FROM millrace_flow WHERE id = ?', id)) return { outcome: 'duplicate', id: flow.id }
  const earlier = findKey(store, now, flow)
  if (earlier) {
    const same = earlier.body_hash === flow.idempotency?.bodyHash
    return { outcome: same ? 'duplicate' : 'idempotency-conflict', id: formatId(earlier.id) }
  }
  const full = fullQueue(new QueueRoom(store), flow.nodes)
  if (full) return { outcome: 'queue-full', ...full }
  refuseUnknown(flow)
  refuseKnownJobs(store, flow.nodes)
  insertFlow(store, now, {
    id,
    name: flow.name,
    tenant: flow.tenant,
    total: flow.nodes.length,
    idempotencyKey: flow.idempotency?.key ?? null,
  })
  const counters = new CounterChanges()
  flow.nodes.forEach((node, ordinal) => {
    const waits = new Set(node.after).size
    insertNode(store, kinds, now, node, { flow: id, ordinal, waits }, counters)
  })
  if (flow.idempotency)
    store.run(
      'INSERT OR REPLACE INTO millrace_flow_key (tenant, key, id, body_hash, created_at) VALUES (?, ?, ?, ?, ?)',
      flow.tenant,
      flow.idempotency.key,
      id,
      flow.idempotency.bodyHash,
      now,
    )
  counters.write(store, now)
  return { outcome: 'enqueued', id: flow.id }
}

export function insertFlow(
  store: Store,
  now: number,
  flow: { id: Uint8Array; name: string; tenant: string; total: number; idempotencyKey: string | null },
): void {
  store.run(
    'INSERT INTO millrace_flow (id, name, tenant, total, created_at, idempotency_key) VALUES (?, ?, ?, ?, ?, ?)',
    flow.id,
    flow.name,
    flow.tenant,
    flow.total,
    now,
    flow.idempotencyKey,
  )
}

function refuseUnknown({ nodes }: NewFlow): void {
  const ids = new Set(nodes.map(({ job }) => job.id))
  for (const { name, after } of nodes)
    for (const id of after)
      if (!ids.has(id))
        throw new QueueError('invalid-argument', `job ${name} waits for ${id}, which is no job of the flow`)
}

function findKey(
  store: Store,
  now: number,
  { tenant, idempotency }: NewFlow,
): { id: Uint8Array; body_hash: string } | undefined {
  if (!idempotency) return undefined
  return store.get(
    `SELECT id, body_hash FROM millrace_flow_key
     WHERE tenant = ? AND key = ? AND (expires_at IS NULL OR expires_at > ?)`,
    tenant,
    idempotency.key,
    now,
  )
}
