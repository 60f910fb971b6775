import { formatId, parseId } from '../../job/id.ts'
import { phase, type Phase } from './codes.ts'
import { findLive } from './control.ts'
import { CounterChanges } from './counters.ts'
import { recordAttempt } from './finish.ts'
import { FlowChanges } from './flow-changes.ts'
import { failurePolicy, flowCode } from './flow-codes.ts'
import type { Store } from './store.ts'
import { redriveSteps } from './steps.ts'
import { revivable, waitAnew } from './revive.ts'

interface FinishedRow {
  seq: number
  kind: number
  state: Phase
  epoch: number
  attempt: number
  worker: number | null
  run_at: number
  started_at: number | null
  finished_at: number
  flow: Uint8Array | null
  on_failure: number | null
  skipped: number | null
}

/** Back to the queue with the same id and payload. The attempts before stay in the job's history. */
export function redrive(
  store: Store,
  now: number,
  ids: string[],
  options: { forgetSteps?: boolean } = {},
): ('redriven' | 'not-finished' | 'not-found')[] {
  const counters = new CounterChanges()
  const changes = new FlowChanges(store, now, counters)
  const byFlow = new Map<string, string[]>()
  const answers = ids.map(text => {
    const flow = comeBack(store, now, text, { ...options, counters, changes })
    if (flow === undefined) return findLive(store, text) ? 'not-finished' : 'not-found'
    if (flow) mapped(byFlow, formatId(flow)).push(text)
    return 'redriven'
  })
  for (const [flow, named] of byFlow) reviveFlow(store, now, { flow, named, counters, changes })
  changes.write()
  counters.write(store, now)
  return answers
}

function mapped(lists: Map<string, string[]>, key: string): string[] {
  let list = lists.get(key)
  if (!list) lists.set(key, (list = []))
  return list
}

export function redriveFlow(
  store: Store,
  now: number,
  id: string,
): 'redriven' | 'not-finished' | 'not-found' {
  if (!store.get('SELECT 1 FROM millrace_flow WHERE id = ?', parseId(id))) return 'not-found'
  const ended = store.rows<[job: Uint8Array]>(
    `SELECT h.id FROM millrace_node d CROSS JOIN millrace_history h ON h.id = d.job
     WHERE d.flow = ? AND h.state IN (5, 6)`,
    parseId(id),
  )
  if (ended.length === 0) return 'not-finished'
  redrive(
    store,
    now,
    ended.map(([job]) => formatId(job)),
  )
  return 'redriven'
}

/** Moves one job back, as if it waited for nothing. Answers its flow; undefined when the job has not finished. */
function comeBack(
  store: Store,
  now: number,
  text: string,
  by: { forgetSteps?: boolean; counters: CounterChanges; changes: FlowChanges },
): Uint8Array | null | undefined {
  const id = parseId(text)
  const row = store.get<FinishedRow & Record<string, never>>(
    `SELECT h.seq, h.kind, h.state, h.epoch, h.attempt, h.worker, h.run_at, h.started_at, h.finished_at, h.flow,
       d.on_failure, d.skipped
     FROM millrace_history h LEFT JOIN millrace_node d ON d.job = h.id WHERE h.id = ?`,
    id,
  )
  if (!row) return undefined
  if (row.state === phase.completed)
    recordAttempt(store, {
      id,
      epoch: row.epoch,
      attempt: row.attempt,
      worker: row.worker,
      startedAt: row.started_at,
      endedAt: row.finished_at,
      outcome: 'completed',
      error: null,
    })
  // One that was skipped before it had begun still has its time before it.
  const keepsTime = row.skipped === 1 && row.epoch === 0 && row.run_at > now
  const to = keepsTime ? phase.delayed : phase.ready
  store.run(
    `INSERT INTO millrace_job (id, kind, phase, priority, run_at, created_at, max_attempts, epoch, redrives, tenant,
       idempotency_key, last_error, payload, flow, origin)
     SELECT id, kind, ?3, priority, ?2, created_at, max_attempts, epoch, redrives + 1, tenant, idempotency_key,
       last_error, payload, flow, origin
     FROM millrace_history WHERE seq = ?1`,
    row.seq,
    keepsTime ? row.run_at : now,
    to,
  )
  store.run('DELETE FROM millrace_history WHERE seq = ?', row.seq)
  store.run('DELETE FROM millrace_progress WHERE id = ?', id)
  redriveSteps(store, id, { forget: row.state === phase.completed || by.forgetSteps === true })
  by.counters.move(row.kind, row.state, to)
  if (row.flow) by.changes.grew(formatId(row.flow), takenBack(row))
  return row.flow
}

/** What the end of this job had added to its flow. */
function takenBack(row: FinishedRow): Parameters<FlowChanges['grew']>[1] {
  if (row.state === phase.completed) return { completed: -1 }
  if (row.state === phase.cancelled) return { cancelled: -1, stopped: row.skipped === 1 ? 0 : -1 }
  return { dead: -1, failed: failurePolicy(row.on_failure ?? 0) === 'fail' ? -1 : 0 }
}

/** The jobs that were skipped for those that are back come back too, and each waits for what has not ended. */
function reviveFlow(
  store: Store,
  now: number,
  back: { flow: string; named: string[]; counters: CounterChanges; changes: FlowChanges },
): void {
  const { flow, named, counters, changes } = back
  const revived = revivable(store, parseId(flow))
  for (const id of revived) comeBack(store, now, id, { counters, changes })
  waitAnew(store, [...named, ...revived], counters)
  store.run(
    `UPDATE millrace_flow SET state = ${flowCode.running}, finished_at = NULL, cancel_reason = NULL WHERE id = ?`,
    parseId(flow),
  )
}
