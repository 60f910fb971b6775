import { toNodeHandler } from '@millrace/api/node'
import Fastify from 'fastify'
import { greet, queue } from './queue.ts'

const app = Fastify()

app.post<{ Body: { name: string } }>('/greetings', async (request, reply) => {
  const { id } = await (await queue.millrace()).enqueue(greet, { name: request.body.name })
  return reply.code(202).send({ id })
})

app.get<{ Params: { id: string } }>('/greetings/:id', async request => {
  const millrace = await queue.millrace()
  return { result: await millrace.result(request.params.id, { timeoutMs: 10_000 }) }
})

const handler = toNodeHandler(queue)
app.register((scope, _options, done) => {
  // Here nobody reads the body but Millrace.
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null))
  scope.all('/api/*', (request, reply) => {
    reply.hijack()
    return handler(request.raw, reply.raw)
  })
  done()
})

await queue.open()
console.log(`listening on ${await app.listen({ port: Number(process.env.PORT ?? 3000) })}`)
