import type { QueueRecord, QueueSettings } from '../../engine/contract.ts'
import type { Store } from './store.ts'

export function configureQueue(store: Store, queue: string, settings: QueueSettings): void {
  store.run('INSERT INTO millrace_queue (queue) VALUES (?) ON CONFLICT DO NOTHING', queue)
  if (settings.paused !== undefined)
    store.run('UPDATE millrace_queue SET paused = ? WHERE queue = ?', settings.paused ? 1 : 0, queue)
  if (settings.maxQueued !== undefined)
    store.run('UPDATE millrace_queue SET max_queued = ? WHERE queue = ?', settings.maxQueued, queue)
}

/** Every queue that was configured or ever held a job. */
export function queues(store: Store): QueueRecord[] {
  return store
    .all<{ queue: string; paused: number | null; maxQueued: number | null }>(
      `SELECT names.queue AS queue, q.paused AS paused, q.max_queued AS maxQueued
       FROM (SELECT queue FROM millrace_kind UNION SELECT queue FROM millrace_queue) names
       LEFT JOIN millrace_queue q ON q.queue = names.queue ORDER BY names.queue`,
    )
    .map(row => ({ queue: row.queue, paused: row.paused === 1, maxQueued: row.maxQueued }))
}
