import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { lackingAfter, type Migration, migrationsFor, noteOf } from '../migrations.ts'

const ledger =
  'CREATE TABLE IF NOT EXISTS seology_migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;'

/** Brings Seology's own tables up to this version, once, however many processes start. */
export function migrate(db: DatabaseSync): void {
  const known = migrationsFor('sqlite')
  if (lackingAfter(versionOf(db), known).length === 0) return
  db.exec('BEGIN IMMEDIATE')
  try {
    // Another starter may have been here while this one waited for the lock.
    for (const migration of lackingAfter(versionOf(db), known)) db.exec(statements(migration))
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

/** What the tables in a file lack, as it would be run. Changes nothing, and makes no file. */
export function pendingMigrations(path: string): Migration[] {
  const known = migrationsFor('sqlite')
  const lacking = lackingAfter(versionIn(path), known)
  return lacking.map(each => ({ ...each, sql: `BEGIN IMMEDIATE;\n${statements(each)}\nCOMMIT;` }))
}

function statements(migration: Migration): string {
  return [ledger, migration.sql, noteOf(migration)].join('\n\n')
}

function versionIn(path: string): number {
  if (!existsSync(path)) return 0
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    return versionOf(db)
  } finally {
    db.close()
  }
}

function versionOf(db: DatabaseSync): number {
  if (!db.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'seology_migration'`).get()) return 0
  const row = db.prepare('SELECT max(version) AS version FROM seology_migration').get()
  return Number(row?.['version'] ?? 0)
}
