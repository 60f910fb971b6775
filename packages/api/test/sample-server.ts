import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createServer,
  type DeadGroupDocument,
  type FlowDocument,
  type JobDocument,
  type JobSummary,
  type MillraceServer,
  type Module,
  type NodeDocument,
  type Principal,
  type ProblemDocument,
  type QueueDocument,
  type Role,
  type ScheduleDocument,
  type ScheduledRunDocument,
  type ServerOptions,
  type StepDocument,
  type TickDocument,
  type TypeDocument,
  type WhyDocument,
  type WorkerDocument,
} from '@millrace/api'
import { type Counts, defineJob, handle } from 'millrace'
import { z } from 'zod'

export const echo = defineJob({
  type: 'ECHO',
  payload: z.object({ text: z.string(), pages: z.array(z.object({ url: z.url() })).default([]) }),
  queue: 'fast',
})
export const hold = defineJob({ type: 'HOLD', payload: z.object({}), maxAttempts: 1 })
export const fail = defineJob({ type: 'FAIL', payload: z.object({ message: z.string() }), maxAttempts: 1 })

/** Its jobs can be found by their site. */
export const visit = defineJob({
  type: 'VISIT',
  payload: z.object({ site: z.string(), note: z.string().default('') }),
  searchAttributes: { site: payload => payload.site },
})
export const ask = defineJob({ type: 'ASK', payload: z.object({}) })

export interface Sample extends Module {
  /** Lets every HOLD go. */
  release(): void
  /** Resolves when a HOLD has begun. */
  holding: Promise<void>
}

export function sample(): Sample {
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const { promise: holding, resolve: begun } = Promise.withResolvers<void>()
  return {
    name: 'sample',
    jobs: [echo, hold, fail, ask, visit],
    handlers: [
      handle(echo, ({ payload, log, progress }) => {
        log.info('heard', { length: payload.text.length })
        progress(50, 'half way')
        return { text: payload.text }
      }),
      handle(hold, async ({ signal }) => {
        begun()
        const stopped = new Promise<never>((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason), { once: true })
        })
        await Promise.race([released, stopped])
      }),
      handle(fail, ({ payload }) => {
        throw new TypeError(payload.message)
      }),
      handle(visit, ({ payload }) => payload.site),
      handle(ask, async ({ step }) => {
        await step.run('look up', () => ({ who: 'ada' }))
        return step.waitForSignal('answer')
      }),
    ],
    release,
    holding,
  }
}

export interface TestServer extends AsyncDisposable {
  readonly server: MillraceServer
  readonly folder: string
  /** With the admin token, unless the headers say otherwise. */
  ask(path: string, init?: RequestInit): Promise<Answer>
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>
}

/** Everything that some answer holds; tests read what theirs should. */
type Body = JobDocument &
  ProblemDocument &
  Counts & {
    duplicate: boolean
    outcome: string
    jobs: JobSummary[]
    cause: WhyDocument['cause']
    sentence: string
    steps: StepDocument[]
    flows: FlowDocument[]
    nodes: NodeDocument[]
    groups: DeadGroupDocument[]
    cursor: string | null
    looked: number
    queues: QueueDocument[]
    types: TypeDocument[]
    schedule: ScheduleDocument
    schedules: ScheduleDocument[]
    ticks: TickDocument[]
    runs: ScheduledRunDocument[]
    workers: WorkerDocument[]
    complete: boolean
    changed: number
    left: number
  }

export interface Answer {
  status: number
  headers: Headers
  body: Body
}

export const token = 'test-token-0123456789'

/** For `authenticate`: believes what the header `x-who` says, as `role` or `role/tenant`. */
export function believe(request: Request): Principal | null {
  const [role, tenant = null] = request.headers.get('x-who')?.split('/') ?? []
  return role === undefined ? null : { name: 'somebody', role: role as Role, tenant }
}

/** Headers of somebody that `believe` recognises. */
export function who(said: string): Record<string, string> {
  return { authorization: '', 'x-who': said }
}

/** A real server on a free port over a new SQLite file. */
export async function startTestServer(options: Partial<ServerOptions> = {}): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-api-'))
  const server = await createServer({
    url: `file:${join(folder, 'millrace.db')}`,
    modules: [sample()],
    access: { adminTokens: [token] },
    port: 0,
    ...options,
  })
  const ask = async (path: string, init: RequestInit = {}): Promise<Answer> => {
    const headers = new Headers(init.headers)
    if (!headers.has('authorization')) headers.set('authorization', `Bearer ${token}`)
    const response = await fetch(new URL(path, server.url), { ...init, headers })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json') && text !== ''
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
  }
  return {
    server,
    folder,
    ask,
    post: (path, body, headers = {}) =>
      ask(path, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers },
      }),
    async [Symbol.asyncDispose]() {
      await server.close({ deadlineMs: 0 })
      await rm(folder, { recursive: true, force: true })
    },
  }
}
