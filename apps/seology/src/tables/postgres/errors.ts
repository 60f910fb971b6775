import { type ErrorCode, QueueError } from 'millrace'

interface Meaning {
  code: ErrorCode
  says: string
}

const away: Meaning = { code: 'unavailable', says: 'does not answer; it is tried again' }

/** By SQLSTATE, or its class (the first two characters). */
const known: Record<string, Meaning> = {
  '08': away,
  '57': away,
  '57014': { code: 'unavailable', says: 'took too long and was stopped' },
  '55P03': { code: 'unavailable', says: 'could not give a lock in time' },
  '40': {
    code: 'unavailable',
    says: 'could not bring this in line with other transactions; it is tried again',
  },
  '53': { code: 'unavailable', says: 'has no room for more connections or memory' },
  '53100': { code: 'disk-full', says: 'can not grow: its disk is full' },
  '25P03': { code: 'unavailable', says: 'has ended a transaction that stood still; it is tried again' },
  '25006': { code: 'read-only', says: 'takes no writes at the moment' },
  '28': { code: 'unavailable', says: 'refuses this user: check user and password in the URL' },
  '3D000': { code: 'unavailable', says: 'is not there: check the name in the URL' },
  '42501': { code: 'unavailable', says: 'refuses this user a right that seology needs' },
  '42P01': { code: 'version-mismatch', says: 'lacks a table: run `millrace migrate`' },
  XX001: { code: 'corrupt', says: 'reports damage' },
  XX002: { code: 'corrupt', says: 'reports damage' },
}

const lostConnection =
  /^(?:Connection terminated|Client has encountered a connection error|Client was closed|timeout exceeded when trying to connect|Query read timeout)/
const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
])

/** Whatever the driver threw, as the queue's error where a caller can act upon it. */
export function asQueueError(error: unknown): unknown {
  if (error instanceof QueueError || !(error instanceof Error)) return error
  const meaning = meaningOf(error)
  if (meaning === null) return error
  return new QueueError(
    meaning.code,
    `the database of seology ${meaning.says} (${error.message || sqlState(error)})`,
    {
      cause: error,
      retryAfterMs: 1_000,
    },
  )
}

function meaningOf(error: Error): Meaning | null {
  const code = sqlState(error)
  if (networkCodes.has(code) || lostConnection.test(error.message)) return away
  return known[code] ?? known[code.slice(0, 2)] ?? null
}

/** The SQLSTATE of an error, or of the one behind it; '' for none. */
export function sqlState(error: unknown): string {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown }
  if (error instanceof QueueError) return sqlState(cause)
  return typeof code === 'string' ? code : ''
}
