import { formatId } from '../../job/id.ts'
import { phase, type Phase } from './codes.ts'
import type { CounterChanges } from './counters.ts'
import type { Store } from './store.ts'

/** A live job of a flow, as far as its end needs it. */
export type LiveNode = [n: number, id: Uint8Array, kind: number, code: Phase]

export function idList(ids: Iterable<string>): string {
  return JSON.stringify([...ids])
}

/** Cancels jobs of flows that no worker holds, three statements for all of them. Answers their ids. */
export function endWaiting(
  store: Store,
  now: number,
  jobs: LiveNode[],
  end: { reason: string; skipped: boolean; counters: CounterChanges },
): string[] {
  if (jobs.length === 0) return []
  const numbers = `[${jobs.map(([n]) => n).join()}]`
  const ids = jobs.map(([, id]) => formatId(id))
  store.run(
    `INSERT INTO millrace_history (id, kind, state, priority, run_at, created_at, attempt, max_attempts, epoch, deaths,
       redrives, worker, started_at, finished_at, tenant, idempotency_key, cancel_reason, last_error, payload, flow, origin)
     SELECT j.id, j.kind, 5, j.priority, j.run_at, j.created_at, j.attempt, j.max_attempts, j.epoch, j.deaths, j.redrives,
       j.worker, NULL, ?2, j.tenant, j.idempotency_key, ?3, j.last_error, j.payload, j.flow, j.origin
     FROM json_each(?1) c CROSS JOIN millrace_job j ON j.n = c.value`,
    numbers,
    now,
    end.reason,
  )
  store.run('DELETE FROM millrace_job WHERE n IN (SELECT value FROM json_each(?))', numbers)
  store.run(
    `UPDATE millrace_node SET waits = 0, skipped = ?2 WHERE job IN (SELECT unhex(value, '-') FROM json_each(?1))`,
    idList(ids),
    end.skipped ? 1 : 0,
  )
  for (const [, , kind, code] of jobs) end.counters.move(kind, code, phase.cancelled)
  return ids
}

/** Asks running jobs to stop for another's sake. One that was asked before keeps its reason. Answers whether any was. */
export function askToStop(store: Store, jobs: LiveNode[], reason: string): boolean {
  if (jobs.length === 0) return false
  const asked = store.rows<[id: Uint8Array]>(
    `UPDATE millrace_job SET cancel_reason = ?2
     WHERE n IN (SELECT value FROM json_each(?1)) AND cancel_reason IS NULL RETURNING id`,
    `[${jobs.map(([n]) => n).join()}]`,
    reason,
  )
  store.run(
    `UPDATE millrace_node SET skipped = 1 WHERE job IN (SELECT unhex(value, '-') FROM json_each(?))`,
    idList(asked.map(([id]) => formatId(id))),
  )
  return asked.length > 0
}

/** All jobs of a flow that have not ended. */
export function liveNodes(store: Store, flow: Uint8Array): LiveNode[] {
  return store.rows<LiveNode>(
    `SELECT j.n, j.id, j.kind, j.phase FROM millrace_node d CROSS JOIN millrace_job j ON j.id = d.job WHERE d.flow = ?`,
    flow,
  )
}
