import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { type Fault, isQueueError, type Millrace } from 'millrace'
import { Problem, type ProblemCode, type ProblemDocument, problemKinds } from './problem.ts'

/** Turns whatever was thrown into a problem document. What is not the caller's doing goes to `trouble`, not out. */
export function problemResponder(millrace: Millrace): (error: Error, c: Context) => Response {
  return (error, c) => {
    if (error instanceof HTTPException && error.res) return error.res
    const problem = readError(error)
    const kind = problemKinds[problem.code]
    const where = `${c.req.method} ${c.req.path}`
    if (kind.status >= 500) millrace.events.emit('trouble', { where, error })
    return problemResponse(c, problem)
  }
}

interface ReadProblem {
  code: ProblemCode
  detail: string
  faults: Fault[]
  headers: Readonly<Record<string, string>>
  retryAfterMs?: number | undefined
}

function readError(error: Error): ReadProblem {
  if (error instanceof Problem)
    return { code: error.code, detail: error.message, faults: error.faults, headers: error.headers }
  if (isQueueError(error)) {
    const { code, faults, retryAfterMs, message } = error
    // A store's own words can hold paths and host names; they go to the log.
    const detail = problemKinds[code].status >= 500 ? 'The reason is in the log of the server.' : message
    return { code, detail, faults, headers: {}, retryAfterMs }
  }
  const code = error instanceof HTTPException ? codeOfStatus(error.status) : 'internal'
  const detail = code === 'internal' ? 'The reason is in the log of the server.' : error.message
  return { code, detail, faults: [], headers: {} }
}

/** For Hono's own middleware and for modules that throw HTTPException. */
function codeOfStatus(status: number): ProblemCode {
  if (status === 401) return 'unauthorized'
  if (status === 404) return 'route-not-found'
  if (status === 405) return 'method-not-allowed'
  if (status === 409) return 'conflict'
  if (status === 413) return 'payload-too-large'
  if (status === 415) return 'unsupported-media-type'
  return status >= 400 && status < 500 ? 'invalid-argument' : 'internal'
}

function problemResponse(c: Context, problem: ReadProblem): Response {
  const { status, title, retryAfterMs } = problemKinds[problem.code]
  const document: ProblemDocument = {
    type: `/problems/${problem.code}`,
    title,
    status,
    detail: problem.detail,
    code: problem.code,
    instance: c.req.path,
    faults: problem.faults,
  }
  const headers = new Headers(problem.headers)
  headers.set('content-type', 'application/problem+json')
  const waitMs = problem.retryAfterMs ?? retryAfterMs
  if (waitMs !== undefined) headers.set('retry-after', String(Math.max(1, Math.ceil(waitMs / 1_000))))
  return new Response(JSON.stringify(document), { status, headers })
}
