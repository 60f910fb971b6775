import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { lackingAfter, type Migration, migrationsFor, noteOf } from '../migrations.ts'
import { sqlState } from './errors.ts'

/** How far the tables in a schema are. */
interface Found {
  schemaExists: boolean
  version: number
}

/** Two starters that make the same schema or table at once: the later one is refused, and finds it the next time. */
const madeMeanwhile = new Set(['23505', '42P06', '42P07'])
const mostTries = 10

/** Brings Seology's own tables up to this version, once, however many processes start. */
export async function migrate(client: pg.ClientBase, schema: string): Promise<void> {
  const known = migrationsFor('postgres')
  for (let tries = 1; ; tries++) {
    const found = await look(client, schema)
    if (lackingAfter(found.version, known).length === 0) return
    try {
      return await apply(client, schema, { found, known })
    } catch (error) {
      if (!madeMeanwhile.has(sqlState(error)) || tries === mostTries) throw error
      await sleep(20 * tries)
    }
  }
}

async function apply(
  client: pg.ClientBase,
  schema: string,
  { found, known }: { found: Found; known: readonly Migration[] },
): Promise<void> {
  await client.query('BEGIN')
  try {
    await client.query(opening(schema, found))
    // Another starter may have been here while this one waited for the lock.
    const { rows } = await client.query<{ version: number | null }>(
      'SELECT max(version) AS version FROM seology_migration',
    )
    for (const migration of lackingAfter(rows[0]?.version ?? 0, known))
      await client.query(`${migration.sql}\n${noteOf(migration)}`)
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
}

/** What the tables in a schema lack, as it would be run. Changes nothing. */
export async function pendingMigrations(client: pg.ClientBase, schema: string): Promise<Migration[]> {
  const found = await look(client, schema)
  const lacking = lackingAfter(found.version, migrationsFor('postgres'))
  return lacking.map(each => ({
    ...each,
    sql: ['BEGIN;', opening(schema, found), each.sql, noteOf(each), 'COMMIT;'].join('\n\n'),
  }))
}

/** Files name no schema: it is the only one on the path. The lock holds off other starters, who then find it done. */
function opening(schema: string, { schemaExists }: Found): string {
  const name = pg.escapeIdentifier(schema)
  return [
    // Asked for although it is there, this would need a right that few users have.
    ...(schemaExists ? [] : [`CREATE SCHEMA IF NOT EXISTS ${name};`]),
    `SET LOCAL search_path TO ${name};`,
    'CREATE TABLE IF NOT EXISTS seology_migration (version integer PRIMARY KEY, name text NOT NULL);',
    'LOCK TABLE seology_migration IN EXCLUSIVE MODE;',
  ].join('\n')
}

async function look(client: pg.ClientBase, schema: string): Promise<Found> {
  const ledger = `${pg.escapeIdentifier(schema)}.seology_migration`
  const { rows } = await client.query<{ schema: boolean; ledger: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1) AS schema,
       EXISTS (SELECT FROM pg_class WHERE relname = 'seology_migration'
         AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)) AS ledger`,
    [schema],
  )
  const schemaExists = rows[0]?.schema === true
  if (!rows[0]?.ledger) return { schemaExists, version: 0 }
  const versions = await client.query<{ version: number | null }>(
    `SELECT max(version) AS version FROM ${ledger}`,
  )
  return { schemaExists, version: versions.rows[0]?.version ?? 0 }
}
