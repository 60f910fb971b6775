import { type Clock, createMillrace, type Engine, type Handler, type Millrace, openEngine } from 'millrace'
import { onTestFinished } from 'vitest'
import {
  type AccessOptions,
  createApi,
  type DrainReport,
  type DrainSettings,
  type ProblemDocument,
} from '@millrace/api'
import { InFlight, override } from '../../queue/test/support/engine-proxy.ts'
import { TestClock } from '../../queue/test/support/test-clock.ts'

export const token = 'drain-test-token'

export interface DrainAnswer {
  status: number
  headers: Headers
  body: DrainReport & ProblemDocument
}

/** An application without a process of its own: all that happens in it, happens in a request. */
export interface Stage {
  clock: TestClock
  millrace: Millrace
  /** With the admin token, unless the headers say otherwise. Lets virtual time pass until it is answered. */
  ask(method: string, path: string, headers?: Record<string, string>): Promise<DrainAnswer>
  drain(query?: string): Promise<DrainReport>
}

interface StageOptions {
  drain?: DrainSettings | null
  access?: AccessOptions
  /** Puts something between the queue and its engine, as a fault. */
  engine?: Partial<Engine>
}

/** In virtual time, over a store in memory. */
export async function openStage(
  makeHandlers: (clock: Clock) => readonly Handler[],
  options: StageOptions = {},
): Promise<Stage> {
  const inFlight = new InFlight()
  const clock = new TestClock(undefined, inFlight)
  const engine = inFlight.watch(openEngine('file::memory:', { clock }))
  const handlers = makeHandlers(clock)
  const jobs = handlers.map(each => each.job)
  const millrace: Millrace = createMillrace({ engine: override(engine, options.engine ?? {}), clock, jobs })
  onTestFinished(() => millrace.close())
  await millrace.open()
  const { drain = {} } = options
  const api = createApi({
    millrace,
    access: { adminTokens: [token], ...options.access },
    modules: [{ name: 'sample', jobs, handlers }],
    ...(drain === null ? {} : { drain }),
  })
  const ask: Stage['ask'] = async (method, path, headers = { authorization: `Bearer ${token}` }) => {
    const response = await clock.until(Promise.resolve(api.request(path, { method, headers })), 600_000)
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : null }
  }
  return {
    clock,
    millrace,
    ask,
    async drain(query = '') {
      const { status, body } = await ask('POST', `/api/v1/drain${query}`)
      if (status !== 200) throw new Error(`${status}: ${body.detail}`)
      return body
    },
  }
}
