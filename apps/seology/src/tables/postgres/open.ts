import { type CompiledQuery, Kysely, PostgresDialect, sql } from 'kysely'
import { NonRetryableError } from 'millrace'
import pg from 'pg'
import type { Migration } from '../migrations.ts'
import type { Tables } from '../open.ts'
import type { Schema } from '../schema.ts'
import { asQueueError, sqlState } from './errors.ts'
import { migrate, pendingMigrations } from './migrate.ts'
import { readPlace } from './place.ts'
import { kyselyPool, openPool } from './pool.ts'

/** A process that is frozen in a transaction must not hold a crawl for longer: its heir waits for the row. */
const longestPauseMs = 10_000

/** Opens the tables in the queue's schema, and brings them up to date. */
export async function openPostgres(url: string): Promise<Tables> {
  const place = readPlace(url)
  const { schema } = place
  const pool = openPool(place)
  try {
    await withClient(pool, client => migrate(client, schema))
  } catch (error) {
    await pool.end()
    throw error
  }
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: kyselyPool(pool) }) }).withSchema(
    schema,
  )
  return {
    db,
    write: work =>
      retrying(() =>
        // Each statement sees what was committed before it, whatever the database's default: the fence needs that.
        db
          .transaction()
          .setIsolationLevel('read committed')
          .execute(async trx => {
            await sql`select set_config('search_path', ${pg.escapeIdentifier(schema)}, true),
              set_config('idle_in_transaction_session_timeout', ${String(longestPauseMs)}, true)`.execute(trx)
            return work(trx)
          }),
      ),
    async runIn(tx, statements, then) {
      if (!isClient(tx))
        throw new NonRetryableError('seology keeps its tables in PostgreSQL, and the queue is elsewhere')
      const changed: number[] = []
      for (const statement of statements) changed.push(await run(tx, statement))
      return then(changed)
    },
    async close() {
      if (!pool.ending) await pool.end()
    },
  }
}

/** What the tables in the queue's schema lack, as it would be run. */
export async function pendingOnPostgres(url: string): Promise<Migration[]> {
  const place = readPlace(url)
  const pool = openPool(place)
  try {
    return await withClient(pool, client => pendingMigrations(client, place.schema))
  } finally {
    await pool.end()
  }
}

async function withClient<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  try {
    const client = await pool.connect()
    try {
      return await work(client)
    } finally {
      // What a failure has left of the session is nobody's business.
      client.release(true)
    }
  } catch (error) {
    throw asQueueError(error)
  }
}

type TransactionClient = Pick<pg.ClientBase, 'query'>

function isClient(tx: unknown): tx is TransactionClient {
  return typeof (tx as Partial<TransactionClient> | null)?.query === 'function'
}

async function run(tx: TransactionClient, { sql, parameters }: CompiledQuery): Promise<number> {
  const { rowCount } = await tx.query(sql, [...parameters])
  return rowCount ?? 0
}

const mostTries = 5

/** PostgreSQL ends one of two transactions that wait for each other; it may simply be done again. */
async function retrying<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      if (!sqlState(error).startsWith('40') || tries === mostTries) throw error
    }
  }
}
