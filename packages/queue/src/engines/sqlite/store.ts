import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { QueueError } from '../../engine/errors.ts'
import { asQueueError, isBusy } from './sqlite-errors.ts'

const migrationsFolder = new URL('../../../sql/sqlite/', import.meta.url)

/** Blocks the event loop while another process commits; short, because longer waits are made asynchronously. */
const busyTimeoutMs = 25

const ledger =
  'CREATE TABLE IF NOT EXISTS millrace_migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT'

/** A store that ends with its connection. */
export const memory = ':memory:'

/** One connection with its prepared statements. */
export class Store {
  #db: DatabaseSync
  #relaxed = false
  readonly #statements = new Map<string, StatementSync>()

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  get db(): DatabaseSync {
    return this.#db
  }

  /** Whether the next transactions may be acknowledged before they are on disk. In WAL neither can damage the file. */
  relax(relaxed: boolean): void {
    if (relaxed === this.#relaxed) return
    this.#db.exec(`PRAGMA synchronous = ${relaxed ? 'NORMAL' : 'FULL'}`)
    this.#relaxed = relaxed
  }

  /** Goes on with a new connection to the same file: one that was opened without the right to write never gets it. */
  renew(path: string): void {
    // The old one first: SQLite lends a new connection what an open one of the same process knows of the file.
    this.close()
    for (const beside of [`${path}-wal`, `${path}-shm`]) matchRights(beside, path)
    this.#db = connect(path)
    this.#relaxed = false
    this.#db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`)
  }

  /** Rows come as objects. */
  statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.statement(sql).run(...values).changes)
  }

  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.statement(sql).get(...values) as Row | undefined
  }

  all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.statement(sql).all(...values) as Row[]
  }

  /** For the hot path: rows come as arrays, which are cheaper to make. */
  rows<Row extends unknown[]>(sql: string, ...values: SQLInputValue[]): Row[] {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.db.prepare(sql)
      statement.setReturnArrays(true)
      this.#statements.set(sql, statement)
    }
    return statement.all(...values) as unknown as Row[]
  }

  close(): void {
    this.#statements.clear()
    if (this.db.isOpen) this.db.close()
  }
}

/** SQLite makes the files beside the database with the rights that this had then, and they keep them. */
function matchRights(beside: string, path: string): void {
  try {
    chmodSync(beside, statSync(path).mode)
  } catch {
    // There is none, or it is another user's: then opening tells.
  }
}

/** Opens the file, and its folder where there is none. */
export function openStore(path: string): Store {
  try {
    if (path !== memory) mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    return new Store(connect(path))
  } catch (error) {
    throw asQueueError(error, path)
  }
}

/** With the settings that the promises need: WAL, and an fsync before every acknowledgement. */
function connect(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 5_000 })
  try {
    writeAhead(db)
    db.exec('PRAGMA synchronous = FULL')
    db.exec('PRAGMA cache_size = -8000')
    db.exec('PRAGMA wal_autocheckpoint = 4000')
    db.exec('PRAGMA temp_store = MEMORY')
    db.exec('PRAGMA trusted_schema = OFF')
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/**
 * While two processes turn the same fresh file to WAL, SQLite answers `busy` without waiting, whatever the timeout. An
 * empty transaction does wait, for the one that is ahead.
 */
function writeAhead(db: DatabaseSync): void {
  for (let tries = 1; ; tries++) {
    try {
      db.exec('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      if (!isBusy(error) || tries === 100) throw error
    }
    try {
      db.exec('BEGIN IMMEDIATE; ROLLBACK')
    } catch (error) {
      if (!isBusy(error)) throw error
    }
  }
}

/** Brings the schema up to this version, once, however many processes start. Answers the version. */
export function migrate(store: Store, path: string, options: { apply: boolean }): number {
  const wanted = migrationFiles()
  const newest = wanted.at(-1)?.version ?? 0
  try {
    const found = schemaVersion(store)
    if (found > newest)
      throw new QueueError(
        'version-mismatch',
        `${path} has schema version ${found}, made by a newer release; this one knows ${newest}. Upgrade millrace here, or use another file`,
      )
    if (found === newest) return found
    if (!options.apply)
      throw new QueueError(
        'version-mismatch',
        `${path} has schema version ${found} and needs ${newest}: run \`millrace migrate\``,
      )
    store.db.exec('BEGIN IMMEDIATE')
    try {
      store.db.exec(ledger)
      const applied = schemaVersion(store)
      for (const { version, name } of wanted) {
        if (version <= applied) continue
        store.db.exec(readFileSync(new URL(name, migrationsFolder), 'utf8'))
        store.run('INSERT INTO millrace_migration (version, name) VALUES (?, ?)', version, name)
      }
      store.db.exec('COMMIT')
    } catch (error) {
      store.db.exec('ROLLBACK')
      throw error
    }
    return newest
  } catch (error) {
    throw asQueueError(error, path)
  } finally {
    store.db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`)
  }
}

/** What a file lacks, each as a transaction that a person would run by hand. Changes nothing, and makes no file. */
export async function pendingScripts(
  path: string,
): Promise<{ version: number; name: string; sql: string }[]> {
  const found = path !== memory && existsSync(path) ? versionIn(path) : 0
  return migrationFiles()
    .filter(each => each.version > found)
    .map(({ version, name }) => ({
      version,
      name,
      sql: [
        'BEGIN IMMEDIATE;',
        `${ledger};`,
        readFileSync(new URL(name, migrationsFolder), 'utf8'),
        `INSERT INTO millrace_migration (version, name) VALUES (${version}, '${name}');`,
        'COMMIT;',
      ].join('\n'),
    }))
}

function versionIn(path: string): number {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 })
    return schemaVersion(new Store(db))
  } catch (error) {
    throw asQueueError(error, path)
  } finally {
    db?.close()
  }
}

function schemaVersion(store: Store): number {
  const table = store.get(`SELECT 1 FROM sqlite_schema WHERE name = 'millrace_migration'`)
  if (!table) return 0
  return (
    store.get<{ version: number }>('SELECT max(version) AS version FROM millrace_migration')?.version ?? 0
  )
}

function migrationFiles(): { version: number; name: string }[] {
  return readdirSync(migrationsFolder)
    .filter(name => /^\d{4}_.*\.sql$/.test(name))
    .sort()
    .map(name => ({ version: Number(name.slice(0, 4)), name }))
}
