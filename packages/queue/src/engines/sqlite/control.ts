import type { CancelAnswer, Reschedule } from '../../engine/contract.ts'
import { parseId } from '../../job/id.ts'
import { phase, type Phase } from './codes.ts'
import { CounterChanges } from './counters.ts'
import { moveToHistory, recordAttempt } from './finish.ts'
import { forget, type GoneRow } from './forget.ts'
import type { Store } from './store.ts'

interface LiveRow {
  n: number
  kind: number
  phase: Phase
  run_at: number
}

function findLive(store: Store, id: string): LiveRow | undefined {
  return store.get<LiveRow & Record<string, never>>(
    'SELECT n, kind, phase, run_at FROM millrace_job WHERE id = ?',
    parseId(id),
  )
}

function isFinished(store: Store, id: string): boolean {
  return store.get('SELECT 1 FROM millrace_history WHERE id = ?', parseId(id)) !== undefined
}

export function cancel(store: Store, now: number, ids: string[], reason: string): CancelAnswer[] {
  const counters = new CounterChanges()
  const answers = ids.map((id): CancelAnswer => {
    const job = findLive(store, id)
    if (!job) return isFinished(store, id) ? 'already-finished' : 'not-found'
    if (job.phase === phase.running) {
      store.run(
        'UPDATE millrace_job SET cancel_reason = coalesce(cancel_reason, ?) WHERE n = ?',
        reason,
        job.n,
      )
      return 'requested'
    }
    moveToHistory(store, now, {
      n: job.n,
      startedAt: null,
      code: phase.cancelled,
      error: null,
      result: null,
      cancelReason: reason,
    })
    counters.move(job.kind, job.phase, phase.cancelled)
    return 'cancelled'
  })
  counters.write(store, now)
  return answers
}

export function reschedule(
  store: Store,
  now: number,
  changes: Reschedule[],
): ('changed' | 'not-queued' | 'not-found')[] {
  const counters = new CounterChanges()
  const answers = changes.map(change => {
    const job = findLive(store, change.id)
    if (!job) return isFinished(store, change.id) ? 'not-queued' : 'not-found'
    if (job.phase !== phase.ready && job.phase !== phase.delayed) return 'not-queued'
    const runAt = change.runAt ?? job.run_at
    const to = runAt <= now ? phase.ready : phase.delayed
    store.run(
      'UPDATE millrace_job SET run_at = ?, phase = ?, priority = coalesce(?, priority) WHERE n = ?',
      runAt,
      to,
      change.priority ?? null,
      job.n,
    )
    counters.move(job.kind, job.phase, to)
    return 'changed'
  })
  counters.write(store, now)
  return answers
}

interface FinishedRow {
  seq: number
  kind: number
  state: Phase
  epoch: number
  attempt: number
  worker: number | null
  started_at: number | null
  finished_at: number
}

/** Back to the queue with the same id and payload. The attempts before stay in the job's history. */
export function redrive(
  store: Store,
  now: number,
  ids: string[],
): ('redriven' | 'not-finished' | 'not-found')[] {
  const counters = new CounterChanges()
  const answers = ids.map(text => {
    const id = parseId(text)
    const row = store.get<FinishedRow & Record<string, never>>(
      'SELECT seq, kind, state, epoch, attempt, worker, started_at, finished_at FROM millrace_history WHERE id = ?',
      id,
    )
    if (!row) return findLive(store, text) ? 'not-finished' : 'not-found'
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
    store.run(
      `INSERT INTO millrace_job (id, kind, phase, priority, run_at, created_at, max_attempts, epoch, redrives, tenant,
         idempotency_key, last_error, payload)
       SELECT id, kind, 0, priority, ?2, created_at, max_attempts, epoch, redrives + 1, tenant, idempotency_key,
         last_error, payload
       FROM millrace_history WHERE seq = ?1`,
      row.seq,
      now,
    )
    store.run('DELETE FROM millrace_history WHERE seq = ?', row.seq)
    store.run('DELETE FROM millrace_progress WHERE id = ?', id)
    counters.move(row.kind, row.state, phase.ready)
    return 'redriven'
  })
  counters.write(store, now)
  return answers
}

export function remove(store: Store, now: number, ids: string[]): ('removed' | 'running' | 'not-found')[] {
  const counters = new CounterChanges()
  const answers = ids.map(text => {
    const id = parseId(text)
    const live = findLive(store, text)
    if (live?.phase === phase.running) return 'running'
    const table = live ? 'millrace_job' : 'millrace_history'
    const finished = live
      ? undefined
      : store.get<{ kind: number; state: Phase }>('SELECT kind, state FROM millrace_history WHERE id = ?', id)
    const counted = live
      ? ([live.kind, live.phase] as const)
      : finished && ([finished.kind, finished.state] as const)
    if (!counted) return 'not-found'
    forget(
      store,
      now,
      store.rows<GoneRow>(`DELETE FROM ${table} WHERE id = ? RETURNING id, tenant, idempotency_key`, id),
    )
    counters.add(counted[0], counted[1], -1)
    return 'removed'
  })
  counters.write(store, now)
  return answers
}
