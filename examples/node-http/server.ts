import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import type { AddressInfo } from 'node:net'
import { toNodeHandler } from '@millrace/api/node'
import { greet, queue } from './queue.ts'

const api = toNodeHandler(queue)
const millrace = await queue.millrace()

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost')
  if (pathname.startsWith('/api/')) return api(request, response)
  try {
    if (request.method === 'POST' && pathname === '/greetings') {
      const { name } = (await json(request)) as { name: string }
      const { id } = await millrace.enqueue(greet, { name })
      return response.writeHead(202).end(JSON.stringify({ id }))
    }
    const id = /^\/greetings\/([\w-]+)$/.exec(pathname)?.[1]
    if (!id) return response.writeHead(404).end()
    return response.end(JSON.stringify({ result: await millrace.result(id, { timeoutMs: 10_000 }) }))
  } catch (error) {
    return response.writeHead(400).end(String(error))
  }
})

server.listen(Number(process.env.PORT ?? 3000), () =>
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`),
)
