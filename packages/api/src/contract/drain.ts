import { z } from 'zod'
import { drainReportSchema, drainStateSchema } from '../documents/index.ts'
import { digits } from './fields.ts'
import { operation } from './operation.ts'

const tag = 'drain'

const query = z.strictObject({
  maxJobs: digits(1, 10_000)
    .optional()
    .meta({ description: 'Jobs that it starts. Default: as the server says, 10' }),
  budgetMs: digits(1, 86_400_000)
    .optional()
    .meta({ description: 'How long it works. Default, and the most: as the server says, 50,000' }),
})

const shared = {
  tag,
  permission: 'drain',
  query,
  replies: { 200: { description: 'What it did', schema: drainReportSchema } },
  problems: ['unsupported'],
  lasting: true,
} as const

export const drain = operation({
  ...shared,
  id: 'drain',
  method: 'post',
  path: '/api/v1/drain',
  summary:
    'Work within this request: due schedules, dead workers’ jobs, what is due, what retention no longer keeps.',
  description: 'Bounded by jobs and by time. Two at once work side by side; no job is run by two.',
})

export const cronDrain = operation({
  ...shared,
  id: 'cronDrain',
  method: 'post',
  path: '/api/cron/drain',
  summary: 'The same, at an address for crons.',
})

export const cronDrainByGet = operation({
  ...shared,
  id: 'cronDrainByGet',
  method: 'get',
  changes: true,
  path: '/api/cron/drain',
  summary: "The same by GET, because that is all that some platforms' crons can send.",
})

export const readDrain = operation({
  id: 'readDrain',
  method: 'get',
  path: '/api/v1/drain',
  summary: 'Show what there is to do.',
  tag,
  permission: 'drain:read',
  replies: { 200: { description: 'What is pending, and when more falls due', schema: drainStateSchema } },
})
