import { QueueError } from '../engine/errors.ts'
import { type FeedEntry, type FeedEvent, feedEvents } from '../engine/feed.ts'

export interface FeedFilter {
  /** Only entries of this tenant's jobs. */
  tenant?: string
  types?: readonly string[]
  events?: readonly FeedEvent[]
}

/** Whether an entry is wanted. That something is missing concerns everybody. */
export function feedFilter({ tenant, types, events }: FeedFilter): (entry: FeedEntry) => boolean {
  for (const event of events ?? [])
    if (!feedEvents.includes(event))
      throw new QueueError(
        'invalid-argument',
        `events: the feed has no ${JSON.stringify(event)}; it has ${feedEvents.join(', ')}`,
      )
  const wantedTypes = types && new Set(types)
  const wantedEvents = events && new Set<string>(events)
  return entry =>
    entry.event === 'missed' ||
    ((tenant === undefined || entry.tenant === tenant) &&
      (wantedTypes === undefined || wantedTypes.has(entry.type)) &&
      (wantedEvents === undefined || wantedEvents.has(entry.event)))
}

/** A place in the feed, as a caller gives it. Throws `invalid-argument`. */
export function checkPlace(after: number): number {
  if (Number.isSafeInteger(after) && after >= 0) return after
  throw new QueueError('invalid-argument', `after must be the seq of an entry, not ${after}`)
}
