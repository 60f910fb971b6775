import { sql } from 'kysely'
import type { CrawlRow } from './crawls.ts'
import type { Tables } from './open.ts'

const deletedAtOnce = 500

/** Deletes the connection's oldest crawls but `keep`, in small steps; a crawl that runs is left alone. */
export async function pruneCrawls(
  tables: Tables,
  crawl: CrawlRow,
  keep: number,
  signal: AbortSignal,
): Promise<number> {
  const old = await tables.db
    .selectFrom('seology_crawl')
    .select('id')
    .where('owner', '=', crawl.owner)
    .where('connection_id', '=', crawl.connection_id)
    .where('state', '!=', 'running')
    .orderBy('id', 'desc')
    .limit(100)
    .offset(keep)
    .execute()
  for (const { id } of old) await deleteCrawl(tables, id, signal)
  return old.length
}

async function deleteCrawl(tables: Tables, id: number, signal: AbortSignal): Promise<void> {
  const inSteps = async (step: (limit: number) => Promise<bigint>): Promise<void> => {
    do signal.throwIfAborted()
    while ((await step(deletedAtOnce)) > 0n)
  }
  const rows = async (table: 'seology_page' | 'seology_issue' | 'seology_link_target', limit: number) => {
    const few = sql`(select id from ${sql.table(table)} where crawl_id = ${id} order by id limit ${limit})`
    return tables.write(async trx => {
      if (table === 'seology_link_target')
        await sql`delete from seology_link where target_id in ${few}`.execute(trx)
      const { numAffectedRows } = await sql`delete from ${sql.table(table)} where id in ${few}`.execute(trx)
      return numAffectedRows ?? 0n
    })
  }
  await inSteps(limit => rows('seology_issue', limit))
  await inSteps(limit => rows('seology_link_target', limit))
  await inSteps(limit => rows('seology_page', limit))
  await tables.write(async trx => {
    await trx.deleteFrom('seology_sitemap_entry').where('crawl_id', '=', id).execute()
    await trx.deleteFrom('seology_crawl_fact').where('crawl_id', '=', id).execute()
    await trx.deleteFrom('seology_crawl').where('id', '=', id).execute()
  })
}
