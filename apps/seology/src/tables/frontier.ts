import { type Kysely, type Selectable, sql } from 'kysely'
import { each } from './json-rows.ts'
import { storedKey } from './key.ts'
import type { Trx } from './open.ts'
import type { CrawlRow } from './crawls.ts'
import type { PageTable, Schema } from './schema.ts'

/** How a URL came into the crawl. `redirect` covers what a document does by itself, too. */
export type DiscoveredBy = 'start' | 'link' | 'redirect' | 'canonical' | 'hreflang' | 'sitemap'

/** A URL that might be crawled. */
export interface Candidate {
  key: string
  fetchUrl: string
  depth: number
  discoveredBy: DiscoveredBy
  /** `fetchUrl` of the page that it was found on; '' for none. */
  discoveredFrom: string
  /** Why it will not be crawled, if that is known already. */
  skip: string | null
}

export type FrontierPage = Pick<
  Selectable<PageTable>,
  'id' | 'key' | 'fetch_url' | 'depth' | 'rank' | 'discovered_by' | 'discovered_from' | 'attempts' | 'wave'
>

const frontierColumns = [
  'id',
  'key',
  'fetch_url',
  'depth',
  'rank',
  'discovered_by',
  'discovered_from',
  'attempts',
  'wave',
] as const

/** What visitors find comes first, then what pages hint at, then what only the sitemap knows. */
const ranks: Record<DiscoveredBy, number> = {
  start: 0,
  link: 0,
  redirect: 0,
  canonical: 1,
  hreflang: 1,
  sitemap: 2,
}

/**
 * Adds candidates. One that waits already keeps its nearest origin (links before hints before the sitemap, the smallest
 * depth, the first page by URL), so that the outcome does not depend on which page was fetched first.
 */
export async function addCandidates(trx: Trx, crawl: CrawlRow, found: readonly Candidate[]): Promise<void> {
  const best = new Map<string, Candidate>()
  for (const candidate of found) {
    const known = best.get(candidate.key)
    if (!known || isNearer(candidate, known)) best.set(candidate.key, candidate)
  }
  if (best.size === 0) return
  const rows = [...best.values()].map(({ key, fetchUrl, depth, discoveredBy, discoveredFrom, skip }) => [
    storedKey(key),
    fetchUrl,
    skip === null ? 'queued' : 'skipped',
    skip,
    depth,
    ranks[discoveredBy],
    discoveredBy,
    discoveredFrom,
  ])
  await sql`
    insert into seology_page
      (crawl_id, owner, key, fetch_url, state, reason, depth, rank, discovered_by, discovered_from)
    select ${crawl.id}, ${crawl.owner}, value ->> 0, value ->> 1, value ->> 2, value ->> 3,
      cast(value ->> 4 as integer), cast(value ->> 5 as integer), value ->> 6, value ->> 7
    from ${each(trx, rows)} as found where true
    on conflict (crawl_id, key) do update set
      fetch_url = excluded.fetch_url, state = excluded.state, reason = excluded.reason, depth = excluded.depth,
      rank = excluded.rank, discovered_by = excluded.discovered_by, discovered_from = excluded.discovered_from
    where seology_page.wave is null
      and (excluded.rank, excluded.depth, excluded.discovered_from, excluded.fetch_url)
        < (seology_page.rank, seology_page.depth, seology_page.discovered_from, seology_page.fetch_url)`.execute(
    trx,
  )
}

function isNearer(a: Candidate, b: Candidate): boolean {
  const [x, y] = [originOf(a), originOf(b)]
  const at = x.findIndex((value, index) => value !== y[index])
  return at >= 0 && (x[at] as string | number) < (y[at] as string | number)
}

function originOf(candidate: Candidate): (string | number)[] {
  return [ranks[candidate.discoveredBy], candidate.depth, candidate.discoveredFrom, candidate.fetchUrl]
}

/** Those that wait, nearest first, after the given one. */
export function waiting(
  db: Kysely<Schema>,
  crawlId: number,
  after: FrontierPage | undefined,
  limit: number,
): Promise<FrontierPage[]> {
  let query = db
    .selectFrom('seology_page')
    .select(frontierColumns)
    .where('crawl_id', '=', crawlId)
    .where('state', '=', sql.lit('queued'))
  if (after)
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('rank', 'depth', 'key'), '>', tuple(after.rank, after.depth, after.key)),
    )
  return query.orderBy('rank').orderBy('depth').orderBy('key').limit(limit).execute()
}

/** What was chosen and has no answer yet: the wave that is under way, in its order. */
export function inFlight(db: Kysely<Schema>, crawlId: number): Promise<FrontierPage[]> {
  return db
    .selectFrom('seology_page')
    .select(frontierColumns)
    .where('crawl_id', '=', crawlId)
    .where('state', '=', sql.lit('fetching'))
    .orderBy('key')
    .execute()
}

/** Failed pages that deserve another try, and when. */
export function retries(
  db: Kysely<Schema>,
  crawlId: number,
  limit: number,
): Promise<(FrontierPage & { retry_at: number | null })[]> {
  return db
    .selectFrom('seology_page')
    .select([...frontierColumns, 'retry_at'])
    .where('crawl_id', '=', crawlId)
    .where('retry_at', 'is not', null)
    .orderBy('retry_at')
    .orderBy('key')
    .limit(limit)
    .execute()
}

export interface Wave {
  number: number
  /** URLs given a place in the budget, this wave's included. */
  taken: number
  chosen: readonly FrontierPage[]
  skipped: readonly { id: number; reason: string }[]
}

/** Gives back what was chosen and will not be fetched after all. */
export async function abandonWave(trx: Trx, crawlId: number, why: string): Promise<void> {
  await trx
    .updateTable('seology_page')
    .set({ state: 'queued' })
    .where('crawl_id', '=', crawlId)
    .where('state', '=', sql.lit('fetching'))
    .execute()
  await trx.updateTable('seology_crawl').set({ stopped: why }).where('id', '=', crawlId).execute()
}

/** How many wait. */
export async function countWaiting(db: Kysely<Schema>, crawlId: number): Promise<number> {
  const row = await db
    .selectFrom('seology_page')
    .select(({ fn }) => fn.countAll<number>().as('pages'))
    .where('crawl_id', '=', crawlId)
    .where('state', '=', sql.lit('queued'))
    .executeTakeFirstOrThrow()
  return Number(row.pages)
}

/** Marks what is to be fetched next and what will not be. */
export async function beginWave(trx: Trx, crawl: CrawlRow, wave: Wave): Promise<void> {
  const { number, taken, chosen, skipped } = wave
  await trx.updateTable('seology_crawl').set({ wave: number, taken }).where('id', '=', crawl.id).execute()
  if (chosen.length > 0)
    await sql`
      update seology_page set state = 'fetching', retry_at = null, wave = coalesce(wave, ${number})
      where id in (select cast(value ->> 0 as bigint) from ${each(
        trx,
        chosen.map(({ id }) => [id]),
      )} as chosen)`.execute(trx)
  for (const { id, reason } of skipped)
    await trx
      .updateTable('seology_page')
      .set({ state: 'skipped', reason, wave: number })
      .where('id', '=', id)
      .execute()
}

/** Keeps the nearest `most` that wait and the first `most` that were passed over: a trap must not fill the disk. */
export async function pruneFrontier(trx: Trx, crawlId: number, most: number): Promise<void> {
  const waiting = trx
    .selectFrom('seology_page')
    .where('crawl_id', '=', crawlId)
    .where('state', '=', sql.lit('queued'))
  const farthest = await waiting
    .select(['rank', 'depth', 'key'])
    .orderBy('rank')
    .orderBy('depth')
    .orderBy('key')
    .limit(1)
    .offset(most)
    .executeTakeFirst()
  if (farthest) {
    await trx
      .deleteFrom('seology_page')
      .where('crawl_id', '=', crawlId)
      .where('state', '=', sql.lit('queued'))
      .where(({ eb, refTuple, tuple }) =>
        eb(refTuple('rank', 'depth', 'key'), '>=', tuple(farthest.rank, farthest.depth, farthest.key)),
      )
      .execute()
    await trx.updateTable('seology_crawl').set({ truncated: 1 }).where('id', '=', crawlId).execute()
  }
  const last = await trx
    .selectFrom('seology_page')
    .select('key')
    .where('crawl_id', '=', crawlId)
    .where('state', '=', sql.lit('skipped'))
    .where('wave', 'is', null)
    .orderBy('key')
    .limit(1)
    .offset(most)
    .executeTakeFirst()
  if (!last) return
  await trx
    .deleteFrom('seology_page')
    .where('crawl_id', '=', crawlId)
    .where('state', '=', sql.lit('skipped'))
    .where('wave', 'is', null)
    .where('key', '>=', last.key)
    .execute()
}
