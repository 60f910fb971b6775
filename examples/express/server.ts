import type { AddressInfo } from 'node:net'
import { toNodeHandler } from '@millrace/api/node'
import express from 'express'
import { greet, queue } from './queue.ts'

const app = express()
app.use(express.json())

app.post('/greetings', async (request, response) => {
  const { name } = request.body as { name: string }
  const { id } = await (await queue.millrace()).enqueue(greet, { name })
  response.status(202).json({ id })
})

app.get('/greetings/:id', async (request, response) => {
  const millrace = await queue.millrace()
  response.json({ result: await millrace.result(request.params.id, { timeoutMs: 10_000 }) })
})

// The parser above has read the body by now: it is written anew.
app.all('/api/*path', toNodeHandler(queue))

await queue.open()
const server = app.listen(Number(process.env.PORT ?? 3000), () =>
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`),
)
