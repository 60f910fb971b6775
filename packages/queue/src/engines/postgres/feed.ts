import {
  type FeedPage,
  feedBatchMost,
  feedKept,
  type NewFeedEntry,
  packFeed,
  unpackFeed,
} from '../../engine/feed.ts'
import { one, type Queries } from './queries.ts'

/** `wake` is null when others were told a moment ago. */
export async function appendFeed(
  db: Queries,
  { now, wake }: { now: number | null; wake: string | null },
  batch: string,
  entries: readonly NewFeedEntry[],
): Promise<void> {
  await db.all('SELECT millrace.feed_append($1, $2, $3, $4, $5)', [
    now,
    wake,
    batch,
    entries.length,
    packFeed(entries),
  ])
}

interface Row {
  pruned: number
  newest: number
  last: number | null
  at: number
  entries: string
}

export async function readFeed(db: Queries, page: { after: number; limit: number }): Promise<FeedPage> {
  // Places are given without gaps, so these are the batches that hold the page.
  const rows = await db.all<Row>(
    `SELECT s.pruned, greatest(s.pruned, (SELECT f.last FROM millrace.feed f ORDER BY f.last DESC LIMIT 1)) AS newest,
       b.last, b.at, b.entries
     FROM millrace.feed_state s LEFT JOIN LATERAL (
       SELECT f.last, f.at, f.entries FROM millrace.feed f
       WHERE f.last > greatest($1::int8, s.pruned) AND f.last < greatest($1::int8, s.pruned) + $2::int8 + ${feedBatchMost}
         AND f.last - f.count < greatest($1::int8, s.pruned) + $2::int8
       ORDER BY f.last LIMIT $2) AS b ON true
     ORDER BY b.last`,
    [page.after, page.limit],
  )
  const [first] = rows as [Row]
  const after = Math.max(page.after, first.pruned)
  const batches = rows.flatMap(({ last, at, entries }) => (last === null ? [] : [{ last, at, entries }]))
  return {
    pruned: first.pruned,
    last: first.newest,
    entries: unpackFeed(batches, { after, limit: page.limit }),
  }
}

export async function watchFeed(
  db: Queries,
  { now, wake }: { now: number | null; wake: string },
  forMs: number,
): Promise<void> {
  await db.all('SELECT millrace.feed_watch($1, $2, $3)', [now, Math.round(forMs), wake])
}

/** How long the feed is watched, as an expression: an idle claim asks it on the side. */
export const watchedForMs =
  '(SELECT greatest(s.watched_until - millrace.now_ms($NOW), 0) FROM millrace.feed_state s)'

export async function feedWatched(db: Queries, now: number | null): Promise<number> {
  const row = await one<{ ms: number }>(db, `SELECT ${watchedForMs.replace('$NOW', '$1')} AS ms`, [now])
  return row?.ms ?? 0
}

/** Answers whether more may wait. */
export async function pruneFeed(db: Queries, now: number | null, limit: number): Promise<boolean> {
  const row = await one<{ gone: number }>(db, 'SELECT millrace.feed_prune($1, $2, $3, $4) AS gone', [
    now,
    limit,
    feedKept.ageMs,
    feedKept.entries,
  ])
  return (row?.gone ?? 0) >= limit
}
