import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Kysely } from 'kysely'
import { NonRetryableError, QueueError } from 'millrace'
import type { Tables } from '../open.ts'
import type { Schema } from '../schema.ts'
import { sqliteDialect } from './dialect.ts'
import { migrate } from './migrate.ts'

/** Blocks the event loop while another process commits; longer waits are asynchronous. */
const busyTimeoutMs = 25
const patienceMs = 15_000

/** Opens the tables in the queue's file, and brings them up to date. */
export function openSqlite(url: string): Tables {
  const connection = new DatabaseSync(filePath(url), { timeout: 5_000 })
  try {
    connection.exec('PRAGMA journal_mode = WAL')
    // A commit is whole or absent either way; what a power failure could take back is fetched again. The crawl's end
    // is committed on the queue's own connection, whose fsync covers everything before it.
    connection.exec('PRAGMA synchronous = NORMAL')
    connection.exec('PRAGMA cache_size = -16000')
    connection.exec('PRAGMA wal_autocheckpoint = 4000')
    connection.exec('PRAGMA temp_store = MEMORY')
    connection.exec('PRAGMA trusted_schema = OFF')
    migrate(connection)
    connection.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`)
  } catch (error) {
    connection.close()
    throw error
  }
  const db = new Kysely<Schema>({ dialect: sqliteDialect(connection) })
  return {
    db,
    write: work => patiently(() => db.transaction().execute(work)),
    runIn(tx, statements, then) {
      if (!(tx instanceof DatabaseSync))
        throw new NonRetryableError('seology keeps its tables in a file, and the queue is elsewhere')
      const changed = statements.map(({ sql, parameters }) =>
        Number(tx.prepare(sql).run(...(parameters as SQLInputValue[])).changes),
      )
      return then(changed)
    },
    async close() {
      await db.destroy()
      if (connection.isOpen) connection.close()
    },
  }
}

async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  const startedAt = performance.now()
  for (let tries = 0; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      if (!isBusy(error) || performance.now() - startedAt > patienceMs) throw error
      await sleep(Math.min(50, 2 + tries * 2))
    }
  }
}

const sqliteBusy = 5

function isBusy(error: unknown): boolean {
  const code = (error as { errcode?: unknown } | null)?.errcode
  return typeof code === 'number' && (code & 0xff) === sqliteBusy
}

/** The file behind a queue's URL. Throws `unsupported` for a store that is none. */
export function filePath(url: string): string {
  if (url === ':memory:' || url === 'file::memory:')
    throw new QueueError(
      'unsupported',
      'seology keeps its tables beside the queue, in a file: a store in memory can not be shared',
    )
  if (url.startsWith('file://')) return fileURLToPath(url)
  if (url.startsWith('file:')) return url.slice('file:'.length)
  throw new QueueError(
    'unsupported',
    `seology has no tables for '${url.split(':', 1)[0]}:' in this release; use a file or PostgreSQL`,
  )
}
