import { z } from 'zod'
import { count } from '../documents/index.ts'
import { operation } from './operation.ts'

const tag = 'health'
const health = z
  .object({
    ok: z.boolean(),
    engine: z.string(),
    durability: z.enum(['durable', 'relaxed']).meta({
      description: 'durable: an acknowledged write survives a power cut',
    }),
    schemaVersion: count,
    notes: z.array(z.string()).optional().meta({ description: 'Only for the admin: they can name paths' }),
  })
  .meta({ id: 'Health' })

export const readHealth = operation({
  id: 'readHealth',
  method: 'get',
  path: '/health',
  summary: 'Say whether the server and its store work.',
  tag,
  permission: 'public',
  replies: {
    200: { description: 'They do', schema: health },
    503: { description: 'The store does not answer, or refuses', schema: health },
  },
})

export const readiness = operation({
  id: 'readReadiness',
  method: 'get',
  path: '/ready',
  summary: 'Say whether requests should be sent here now.',
  tag,
  permission: 'public',
  replies: {
    200: { description: 'They should', schema: z.object({ ready: z.literal(true) }).meta({ id: 'Ready' }) },
    503: {
      description: 'Not now: the store is away, or the server is stopping',
      schema: z.object({ ready: z.literal(false), reason: z.string() }).meta({ id: 'NotReady' }),
    },
  },
})
