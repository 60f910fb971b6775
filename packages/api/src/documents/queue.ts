import type { QueueRecord, StateCounts } from 'millrace'
import { z } from 'zod'
import { count } from './shared.ts'
import { stateCounts } from './stats.ts'

export const queueSchema = z
  .object({
    queue: z.string(),
    paused: z.boolean().meta({ description: 'Nobody claims from it, in any process' }),
    maxQueued: count
      .nullable()
      .meta({ description: 'It takes no more queued jobs than this; null: no bound' }),
    counts: stateCounts,
  })
  .meta({ id: 'Queue', description: 'A queue with its settings and its jobs, from maintained counters' })
export type QueueDocument = z.infer<typeof queueSchema>

const none: StateCounts = {
  ready: 0,
  delayed: 0,
  blocked: 0,
  running: 0,
  completed: 0,
  cancelled: 0,
  dead: 0,
}

export function queueDocument(record: QueueRecord, counts: StateCounts | undefined): QueueDocument {
  return { ...record, counts: counts ?? none }
}
