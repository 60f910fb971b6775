import { type HttpBindings, serve } from '@hono/node-server'
import { Hono } from 'hono'
import { greet, queue } from './queue.ts'

const app = new Hono<{ Bindings: HttpBindings }>()

app.post('/greetings', async c => {
  const { name } = await c.req.json<{ name: string }>()
  const { id } = await (await queue.millrace()).enqueue(greet, { name })
  return c.json({ id }, 202)
})

app.get('/greetings/:id', async c => {
  const millrace = await queue.millrace()
  return c.json({ result: await millrace.result(c.req.param('id'), { timeoutMs: 10_000 }) })
})

// The second argument holds Node's request: wrong credentials are counted by the address that they come from.
app.all('/api/*', c => queue.fetch(c.req.raw, c.env))

await queue.open()
serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 3000) }, ({ port }) =>
  console.log(`listening on http://127.0.0.1:${port}`),
)
