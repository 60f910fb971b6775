import type { QueueRecord, QueueSettings } from '../../engine/contract.ts'
import type { Queries } from './queries.ts'

const mostQueued = 2 ** 31 - 1

export async function configureQueue(db: Queries, queue: string, settings: QueueSettings): Promise<void> {
  const { paused = null, maxQueued } = settings
  await db.all(
    `INSERT INTO millrace.queue AS q (queue, paused, max_queued) VALUES ($1, coalesce($2::boolean, false), $4)
     ON CONFLICT (queue) DO UPDATE SET paused = coalesce($2, q.paused),
       max_queued = CASE WHEN $3::boolean THEN excluded.max_queued ELSE q.max_queued END`,
    [queue, paused, maxQueued !== undefined, maxQueued == null ? null : Math.min(maxQueued, mostQueued)],
  )
}

/** Every queue that was configured or ever held a job. */
export function queues(db: Queries): Promise<QueueRecord[]> {
  return db.all<QueueRecord>(
    `SELECT names.queue, coalesce(q.paused, false) AS paused, q.max_queued AS "maxQueued"
     FROM (SELECT queue FROM millrace.kind UNION SELECT queue FROM millrace.queue) AS names
     LEFT JOIN millrace.queue q ON q.queue = names.queue ORDER BY names.queue COLLATE "C"`,
  )
}
