import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { onTestFinished } from 'vitest'
import { openEngine } from '../../src/index.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { describeEngine } from './describe-engine.ts'
import type { CallerDatabase, CallerTransaction } from './stage.ts'

describeEngine('sqlite', {
  capabilities: {
    transactions: true,
    clock: 'process',
    claimByType: true,
    attemptHistory: true,
    retention: 'by-type',
    flows: 'transactional',
    concurrencyKeys: false,
    finders: true,
    virtualTime: true,
  },
  async open({ clock }) {
    const folder = tempFolder()
    const url = `file:${join(folder, 'queue.db')}`
    const engine = openEngine(url, { clock })
    return {
      engine,
      another: async () => openEngine(url, { clock }),
      close: () => engine.close(),
      caller: callerDatabase(folder),
    }
  },
})

function callerDatabase(folder: string): CallerDatabase {
  const connect = (file: string): DatabaseSync => {
    const db = new DatabaseSync(join(folder, file))
    onTestFinished(() => {
      if (db.isOpen) db.close()
    })
    db.exec('CREATE TABLE IF NOT EXISTS notes (note TEXT NOT NULL)')
    return db
  }
  return {
    begin: async () => begin(connect('queue.db')),
    beginElsewhere: async () => begin(connect('elsewhere.db')),
    idle: async () => connect('queue.db'),
    write(tx, note) {
      const db = tx as DatabaseSync
      db.exec('CREATE TABLE IF NOT EXISTS notes (note TEXT NOT NULL)')
      db.prepare('INSERT INTO notes (note) VALUES (?)').run(note)
      return undefined
    },
    async notes() {
      return connect('queue.db')
        .prepare('SELECT note FROM notes ORDER BY rowid')
        .all()
        .map(row => String(row['note']))
    },
  }
}

function begin(db: DatabaseSync): CallerTransaction {
  db.exec('BEGIN IMMEDIATE')
  return {
    tx: db,
    commit: async () => db.exec('COMMIT'),
    rollback: async () => db.exec('ROLLBACK'),
  }
}
