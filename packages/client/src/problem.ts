import type { Problem } from './contract/schemas.ts'

/** What the server refuses with. */
export type ProblemCode = Problem['code']

/**
 * What the client itself says. `unreachable`: no answer came. `timed-out`: none came in time. `unexpected-answer`: it is not
 * one of this API. What was asked may have happened all the same.
 */
export type ClientCode = 'unreachable' | 'timed-out' | 'unexpected-answer'

/** One thing that is wrong, and where in what was sent: `['body', 'url']`. */
export interface Fault {
  path: (string | number)[]
  message: string
}

interface Details {
  status?: number
  faults?: Fault[]
  retryAfterMs?: number | null
  requestId?: string | null
  cause?: unknown
}

/** Why a call has no answer. Every call throws it, or the reason of the signal that it was given. */
export class MillraceProblem extends Error {
  /** Stable; for programs. */
  readonly code: ProblemCode | ClientCode
  /** Of HTTP; 0 when there was no answer. */
  readonly status: number
  /** For people: what is wrong, and how to mend it. */
  readonly detail: string
  /** What is wrong with what was sent, by path. */
  readonly faults: readonly Fault[]
  /** When another try makes sense, as the server says. */
  readonly retryAfterMs: number | null
  /** What the server's log calls the request. */
  readonly requestId: string | null

  constructor(code: ProblemCode | ClientCode, detail: string, details: Details = {}) {
    const { status = 0, faults = [], retryAfterMs = null, requestId = null, cause } = details
    super(`${detail} (${code})`, cause === undefined ? {} : { cause })
    this.name = 'MillraceProblem'
    this.code = code
    this.detail = detail
    this.status = status
    this.faults = faults
    this.retryAfterMs = retryAfterMs
    this.requestId = requestId
  }
}

/** Whether an error is a problem, and of that code if one is given. Holds for problems of another copy of this package, too. */
export function isMillraceProblem(error: unknown, code?: ProblemCode | ClientCode): error is MillraceProblem {
  if (!(error instanceof Error) || error.name !== 'MillraceProblem') return false
  return code === undefined || (error as MillraceProblem).code === code
}

export function invalid(detail: string, cause?: unknown): MillraceProblem {
  return new MillraceProblem('invalid-argument', detail, { cause })
}

/** The problem that an answer tells of, or that it is none of this API's. */
export function problemOf(
  { status, headers }: Pick<Response, 'status' | 'headers'>,
  text: string,
): MillraceProblem {
  const details = {
    status,
    retryAfterMs: retryAfterMs(headers.get('retry-after'), Date.now()),
    requestId: headers.get('x-request-id'),
  }
  const document = isJson(headers) ? documentOf(text) : null
  if (document) {
    const { code, detail = '', faults = [] } = document
    return new MillraceProblem(code, detail, { ...details, faults })
  }
  const type = headers.get('content-type') ?? 'no content'
  const location = headers.get('location')
  const why = location
    ? `It leads to ${location}; if the API is there, make the client with that url.`
    : 'Is the url that of a Millrace server, and nothing in between that answers itself?'
  return new MillraceProblem(
    'unexpected-answer',
    `The answer is HTTP ${status} with ${type}. ${why}`,
    details,
  )
}

export function isJson(headers: Headers): boolean {
  return /^application\/(\w+\+)?json\b/i.test(headers.get('content-type') ?? '')
}

function documentOf(text: string): (Pick<Problem, 'code'> & Partial<Problem>) | null {
  try {
    const document = JSON.parse(text) as Problem | null
    return typeof document?.code === 'string' ? document : null
  } catch {
    return null
  }
}

/** Of a Retry-After header: seconds, or an instant (RFC 9110). */
export function retryAfterMs(header: string | null, nowMs: number): number | null {
  if (header === null) return null
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1_000
  const at = Date.parse(header)
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs)
}
