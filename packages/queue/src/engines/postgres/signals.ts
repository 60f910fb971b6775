import { QueueError } from '../../engine/errors.ts'
import { type NewSignal, type SignalAnswer, type SignalRecord, signalsKept } from '../../engine/step.ts'
import { one, type Queries } from './queries.ts'

/** Keeps a signal for a job, and wakes it when it waits for one of this name: `ready`. */
export async function signal(
  db: Queries,
  { now, wake }: { now: number | null; wake: string },
  { id, jobId, name, payloadJson }: NewSignal,
): Promise<{ answer: SignalAnswer; ready: boolean }> {
  const row = await one<{ answer: SignalAnswer | 'full'; ready: boolean }>(
    db,
    'SELECT answer, ready FROM millrace.send_signal($1, $2, $3, $4, $5, $6, $7)',
    [now, wake, id, jobId, name, payloadJson, signalsKept],
  )
  const { answer, ready } = row as NonNullable<typeof row>
  if (answer === 'full')
    throw new QueueError(
      'queue-full',
      `job ${jobId} has ${signalsKept} signals that it has not taken; more are refused until it takes some`,
      { retryAfterMs: 1_000 },
    )
  return { answer, ready }
}

/** Those that no step has taken, the oldest first. */
export function signals(db: Queries, jobId: string): Promise<SignalRecord[]> {
  return db.all<SignalRecord>(
    `SELECT id, name, payload AS "payloadJson", at FROM millrace.signal WHERE job = $1 AND NOT taken ORDER BY n`,
    [jobId],
  )
}
