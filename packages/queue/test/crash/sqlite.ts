import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { CrashStore, CrashTarget } from './target.ts'

export const sqliteTarget: CrashTarget = {
  engine: 'sqlite',
  effectsModule: new URL('./sqlite-effects.ts', import.meta.url).href,
  createStore: () => Promise.resolve(createStore()),
}

function createStore(): CrashStore {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-crash-'))
  const path = join(folder, 'store.db')
  return {
    url: `file:${path}`,
    folder,
    isBlocked: async () => isWriteLocked(path),
    hasOpenTransaction: async () => isWriteLocked(path),
    complaints: async () => {
      const database = new DatabaseSync(path, { timeout: 5_000 })
      try {
        const rows = database.prepare('PRAGMA integrity_check').all() as { integrity_check: string }[]
        return rows.map(row => row.integrity_check).filter(text => text !== 'ok')
      } finally {
        database.close()
      }
    },
    remove: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** A process that is frozen inside a transaction keeps SQLite's one write lock. */
function isWriteLocked(path: string): boolean {
  const database = new DatabaseSync(path, { timeout: 300 })
  try {
    database.exec('BEGIN IMMEDIATE; ROLLBACK')
    return false
  } catch (error) {
    if (/locked|busy/.test((error as Error).message)) return true
    throw error
  } finally {
    database.close()
  }
}
