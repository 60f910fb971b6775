import type { NewNode } from '../../engine/flow.ts'
import { formatId, parseId } from '../../job/id.ts'
import { skipReason } from '../../job/skip-reason.ts'
import type { Adder } from './adder.ts'
import { phase } from './codes.ts'
import { idList } from './end-waiting.ts'
import { failurePolicy } from './flow-codes.ts'
import type { Store } from './store.ts'

/**
 * How the earlier jobs stand that the new ones depend on; the bad ends in the order of the flow. `unknown`: no job of the
 * flow, or it waits for the adder.
 */
export function dependencyEnds(
  store: Store,
  adder: Adder,
  fresh: NewNode[],
): { ended: Set<string>; bad: Map<string, string> } | { unknown: string } {
  const own = new Set([...fresh.map(({ job }) => job.id), formatId(adder.id)])
  const earlier = [...new Set(fresh.flatMap(({ after }) => after).filter(id => !own.has(id)))]
  const ended = new Set<string>()
  const bad = new Map<string, string>()
  if (earlier.length === 0) return { ended, bad }
  const below = new Set(
    store
      .rows<[id: Uint8Array]>(
        `WITH RECURSIVE below (id) AS (SELECT dependent FROM millrace_edge WHERE job = ?1
           UNION SELECT e.dependent FROM below b CROSS JOIN millrace_edge e ON e.job = b.id)
         SELECT id FROM below WHERE id IN (SELECT unhex(value, '-') FROM json_each(?2))`,
        adder.id,
        idList(earlier),
      )
      .map(([id]) => formatId(id)),
  )
  const badEnds: { id: string; ordinal: number; reason: string }[] = []
  for (const id of earlier) {
    const row = store.get<{
      ordinal: number
      name: string
      on_failure: number
      state: number | null
      reason: string | null
      skipped: number
    }>(
      `SELECT d.ordinal, d.name, d.on_failure, d.skipped, h.state, h.cancel_reason AS reason
       FROM millrace_node d LEFT JOIN millrace_history h ON h.id = d.job WHERE d.job = ? AND d.flow = ?`,
      parseId(id),
      adder.flow,
    )
    if (!row || below.has(id)) return { unknown: id }
    if (row.state !== null) ended.add(id)
    const { ordinal } = row
    if (row.state === phase.cancelled)
      badEnds.push({
        id,
        ordinal,
        reason: (row.skipped === 1 && row.reason) || skipReason(row.name, 'was cancelled'),
      })
    if (row.state === phase.dead && failurePolicy(row.on_failure) !== 'continue')
      badEnds.push({ id, ordinal, reason: skipReason(row.name, 'died') })
  }
  for (const { id, reason } of badEnds.sort((a, b) => a.ordinal - b.ordinal)) bad.set(id, reason)
  return { ended, bad }
}
