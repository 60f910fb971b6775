import { z } from 'zod'
import { seriesLineSchema, statsSchema } from '../documents/index.ts'
import { digits, instant, name, oneOf, several } from './fields.ts'
import { operation } from './operation.ts'

export const readStats = operation({
  id: 'readStats',
  method: 'get',
  path: '/api/v1/stats',
  summary: 'Count jobs by state, type and queue.',
  tag: 'statistics',
  permission: 'stats:read',
  replies: { 200: { description: 'The counts', schema: statsSchema } },
  conditional: true,
})

export const readSeries = operation({
  id: 'readSeries',
  method: 'get',
  path: '/api/v1/stats/series',
  summary: 'Read throughput, failures and latency over time, of the last 48 hours.',
  tag: 'statistics',
  permission: 'stats:read',
  query: z.strictObject({
    from: instant.optional().meta({ description: 'Default: an hour ago' }),
    until: instant.optional().meta({ description: 'Default: now' }),
    stepMinutes: digits(1, 1_440).default(1),
    type: several(name),
    queue: several(name),
    by: oneOf(['type', 'queue']).optional().meta({ description: 'A line for each' }),
  }),
  replies: {
    200: {
      description: 'The lines',
      schema: z.object({ lines: z.array(seriesLineSchema) }).meta({ id: 'Series' }),
    },
  },
  conditional: true,
})
