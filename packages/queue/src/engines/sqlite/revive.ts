import { formatId, parseId } from '../../job/id.ts'
import { phase, type Phase } from './codes.ts'
import type { CounterChanges } from './counters.ts'
import { idList } from './end-waiting.ts'
import { failurePolicy } from './flow-codes.ts'
import type { Store } from './store.ts'

/**
 * Which skipped jobs of a flow have nothing bad left above them, now that the named ones are back: all but those that
 * depend, directly or through other skipped ones, on a job that is cancelled, or dead without `continue`. The child of a
 * cancelled job stays with it.
 */
export function revivable(store: Store, flow: Uint8Array): string[] {
  const ended = store.rows<[id: Uint8Array, state: Phase, policy: number, skipped: number]>(
    `SELECT d.job, h.state, d.on_failure, d.skipped FROM millrace_node d CROSS JOIN millrace_history h ON h.id = d.job
     WHERE d.flow = ? AND h.state IN (5, 6) ORDER BY d.ordinal`,
    flow,
  )
  const skipped = new Set<string>()
  const stuck: { id: string; cancelled: boolean }[] = []
  for (const [job, state, policy, wasSkipped] of ended) {
    const id = formatId(job)
    if (state === phase.cancelled && wasSkipped === 1) skipped.add(id)
    else if (state === phase.cancelled) stuck.push({ id, cancelled: true })
    else if (failurePolicy(policy) !== 'continue') stuck.push({ id, cancelled: false })
  }
  // Of all that was skipped, what lies below one that stays ended, level by level.
  while (skipped.size > 0) {
    const next = stuck.pop()
    if (next === undefined) break
    const below = store.rows<[id: Uint8Array]>(
      `SELECT dependent FROM millrace_edge WHERE job = ?1 AND awaited = 0
       UNION ALL SELECT job FROM millrace_edge WHERE ?2 AND dependent = ?1 AND awaited = 1`,
      parseId(next.id),
      next.cancelled ? 1 : 0,
    )
    for (const [job] of below)
      if (skipped.delete(formatId(job))) stuck.push({ id: formatId(job), cancelled: true })
  }
  return [...skipped]
}

/** Blocks jobs that came back by those of their dependencies that have not ended, and what is blocked by them. */
export function waitAnew(store: Store, back: string[], counters: CounterChanges): void {
  const ids = idList(back)
  const listed = `(SELECT unhex(value, '-') FROM json_each(?1))`
  // Before those that came back are blocked themselves: they are counted below.
  store.run(
    `UPDATE millrace_node SET waits = waits + more.count
     FROM (SELECT e.dependent AS job, count(*) AS count FROM json_each(?1) c
             CROSS JOIN millrace_edge e ON e.job = unhex(c.value, '-') AND e.awaited = 0
           GROUP BY e.dependent) more
     WHERE millrace_node.job = more.job AND waits > 0`,
    ids,
  )
  store.run(`UPDATE millrace_node SET skipped = 0 WHERE skipped = 1 AND job IN ${listed}`, ids)
  const waiting = store.rows<[job: Uint8Array]>(
    `UPDATE millrace_node SET waits = above.count
     FROM (SELECT e.dependent AS job, count(*) AS count FROM json_each(?1) c
             CROSS JOIN millrace_edge e ON e.dependent = unhex(c.value, '-') AND e.awaited = 0
             CROSS JOIN millrace_job j ON j.id = e.job
           GROUP BY e.dependent) above
     WHERE millrace_node.job = above.job RETURNING millrace_node.job`,
    ids,
  )
  const blocked = store.rows<[n: number, kind: number, code: Phase]>(
    `SELECT j.n, j.kind, j.phase FROM json_each(?1) c CROSS JOIN millrace_job j ON j.id = unhex(c.value, '-')`,
    idList(waiting.map(([job]) => formatId(job))),
  )
  store.run(
    'UPDATE millrace_job SET phase = 3 WHERE n IN (SELECT value FROM json_each(?))',
    `[${blocked.map(([n]) => n).join()}]`,
  )
  for (const [, kind, code] of blocked) counters.move(kind, code, phase.blocked)
}
