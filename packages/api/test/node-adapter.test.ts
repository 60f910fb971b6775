import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { afterEach, describe, expect, it } from 'vitest'
import { createApi, type Module, type RateLimits } from '@millrace/api'
import { toNodeHandler } from '@millrace/api/node'
import { createMillrace, openEngine } from 'millrace'
import { echo, sample, token } from './sample-server.ts'

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const each of open.splice(0)) await each.close()
})

type Listener = (request: IncomingMessage & { body?: unknown }, response: ServerResponse) => unknown

async function serve(listener: Listener): Promise<string> {
  const server = createServer((incoming, outgoing) => void listener(incoming, outgoing))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push({ close: () => (server.closeAllConnections(), server.close()) })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function makeApi(rateLimits: RateLimits = {}) {
  const module: Module = sample()
  const millrace = createMillrace({ engine: openEngine('file::memory:'), jobs: module.jobs })
  open.push(millrace)
  return createApi({ millrace, access: { adminTokens: [token], rateLimits }, modules: [module] })
}

/** What a body parser does. */
async function parse(incoming: IncomingMessage & { body?: unknown }, keep: (text: string) => unknown) {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  incoming.body = keep(Buffer.concat(chunks).toString())
}

const job = (text: string) => JSON.stringify({ type: echo.type, payload: { text } })
const post = (url: string, body: string | Buffer, headers: Record<string, string> = {}) =>
  fetch(`${url}/api/v1/jobs`, {
    method: 'POST',
    body: typeof body === 'string' ? body : new Uint8Array(body),
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
  })

describe('a handler for node:http', () => {
  it('answers by the API', async () => {
    const url = await serve(toNodeHandler(makeApi()))
    const answer = await post(url, job('größer'))
    expect([answer.status, (await answer.json()) as object]).toEqual([
      201,
      expect.objectContaining({ duplicate: false }),
    ])
    expect((await fetch(`${url}/api/v1/jobs`)).status).toBe(401)
    expect((await fetch(`${url}/health`, { method: 'HEAD' })).status).toBe(200)
  })

  it('counts wrong credentials by the address that they come from', async () => {
    const url = await serve(toNodeHandler(makeApi({ failures: { requests: 3, perMs: 60_000 } })))
    const guess = () =>
      fetch(`${url}/api/v1/session`, { headers: { authorization: 'Bearer no-token-of-anybody' } })
    const seen = [await guess(), await guess(), await guess(), await guess()]
    expect(seen.map(each => each.status)).toEqual([401, 401, 401, 429])
  })

  it('answers by a plain function too', async () => {
    const url = await serve(
      toNodeHandler(each => new Response(`${each.method} ${new URL(each.url).pathname}`)),
    )
    expect(await (await fetch(`${url}/some/where`)).text()).toBe('GET /some/where')
  })

  it('writes a body anew that a parser has read', async () => {
    const handler = toNodeHandler(makeApi())
    const url = await serve(async (incoming, outgoing) => {
      await parse(incoming, text => (text ? (JSON.parse(text) as unknown) : undefined))
      await handler(incoming, outgoing)
    })
    const answer = await post(url, job('größer, as parsed'))
    const { id } = (await answer.json()) as { id: string }
    const stored = await fetch(`${url}/api/v1/jobs/${id}`, { headers: { authorization: `Bearer ${token}` } })
    expect(await stored.json()).toMatchObject({ payload: { text: 'größer, as parsed' } })
  })

  it('writes a body anew that a parser has unpacked', async () => {
    const handler = toNodeHandler(makeApi())
    const url = await serve(async (incoming, outgoing) => {
      await parse(incoming, () => JSON.parse(job('unpacked')) as unknown)
      await handler(incoming, outgoing)
    })
    const answer = await post(url, gzipSync(job('unpacked')), { 'content-encoding': 'gzip' })
    expect(answer.status).toBe(201)
  })

  it('takes the bytes that a parser has kept', async () => {
    const handler = toNodeHandler(makeApi())
    const url = await serve(async (incoming, outgoing) => {
      await parse(incoming, text => ((incoming as { rawBody?: Buffer }).rawBody = Buffer.from(text)))
      incoming.body = { type: 'SOMETHING ELSE' }
      await handler(incoming, outgoing)
    })
    expect((await post(url, job('kept'))).status).toBe(201)
  })

  it('refuses a body of which nothing is left, and says what to do', async () => {
    const handler = toNodeHandler(makeApi())
    const url = await serve(async (incoming, outgoing) => {
      await parse(incoming, () => undefined)
      await handler(incoming, outgoing)
    })
    const answer = await post(url, job('lost'))
    expect([answer.status, answer.headers.get('content-type')]).toEqual([415, 'application/problem+json'])
    expect(await answer.json()).toMatchObject({
      code: 'unsupported-media-type',
      instance: '/api/v1/jobs',
      detail: expect.stringContaining('before the body parser'),
    })
    // An address that no URL can be made of.
    const strange = await fetch(`${url}//?key=secret`, { method: 'POST', body: 'lost' })
    expect([strange.status, await strange.json()]).toEqual([415, expect.objectContaining({ instance: '//' })])
  })

  it('needs no body where a parser has found none', async () => {
    const handler = toNodeHandler(each => new Response(`${each.method} done`))
    const url = await serve(async (incoming, outgoing) => {
      await parse(incoming, () => undefined)
      await handler(incoming, outgoing)
    })
    expect(await (await fetch(url, { method: 'POST' })).text()).toBe('POST done')
  })

  it('aborts the signal of a request whose client goes away', async () => {
    const begun = Promise.withResolvers<void>()
    const aborted = Promise.withResolvers<void>()
    const url = await serve(
      toNodeHandler(async ({ signal }) => {
        signal.addEventListener('abort', () => aborted.resolve(), { once: true })
        begun.resolve()
        await aborted.promise
        return new Response()
      }),
    )
    const client = request(url).on('error', () => {})
    client.end()
    await begun.promise
    client.destroy()
    await aborted.promise
  })

  it('passes on each event of a stream when it comes', async () => {
    const heard = Promise.withResolvers<void>()
    const app = new Hono().get('/', c =>
      streamSSE(c, async stream => {
        await stream.writeSSE({ data: 'first' })
        // Nothing more is sent before the client has the first.
        await heard.promise
        await stream.writeSSE({ data: 'second' })
      }),
    )
    const url = await serve(toNodeHandler(app))
    const answer = await fetch(url)
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader()
    const read = async () => Buffer.from((await reader.read()).value ?? []).toString()
    expect(await read()).toContain('data: first')
    heard.resolve()
    expect(await read()).toContain('data: second')
  })
})
