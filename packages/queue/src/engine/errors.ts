/** Every way in which a call to this library can be refused. One closed set; the HTTP border maps it in one table. */
export type ErrorCode =
  | 'invalid-argument'
  | 'invalid-payload'
  | 'invalid-result'
  | 'payload-too-large'
  | 'unknown-type'
  | 'not-found'
  | 'idempotency-conflict'
  | 'queue-full'
  | 'conflict'
  | 'lease-lost'
  /** A job's handler has other steps than when the job began. */
  | 'steps-changed'
  | 'timeout'
  | 'job-dead'
  | 'job-cancelled'
  | 'unsupported'
  | 'closed'
  | 'unavailable'
  | 'read-only'
  | 'disk-full'
  | 'corrupt'
  | 'version-mismatch'

/** One fault in an input: where it is (`['pages', 3, 'url']`) and what is wrong there. */
export interface Fault {
  path: (string | number)[]
  message: string
}

interface ErrorDetails {
  cause?: unknown
  /** For `invalid-payload` and `invalid-result`: each fault with its path. */
  faults?: Fault[]
  /** For `queue-full` and `unavailable`: when another try makes sense, in milliseconds. */
  retryAfterMs?: number
}

/** The one error of this library. `code` says what happened; the message says what, where and how to mend it. */
export class QueueError extends Error {
  readonly code: ErrorCode
  readonly faults: Fault[]
  readonly retryAfterMs: number | undefined

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.name = 'QueueError'
    this.code = code
    this.faults = details.faults ?? []
    this.retryAfterMs = details.retryAfterMs
  }
}

export function isQueueError(error: unknown, code?: ErrorCode): error is QueueError {
  return error instanceof QueueError && (code === undefined || error.code === code)
}
