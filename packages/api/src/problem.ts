import type { ErrorCode, Fault } from 'millrace'
import { z } from 'zod'

/** What can go wrong at the HTTP border itself, beside what the queue refuses. */
export type BorderCode =
  | 'malformed-body'
  | 'unsupported-media-type'
  | 'unauthorized'
  | 'not-configured'
  | 'forbidden'
  | 'rate-limited'
  | 'route-not-found'
  | 'method-not-allowed'
  | 'internal'

export type ProblemCode = ErrorCode | BorderCode

interface ProblemKind {
  status: 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 422 | 429 | 500 | 503 | 504
  title: string
  /** When another try makes sense, unless the error itself says. */
  retryAfterMs?: number
}

/**
 * The one table from error code to HTTP status. 400: the request itself can't be understood. 422: it can, but the job
 * type or the engine refuses what it says. 409: it contradicts what is stored. 503: the store can't serve now.
 */
export const problemKinds: Readonly<Record<ProblemCode, ProblemKind>> = {
  'invalid-argument': { status: 400, title: 'The request is not valid' },
  'malformed-body': { status: 400, title: 'The body can not be read' },
  unauthorized: { status: 401, title: 'Who asks is not known here' },
  'not-configured': { status: 403, title: 'No secret is set for this, so it is closed' },
  forbidden: { status: 403, title: 'This is not for whoever asks' },
  'not-found': { status: 404, title: 'What this names is not here' },
  'route-not-found': { status: 404, title: 'There is nothing at this address' },
  'method-not-allowed': { status: 405, title: 'This address does not take this method' },
  conflict: { status: 409, title: 'The state of the job does not allow this' },
  'idempotency-conflict': { status: 409, title: 'The idempotency key was used for other work' },
  'lease-lost': { status: 409, title: 'The lease has ended' },
  'steps-changed': { status: 409, title: "The handler's steps have changed" },
  'job-dead': { status: 409, title: 'The job is dead' },
  'job-cancelled': { status: 409, title: 'The job was cancelled' },
  'payload-too-large': { status: 413, title: 'The payload is too large' },
  'unsupported-media-type': { status: 415, title: 'The body must be JSON' },
  'invalid-payload': { status: 422, title: 'The job type refuses this payload' },
  'unknown-type': { status: 422, title: 'There is no such job type' },
  unsupported: { status: 422, title: 'The engine of this store can not do this' },
  'rate-limited': { status: 429, title: 'Too many requests', retryAfterMs: 1_000 },
  'queue-full': { status: 429, title: 'The queue is full', retryAfterMs: 1_000 },
  'invalid-result': { status: 500, title: 'The handler returned what its job type refuses' },
  corrupt: { status: 500, title: 'The store is damaged' },
  internal: { status: 500, title: 'Something unexpected went wrong here' },
  closed: { status: 503, title: 'The server is stopping', retryAfterMs: 5_000 },
  unavailable: { status: 503, title: 'The store can not be reached', retryAfterMs: 5_000 },
  'read-only': { status: 503, title: 'The store takes no writes at the moment', retryAfterMs: 10_000 },
  'disk-full': { status: 503, title: 'The store has no room left', retryAfterMs: 30_000 },
  'version-mismatch': {
    status: 503,
    title: 'The store and this server differ in version',
    retryAfterMs: 30_000,
  },
  timeout: { status: 504, title: 'It took too long' },
}

export const problemCodes = Object.keys(problemKinds) as [ProblemCode, ...ProblemCode[]]

/** An RFC 9457 problem document. */
export const problemSchema = z
  .object({
    type: z.string().meta({ description: 'Resolves, against this server, to a page that explains the code' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: 'What is wrong here, and how to mend it' }),
    code: z.enum(problemCodes),
    instance: z.string().meta({ description: 'The path that was asked' }),
    faults: z.array(z.object({ path: z.array(z.union([z.string(), z.number()])), message: z.string() })),
  })
  .meta({ id: 'Problem', description: 'An RFC 9457 problem document' })
export type ProblemDocument = z.infer<typeof problemSchema>

interface ProblemDetails {
  faults?: Fault[]
  headers?: Readonly<Record<string, string>>
  /** When another try makes sense. */
  retryAfterMs?: number | undefined
}

/** What is answered instead of what was asked for. Its message is the document's `detail`. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly faults: Fault[]
  readonly headers: Readonly<Record<string, string>>
  readonly retryAfterMs: number | undefined

  constructor(code: ProblemCode, detail: string, details: ProblemDetails = {}) {
    super(detail)
    this.name = 'Problem'
    this.code = code
    this.faults = details.faults ?? []
    this.headers = details.headers ?? {}
    this.retryAfterMs = details.retryAfterMs
  }
}
