import { type Kysely, type Selectable, sql } from 'kysely'
import type { Finding, PageFacts } from '../audit/index.ts'
import type { CrawlRow } from './crawls.ts'
import { addCandidates, type Candidate, type FrontierPage } from './frontier.ts'
import { storeIssues } from './issues.ts'
import { type FoundLink, type StoredTargets, storeLinks } from './links.ts'
import { storable } from './json-rows.ts'
import { storedKey } from './key.ts'
import type { Trx } from './open.ts'
import type { PageTable, Schema } from './schema.ts'

/** Everything that one fetched page brings into the crawl. */
export interface FetchedRow {
  page: FrontierPage
  facts: PageFacts
  /** When to try again; null for an answer that stands. */
  retryAt: number | null
  findings: readonly Finding[]
  candidates: readonly Candidate[]
  links: readonly FoundLink[]
}

/** Stores pages whole: facts, links, findings and what they add to the frontier, all or nothing. */
export async function storePages(
  trx: Trx,
  crawl: CrawlRow,
  rows: readonly FetchedRow[],
  storedTargets: StoredTargets,
): Promise<void> {
  for (const row of rows) await storePage(trx, row)
  await addCandidates(
    trx,
    crawl,
    rows.flatMap(row => row.candidates),
  )
  await storeLinks(
    trx,
    crawl.id,
    rows.map(({ page, links }) => ({ sourceId: page.id, links })),
    storedTargets,
  )
  await storeIssues(
    trx,
    crawl,
    rows.map(({ page, findings }) => ({ pageId: page.id, findings })),
  )
}

async function storePage(trx: Trx, { page, facts, retryAt }: FetchedRow): Promise<void> {
  const { document, error } = facts
  const failed = error !== null || facts.status >= 500 || facts.status === 429
  await sql`
    update seology_page set
      state = ${failed ? 'failed' : 'done'}, attempts = ${facts.attempts}, retry_at = ${retryAt},
      fetched_at = ${facts.fetchedAt}, final_url = ${facts.finalUrl}, status = ${facts.status},
      content_type = ${text(facts.contentType)}, error = ${error === null ? null : JSON.stringify(error)},
      ttfb_ms = ${facts.ttfbMs}, body_bytes = ${facts.bodyBytes},
      title = ${text(document?.titles[0])}, words = ${document?.words ?? null},
      text_hash = ${document?.textHash || null}, hops = ${facts.hops.length > 0 ? JSON.stringify(facts.hops) : null},
      facts = ${JSON.stringify(facts)}
    where id = ${page.id}`.execute(trx)
}

function text(given: string | null | undefined): string | null {
  return given == null ? null : storable(given)
}

const readAtOnce = 200

/** What the pages of a crawl said, in order of their keys, few at a time in memory. */
export async function* readPages(
  db: Kysely<Schema>,
  crawlId: number,
): AsyncGenerator<{ facts: PageFacts; discoveredBy: string }> {
  let after = ''
  for (;;) {
    const rows = await db
      .selectFrom('seology_page')
      .select(['key', 'facts', 'discovered_by'])
      .where('crawl_id', '=', crawlId)
      .where('key', '>', after)
      .where('facts', 'is not', null)
      .orderBy('key')
      .limit(readAtOnce)
      .execute()
    for (const row of rows)
      yield { facts: JSON.parse(row.facts as string) as PageFacts, discoveredBy: row.discovered_by }
    const last = rows.at(-1)
    if (!last || rows.length < readAtOnce) return
    after = last.key
  }
}

export type FetchedSummary = Pick<
  Selectable<PageTable>,
  'fetch_url' | 'final_url' | 'discovered_from' | 'text_hash' | 'hops'
>

const summaryColumns = ['fetch_url', 'final_url', 'discovered_from', 'text_hash', 'hops'] as const

/** What was fetched before the given wave, in the order in which it was chosen. */
export function fetchedBefore(db: Kysely<Schema>, crawlId: number, wave: number): Promise<FetchedSummary[]> {
  return db
    .selectFrom('seology_page')
    .select(summaryColumns)
    .where('crawl_id', '=', crawlId)
    .where('wave', '<', wave)
    .where('fetched_at', 'is not', null)
    .orderBy('wave')
    .orderBy('key')
    .execute()
}

/** What the given wave has fetched. */
export function fetchedIn(db: Kysely<Schema>, crawlId: number, wave: number): Promise<FetchedSummary[]> {
  return db
    .selectFrom('seology_page')
    .select(summaryColumns)
    .where('crawl_id', '=', crawlId)
    .where('wave', '=', wave)
    .where('fetched_at', 'is not', null)
    .orderBy('key')
    .execute()
}

/** URLs that the crawl knows, nearest first. */
export async function knownUrls(db: Kysely<Schema>, crawlId: number, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('seology_page')
    .select('fetch_url')
    .where('crawl_id', '=', crawlId)
    .where('state', '!=', 'skipped')
    .orderBy('rank')
    .orderBy('depth')
    .orderBy('key')
    .limit(limit)
    .execute()
  return rows.map(row => row.fetch_url)
}

/** The origins of all URLs that were chosen or passed over once their turn had come. */
export async function originsAsked(db: Kysely<Schema>, crawlId: number): Promise<string[]> {
  const rows = await db
    .selectFrom('seology_page')
    .select('fetch_url')
    .where('crawl_id', '=', crawlId)
    .where('wave', 'is not', null)
    .execute()
  return [...new Set(rows.map(row => new URL(row.fetch_url).origin))].sort()
}

/** How the page at a key answered; undefined when it was not fetched. */
export function answerAt(
  db: Kysely<Schema>,
  crawlId: number,
  key: string,
): Promise<{ status: number | null; error: string | null; fetched_at: number | null } | undefined> {
  return db
    .selectFrom('seology_page')
    .select(['status', 'error', 'fetched_at'])
    .where('crawl_id', '=', crawlId)
    .where('key', '=', storedKey(key))
    .executeTakeFirst()
}

/** Keys of what has been chosen or skipped for good: finding them again changes nothing. */
export async function settledKeys(db: Kysely<Schema>, crawlId: number): Promise<string[]> {
  const rows = await db
    .selectFrom('seology_page')
    .select('key')
    .where('crawl_id', '=', crawlId)
    .where('wave', 'is not', null)
    .execute()
  return rows.map(({ key }) => key)
}

export interface PageCounts {
  fetched: number
  waiting: number
  beyondDepth: number
}

/** How far a crawl has come. */
export async function countPages(db: Kysely<Schema>, crawlId: number): Promise<PageCounts> {
  const row = await db
    .selectFrom('seology_page')
    .select(({ fn }) => [
      fn.count<number>('fetched_at').as('fetched'),
      sql<number>`count(case when state in ('queued', 'fetching') then 1 end)`.as('waiting'),
      sql<number>`count(case when reason = 'max-depth' then 1 end)`.as('beyondDepth'),
    ])
    .where('crawl_id', '=', crawlId)
    .executeTakeFirstOrThrow()
  return { fetched: Number(row.fetched), waiting: Number(row.waiting), beyondDepth: Number(row.beyondDepth) }
}
