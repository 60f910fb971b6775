import { QueueError } from './errors.ts'

/** The events of jobs and schedules that the feed carries. */
export const feedEvents = [
  'enqueued',
  'started',
  'progress',
  'completed',
  'retrying',
  'dead',
  'snoozed',
  'waiting',
  'released',
  'cancelled',
  'rescued',
  'schedule-fired',
] as const

export type FeedEvent = (typeof feedEvents)[number]

/** How long entries are kept, in milliseconds, and how many. */
export const feedKept = { ageMs: 15 * 60_000, entries: 100_000 }
/** Entries in one append. */
export const feedBatchMost = 1_000

export interface NewFeedEntry {
  /** `missed`: a process could not write down `data.count` events here. It concerns every tenant. */
  event: FeedEvent | 'missed'
  /** The job; null for a tick that made none, and for `missed`. */
  id: string | null
  type: string
  queue: string
  tenant: string
  /** What else the event says. */
  data: Record<string, unknown>
  /** How long before the append it happened, in milliseconds. */
  agoMs: number
}

export interface FeedEntry extends Omit<NewFeedEntry, 'agoMs'> {
  /** Its place: an entry that is seen later has a higher one. */
  seq: number
  /** By the store's clock. */
  at: number
}

export interface FeedPage {
  entries: FeedEntry[]
  /** Entries up to here are not kept any more, or never were. */
  pruned: number
  /** The newest entry's `seq`; `pruned` when there is none. */
  last: number
}

/** The event feed, as an engine keeps it. */
export interface FeedStore {
  /**
   * Appends up to 1,000 entries, in order, at once and together. `batch` is a UUID: the same one again changes nothing.
   * Whoever reads after a `seq` never misses an entry that appears later. A power cut, or a crash of the database's
   * server, may undo the last appends.
   */
  appendFeed(batch: string, entries: NewFeedEntry[]): Promise<void>
  /** Up to `limit` entries above `after`, the oldest first. With a limit of 0, only what is kept. */
  readFeed(page: { after: number; limit: number }): Promise<FeedPage>
  /** Somebody watches, for at least this long from now. Never shortens. Tells others by a hint of the kind `watch`. */
  watchFeed(forMs: number): Promise<void>
  /** For how many milliseconds the feed is watched from now on; 0 when nobody does. A cheap read. */
  feedWatched(): Promise<number>
  /** Deletes up to `limit` appends that are older or more than `feedKept`. Answers whether more may wait. */
  pruneFeed(limit: number): Promise<boolean>
}

type Packed = [
  event: NewFeedEntry['event'],
  id: string | null,
  type: string,
  queue: string,
  tenant: string,
  agoMs: number,
  data: Record<string, unknown>,
]

/** A batch as engines store it. */
export function packFeed(entries: readonly NewFeedEntry[]): string {
  if (entries.length > feedBatchMost)
    throw new QueueError(
      'invalid-argument',
      `an append to the feed takes ${feedBatchMost} entries, not ${entries.length}`,
    )
  return JSON.stringify(
    entries.map(
      ({ event, id, type, queue, tenant, agoMs, data }): Packed => [
        event,
        id,
        type,
        queue,
        tenant,
        Math.round(agoMs),
        data,
      ],
    ),
  )
}

/** The entries of stored batches that lie in a page. */
export function unpackFeed(
  batches: readonly { last: number; at: number; entries: string }[],
  page: { after: number; limit: number },
): FeedEntry[] {
  const found: FeedEntry[] = []
  for (const { last, at, entries } of batches) {
    const packed = JSON.parse(entries) as Packed[]
    packed.forEach(([event, id, type, queue, tenant, agoMs, data], index) => {
      const seq = last - packed.length + 1 + index
      if (seq > page.after && found.length < page.limit)
        found.push({ seq, at: at - agoMs, event, id, type, queue, tenant, data })
    })
  }
  return found
}
