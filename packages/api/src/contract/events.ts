import { feedEvents } from 'millrace'
import { z } from 'zod'
import { eventSchema } from '../documents/index.ts'
import { digits, name, oneOf, several, tenant } from './fields.ts'
import { operation } from './operation.ts'

const tag = 'events'
const filter = { event: several(oneOf(feedEvents)), type: several(name), tenant: tenant.optional() }
const after = z
  .string()
  .transform(text => (/^\d{1,16}$/.test(text) ? Number(text) : Number.NaN))
  .pipe(z.int('must be the seq of an event'))
  .meta({ type: 'integer', minimum: 0, description: 'The seq of the last event that was seen' })

export const streamEvents = operation({
  id: 'streamEvents',
  method: 'get',
  path: '/api/v1/events',
  summary: 'Follow what happens to jobs, live, as server-sent events.',
  description:
    'Each has its seq as id, the kind as event name and a JSON document (Event) as data. A client that comes back with Last-Event-ID within ten minutes misses nothing; one that comes too late, or was too slow, gets an event `gap`: read anew what you show. It tells what the processes tell; the last moment of a process that is killed may be missing, never of a job itself.',
  tag,
  permission: 'events:read',
  query: z.strictObject({ ...filter, after: after.optional() }),
  headers: {
    'Last-Event-ID': {
      description: 'The id of the last event that was seen; goes before `after`',
      schema: z.string(),
    },
  },
  replies: { 200: { description: 'A stream without end', contentType: 'text/event-stream' } },
  lasting: true,
})

export const listEvents = operation({
  id: 'listEvents',
  method: 'get',
  path: '/api/v1/events/recent',
  summary:
    'Read what happened to jobs lately, the oldest first, for those who would rather ask again and again.',
  description: 'Events are kept for 15 minutes, and only while somebody watches; asking is watching.',
  tag,
  permission: 'events:read',
  query: z.strictObject({ ...filter, after: after.optional(), limit: digits(1, 1_000).default(100) }),
  replies: {
    200: {
      description: 'A page',
      schema: z
        .object({
          events: z.array(eventSchema),
          last: z.int().meta({ description: 'Hand it back as `after` for what comes next' }),
          gap: z.boolean().meta({ description: 'Some may be missing before these: read anew what you show' }),
        })
        .meta({ id: 'EventPage' }),
    },
  },
})
