import { readdirSync, readFileSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { QueueError } from 'millrace'

/** Brings Seology's own tables up to this version, once, however many processes start. */
export function migrate(db: DatabaseSync, folder: URL): void {
  const files = migrationFiles(folder)
  const newest = files.at(-1)?.version ?? 0
  if (checkedVersion(db, newest) === newest) return
  db.exec('BEGIN IMMEDIATE')
  try {
    db.exec(
      'CREATE TABLE IF NOT EXISTS seology_migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT',
    )
    // Another starter may have been here while this one waited for the lock.
    const applied = checkedVersion(db, newest)
    const note = db.prepare('INSERT INTO seology_migration (version, name) VALUES (?, ?)')
    for (const { version, name } of files) {
      if (version <= applied) continue
      db.exec(readFileSync(new URL(name, folder), 'utf8'))
      note.run(version, name)
    }
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

function checkedVersion(db: DatabaseSync, newest: number): number {
  const found = schemaVersion(db)
  if (found <= newest) return found
  throw new QueueError(
    'version-mismatch',
    `the tables of seology have version ${found}, made by a newer release; this one knows ${newest}. Upgrade @millrace/seology`,
  )
}

function schemaVersion(db: DatabaseSync): number {
  if (!db.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'seology_migration'`).get()) return 0
  const row = db.prepare('SELECT max(version) AS version FROM seology_migration').get()
  return Number(row?.['version'] ?? 0)
}

function migrationFiles(folder: URL): { version: number; name: string }[] {
  return readdirSync(folder)
    .filter(name => /^\d{4}_.*\.sql$/.test(name))
    .sort()
    .map(name => ({ version: Number(name.slice(0, 4)), name }))
}
