import { type Kysely, sql } from 'kysely'
import type { LinkCheck } from '../crawl/links.ts'
import { each } from './json-rows.ts'
import { storedKey } from './key.ts'
import type { Trx } from './open.ts'
import type { Schema } from './schema.ts'

/** One page's link to one target, however often it stands there. */
export interface FoundLink {
  key: string
  url: string
  internal: boolean
  follow: boolean
  occurrences: number
}

/**
 * Targets that this attempt has stored, so that a link of every page's menu is not stored with every page. Forgets
 * when there are too many: storing again changes nothing.
 */
export class StoredTargets {
  readonly #urls = new Map<string, string>()

  has({ key, url }: FoundLink): boolean {
    const stored = this.#urls.get(key)
    return stored !== undefined && stored <= url
  }

  add(links: readonly FoundLink[]): void {
    if (this.#urls.size > mostRemembered) this.#urls.clear()
    for (const link of links) if (!this.has(link)) this.#urls.set(link.key, link.url)
  }
}

const mostRemembered = 50_000

/** Stores targets once a crawl, and who links to them. */
export async function storeLinks(
  trx: Trx,
  crawlId: number,
  sources: readonly { sourceId: number; links: readonly FoundLink[] }[],
  stored: StoredTargets,
): Promise<void> {
  const targets = new Map<string, FoundLink>()
  for (const { links } of sources)
    for (const link of links) {
      const known = targets.get(link.key)
      if (!stored.has(link) && (!known || link.url < known.url)) targets.set(link.key, link)
    }
  if (targets.size > 0) await storeTargets(trx, crawlId, [...targets.values()])
  const linkRows = sources.flatMap(({ sourceId, links }) =>
    links.map(({ key, follow, occurrences }) => [storedKey(key), sourceId, follow ? 1 : 0, occurrences]),
  )
  if (linkRows.length === 0) return
  await sql`
    insert into seology_link (target_id, source_id, follow, occurrences)
    select (select id from seology_link_target where crawl_id = ${crawlId} and key = value ->> 0),
      cast(value ->> 1 as bigint), cast(value ->> 2 as integer), cast(value ->> 3 as integer)
    from ${each(trx, linkRows)} as link where true
    on conflict do nothing`.execute(trx)
}

async function storeTargets(trx: Trx, crawlId: number, targets: readonly FoundLink[]): Promise<void> {
  const rows = targets.map(({ key, url, internal }) => [storedKey(key), url, internal ? 1 : 0])
  await sql`
    insert into seology_link_target (crawl_id, key, url, internal)
    select ${crawlId}, value ->> 0, value ->> 1, cast(value ->> 2 as integer) from ${each(trx, rows)} as target where true
    on conflict (crawl_id, key) do update set url = excluded.url where excluded.url < seology_link_target.url`.execute(
    trx,
  )
}

function unchecked(db: Kysely<Schema>, crawlId: number) {
  return db
    .selectFrom('seology_link_target as target')
    .where('target.crawl_id', '=', crawlId)
    .where('target.verdict', 'is', null)
    .where(
      // At most one, looked up for each target. `not exists` PostgreSQL takes for a join, and while it has no statistics
      // of a crawl's fresh rows it compares every target with every page.
      ({ selectFrom }) =>
        selectFrom('seology_page as page')
          .select('page.fetched_at')
          .where('page.crawl_id', '=', crawlId)
          .whereRef('page.key', '=', 'target.key'),
      'is',
      null,
    )
}

/** The first of them after the given key, in order of their keys. */
export function uncheckedTargets(
  db: Kysely<Schema>,
  crawlId: number,
  after: string,
  limit: number,
): Promise<{ key: string; url: string }[]> {
  return unchecked(db, crawlId)
    .select(['target.key', 'target.url'])
    .where('target.key', '>', after)
    .orderBy('target.key')
    .limit(limit)
    .execute()
}

export async function checkedUrls(db: Kysely<Schema>, crawlId: number): Promise<string[]> {
  const rows = await db
    .selectFrom('seology_link_target')
    .select('url')
    .where('crawl_id', '=', crawlId)
    .where('verdict', 'is not', null)
    .execute()
  return rows.map(({ url }) => url)
}

/** How many targets no page answers for and that were not checked yet. */
export async function countUnchecked(db: Kysely<Schema>, crawlId: number): Promise<number> {
  const row = await unchecked(db, crawlId)
    .select(({ fn }) => fn.countAll<number>().as('targets'))
    .executeTakeFirstOrThrow()
  return Number(row.targets)
}

export async function storeChecks(trx: Trx, crawlId: number, checks: readonly LinkCheck[]): Promise<void> {
  for (const check of checks)
    await trx
      .updateTable('seology_link_target')
      .set({
        verdict: check.verdict,
        status: check.status,
        checked_at: check.checkedAt,
        check: JSON.stringify(check),
      })
      .where('crawl_id', '=', crawlId)
      .where('key', '=', storedKey(check.key))
      .execute()
}

/** Takes over from the connection's last crawl what was in order there, if it is no older than the given instant. */
export async function reuseChecks(
  trx: Trx,
  crawl: { id: number; owner: string; connection_id: string },
  since: number,
): Promise<void> {
  const { max: last } = await trx
    .selectFrom('seology_crawl')
    .select(({ fn }) => fn.max('id').as('max'))
    .where('owner', '=', crawl.owner)
    .where('connection_id', '=', crawl.connection_id)
    .where('id', '<', crawl.id)
    .where('state', '=', 'finished')
    .executeTakeFirstOrThrow()
  if (last === null) return
  await sql`
    update seology_link_target as target
    set verdict = earlier.verdict, status = earlier.status, checked_at = earlier.checked_at, "check" = earlier."check"
    from seology_link_target as earlier
    where target.crawl_id = ${crawl.id} and target.internal = 0 and target.verdict is null
      and earlier.crawl_id = ${last} and earlier.key = target.key and earlier.internal = 0
      and earlier.verdict in ('ok', 'redirect') and earlier.checked_at >= ${since}`.execute(trx)
}

const readAtOnce = 500

/** All checks of a crawl, in order of their keys. */
export async function* readChecks(
  db: Kysely<Schema>,
  crawl: { id: number; owner: string; connection_id: string },
  brokenBefore: number,
): AsyncGenerator<LinkCheck & { brokenBefore: boolean }> {
  let after = ''
  for (;;) {
    const rows = await db
      .selectFrom('seology_link_target as target')
      .select(({ exists, selectFrom }) => [
        'target.key',
        'target.check',
        exists(
          selectFrom('seology_crawl as earlier')
            .innerJoin('seology_link_target as old', 'old.crawl_id', 'earlier.id')
            .select('old.id')
            .where('earlier.owner', '=', crawl.owner)
            .where('earlier.connection_id', '=', crawl.connection_id)
            .where('earlier.id', '<', crawl.id)
            .whereRef('old.key', '=', 'target.key')
            .where('old.verdict', 'in', ['broken', 'suspect'])
            .where('old.checked_at', '<=', brokenBefore)
            .where('target.verdict', '=', 'suspect'),
        ).as('broken_before'),
      ])
      .where('target.crawl_id', '=', crawl.id)
      .where('target.check', 'is not', null)
      .where('target.key', '>', after)
      .orderBy('target.key')
      .limit(readAtOnce)
      .execute()
    for (const row of rows)
      yield { ...(JSON.parse(row.check as string) as LinkCheck), brokenBefore: Boolean(row.broken_before) }
    const last = rows.at(-1)
    if (!last || rows.length < readAtOnce) return
    after = last.key
  }
}
