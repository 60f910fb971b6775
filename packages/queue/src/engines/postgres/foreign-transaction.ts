import type { DrizzleTransaction } from './foreign/drizzle.ts'
import { drizzleHandle } from './foreign/drizzle.ts'
import { foreignError } from './foreign/foreign-error.ts'
import { type Handle, refused } from './foreign/handle.ts'
import { knexHandle, type KnexTransaction } from './foreign/knex.ts'
import { kyselyHandle, type KyselyTransaction } from './foreign/kysely.ts'
import { pgHandle, type PgTransaction } from './foreign/pg.ts'
import { postgresJsHandle, type PostgresJsTransaction } from './foreign/postgres-js.ts'
import { prismaHandle, type PrismaTransaction } from './foreign/prisma.ts'
import { one, type Queries, schemaText } from './queries.ts'
import type { Store } from './store.ts'

/**
 * What `enqueue(…, { tx })` takes on Postgres: an open transaction on the store's own database, opened by `pg` (a client
 * after `BEGIN`), `postgres` (`sql.begin`), Prisma (`$transaction`), Drizzle, Kysely or Knex (`transaction`). It is known by
 * its shape; none of these libraries is imported.
 */
export type PostgresTransaction =
  | PgTransaction
  | PostgresJsTransaction
  | PrismaTransaction
  | DrizzleTransaction
  | KyselyTransaction
  | KnexTransaction

export type {
  DrizzleTransaction,
  KnexTransaction,
  KyselyTransaction,
  PgTransaction,
  PostgresJsTransaction,
  PrismaTransaction,
}

type Value = string | number | null | readonly (string | number | null)[]

/**
 * The caller's own open transaction, to run statements in. Refuses (`invalid-argument`) what would not commit together
 * with the caller's writes; that harms the caller's transaction in no case. Values that are not text, numbers or arrays
 * are not for here, and of an answer only text is the same with every library.
 */
export async function foreignQueries(
  tx: unknown,
  store: Pick<Store, 'schema'>,
  storeId: string,
): Promise<Queries> {
  const handle = await recognize(tx)
  const schema = schemaText(store.schema)
  const run = async <Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> => {
    try {
      return (await handle.query(
        schema(sql),
        values.map(value => asText(value as Value)),
      )) as Row[]
    } catch (error) {
      throw foreignError(error)
    }
  }
  const queries: Queries = {
    all: run,
    rows: async <Row extends unknown[]>(sql: string, values?: readonly unknown[]) =>
      (await run<object>(sql, values)).map(row => Object.values(row) as Row),
  }
  await checkStore(handle, queries, store.schema, storeId)
  return queries
}

async function recognize(tx: unknown): Promise<Handle> {
  const handle =
    knexHandle(tx) ??
    postgresJsHandle(tx) ??
    kyselyHandle(tx) ??
    prismaHandle(tx) ??
    (await drizzleHandle(tx)) ??
    (await pgHandle(tx))
  if (handle) return handle
  throw refused(
    'tx must be an open transaction of pg (a client after BEGIN), postgres (sql.begin), Prisma ($transaction), Drizzle, Kysely or Knex (transaction)',
  )
}

/** The stores that a home was seen to lead to: who enqueues often is asked once. */
const known = new WeakMap<object, Set<string>>()

async function checkStore({ home }: Handle, tx: Queries, schema: string, storeId: string): Promise<void> {
  const stores = known.get(home) ?? new Set()
  if (stores.has(`${storeId} ${schema}`)) return
  // A statement that fails would end the caller's transaction: so this one, which can't fail, comes first.
  const found = await one<{ readable: unknown }>(
    tx,
    `SELECT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'))::text AS readable
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = 'meta' AND c.relkind = 'r'`,
    [schema],
  )
  if (!found)
    throw refused(
      `tx is open on a database without the schema ${schema}, so nothing could commit together: begin it on the database that MILLRACE_URL names`,
    )
  if (found.readable !== 'true')
    throw refused(
      `the database user of tx may not use the schema ${schema}: grant it the enqueuer's role (sql/postgres-roles.sql)`,
    )
  const meta = await one<{ id: string }>(tx, 'SELECT store::text AS id FROM millrace.meta')
  if (meta?.id !== storeId)
    throw refused(
      'tx is open on the database of another store, so nothing could commit together: begin it on the database that MILLRACE_URL names',
    )
  known.set(home, stores.add(`${storeId} ${schema}`))
}

/** An array as Postgres writes it; each library has its own way with those of JavaScript. */
function asText(value: Value): string | null {
  if (value === null) return null
  if (typeof value !== 'object') return String(value)
  return `{${value.map(item => (item === null ? 'NULL' : quoted(String(item)))).join()}}`
}

function quoted(item: string): string {
  return `"${item.replaceAll(/[\\"]/g, '\\$&')}"`
}
