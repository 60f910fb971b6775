import { sql } from 'kysely'
import { QueueError } from 'millrace'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type PostgresServer, startPostgres } from '../../../packages/queue/test/support/postgres-server.ts'
import { readFact, saveFact } from '../src/tables/crawls.ts'
import { openTables, type Tables } from '../src/tables/open.ts'
import { until } from './crawl-site-support.ts'

describe('tables on a PostgreSQL that goes away', () => {
  let server: PostgresServer
  let tables: Tables
  beforeAll(async () => {
    server = await startPostgres()
    tables = await openTables(server.url())
  })
  afterAll(async () => {
    await tables.close()
    await server.stop('immediate')
  })

  const read = () => tables.db.selectFrom('seology_crawl').select('id').execute()
  const write = (work: () => Promise<unknown> = async () => {}) =>
    tables.write(async trx => {
      await trx.selectFrom('seology_crawl').select('id').execute()
      await work()
      await trx.selectFrom('seology_crawl').select('id').execute()
    })
  const unavailable = expect.objectContaining({ name: 'QueueError', code: 'unavailable' })

  it.each(['stop', 'kill'] as const)('by a %s are unavailable, and back when it is', async how => {
    await Promise.all([read(), read(), write()])
    const caught = write(async () => (how === 'stop' ? server.stop() : server.kill()))
    await expect(caught).rejects.toEqual(unavailable)
    await expect(read()).rejects.toEqual(unavailable)
    await expect(write()).rejects.toEqual(unavailable)
    await server.start()
    await until(() => read().then(rows => rows.length === 0, isUnavailable), 'they can be read')
    await write()
  })

  it('fail what a transaction that stands still would have done, and nothing else', async () => {
    const stopped = tables.write(async trx => {
      await sql`set local idle_in_transaction_session_timeout = 10`.execute(trx)
      await until(async () => (await sleepers()) === 0, 'its session is ended')
      return trx.selectFrom('seology_crawl').select('id').execute()
    })
    await expect(stopped).rejects.toEqual(unavailable)
    expect(await read()).toEqual([])
  })

  const sleepers = async (): Promise<number> => {
    const { rows } = await sql<{ count: number }>`
      select count(*) from pg_stat_activity where state = 'idle in transaction'`.execute(tables.db)
    return rows[0]?.count ?? 0
  }
})

function isUnavailable(error: unknown): false {
  if (error instanceof QueueError && error.code === 'unavailable') return false
  throw error
}

describe('tables on a PostgreSQL that refuses', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop('immediate'))

  it('say so in one sentence', async () => {
    await expect(openTables(server.url('nowhere'))).rejects.toThrow(
      /^the database of seology is not there: check the name in the URL/,
    )
    const elsewhere = new URL(server.url())
    elsewhere.port = '1'
    await expect(openTables(elsewhere.href)).rejects.toThrow(/^the database of seology does not answer/)
  })

  it('writes are read, and say so when they are written', async () => {
    await (await openTables(server.url())).close()
    const client = new pg.Client(server.url())
    await client.connect()
    await client.query('alter database postgres set default_transaction_read_only = on')
    await client.end()
    const tables = await openTables(server.url())
    expect(await readFact(tables.db, 1, 'home')).toBeNull()
    await expect(tables.write(trx => saveFact(trx, 1, 'home', {}))).rejects.toMatchObject({
      code: 'read-only',
    })
    await tables.close()
  })
})
