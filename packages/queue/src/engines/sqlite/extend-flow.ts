import type { Lease } from '../../engine/contract.ts'
import type { ExtendAnswer, NewNode } from '../../engine/flow.ts'
import { formatId, parseId } from '../../job/id.ts'
import { type Adder, adderColumns, ensureFlow, nextOrdinal, nodeByName } from './adder.ts'
import { CounterChanges } from './counters.ts'
import { dependencyEnds } from './dependency-ends.ts'
import { idList, type LiveNode } from './end-waiting.ts'
import { QueueRoom } from './enqueue.ts'
import { type Effects, FlowChanges } from './flow-changes.ts'
import type { Kinds } from './kinds.ts'
import { readToken } from './lease-token.ts'
import { fullQueue, insertNode, refuseKnownJobs } from './nodes.ts'
import type { Store } from './store.ts'
import { leaseHolder } from './workers.ts'

/** Adds jobs to the flow of a running job. Everything is checked before anything is written. */
export function extendFlow(
  store: Store,
  kinds: Kinds,
  now: number,
  by: { worker: string; lease: Lease; nodes: NewNode[] },
): { answer: ExtendAnswer; effects: Effects | null } {
  const refused = (answer: ExtendAnswer) => ({ answer, effects: null })
  const adder = store.get<Adder & Record<string, never>>(
    `SELECT ${adderColumns} WHERE j.n = ? AND j.epoch = ? AND j.phase = 2 AND j.worker = ?`,
    readToken(by.lease).n,
    by.lease.epoch,
    leaseHolder(store, now, by.worker) ?? null,
  )
  if (!adder) return refused({ outcome: 'lease-lost' })
  if (adder.flow && isOver(store, adder.flow)) return refused({ outcome: 'over' })
  const known = knownNames(store, adder, by.nodes)
  if ('taken' in known) return refused({ outcome: 'name-taken', name: known.taken })
  const fresh = known.fresh.map(node => ({
    ...node,
    after: [...new Set(node.after.map(id => known.idOf.get(id) ?? id))],
  }))
  const ends = dependencyEnds(store, adder, fresh)
  if ('unknown' in ends) return refused({ outcome: 'unknown', id: ends.unknown })
  const full = fullQueue(new QueueRoom(store), fresh)
  if (full) return refused({ outcome: 'queue-full', ...full })
  refuseKnownJobs(store, fresh)

  const counters = new CounterChanges()
  const changes = new FlowChanges(store, now, counters)
  const flow = ensureFlow(store, now, adder)
  addNodes(store, kinds, now, {
    adder,
    flow,
    nodes: fresh,
    badEnds: ends.bad,
    ended: ends.ended,
    counters,
    changes,
  })
  const effects = changes.write()
  counters.write(store, now)
  const ids = by.nodes.map(({ job }) => known.idOf.get(job.id) ?? job.id)
  return { answer: { outcome: 'enqueued', flow: formatId(flow), ids }, effects }
}

function isOver(store: Store, flow: Uint8Array): boolean {
  const over = 'SELECT 1 FROM millrace_flow WHERE id = ? AND (failed > 0 OR cancel_reason IS NOT NULL)'
  return store.get(over, flow) !== undefined
}

/** Which of the nodes are new, and which earlier jobs the others are. */
function knownNames(
  store: Store,
  adder: Adder,
  nodes: NewNode[],
): { fresh: NewNode[]; idOf: Map<string, string> } | { taken: string } {
  const byName = new Map<string, { id: string; type: string }>()
  if (!adder.flow) byName.set(adder.type, { id: formatId(adder.id), type: adder.type })
  const fresh: NewNode[] = []
  const idOf = new Map<string, string>()
  for (const node of nodes) {
    const earlier = byName.get(node.name) ?? (adder.flow && nodeByName(store, adder.flow, node.name))
    if (!earlier) {
      fresh.push(node)
      byName.set(node.name, { id: node.job.id, type: node.job.type })
    } else if (earlier.type === node.job.type) idOf.set(node.job.id, earlier.id)
    else return { taken: node.name }
  }
  return { fresh, idOf }
}

function addNodes(
  store: Store,
  kinds: Kinds,
  now: number,
  add: {
    adder: Adder
    flow: Uint8Array
    nodes: NewNode[]
    ended: Set<string>
    badEnds: Map<string, string>
    counters: CounterChanges
    changes: FlowChanges
  },
): void {
  const { adder, flow, nodes, changes } = add
  // Read before the new ones stand: some of them may depend on the adder too.
  const dependents = store
    .rows<[id: Uint8Array]>('SELECT dependent FROM millrace_edge WHERE job = ? AND awaited = 0', adder.id)
    .map(([id]) => formatId(id))
  const skipped: { id: string; reason: string }[] = []
  let ordinal = nextOrdinal(store, flow)
  for (const node of nodes) {
    // Of several that ended badly, the first of the flow.
    const reason = [...add.badEnds].find(([id]) => node.after.includes(id))?.[1]
    const waits = node.after.filter(id => !add.ended.has(id)).length
    const place = { flow, ordinal: ordinal++, waits, blocked: reason !== undefined }
    if (insertNode(store, kinds, now, node, place, add.counters)) changes.mayRun()
    if (reason !== undefined) skipped.push({ id: node.job.id, reason })
    store.run(
      `INSERT INTO millrace_edge (job, dependent) SELECT ?1, unhex(value, '-') FROM json_each(?2)`,
      parseId(node.job.id),
      idList(dependents),
    )
  }
  store.run(
    `UPDATE millrace_node SET waits = waits + ?2
     WHERE waits > 0 AND job IN (SELECT unhex(value, '-') FROM json_each(?1))`,
    idList(dependents),
    nodes.length,
  )
  changes.grew(formatId(flow), { total: nodes.length })
  for (const { id, reason } of skipped) {
    const live = store.rows<LiveNode>('SELECT n, id, kind, phase FROM millrace_job WHERE id = ?', parseId(id))
    changes.skip(formatId(flow), live, reason)
  }
}
