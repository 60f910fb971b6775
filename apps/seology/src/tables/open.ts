import type { CompiledQuery, Kysely, Transaction } from 'kysely'
import type { Migration } from './migrations.ts'
import type { Schema } from './schema.ts'

export type Trx = Transaction<Schema>

/** Seology's tables in the queue's database. */
export interface Tables {
  /** For reading. */
  readonly db: Kysely<Schema>
  /**
   * Commits all that `work` writes, or nothing. `work` awaits nothing but its own statements, and may run again when
   * another process was in the way. Only here may raw SQL name tables: elsewhere the schema is not on the search path.
   */
  write<T>(work: (trx: Trx) => Promise<T>): Promise<T>
  /**
   * Runs statements in a transaction that the queue has open (`complete(tx => …)`), then `then` with how many rows each
   * has changed. On SQLite all of it is done when this returns; on PostgreSQL when what it returns resolves.
   */
  runIn<T>(tx: unknown, statements: readonly CompiledQuery[], then: (changed: number[]) => T): T | Promise<T>
  close(): Promise<void>
}

/** Opens the tables in the store behind a queue's URL, and brings them up to date. */
export async function openTables(url: string): Promise<Tables> {
  if (isPostgres(url)) return (await import('./postgres/open.ts')).openPostgres(url)
  return (await import('./sqlite/open.ts')).openSqlite(url)
}

/** What the tables in that store lack, as it would be run. Changes nothing. */
export async function pendingMigrations(url: string): Promise<Migration[]> {
  if (isPostgres(url)) return (await import('./postgres/open.ts')).pendingOnPostgres(url)
  const [{ filePath }, { pendingMigrations }] = await Promise.all([
    import('./sqlite/open.ts'),
    import('./sqlite/migrate.ts'),
  ])
  return pendingMigrations(filePath(url))
}

function isPostgres(url: string): boolean {
  return /^postgres(?:ql)?:/i.test(url)
}
