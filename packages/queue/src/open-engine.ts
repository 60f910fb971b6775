import { fileURLToPath } from 'node:url'
import type { Clock } from './engine/clock.ts'
import type { Engine } from './engine/contract.ts'
import { QueueError } from './engine/errors.ts'
import { readUrl } from './engines/postgres/connect.ts'
import { PostgresEngine } from './engines/postgres/engine.ts'
import { pendingScripts as pendingInPostgres } from './engines/postgres/migrate.ts'
import { SqliteEngine } from './engines/sqlite/engine.ts'
import { pendingScripts as pendingInSqlite } from './engines/sqlite/store.ts'

export interface OpenEngineOptions {
  /** For engines with `capabilities.virtualTime`. */
  clock?: Clock
}

/**
 * The engine behind a URL. Nothing is opened yet. Throws `invalid-argument` for a URL that names no engine.
 *
 * - `file:path/to/millrace.db` (relative to the working directory, or absolute), `file::memory:`
 * - `postgres://user:password@host:5432/database`, with `schema`, `connections` and `wakeups` as parameters; see
 *   `PostgresOptions`. Needs the package `pg`.
 */
export function openEngine(url: string, options: OpenEngineOptions = {}): Engine {
  const clock = options.clock ? { clock: options.clock } : {}
  if (isMemory(url)) return new SqliteEngine({ path: ':memory:', ...clock })
  if (url.startsWith('file:')) return new SqliteEngine({ path: filePath(url), ...clock })
  if (isPostgres(url)) return new PostgresEngine({ ...readUrl(url), ...clock })
  throw unknownUrl(url)
}

function unknownUrl(url: string): QueueError {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]
  return new QueueError(
    'invalid-argument',
    scheme
      ? `no engine for '${scheme}:' in this release; use a file, such as file:.millrace/millrace.db, or postgres://…`
      : `'${url}' is not an engine URL; use a file, such as file:.millrace/millrace.db`,
  )
}

export interface PendingMigration {
  version: number
  name: string
  /** As a person would run it: one transaction, which also notes that it was done. */
  sql: string
}

/**
 * What the store behind a URL lacks to be of this release's schema, oldest first. Changes nothing, and makes no file.
 * Throws like `openEngine` and `open`.
 */
export async function pendingMigrations(url: string): Promise<PendingMigration[]> {
  if (isPostgres(url)) return pendingInPostgres(readUrl(url))
  if (isMemory(url)) return pendingInSqlite(':memory:')
  if (url.startsWith('file:')) return pendingInSqlite(filePath(url))
  throw unknownUrl(url)
}

function isPostgres(url: string): boolean {
  return /^postgres(ql)?:/i.test(url)
}

function isMemory(url: string): boolean {
  return url === ':memory:' || url === 'file::memory:'
}

function filePath(url: string): string {
  const isUrl = url.startsWith('file://')
  const path = isUrl ? absolute(url) : url.slice('file:'.length)
  if (path === '' || path.endsWith('/'))
    throw new QueueError(
      'invalid-argument',
      `'${url}' names no file; use for example file:.millrace/millrace.db`,
    )
  if (url.includes('?') || path.includes('\0') || (isUrl && url.includes('#')))
    throw new QueueError(
      'invalid-argument',
      `'${url}' holds characters that a file name should not: options are not given in the URL`,
    )
  return path
}

function absolute(url: string): string {
  try {
    return fileURLToPath(url)
  } catch {
    throw new QueueError(
      'invalid-argument',
      `'${url}' is not a file URL; absolute paths are written file:///var/lib/app/millrace.db`,
    )
  }
}
