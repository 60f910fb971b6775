import { z } from 'zod'
import { count } from './shared.ts'

export const stateCounts = z
  .object({
    ready: count,
    delayed: count,
    blocked: count,
    running: count,
    completed: count,
    cancelled: count,
    dead: count,
  })
  .meta({ id: 'StateCounts', description: 'Jobs by what a worker would do with them' })

export const statsSchema = z
  .object({
    total: stateCounts,
    byType: z.record(z.string(), stateCounts),
    byQueue: z.record(z.string(), stateCounts),
    last24h: z.object({ completed: count, failedAttempts: count, dead: count, cancelled: count }),
  })
  .meta({
    id: 'Stats',
    description: 'From maintained counters: the cost does not depend on the number of jobs',
  })
export type StatsDocument = z.infer<typeof statsSchema>
