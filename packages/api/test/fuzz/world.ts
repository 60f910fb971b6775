/** What the requests are sent to: an API over a store that holds jobs in every state, flows, schedules and steps. */

import { createApi, type MillraceServer, type Module } from '@millrace/api'
import { SignJWT } from 'jose'
import { createWorker, defineJob, flow, handle, type Millrace } from 'millrace'
import { z } from 'zod'
import { ask, echo, fail, hold, sample, startTestServer, visit } from '../sample-server.ts'
import type { callers } from './request.ts'

/** Takes any JSON, so that what stores make of odd payloads is tried. */
const anything = defineJob({ type: 'ANY', payload: z.unknown(), result: z.unknown(), queue: 'fast' })

const jwtSecret = 'a secret for fuzzing, of more than 32 characters'
const access = {
  adminTokens: ['admin-of-the-fuzz'],
  operatorTokens: ['operator-of-the-fuzz'],
  viewerTokens: ['viewer-of-the-fuzz'],
  cronSecrets: ['cron-of-the-fuzz'],
  processorKeys: ['processor-of-the-fuzz'],
  jwt: { secret: jwtSecret },
  rateLimits: { user: null, failures: null },
}
const tenMinutesMs = 600_000
/** What one request may work: no job of the sample's takes long, and a redrive would wait for workers that there are not. */
const bounds = { drain: { budgetMs: tenMinutesMs, maxJobs: 3 }, budgetMs: 20 }

export interface World extends AsyncDisposable {
  server: MillraceServer
  /** The same API without sockets. */
  fetch(request: Request): Promise<Response>
  /** What stands for the marks in a request. */
  credentials: Readonly<Record<string, string>>
  /** The oldest give way to new ones. */
  jobIds: string[]
  /** Of those, jobs that most likely have not run yet. */
  queuedIds: string[]
  enqueued: number
  flowIds: string[]
  cursors: string[]
  fingerprint: string
  troubles: unknown[]
}

export async function makeWorld(url: string): Promise<World> {
  const usual = sample()
  usual.release()
  const handlers = [...usual.handlers, handle(anything, ({ payload }) => payload)]
  const modules: Module[] = [{ ...usual, jobs: [...usual.jobs, anything], handlers }]
  const api = await startTestServer({ url, worker: false, modules, access, ...bounds })
  const { millrace } = api.server
  const troubles: unknown[] = []
  millrace.on('trouble', trouble => troubles.push(trouble))
  const jobIds = await populate(millrace, handlers)
  const inProcess = createApi({ millrace, access, modules, ...bounds })
  const { flows } = await millrace.flows.list({})
  const { groups } = await millrace.deadLetters.groups({})
  const page = await millrace.list({}, { limit: 2 })
  const waiting = await millrace.list({ states: ['queued'], types: ['ECHO'] }, { limit: 5 })
  const flowPage = await millrace.flows.list({}, { limit: 1 })
  return {
    server: api.server,
    fetch: async request => inProcess.fetch(request),
    credentials: await credentialsOf(),
    jobIds,
    queuedIds: waiting.jobs.map(each => each.id),
    enqueued: 0,
    flowIds: flows.map(each => each.id),
    cursors: [page.cursor ?? '', flowPage.cursor ?? ''],
    fingerprint: groups[0]?.fingerprint ?? '',
    troubles,
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  }
}

async function credentialsOf(): Promise<Record<(typeof callers)[number], string>> {
  const user = (sub: string, tenant: string, millrace_role?: string): Promise<string> =>
    new SignJWT({ sub, tenant, millrace_role })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(jwtSecret))
  return {
    admin: 'Bearer admin-of-the-fuzz',
    operator: 'Bearer operator-of-the-fuzz',
    viewer: 'Bearer viewer-of-the-fuzz',
    cron: 'Bearer cron-of-the-fuzz',
    owner: `Bearer ${await user('ada', 'acme')}`,
    stranger: `Bearer ${await user('eve', 'globex')}`,
    tenantAdmin: `Bearer ${await user('grace', 'acme', 'admin')}`,
    processor: 'processor-of-the-fuzz',
    cronByKey: 'cron-of-the-fuzz',
    nobody: '',
  }
}

/** Jobs of all kinds and states. Answers their ids. */
async function populate(millrace: Millrace, handlers: Module['handlers']): Promise<string[]> {
  const ids: string[] = []
  const tenant = 'acme'
  const keep = async (made: Promise<{ id: string }>): Promise<void> => void ids.push((await made).id)
  for (let index = 0; index < 5; index++) {
    await keep(millrace.enqueue(echo, { text: `text ${index}` }, { tenant }))
    await keep(millrace.enqueue(fail, { message: `order ${index} is lost` }, { tenant }))
    await keep(millrace.enqueue(ask, {}, { tenant }))
    await keep(millrace.enqueue(visit, { site: `s${index}` }, { tenant }))
    await keep(millrace.enqueue(anything, [null, { deep: [[[{}]]] }, 1e300, '\u2028']))
  }
  const site = flow('site', { tenant, onFailure: 'continue' })
  const first = site.add('first', echo, { text: 'x' })
  site.add('second', fail, { message: 'no luck' }, { after: first })
  await millrace.flows.enqueue(site)
  await createWorker(millrace, [...handlers]).drain({ maxJobs: 100, budgetMs: 20_000 })
  for (let index = 0; index < 5; index++) {
    await keep(
      millrace.enqueue(echo, { text: 'later' }, { tenant, delay: '300d', idempotencyKey: `key-${index}` }),
    )
    await keep(millrace.enqueue(hold, {}, { tenant }))
    const cancelled = await millrace.enqueue(echo, { text: 'never' })
    await millrace.cancel(cancelled.id, { reason: 'enough' })
    ids.push(cancelled.id)
  }
  const running = { worker: 'fuzz-worker', lanes: [{ queue: 'default', types: ['HOLD'] }], limit: 3 }
  await millrace.engine.claim({ ...running, leaseMs: tenMinutesMs })
  const waiting = flow('waiting', { tenant })
  waiting.add('second', echo, { text: 'x' }, { after: waiting.add('first', hold, {}, { delay: '300d' }) })
  const { id } = await millrace.flows.enqueue(waiting)
  const { nodes } = await millrace.engine.flowNodes(id, { limit: 10 })
  ids.push(...nodes.map(node => node.id))
  const every = { job: echo, payload: { text: 'x' } }
  await millrace.schedules.put('mornings', { ...every, tenant, cron: '0 7 * * *', timeZone: 'Europe/Paris' })
  await millrace.schedules.put('often', { ...every, every: '1h' })
  return ids
}
