import type { Lease } from '../../engine/contract.ts'
import type { ExtendAnswer, NewNode } from '../../engine/flow.ts'
import { attributesOf, notStorable } from './enqueue.ts'
import { isKnown, nodeArrays } from './enqueue-flow.ts'
import { readToken } from './lease-token.ts'
import { array, one, type Queries } from './queries.ts'
import type { Moved, SettleContext } from './settlements.ts'

type Answer =
  | ['enqueued', flow: string, ids: string[], skipped: string[], ready: boolean, asked: boolean]
  | ['lease-lost' | 'over']
  | ['name-taken' | 'unknown' | 'known', string]
  | ['queue-full', queue: string, queued: number, limit: number]

/** Adds jobs to the flow of a running job. */
export async function extendFlow(
  db: Queries,
  context: Pick<SettleContext, 'now' | 'wake' | 'worker' | 'kinds'>,
  lease: Lease,
  nodes: readonly NewNode[],
): Promise<{ answer: ExtendAnswer; moved: Moved | null }> {
  await context.kinds.ensure(
    db,
    nodes.map(node => node.job),
  )
  const edges = nodes.flatMap(({ after }, index) => after.map(parent => ({ parent, child: index + 1 })))
  const attributes = attributesOf(nodes.map(node => node.job))
  const stored = one<{ answer: string }>(
    db,
    `SELECT millrace.extend_flow($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19${attributes ? ', $20' : ''})::text
       AS answer`,
    [
      context.worker,
      context.now,
      context.wake,
      lease.id,
      lease.epoch,
      readToken(lease).lid,
      ...nodeArrays(nodes, context.kinds),
      array(edges.map(edge => edge.parent)),
      array(edges.map(edge => edge.child)),
      ...(attributes ? [attributes] : []),
    ],
  )
  const row = await stored.catch(error => {
    throw notStorable(error)
  })
  return read(JSON.parse((row as { answer: string }).answer) as Answer)
}

function read(answer: Answer): { answer: ExtendAnswer; moved: Moved | null } {
  switch (answer[0]) {
    case 'enqueued': {
      const [outcome, flow, ids, skipped, ready, asked] = answer
      return { answer: { outcome, flow, ids }, moved: { skipped, ready, asked } }
    }
    case 'queue-full': {
      const [outcome, queue, queued, limit] = answer
      return { answer: { outcome, queue, queued, limit }, moved: null }
    }
    case 'name-taken':
      return { answer: { outcome: answer[0], name: answer[1] }, moved: null }
    case 'known':
      throw isKnown(answer[1])
    case 'unknown':
      return { answer: { outcome: answer[0], id: answer[1] }, moved: null }
    default:
      return { answer: { outcome: answer[0] }, moved: null }
  }
}
