import {
  feedBatchMost,
  type FeedPage,
  feedKept,
  type NewFeedEntry,
  packFeed,
  unpackFeed,
} from '../../engine/feed.ts'
import { parseId } from '../../job/id.ts'
import type { Store } from './store.ts'

interface State {
  pruned: number
  last: number
}

function state(store: Store): State {
  return store.get<State & Record<string, never>>(
    `SELECT pruned, max(pruned, coalesce((SELECT last FROM millrace_feed ORDER BY last DESC LIMIT 1), 0)) AS last
     FROM millrace_feed_state`,
  ) as State
}

/** Inside a write: SQLite's one write lock puts appends in order. */
export function appendFeed(store: Store, now: number, batch: string, entries: readonly NewFeedEntry[]): void {
  store.run(
    `INSERT INTO millrace_feed (last, count, at, batch, entries) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (batch) DO NOTHING`,
    state(store).last + entries.length,
    entries.length,
    now,
    parseId(batch),
    packFeed(entries),
  )
}

export function readFeed(store: Store, page: { after: number; limit: number }): FeedPage {
  const { pruned, last } = state(store)
  const after = Math.max(page.after, pruned)
  // Places are given without gaps, so these are the batches that hold the page.
  const batches = store.all<{ last: number; at: number; entries: string }>(
    `SELECT last, at, entries FROM millrace_feed
     WHERE last > ? AND last < ? AND last - count < ? ORDER BY last LIMIT ?`,
    after,
    after + page.limit + feedBatchMost,
    after + page.limit,
    page.limit,
  )
  return { pruned, last, entries: unpackFeed(batches, { after, limit: page.limit }) }
}

/** Answers whether nobody watched before. Inside a write. */
export function watchFeed(store: Store, now: number, forMs: number): boolean {
  const before = feedWatched(store, now)
  if (before < forMs) store.run('UPDATE millrace_feed_state SET watched_until = ?', now + Math.round(forMs))
  return before === 0
}

export function feedWatched(store: Store, now: number): number {
  const row = store.get<{ until: number }>('SELECT watched_until AS until FROM millrace_feed_state')
  return Math.max(0, (row?.until ?? 0) - now)
}

/** Inside a write. Answers whether more may wait. */
export function pruneFeed(store: Store, now: number, limit: number): boolean {
  const { pruned, last } = state(store)
  const row = store.get<{ until: number | null }>(
    `SELECT max(last) AS until FROM
       (SELECT last, count, at FROM millrace_feed WHERE last > ? ORDER BY last LIMIT ?)
     WHERE at < ? OR last - count < ?`,
    pruned,
    limit,
    now - feedKept.ageMs,
    last - feedKept.entries,
  )
  const until = row?.until ?? null
  if (until === null) return false
  const gone = store.run('DELETE FROM millrace_feed WHERE last > ? AND last <= ?', pruned, until)
  store.run('UPDATE millrace_feed_state SET pruned = ?', until)
  return gone >= limit
}
