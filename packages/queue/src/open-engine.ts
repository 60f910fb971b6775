import { fileURLToPath } from 'node:url'
import type { Clock } from './engine/clock.ts'
import type { Engine } from './engine/contract.ts'
import { QueueError } from './engine/errors.ts'
import { SqliteEngine } from './engines/sqlite/engine.ts'

export interface OpenEngineOptions {
  /** For engines with `capabilities.virtualTime`. */
  clock?: Clock
}

/**
 * The engine behind a URL: `file:path/to/millrace.db` (relative to the working directory, or absolute) or
 * `file::memory:`. Nothing is opened yet. Throws `invalid-argument` for a URL that names no engine.
 */
export function openEngine(url: string, options: OpenEngineOptions = {}): Engine {
  const clock = options.clock ? { clock: options.clock } : {}
  if (url === ':memory:' || url === 'file::memory:') return new SqliteEngine({ path: ':memory:', ...clock })
  if (url.startsWith('file:')) return new SqliteEngine({ path: filePath(url), ...clock })
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]
  throw new QueueError(
    'invalid-argument',
    scheme
      ? `no engine for '${scheme}:' in this release; use a file, such as file:.millrace/millrace.db`
      : `'${url}' is not an engine URL; use a file, such as file:.millrace/millrace.db`,
  )
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
