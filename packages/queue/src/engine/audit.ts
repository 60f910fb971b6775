import { QueueError } from './errors.ts'

/** How long audit entries are kept, in milliseconds, and how many. */
export const auditKept = { ageMs: 400 * 86_400_000, entries: 1_000_000 }

export interface NewAuditEntry {
  /** UUIDv7, made by the caller: the same id again changes nothing. */
  id: string
  /** Who did it. */
  principal: string
  role: string
  action: string
  target: string
  beforeJson: string | null
  afterJson: string | null
  requestJson: string | null
}

export interface AuditRecord extends NewAuditEntry {
  /** By the store's clock. */
  at: number
}

export interface AuditFilter {
  principal?: string
  action?: string
  target?: string
  /** Bounds on `at`; milliseconds, inclusive and exclusive. */
  from?: number
  until?: number
}

/** The audit log, as an engine keeps it. */
export interface AuditStore {
  /** Durable when it resolves, all or nothing. */
  appendAudit(entries: NewAuditEntry[]): Promise<void>
  /** Newest first. */
  audit(
    filter: AuditFilter,
    page: { cursor?: string; limit: number },
  ): Promise<{ entries: AuditRecord[]; cursor: string | null }>
}

/** The place of an entry in the log, for a cursor. */
export type AuditPlace = [at: number, n: number]

export function writeAuditCursor(place: AuditPlace): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url')
}

/** Throws `invalid-argument` for one that no engine has made. */
export function readAuditCursor(cursor: string): AuditPlace {
  try {
    const [at, n] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
    if (Number.isSafeInteger(at) && Number.isSafeInteger(n)) return [at as number, n as number]
  } catch {
    // Told below.
  }
  throw new QueueError(
    'invalid-argument',
    'the cursor is not one that this list has given; start from the first page',
  )
}
