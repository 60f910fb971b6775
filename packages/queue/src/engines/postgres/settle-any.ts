import type { NewJob, Settlement } from '../../engine/contract.ts'
import type { Outcome } from '../../job/decide.ts'
import type { Kinds } from './kinds.ts'
import { readToken } from './lease-token.ts'
import { array, one, type Queries } from './queries.ts'
import { type Group, type Moved, results, type SettleContext, whole } from './settlements.ts'

const outcomeCodes: Record<Outcome['kind'], number> = {
  complete: 0,
  retry: 1,
  dead: 2,
  cancelled: 3,
  snooze: 4,
  release: 5,
  wait: 6,
}

/** Ends attempts of any jobs, in flows or not, in any way. `done`: the ids of those that were this worker's to end. */
export async function settleAny(
  db: Queries,
  context: SettleContext,
  { items, ending }: Group,
): Promise<Moved & { done: string[] }> {
  const each = <T>(read: (settlement: Settlement) => T): T[] =>
    items.map(({ settlement }) => read(settlement))
  const children = each(({ child }) => child).filter(child => child !== undefined)
  if (children.length > 0) await context.kinds.ensure(db, children)
  const row = await one<Moved & { done: string[] }>(
    db,
    `SELECT done::text[], skipped::text[], ready, asked
     FROM millrace.settle_any($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
    [
      context.worker,
      context.now,
      context.wake,
      context.quiet,
      array(each(({ lease }) => lease.id)),
      array(each(({ lease }) => lease.epoch)),
      array(each(({ ranMs }) => whole(ranMs))),
      array(each(({ lease }) => readToken(lease).lid)),
      array(ending),
      array(each(({ outcome }) => outcomeCodes[outcome.kind])),
      array(each(({ outcome }) => ('inMs' in outcome ? whole(outcome.inMs) : 0))),
      unlessEmpty(each(({ outcome }) => ('error' in outcome ? JSON.stringify(outcome.error) : null))),
      unlessEmpty(each(({ outcome }) => (outcome.kind === 'cancelled' ? outcome.reason : null))),
      results(items),
      waits(
        items.map(({ settlement }) => settlement),
        context.kinds,
      ),
    ],
  )
  return row as Moved & { done: string[] }
}

/** Null instead of nothing but nulls: cheaper to send. */
function unlessEmpty(texts: (string | null)[]): (string | null)[] | null {
  return texts.some(text => text !== null) ? texts : null
}

/** The waits among them, as JSON, by ordinal; null when there are none. */
function waits(settlements: readonly Settlement[], kinds: Kinds): string | null {
  const found = settlements.flatMap(({ outcome, child }, index) => {
    if (outcome.kind !== 'wait') return []
    const { step, inMs, until } = outcome.wait
    const limit = until === null ? { in_ms: inMs === null ? null : Math.max(0, Math.round(inMs)) } : { until }
    return [{ n: index + 1, ...step, ...limit, ...(child ? { child: childOf(child, kinds) } : {}) }]
  })
  return found.length === 0 ? null : JSON.stringify(found)
}

function childOf(job: NewJob, kinds: Kinds): object {
  const {
    id,
    queue,
    type,
    tenant,
    priority,
    payloadJson,
    maxAttempts,
    runAt,
    delayMs,
    origin = null,
    attributes,
  } = job
  return {
    id,
    kind: kinds.find(queue, type),
    tenant,
    priority,
    payload: payloadJson,
    maxAttempts,
    runAt,
    delayMs: Math.max(0, Math.round(delayMs)),
    origin,
    ...(attributes ? { attributes } : {}),
  }
}
