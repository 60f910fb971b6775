import { type Kysely, type Selectable, sql } from 'kysely'
import type { CrawlRow } from './crawls.ts'
import type { ConnectionTable, IssueTable, PageState, PageTable, Schema } from './schema.ts'

export type ConnectionRow = Selectable<ConnectionTable>
export type IssueRow = Selectable<IssueTable>

export function findConnection(
  db: Kysely<Schema>,
  owner: string,
  id: string,
): Promise<ConnectionRow | undefined> {
  return db
    .selectFrom('seology_connection')
    .selectAll()
    .where('owner', '=', owner)
    .where('id', '=', id)
    .executeTakeFirst()
}

/** One crawl of a connection, the latest when none is named. */
export function findCrawl(
  db: Kysely<Schema>,
  owner: string,
  connectionId: string,
  crawlId: number | undefined,
): Promise<CrawlRow | undefined> {
  let query = db
    .selectFrom('seology_crawl')
    .selectAll()
    .where('owner', '=', owner)
    .where('connection_id', '=', connectionId)
  if (crawlId !== undefined) query = query.where('id', '=', crawlId)
  return query.orderBy('id', 'desc').limit(1).executeTakeFirst()
}

const pageColumns = [
  'key',
  'fetch_url',
  'final_url',
  'state',
  'reason',
  'depth',
  'discovered_by',
  'discovered_from',
  'attempts',
  'status',
  'content_type',
  'error',
  'title',
  'words',
  'ttfb_ms',
  'body_bytes',
  'fetched_at',
] as const

export type PageListRow = Pick<Selectable<PageTable>, (typeof pageColumns)[number]>

/** Pages in order of their keys, after the given one. */
export function listPages(
  db: Kysely<Schema>,
  crawlId: number,
  page: { states: readonly PageState[]; after: string; limit: number },
): Promise<PageListRow[]> {
  return db
    .selectFrom('seology_page')
    .select(pageColumns)
    .where('crawl_id', '=', crawlId)
    .where('key', '>', page.after)
    .where('state', 'in', page.states)
    .orderBy('key')
    .limit(page.limit)
    .execute()
}

/** Where one page of a list of issues ended. */
export type IssueMark = Pick<IssueRow, 'severity' | 'check_id' | 'subject' | 'variant'>

export interface IssueFilter {
  verdict: 'fail' | 'unverified'
  severities?: readonly number[]
  checkIds?: readonly string[]
  categories?: readonly string[]
}

/** Issues, the worst first, after the given mark. */
export function listIssues(
  db: Kysely<Schema>,
  crawlId: number,
  filter: IssueFilter,
  page: { after: IssueMark | undefined; limit: number },
): Promise<IssueRow[]> {
  let query = db
    .selectFrom('seology_issue')
    .selectAll()
    .where('crawl_id', '=', crawlId)
    .where('verdict', '=', filter.verdict)
  if (filter.severities) query = query.where('severity', 'in', filter.severities)
  if (filter.checkIds) query = query.where('check_id', 'in', filter.checkIds)
  if (filter.categories) query = query.where('category', 'in', filter.categories)
  const { after } = page
  if (after)
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(
        refTuple('severity', 'check_id', 'subject', 'variant'),
        '>',
        tuple(after.severity, after.check_id, after.subject, after.variant),
      ),
    )
  return query
    .orderBy('severity')
    .orderBy('check_id')
    .orderBy('subject')
    .orderBy('variant')
    .limit(page.limit)
    .execute()
}

/** How many of a crawl's pages are in each state; a crawl that runs changes them all the time. */
export async function countStates(
  db: Kysely<Schema>,
  crawlId: number,
): Promise<Partial<Record<PageState, number>>> {
  const rows = await db
    .selectFrom('seology_page')
    .select(['state', sql<number>`count(*)`.as('pages')])
    .where('crawl_id', '=', crawlId)
    .groupBy('state')
    .execute()
  return Object.fromEntries(rows.map(({ state, pages }) => [state, pages]))
}
