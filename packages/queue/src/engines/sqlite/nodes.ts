import type { NewNode } from '../../engine/flow.ts'
import { QueueError } from '../../engine/errors.ts'
import { parseId } from '../../job/id.ts'
import { phase } from './codes.ts'
import type { CounterChanges } from './counters.ts'
import { idList } from './end-waiting.ts'
import { type QueueRoom, insertJob } from './enqueue.ts'
import { policyCode } from './flow-codes.ts'
import type { Kinds } from './kinds.ts'
import type { Store } from './store.ts'

/** Where a new job stands in its flow. */
export interface NodePlace {
  flow: Uint8Array
  ordinal: number
  /** How many of those that it depends on have not ended. */
  waits: number
  /** Even if it waits for nothing: it will be skipped at once. */
  blocked?: boolean
}

/** Stores one job of a flow with the edges to it. Answers whether it may run now. */
export function insertNode(
  store: Store,
  kinds: Kinds,
  now: number,
  node: NewNode,
  place: NodePlace,
  counters: CounterChanges,
): boolean {
  const { job } = node
  const id = parseId(job.id)
  const kind = kinds.number(store, job.queue, job.type)
  const runAt = job.runAt ?? now + job.delayMs
  const due = runAt <= now ? phase.ready : phase.delayed
  const code = place.waits > 0 || place.blocked === true ? phase.blocked : due
  const keyless = { ...job, idempotency: null }
  if (!insertJob(store, keyless, { id, kind, code, runAt, now, flow: place.flow })) throw isKnown(job.id)
  store.run(
    'INSERT INTO millrace_node (job, flow, ordinal, name, on_failure, waits) VALUES (?, ?, ?, ?, ?, ?)',
    id,
    place.flow,
    place.ordinal,
    node.name,
    policyCode[node.onFailure],
    place.waits,
  )
  for (const after of node.after)
    store.run('INSERT OR IGNORE INTO millrace_edge (job, dependent) VALUES (?, ?)', parseId(after), id)
  counters.add(kind, code, 1)
  return code === phase.ready
}

/** Before anything is written: in a caller's transaction a half could not be taken back. */
export function refuseKnownJobs(store: Store, nodes: NewNode[]): void {
  const [known] = store.rows<[id: string]>(
    `SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM millrace_job WHERE id = unhex(value, '-'))
       OR EXISTS (SELECT 1 FROM millrace_history WHERE id = unhex(value, '-')) LIMIT 1`,
    idList(nodes.map(({ job }) => job.id)),
  )
  if (known) throw isKnown(known[0])
}

function isKnown(id: string): QueueError {
  return new QueueError('conflict', `a job ${id} exists already; give each job of a flow a new id`)
}

/** The first queue that has no room. Only what is queued at once takes room: a job that waits for others is not queued. */
export function fullQueue(
  room: QueueRoom,
  nodes: NewNode[],
): { queue: string; queued: number; limit: number } | null {
  for (const { job, after } of nodes) {
    if (after.length > 0) continue
    const full = room.refuses(job.queue)
    if (full) return { queue: job.queue, ...full }
    room.took(job.queue)
  }
  return null
}
