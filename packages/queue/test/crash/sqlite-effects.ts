import { fileURLToPath } from 'node:url'
import { DatabaseSync } from 'node:sqlite'
import type { Effect, Effects } from './target.ts'

const effects: Effects = {
  prepare: async url =>
    using(url, database =>
      database.exec(
        'CREATE TABLE IF NOT EXISTS crash_effects (job_id TEXT NOT NULL, epoch INTEGER NOT NULL)',
      ),
    ),
  record: (tx, effect) => {
    const insert = (tx as DatabaseSync).prepare('INSERT INTO crash_effects (job_id, epoch) VALUES (?, ?)')
    insert.run(effect.jobId, effect.epoch)
  },
  read: async url =>
    using(url, database => {
      const rows = database.prepare('SELECT job_id AS jobId, epoch FROM crash_effects').all()
      return rows as unknown as Effect[]
    }),
}
export default effects

function using<T>(url: string, act: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(fileURLToPath(url), { timeout: 5_000 })
  try {
    return act(database)
  } finally {
    database.close()
  }
}
