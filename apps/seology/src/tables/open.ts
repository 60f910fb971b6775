import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Kysely, type Transaction } from 'kysely'
import { QueueError } from 'millrace'
import { migrate } from './migrate.ts'
import type { Schema } from './schema.ts'
import { sqliteDialect } from './sqlite-dialect.ts'

export type Trx = Transaction<Schema>

/** Seology's tables in the queue's database. */
export interface Tables {
  /** For reading. */
  readonly db: Kysely<Schema>
  /**
   * Commits all that `work` writes, or nothing. `work` awaits nothing but its own statements, and may run again when
   * another process holds the file.
   */
  write<T>(work: (trx: Trx) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Blocks the event loop while another process commits; longer waits are asynchronous. */
const busyTimeoutMs = 25
const patienceMs = 15_000

const migrations = new URL('sql/sqlite/', import.meta.resolve('@millrace/seology/package.json'))

/** Opens the tables in the store behind a queue's URL, and brings them up to date. */
export function openTables(url: string): Tables {
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
    migrate(connection, migrations)
    connection.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`)
  } catch (error) {
    connection.close()
    throw error
  }
  const db = new Kysely<Schema>({ dialect: sqliteDialect(connection) })
  return {
    db,
    write: work => patiently(() => db.transaction().execute(work)),
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

function filePath(url: string): string {
  if (url === ':memory:' || url === 'file::memory:')
    throw new QueueError(
      'unsupported',
      'seology keeps its tables beside the queue, in a file: a store in memory can not be shared',
    )
  if (url.startsWith('file://')) return fileURLToPath(url)
  if (url.startsWith('file:')) return url.slice('file:'.length)
  throw new QueueError(
    'unsupported',
    `seology has no tables for '${url.split(':', 1)[0]}:' in this release; use a file`,
  )
}
