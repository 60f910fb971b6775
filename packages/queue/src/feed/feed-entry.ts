import type { FeedEvent, NewFeedEntry } from '../engine/feed.ts'
import type { LifecycleEvents } from '../events.ts'
import { storable } from '../job/attempt-error.ts'
import type { JobError } from '../job/error.ts'

/** The feed tells that something happened; whoever wants all of a long message asks for the job. */
const longestText = 1_000

/** What stands beside the data. */
const ofEntry = new Set(['id', 'type', 'queue', 'tenant', 'jobId'])

/** What the feed says of an event, but for when it happened. */
export function feedEntry(event: FeedEvent, told: LifecycleEvents[FeedEvent]): Omit<NewFeedEntry, 'agoMs'> {
  const data: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(told)) if (!ofEntry.has(name)) data[name] = short(value)
  const id = 'id' in told ? told.id : told.jobId
  return { event, id, type: told.type, queue: told.queue, tenant: told.tenant, data }
}

function short(value: unknown): unknown {
  if (typeof value === 'string') return storable(value, longestText)
  if (typeof value !== 'object' || value === null) return value
  // Of what an event holds, only an error is an object. Its stack stands in the job's attempts.
  const { name, message, fingerprint } = value as JobError
  return { name, message: storable(message, longestText), fingerprint }
}
