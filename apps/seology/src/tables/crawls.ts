import type { Kysely, Selectable } from 'kysely'
import { isPostgres } from './json-rows.ts'
import type { Tables, Trx } from './open.ts'
import type { CrawlTable, Health, Schema } from './schema.ts'

export type CrawlRow = Selectable<CrawlTable>

/** Another attempt at the job has taken the crawl over, or has ended it: this one must not write any more. */
export class CrawlTakenOverError extends Error {
  readonly code = 'crawl-taken-over'
  constructor(what: string) {
    super(`${what} is another attempt's by now; nothing was written`)
    this.name = 'CrawlTakenOverError'
  }
}

/** A crawl as the attempt sees that may write into it. */
export interface OpenCrawl {
  readonly row: Readonly<CrawlRow>
  /** Whether an earlier attempt began it. */
  readonly resumed: boolean
  /** As `Tables.write`, but refused (`CrawlTakenOverError`) when the crawl is no longer this attempt's. */
  write<T>(work: (trx: Trx) => Promise<T>): Promise<T>
}

export interface CrawlOpening {
  owner: string
  connectionId: string
  jobId: string
  epoch: number
  url: string
  options: unknown
  now: number
}

/**
 * The crawl of a job: the running one, which from now on belongs to this epoch alone, or a new one. Throws
 * `CrawlTakenOverError` when a later attempt was here before.
 */
export async function openCrawl(tables: Tables, opening: CrawlOpening): Promise<OpenCrawl> {
  const { row, resumed } = await tables.write(async trx => {
    for (;;) {
      const latest = await latestRun(trx, opening.jobId)
      if (latest && isPast(latest, opening.epoch))
        throw new CrawlTakenOverError(`the crawl of job ${opening.jobId}`)
      if (latest?.state === 'running') {
        const { epoch } = opening
        await trx.updateTable('seology_crawl').set({ epoch }).where('id', '=', latest.id).execute()
        return { row: { ...latest, epoch }, resumed: true }
      }
      const row = await begin(trx, opening, (latest?.run ?? 0) + 1)
      if (row) return { row, resumed: false }
    }
  })
  const write: OpenCrawl['write'] = work =>
    tables.write(async trx => {
      await fence(trx, row)
      return work(trx)
    })
  return { row, resumed, write }
}

function isPast({ epoch, state }: CrawlRow, ours: number): boolean {
  return epoch > ours || (epoch === ours && state !== 'running')
}

function latestRun(trx: Trx, jobId: string): Promise<CrawlRow | undefined> {
  return trx
    .selectFrom('seology_crawl')
    .selectAll()
    .where('job_id', '=', jobId)
    .orderBy('run', 'desc')
    .limit(1)
    .$if(isPostgres(trx), query => query.forUpdate())
    .executeTakeFirst()
}

/** Undefined when another attempt has begun this run in the meantime. */
async function begin(trx: Trx, opening: CrawlOpening, run: number): Promise<CrawlRow | undefined> {
  const { owner, connectionId, jobId, epoch, url, options, now } = opening
  await trx
    .insertInto('seology_connection')
    .values({
      owner,
      id: connectionId,
      url,
      health: 'unknown',
      last_crawl_id: null,
      last_crawled_at: null,
      created_at: now,
      updated_at: now,
    })
    .onConflict(conflict => conflict.columns(['owner', 'id']).doUpdateSet({ url, updated_at: now }))
    .execute()
  return trx
    .insertInto('seology_crawl')
    .values({
      owner,
      connection_id: connectionId,
      job_id: jobId,
      run,
      epoch,
      state: 'running',
      url,
      options: JSON.stringify(options),
      started_at: now,
      finished_at: null,
      stopped: null,
      result: null,
      error: null,
    })
    .onConflict(conflict => conflict.columns(['job_id', 'run']).doNothing())
    .returningAll()
    .executeTakeFirst()
}

/**
 * What is read here stays true until the transaction commits: on SQLite it holds the file, on PostgreSQL the crawl's
 * row, which also puts the writes of a crawl one after another.
 */
async function fence(trx: Trx, { id, epoch }: CrawlRow): Promise<void> {
  const owned = await trx
    .selectFrom('seology_crawl')
    .select('id')
    .where('id', '=', id)
    .where('epoch', '=', epoch)
    .where('state', '=', 'running')
    .$if(isPostgres(trx), query => query.forUpdate())
    .executeTakeFirst()
  if (!owned) throw new CrawlTakenOverError(`crawl ${id}`)
}

export async function saveFact(trx: Trx, crawlId: number, name: string, fact: unknown): Promise<void> {
  const value = JSON.stringify(fact)
  await trx
    .insertInto('seology_crawl_fact')
    .values({ crawl_id: crawlId, name, value })
    .onConflict(conflict => conflict.columns(['crawl_id', 'name']).doUpdateSet({ value }))
    .execute()
}

/** What an earlier step has stored; null when it is still to be done. */
export async function readFact<T>(db: Kysely<Schema>, crawlId: number, name: string): Promise<T | null> {
  const row = await db
    .selectFrom('seology_crawl_fact')
    .select('value')
    .where('crawl_id', '=', crawlId)
    .where('name', '=', name)
    .executeTakeFirst()
  return row ? (JSON.parse(row.value) as T) : null
}

/** Why the crawl has ended before its frontier did; null when it has not. */
export async function stoppedBecause(db: Kysely<Schema>, crawlId: number): Promise<string | null> {
  const row = await db
    .selectFrom('seology_crawl')
    .select('stopped')
    .where('id', '=', crawlId)
    .executeTakeFirstOrThrow()
  return row.stopped
}

export async function isTruncated(db: Kysely<Schema>, crawlId: number): Promise<boolean> {
  const row = await db
    .selectFrom('seology_crawl')
    .select('truncated')
    .where('id', '=', crawlId)
    .executeTakeFirstOrThrow()
  return row.truncated === 1
}

export interface CrawlEnd {
  state: 'finished' | 'failed' | 'cancelled'
  now: number
  health?: Health
  result?: unknown
  error?: string
}

/** The statements that end a crawl, to be run in one transaction after each other. */
export function endStatements(db: Kysely<Schema>, crawl: CrawlRow, end: CrawlEnd) {
  const { state, now, health, result, error } = end
  const ended = db
    .updateTable('seology_crawl')
    .set({
      state,
      finished_at: now,
      result: result === undefined ? null : JSON.stringify(result),
      error: error ?? null,
    })
    .where('id', '=', crawl.id)
    .where('epoch', '=', crawl.epoch)
    .where('state', '=', 'running')
  const judged = db
    .updateTable('seology_connection')
    .set({
      updated_at: now,
      last_crawl_id: crawl.id,
      last_crawled_at: now,
      ...(health === undefined ? {} : { health }),
    })
    .where('owner', '=', crawl.owner)
    .where('id', '=', crawl.connection_id)
  return { ended, judged }
}
