import type { AttemptRecord, LogRecord } from '../../engine/contract.ts'
import type { Queries } from './queries.ts'
import { jobsById, readError } from './rows.ts'

interface AttemptRow {
  epoch: number
  attempt: number
  worker: string | null
  startedAt: number | null
  endedAt: number
  outcome: AttemptRecord['outcome']
  error: string | null
}

/** The ended attempts, and the one that runs or has completed the job, which its own row tells. */
export async function attempts(db: Queries, id: string): Promise<AttemptRecord[]> {
  // The job is looked at first: an attempt that ends in between is then among the ended ones, and told once.
  const [job] = await jobsById(db, [id])
  const rows = await db.all<AttemptRow>(
    `SELECT a.epoch, a.attempt, w.name AS worker, a.started_at AS "startedAt", a.ended_at AS "endedAt", a.outcome, a.error
     FROM millrace.attempt a LEFT JOIN millrace.worker w ON w.worker = a.worker WHERE a.id = $1 ORDER BY a.epoch`,
    [id],
  )
  const ended = rows.map((row): AttemptRecord => ({ ...row, error: readError(row.error) }))
  const toldBy = job?.state === 'running' || job?.state === 'completed' ? job : null
  if (toldBy && !ended.some(each => each.epoch === toldBy.epoch))
    ended.push({
      attempt: toldBy.attempt,
      epoch: toldBy.epoch,
      worker: toldBy.worker,
      startedAt: toldBy.startedAt,
      endedAt: toldBy.finishedAt,
      outcome: toldBy.state as 'running' | 'completed',
      error: null,
    })
  return ended
}

export function logs(
  db: Queries,
  id: string,
  options: { attempt?: number; limit?: number },
): Promise<LogRecord[]> {
  return db.all<LogRecord>(
    `SELECT epoch, attempt, at, level, message, data AS "dataJson" FROM millrace.log
     WHERE id = $1 AND ($2::int4 IS NULL OR attempt = $2) ORDER BY epoch, line LIMIT $3`,
    [id, options.attempt ?? null, options.limit ?? 10_000],
  )
}
