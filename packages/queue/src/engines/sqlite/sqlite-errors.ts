import { type ErrorCode, QueueError } from '../../engine/errors.ts'

interface SqliteError extends Error {
  errcode: number
}

function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && typeof (error as Partial<SqliteError>).errcode === 'number'
}

/** SQLite's primary result codes (sqlite3.h) that say something a caller can act upon. */
const known: Record<number, { code: ErrorCode; says: string }> = {
  5: { code: 'unavailable', says: 'is locked by another process; it is tried again by itself, or try later' },
  6: { code: 'unavailable', says: 'is locked by another connection of this process; finish its transaction' },
  8: {
    code: 'read-only',
    says: 'can not be written: check the permissions of the file and its folder, and the mount',
  },
  10: { code: 'unavailable', says: 'could not be read or written: the disk answered with an error' },
  11: {
    code: 'corrupt',
    says: 'is damaged: restore a backup, or recover it with the sqlite3 shell (.recover)',
  },
  13: {
    code: 'disk-full',
    says: 'can not grow: the disk is full. Nothing was stored; free some space and try again',
  },
  14: { code: 'unavailable', says: 'can not be opened: check that its folder exists and may be written' },
  18: { code: 'payload-too-large', says: 'can not hold a value of this size' },
  26: { code: 'corrupt', says: 'is not an SQLite database: check the path in MILLRACE_URL' },
}

export function isBusy(error: unknown): boolean {
  return isSqliteError(error) && (error.errcode & 0xff) === 5
}

export function isReadOnly(error: unknown): boolean {
  return isSqliteError(error) && (error.errcode & 0xff) === 8
}

/** Whatever the driver or the file system threw, as this library's error. */
export function asQueueError(error: unknown, path: string): unknown {
  if (error instanceof QueueError) return error
  if (isSqliteError(error)) {
    const match = known[error.errcode & 0xff]
    const detail = `${error.message}, code ${error.errcode}`
    if (match)
      return new QueueError(match.code, `database ${path} ${match.says} (${detail})`, {
        cause: error,
        retryAfterMs: 1_000,
      })
    return error
  }
  const code = (error as NodeJS.ErrnoException | null)?.code
  if (code === 'ERR_INVALID_STATE')
    return new QueueError(
      'unavailable',
      `database ${path} is not open at the moment; it is opened again by the next write`,
      {
        cause: error,
        retryAfterMs: 1_000,
      },
    )
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new QueueError('read-only', `database ${path} can not be written: no permission for its folder`, {
      cause: error,
    })
  if (code === 'ENOTDIR' || code === 'EEXIST')
    return new QueueError(
      'unavailable',
      `database ${path} can not be opened: a part of its path is a file, not a folder`,
      { cause: error },
    )
  if (code === 'ENOSPC')
    return new QueueError('disk-full', `database ${path} can not grow: the disk is full`, { cause: error })
  return error
}
