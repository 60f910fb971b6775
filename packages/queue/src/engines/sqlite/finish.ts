import type { AttemptRecord } from '../../engine/contract.ts'
import type { JobError } from '../../job/error.ts'
import type { Phase } from './codes.ts'
import type { Store } from './store.ts'

export interface FinishedAs {
  code: Phase
  error: JobError | null
  result: string | null
}

/** Moves one job out of the live table. Inside a write; the caller has checked that it may. */
export function moveToHistory(
  store: Store,
  now: number,
  job: FinishedAs & { n: number; startedAt: number | null; cancelReason?: string },
): void {
  store.run(
    `INSERT INTO millrace_history (id, kind, state, priority, run_at, created_at, attempt, max_attempts, epoch, deaths,
       redrives, worker, started_at, finished_at, tenant, idempotency_key, cancel_reason, last_error, payload, result,
       flow, origin)
     SELECT id, kind, ?2, priority, run_at, created_at, attempt, max_attempts, epoch, deaths, redrives, worker, ?3, ?4,
       tenant, idempotency_key, coalesce(cancel_reason, ?5), coalesce(?6, last_error), payload, ?7, flow, origin
     FROM millrace_job WHERE n = ?1`,
    job.n,
    job.code,
    job.startedAt,
    now,
    job.cancelReason ?? null,
    job.error && JSON.stringify(job.error),
    job.result,
  )
  store.run('DELETE FROM millrace_job WHERE n = ?', job.n)
}

/** Attempts without an end of their own that are remembered, with what they have logged: a job that polls for weeks must not fill the tables. */
const pausesKept = 100

export function recordAttempt(
  store: Store,
  ended: {
    id: Uint8Array
    epoch: number
    attempt: number
    worker: number | null
    startedAt: number | null
    endedAt: number
    outcome: AttemptRecord['outcome']
    error: JobError | null
  },
): void {
  store.run(
    `INSERT INTO millrace_attempt (id, epoch, attempt, worker, started_at, ended_at, outcome, error)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    ended.id,
    ended.epoch,
    ended.attempt,
    ended.worker,
    ended.startedAt,
    ended.endedAt,
    ended.outcome,
    ended.error && JSON.stringify(ended.error),
  )
  if ((ended.outcome === 'snoozed' || ended.outcome === 'waited') && ended.epoch > pausesKept)
    forgetPause(store, ended.id, ended.epoch - pausesKept)
}

/** An attempt that was released has left lines only. */
function forgetPause(store: Store, id: Uint8Array, epoch: number): void {
  store.run(
    `DELETE FROM millrace_attempt WHERE id = ? AND epoch = ? AND outcome IN ('snoozed', 'waited')`,
    id,
    epoch,
  )
  store.run(
    `DELETE FROM millrace_log WHERE id = ?1 AND epoch = ?2
       AND NOT EXISTS (SELECT 1 FROM millrace_attempt WHERE id = ?1 AND epoch = ?2)`,
    id,
    epoch,
  )
}
