import { type ErrorCode, QueueError } from '../../engine/errors.ts'

interface DatabaseError extends Error {
  code: string
}

/** What a caller can act upon, by SQLSTATE (appendix A of the PostgreSQL manual) or, for two digits, by its class. */
const known: Record<string, { code: ErrorCode; says: string }> = {
  '08': { code: 'unavailable', says: 'the connection to the database was lost; it is made again by itself' },
  '25006': {
    code: 'read-only',
    says: 'the database takes no writes at the moment (read-only, or a standby); try again when it does',
  },
  '22': { code: 'invalid-argument', says: 'the database can not take a value that it was given' },
  '28': {
    code: 'unavailable',
    says: 'the database refuses the user or the password: check those in MILLRACE_URL, and pg_hba.conf',
  },
  '3D000': {
    code: 'unavailable',
    says: 'there is no database of that name: create it, or check the name in MILLRACE_URL',
  },
  '3F000': { code: 'version-mismatch', says: 'the schema is missing: run `millrace migrate`' },
  '42P01': { code: 'version-mismatch', says: 'a table is missing: run `millrace migrate`' },
  '42883': { code: 'version-mismatch', says: 'a function is missing: run `millrace migrate`' },
  '42501': {
    code: 'unavailable',
    says: "the database user lacks a right: grant it (see the roles in the docs), or connect as the schema's owner",
  },
  '53100': {
    code: 'disk-full',
    says: 'the disk of the database is full. Nothing was stored; free some space',
  },
  '53300': {
    code: 'unavailable',
    says: 'the database has no connection left: lower `connections`, raise max_connections, or use a pooler',
  },
  '53': { code: 'unavailable', says: 'the database is short of resources; try again later' },
  '54000': { code: 'payload-too-large', says: 'the database can not hold a value of this size' },
  '55P03': { code: 'unavailable', says: 'a lock in the database was not to be had in time; try again' },
  '57014': { code: 'unavailable', says: 'the database did not answer in time; try again' },
  '57': {
    code: 'unavailable',
    says: 'the database is starting, stopping or being restarted; try again soon',
  },
  '58': { code: 'unavailable', says: 'the database could not reach its files' },
  '40': { code: 'unavailable', says: 'the transaction collided with another; try again' },
  XX001: { code: 'corrupt', says: 'the database found damaged data: restore a backup' },
  XX002: {
    code: 'corrupt',
    says: 'the database found a damaged index: rebuild it (REINDEX), then look at the disk',
  },
}

/** Errors of sockets and of the driver that mean: no connection. */
const lostConnection = [
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
]
const driverSays =
  /connection terminated|connection ended|client has encountered a connection error|timeout exceeded|query read timeout|timeout expired|client was closed|not queryable|cannot use a pool after/i

export function sqlState(error: unknown): string | undefined {
  const code = (error as Partial<DatabaseError> | null)?.code
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined
}

/** Whether nobody knows what became of the statement, or it had no chance: no connection. */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = (error as Partial<DatabaseError>).code
  if (code !== undefined && lostConnection.includes(code)) return true
  if (error instanceof AggregateError) return error.errors.some(isConnectionLoss)
  const state = sqlState(error)
  if (state === undefined) return driverSays.test(error.message)
  return state.startsWith('08') || (state.startsWith('57P') && state !== '57P04')
}

/** Nothing came back in time: the connection may be broken in a way that nobody was told of. */
export function isSilence(error: unknown): boolean {
  return error instanceof Error && error.message === 'Query read timeout'
}

/** A collision that goes away when the statement is run again. */
export function isCollision(error: unknown): boolean {
  const state = sqlState(error)
  return state === '40P01' || state === '40001'
}

/** Whatever the driver or the database threw, as this library's error. It names neither user nor password. */
export function asQueueError(error: unknown): unknown {
  if (error instanceof QueueError) return error
  const state = sqlState(error)
  const match = state === undefined ? undefined : (known[state] ?? known[state.slice(0, 2)])
  if (match)
    return new QueueError(match.code, `${match.says} (${(error as Error).message}, SQLSTATE ${state})`, {
      cause: error,
      retryAfterMs: 1_000,
    })
  if (error instanceof Error && authentication.test(error.message))
    return new QueueError(
      'unavailable',
      'the database asks for a password and MILLRACE_URL has none that it takes: write postgres://user:password@…',
      { cause: error, retryAfterMs: 1_000 },
    )
  if (isConnectionLoss(error))
    return new QueueError(
      'unavailable',
      `the database can not be reached: check that it runs, and the host and port in MILLRACE_URL (${firstLine(error)})`,
      { cause: error, retryAfterMs: 1_000 },
    )
  return error
}

/** The driver's own complaints about a password that it has not got, or that the server does not take. */
const authentication = /^SASL|password must be a string|no password supplied/i

function firstLine(error: unknown): string {
  const { message, code } = error as Partial<DatabaseError>
  return message?.split('\n')[0] || code || 'no connection'
}
