import type { SeriesLine } from 'millrace'
import { z } from 'zod'
import { formatInstant } from './instant.ts'
import { count, instantText } from './shared.ts'

const latency = z
  .object({
    mean: z.number().nullable(),
    p50: z.number().nullable(),
    p95: z.number().nullable(),
    p99: z.number().nullable(),
  })
  .meta({
    id: 'Latency',
    description:
      'Milliseconds; null when there is nothing to tell. The mean is exact, percentiles are off by less than a factor of two',
  })

export const seriesLineSchema = z
  .object({
    name: z.string().nullable().meta({ description: 'The type or queue; null for the line of all' }),
    points: z.array(
      z.object({
        at: instantText,
        completed: count,
        failed: count.meta({ description: 'Attempts' }),
        dead: count,
        cancelled: count,
        wait: latency,
        run: latency,
      }),
    ),
  })
  .meta({ id: 'SeriesLine', description: 'Throughput, failures and latency, point by point, zeros included' })
export type SeriesDocument = z.infer<typeof seriesLineSchema>

export function seriesDocument({ name, points }: SeriesLine): SeriesDocument {
  return { name, points: points.map(({ at, ...rest }) => ({ at: formatInstant(at), ...rest })) }
}
