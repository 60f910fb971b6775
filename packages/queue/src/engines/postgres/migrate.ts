import { readdirSync, readFileSync } from 'node:fs'
import { systemClock } from '../../engine/clock.ts'
import { QueueError } from '../../engine/errors.ts'
import { sqlState } from './postgres-errors.ts'
import { one, type Queries } from './queries.ts'
import type { PostgresOptions } from './connect.ts'
import { Store } from './store.ts'

const migrationsFolder = new URL('../../../sql/postgres/', import.meta.url)

export interface Migration {
  version: number
  name: string
  sql: string
}

export interface Schema {
  /** The newest migration that the database has. */
  version: number
  /** The oldest release's schema version that still works with it. */
  oldest: number
}

/**
 * Every migration only adds (expand), so that workers of the release before keep running; one that takes something away
 * (contract) says in a line `-- oldest: N` which schema version a release must know at least to go on.
 */
export function migrations(): Migration[] {
  return readdirSync(migrationsFolder)
    .filter(name => /^\d{4}_.*\.sql$/.test(name))
    .sort()
    .map(name => ({
      version: Number(name.slice(0, 4)),
      name,
      sql: readFileSync(new URL(name, migrationsFolder), 'utf8'),
    }))
}

export async function schemaState(db: Queries): Promise<Schema> {
  try {
    const row = await one<Schema>(
      db,
      'SELECT coalesce(max(version), 0) AS version, coalesce(max(oldest), 0) AS oldest FROM millrace.migration',
    )
    return row as Schema
  } catch (error) {
    const state = sqlState((error as QueueError).cause)
    if (state === '42P01' || state === '3F000') return { version: 0, oldest: 0 }
    throw error
  }
}

export async function pending(store: Store): Promise<Migration[]> {
  const { version } = await schemaState(store)
  return migrations().filter(each => each.version > version)
}

/** What a database lacks, each as a transaction that a person would run by hand. Changes nothing. */
export async function pendingScripts(options: PostgresOptions): Promise<Migration[]> {
  const store = new Store(options, systemClock)
  await store.open()
  try {
    const wanted = await pending(store)
    return wanted.map(each => ({
      ...each,
      sql: ['BEGIN;', ...preparation(store), step(each), 'COMMIT;'].join('\n'),
    }))
  } finally {
    await store.close()
  }
}

function preparation({ schema }: Store): string[] {
  const name = `"${schema.replaceAll('"', '""')}"`
  return [
    `CREATE SCHEMA IF NOT EXISTS ${name};`,
    `SET LOCAL search_path = ${name}, pg_temp;`,
    `SET LOCAL client_min_messages = warning;`,
    `CREATE TABLE IF NOT EXISTS migration (
  version    int4 PRIMARY KEY,
  name       text NOT NULL,
  -- The schema version that a release must know at least to work with this database.
  oldest     int4 NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);`,
  ]
}

function step({ version, name, sql }: Migration): string {
  const oldest = /^-- oldest: (\d+)$/m.exec(sql)?.[1] ?? '1'
  return `-- ${name}\n${sql}\nINSERT INTO migration (version, name, oldest) VALUES (${version}, '${name}', ${oldest});`
}

/** Brings the schema up to this version, once, however many processes start. Answers the version. */
export async function migrate(store: Store, options: { apply: boolean }): Promise<number> {
  const all = migrations()
  const newest = all.at(-1)?.version ?? 0
  const found = await schemaState(store)
  if (found.oldest > newest)
    throw new QueueError(
      'version-mismatch',
      `schema ${store.schema} has version ${found.version}, made by a newer release; this one knows ${newest}. Upgrade millrace here, or use another schema`,
    )
  if (found.version >= newest) return found.version
  if (!options.apply)
    throw new QueueError(
      'version-mismatch',
      `schema ${store.schema} has version ${found.version} and needs ${newest}: run \`millrace migrate\``,
    )
  await store.persist(() => apply(store, all))
  return newest
}

function apply(store: Store, all: readonly Migration[]): Promise<void> {
  return store.transaction(async db => {
    await first(db, store)
    for (const statement of preparation(store)) await db.all(statement)
    // Held until the commit: the second starter waits here, and then finds nothing left to do.
    await db.all('LOCK TABLE migration IN EXCLUSIVE MODE')
    const { version } = await schemaState(db)
    for (const each of all) if (each.version > version) await db.all(step(each))
  })
}

/** `CREATE SCHEMA IF NOT EXISTS` is refused, not awaited, while another transaction makes the same one. */
async function first(db: Queries, { schema }: Store): Promise<void> {
  await db.all(`SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, [`millrace migration of ${schema}`])
}
