import { HTTPException } from 'hono/http-exception'
import { isQueueError, type Millrace } from 'millrace'
import { Problem, type ProblemCode, type ProblemDocument, problemKinds } from '../problem.ts'
import type { BorderContext } from './context.ts'

/** Said of what is not the caller's doing. */
export const inTheLog = 'The reason is in the log of the server.'

/** Turns whatever was thrown into a problem document. What is not the caller's doing goes to `trouble`, not out. */
export function problemResponder(millrace: Millrace): (error: Error, c: BorderContext) => Response {
  return (error, c) => {
    if (error instanceof HTTPException && error.res) return error.res
    const problem = readError(error)
    const where = `${c.req.method} ${c.req.path}`
    if (isOurs(problem.code)) millrace.events.emit('trouble', { where, error })
    return problemResponse(problem, c.req.path)
  }
}

function readError(error: Error): Problem {
  if (error instanceof Problem) return error
  if (isQueueError(error)) {
    const { code, faults, retryAfterMs, message } = error
    // A store's own words can hold paths and host names; they go to the log.
    return new Problem(code, isOurs(code) ? inTheLog : message, { faults, retryAfterMs })
  }
  const code = error instanceof HTTPException ? codeOfStatus(error.status) : 'internal'
  return new Problem(code, code === 'internal' ? inTheLog : error.message)
}

/** Whether it is this server's trouble, not its caller's. */
function isOurs(code: ProblemCode): boolean {
  return problemKinds[code].status >= 500
}

/** For Hono's own middleware and for modules that throw HTTPException. */
function codeOfStatus(status: number): ProblemCode {
  if (status === 401) return 'unauthorized'
  if (status === 403) return 'forbidden'
  if (status === 404) return 'route-not-found'
  if (status === 405) return 'method-not-allowed'
  if (status === 409) return 'conflict'
  if (status === 413) return 'payload-too-large'
  if (status === 415) return 'unsupported-media-type'
  return status >= 400 && status < 500 ? 'invalid-argument' : 'internal'
}

/** A problem document, with the headers that go with it. `instance` is the path that was asked. */
export function problemResponse(problem: Problem, instance: string): Response {
  const { code, message: detail, faults } = problem
  const { status, title, retryAfterMs } = problemKinds[code]
  const type = `/problems/${code}`
  const document: ProblemDocument = { type, title, status, detail, code, instance, faults }
  const headers = new Headers(problem.headers)
  if (status === 401 && !headers.has('www-authenticate'))
    headers.set('www-authenticate', 'Bearer realm="millrace", error="invalid_token"')
  headers.set('content-type', 'application/problem+json')
  const waitMs = problem.retryAfterMs ?? retryAfterMs
  if (waitMs !== undefined) headers.set('retry-after', String(Math.max(1, Math.ceil(waitMs / 1_000))))
  return new Response(JSON.stringify(document), { status, headers })
}
