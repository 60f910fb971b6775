import { type FeedItem, feedEvents } from 'millrace'
import { z } from 'zod'
import { formatInstant } from './instant.ts'
import { instantText, tenantOrNull } from './shared.ts'

export const eventSchema = z
  .object({
    seq: z.int().meta({ description: 'Its place; also the id of the event in a stream' }),
    at: instantText,
    event: z.enum([...feedEvents, 'missed']),
    id: z.string().nullable().meta({ description: 'The job' }),
    type: z.string(),
    queue: z.string(),
    tenant: z.string().nullable(),
    data: z.record(z.string(), z.unknown()).meta({ description: 'What else the event says' }),
  })
  .meta({ id: 'Event', description: 'Something that happened to a job, in whatever process' })
export type EventDocument = z.infer<typeof eventSchema>

type Entry = Exclude<FeedItem, { event: 'gap' }>

export function eventDocument({ seq, at, event, id, type, queue, tenant, data }: Entry): EventDocument {
  return { seq, at: formatInstant(at), event, id, type, queue, tenant: tenantOrNull(tenant), data }
}
