import type { StepRecord } from '../../engine/step.ts'
import type { Queries } from './queries.ts'
import { readError } from './rows.ts'

type StepRow = Omit<StepRecord, 'error'> & { error: string | null }

/** By ordinal. */
export async function steps(db: Queries, now: number | null, id: string): Promise<StepRecord[]> {
  const rows = await db.all<StepRow>(
    `SELECT s.name, s.ordinal, s.kind, s.state, s.result AS "resultJson", s.error, s.attempt, s.epoch, s.started_at AS "startedAt",
       s.ended_at AS "endedAt", s.wake_at AS "wakeAt", coalesce(s.state = 'waiting' AND s.wake_at <= millrace.now_ms($2), false) AS due,
       s.signal, s.child AS "childId"
     FROM millrace.step s WHERE s.id = $1 ORDER BY s.ordinal, s.epoch, s.started_at, s.name`,
    [id, now],
  )
  return rows.map(row => ({ ...row, error: readError(row.error) }))
}
