import { type Kysely, sql } from 'kysely'
import type { SitemapEntry } from '../crawl/sitemap.ts'
import { each } from './json-rows.ts'
import type { Trx } from './open.ts'
import type { Schema } from './schema.ts'

export async function storeSitemapEntries(
  trx: Trx,
  crawlId: number,
  entries: readonly SitemapEntry[],
): Promise<void> {
  await trx.deleteFrom('seology_sitemap_entry').where('crawl_id', '=', crawlId).execute()
  if (entries.length === 0) return
  const rows = entries.map(({ loc, lastmod, alternates, file, line }, position) => [
    position,
    loc,
    lastmod,
    alternates.length > 0 ? JSON.stringify(alternates) : null,
    file,
    line,
  ])
  await sql`
    insert into seology_sitemap_entry (crawl_id, position, loc, lastmod, alternates, file, line)
    select ${crawlId}, cast(value ->> 0 as integer), value ->> 1, value ->> 2, value ->> 3, value ->> 4,
      cast(value ->> 5 as integer)
    from ${each(trx, rows)} as entry where true`.execute(trx)
}

const readAtOnce = 1_000

/** In the order of the files. */
export async function* readSitemapEntries(db: Kysely<Schema>, crawlId: number): AsyncGenerator<SitemapEntry> {
  let after = -1
  for (;;) {
    const rows = await db
      .selectFrom('seology_sitemap_entry')
      .selectAll()
      .where('crawl_id', '=', crawlId)
      .where('position', '>', after)
      .orderBy('position')
      .limit(readAtOnce)
      .execute()
    for (const { loc, lastmod, alternates, file, line } of rows)
      yield { loc, lastmod, alternates: alternates === null ? [] : JSON.parse(alternates), file, line }
    const last = rows.at(-1)
    if (!last || rows.length < readAtOnce) return
    after = last.position
  }
}
