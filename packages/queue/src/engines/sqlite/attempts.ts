import type { AttemptRecord, LogRecord } from '../../engine/contract.ts'
import { parseId } from '../../job/id.ts'
import { jobById, readError } from './rows.ts'
import type { Store } from './store.ts'

interface AttemptRow {
  epoch: number
  attempt: number
  worker: string | null
  started_at: number | null
  ended_at: number | null
  outcome: AttemptRecord['outcome']
  error: string | null
}

/** The ended attempts, and the one that runs or has completed the job, which its own row tells. */
export function attempts(store: Store, id: string): AttemptRecord[] {
  const key = parseId(id)
  const ended = store
    .all<AttemptRow & Record<string, never>>(
      `SELECT a.epoch, a.attempt, w.name AS worker, a.started_at, a.ended_at, a.outcome, a.error
       FROM millrace_attempt a LEFT JOIN millrace_worker w ON w.worker = a.worker WHERE a.id = ? ORDER BY a.epoch`,
      key,
    )
    .map(
      (row): AttemptRecord => ({
        attempt: row.attempt,
        epoch: row.epoch,
        worker: row.worker,
        startedAt: row.started_at,
        endedAt: row.ended_at,
        outcome: row.outcome,
        error: readError(row.error),
      }),
    )
  const job = jobById(store, key)
  if (job && (job.state === 'running' || job.state === 'completed'))
    ended.push({
      attempt: job.attempt,
      epoch: job.epoch,
      worker: job.worker,
      startedAt: job.startedAt,
      endedAt: job.finishedAt,
      outcome: job.state,
      error: null,
    })
  return ended
}

export function logs(store: Store, id: string, options: { attempt?: number; limit?: number }): LogRecord[] {
  return store.all<LogRecord & Record<string, never>>(
    `SELECT epoch, attempt, at, level, message, data AS dataJson FROM millrace_log
     WHERE id = ?1 AND (?2 IS NULL OR attempt = ?2) ORDER BY epoch, line LIMIT ?3`,
    parseId(id),
    options.attempt ?? null,
    options.limit ?? 10_000,
  )
}
