import { z } from 'zod'
import { workerSchema } from '../documents/index.ts'
import { operation } from './operation.ts'

export const listWorkers = operation({
  id: 'listWorkers',
  method: 'get',
  path: '/api/v1/workers',
  summary: 'List the workers whose lease holds, the longest-lived first, with what they run.',
  tag: 'workers',
  permission: 'workers:read',
  replies: {
    200: {
      description: 'The workers',
      schema: z
        .object({
          workers: z.array(workerSchema),
          allRunning: z.boolean().meta({
            description: 'False: more jobs run than were looked at, so that some are missing',
          }),
        })
        .meta({ id: 'Workers' }),
    },
  },
})
