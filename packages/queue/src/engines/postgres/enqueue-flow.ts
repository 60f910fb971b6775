import { QueueError } from '../../engine/errors.ts'
import type { EnqueueFlowAnswer, NewFlow, NewNode } from '../../engine/flow.ts'
import type { EnqueueContext } from './enqueue.ts'
import { attributesOf, notStorable } from './enqueue.ts'
import type { Kinds } from './kinds.ts'
import { array, joined, one, type Queries } from './queries.ts'

/** What `node.on_failure` means. Frozen: it is stored. */
export const policyCodes = { fail: 0, skip: 1, continue: 2 } as const

type Answer =
  | ['known' | 'duplicate' | 'idempotency-conflict', string]
  | ['queue-full', queue: string, queued: number, limit: number]

/** Stores a flow, also inside the caller's own transaction, which no answer of it aborts. */
export async function enqueueFlow(
  db: Queries,
  context: EnqueueContext,
  flow: NewFlow,
): Promise<EnqueueFlowAnswer> {
  const { id, name, tenant, idempotency, nodes } = flow
  const ids = new Set(nodes.map(node => node.job.id))
  const edges = nodes.flatMap(({ name: child, after, job }) =>
    [...new Set(after)].map(parent => (ids.has(parent) ? { parent, child: job.id } : unknown(child, parent))),
  )
  const attributes = attributesOf(nodes.map(node => node.job))
  const stored = one<{ answer: string | null }>(
    db,
    `SELECT millrace.enqueue_flow($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22${attributes ? ', $23' : ''})::text
       AS answer`,
    [
      context.now,
      context.wake,
      id,
      name,
      tenant,
      idempotency?.key ?? null,
      idempotency?.bodyHash ?? null,
      ...nodeArrays(nodes, context.kinds),
      array(nodes.map(({ after }) => new Set(after).size)),
      array(edges.map(edge => edge.parent)),
      array(edges.map(edge => edge.child)),
      context.prepared ?? false,
      ...(attributes ? [attributes] : []),
    ],
  )
  const row = await stored.catch(error => {
    throw notStorable(error)
  })
  const answer = row?.answer == null ? null : (JSON.parse(row.answer) as Answer)
  if (answer === null) return { outcome: 'enqueued', id }
  if (answer[0] === 'known') throw isKnown(answer[1])
  if (answer[0] !== 'queue-full') return { outcome: answer[0], id: answer[1] }
  const [outcome, queue, queued, limit] = answer
  return { outcome, queue, queued, limit }
}

function unknown(name: string, id: string): never {
  throw new QueueError('invalid-argument', `job ${name} waits for ${id}, which is no job of the flow`)
}

export function isKnown(id: string): QueueError {
  return new QueueError('conflict', `a job ${id} exists already; give each job of a flow a new id`)
}

/** Eleven parameters. */
export function nodeArrays(nodes: readonly NewNode[], kinds: Kinds): unknown[] {
  const jobs = nodes.map(node => node.job)
  return [
    array(jobs.map(job => job.id)),
    nodes.map(node => node.name),
    array(nodes.map(node => policyCodes[node.onFailure])),
    joined(jobs.map(job => job.payloadJson)),
    jobs.every(job => job.tenant === '') ? null : jobs.map(job => job.tenant),
    array(jobs.map(job => kinds.find(job.queue, job.type) ?? null)),
    array(jobs.map(job => job.priority)),
    array(jobs.map(job => job.maxAttempts)),
    array(jobs.map(job => job.runAt)),
    array(jobs.map(job => Math.max(0, Math.round(job.delayMs)))),
    jobs.every(job => job.origin == null) ? null : array(jobs.map(job => job.origin ?? null)),
  ]
}
