import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type MillraceServer, type Module, type Principal } from '@millrace/api'
import { defineJob, flow, handle } from 'millrace'
import { z } from 'zod'

export const greet = defineJob({
  type: 'GREET',
  payload: z.object({ name: z.string(), links: z.array(z.object({ url: z.url() })).default([]) }),
  result: z.object({ text: z.string() }),
})
export const pick = defineJob({
  type: 'PICK',
  payload: z.object({ fruit: z.enum(['apple', 'stone']) }),
  result: z.object({ picked: z.string() }),
  maxAttempts: 1,
})
export const approve = defineJob({
  type: 'APPROVE',
  payload: z.object({ order: z.int() }),
  result: z.object({ by: z.string() }),
})
const module: Module = {
  name: 'sample',
  jobs: [greet, pick, approve],
  handlers: [
    handle(greet, ({ payload }) => ({ text: `Hello, ${payload.name}` })),
    handle(pick, ({ payload }) => {
      if (payload.fruit === 'stone') throw new RangeError('not a fruit')
      return { picked: payload.fruit }
    }),
    handle(approve, async ({ step }) => {
      const { by } = (await step.waitForSignal('approved')) as { by: string }
      return { by }
    }),
  ],
}

export const adminToken = 'admin-token-0123456789'
export const viewerToken = 'viewer-token-0123456789'

/** Who an application's own people are: `acme-token` stands for a user of the tenant `acme`. */
function userOf(request: Request): Principal | null {
  const tenant = /^Bearer (\w+)-token$/.exec(request.headers.get('authorization') ?? '')?.[1]
  return tenant === undefined ? null : { name: `someone of ${tenant}`, role: 'user', tenant }
}

export interface SampleServer extends AsyncDisposable {
  url: string
  server: MillraceServer
}

/** API and worker over a new SQLite file. */
export async function startSample(): Promise<SampleServer> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-client-'))
  const server = await createServer({
    url: `file:${join(folder, 'millrace.db')}`,
    modules: [module],
    access: { adminTokens: [adminToken], viewerTokens: [viewerToken], authenticate: userOf },
    port: 0,
  })
  return {
    url: server.url,
    server,
    async [Symbol.asyncDispose]() {
      await server.close({ deadlineMs: 0 })
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A flow of two, the second of which waits for the first. Flows are made by the library, not over HTTP. */
export async function enqueueFlow({ millrace }: MillraceServer, fruit: 'apple' | 'stone'): Promise<string> {
  const graph = flow('breakfast')
  const picked = graph.add('pick', pick, { fruit })
  graph.add('greet', greet, { name: 'Ada' }, { after: picked })
  return (await millrace.flows.enqueue(graph)).id
}

/** A `fetch` that keeps cookies and says where it is from, as a browser does for a page of that origin. */
export function browserOf(origin: string): typeof fetch {
  let cookie = ''
  return async (input, init = {}) => {
    const headers = new Headers(init.headers)
    if (cookie) headers.set('cookie', cookie)
    if (init.method !== 'GET') headers.set('origin', origin)
    const response = await fetch(input, { ...init, headers })
    for (const each of response.headers.getSetCookie()) cookie = each.split(';')[0] ?? ''
    return response
  }
}
