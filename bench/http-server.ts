import v8 from 'node:v8'
import { Hono } from 'hono'
import { createServer, type Module } from '../packages/api/src/index.ts'
import { readJsonBody } from '../packages/api/src/border/json-body.ts'
import { listen } from '../packages/api/src/http-listener.ts'
import { handle } from '../packages/queue/src/index.ts'
import { operatorToken, page, pages } from './sides/http-jobs.ts'

/**
 * A server in a process of its own: `http-server.ts ours|working|raw STORE`. Tells its parent the address; at `mark` it
 * begins to count its CPU time, at `report` it tells it and its memory. Ends with its parent.
 */
// As `millrace start` does.
v8.setFlagsFromString('--semi-space-growth-factor=1')

const [kind = 'ours', store = ''] = process.argv.slice(2)
const module: Module = { name: 'bench', jobs: [page, ...pages], handlers: [handle(page, () => {})] }
const started = kind === 'raw' ? await startRaw() : await startOurs()

let before = process.cpuUsage()
process.on('message', said => {
  if (said === 'mark') before = process.cpuUsage()
  if (said !== 'report') return
  const { user, system } = process.cpuUsage(before)
  process.send?.({ cpuMicros: user + system, peakRssMb: process.resourceUsage().maxRSS / 1_024 })
})
// By `exit`, so that a profiler writes down what it has seen.
process.once('disconnect', () => process.exit(0))
process.send?.(started.url)

async function startOurs(): Promise<{ url: string }> {
  return createServer({
    url: store,
    modules: [module],
    access: { operatorTokens: [operatorToken] },
    port: 0,
    overrideGlobalObjects: true,
    worker: kind === 'working' ? {} : false,
  })
}

/** The least that such a server does: who asks, the body as JSON, a constant answer. */
async function startRaw(): Promise<{ url: string }> {
  const app = new Hono()
  app.post('/api/v1/jobs', async c => {
    if (c.req.header('authorization') !== `Bearer ${operatorToken}`)
      return c.json({ code: 'unauthorized' }, 401)
    await readJsonBody(c)
    return c.json({ id: '01900000-0000-7000-8000-000000000000', duplicate: false }, 201)
  })
  return listen({
    fetch: (request, env) => app.fetch(request, env),
    host: '127.0.0.1',
    port: 0,
    overrideGlobalObjects: true,
  })
}
