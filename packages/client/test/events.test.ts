import type { ServerResponse } from 'node:http'
import { createClient, type MillraceEvent } from '@millrace/client'
import { describe, expect, it } from 'vitest'
import { adminToken, startSample } from './sample-application.ts'
import { type Answering, json, lost, problem, startScripted } from './scripted-server.ts'

const begin = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
const eventText = (n: number): string => `id: ${n}\nevent: job.completed\ndata: {"n":${n}}\n\n`
/** Sends these events; then the connection stays open. */
const stream =
  (...numbers: number[]): Answering =>
  (_, response) =>
    void begin(response).write(numbers.map(eventText).join(''))
/** The same, and the server ends the stream properly. */
const ending =
  (...numbers: number[]): Answering =>
  (_, response) =>
    void begin(response).end(`retry: 5\n${numbers.map(eventText).join('')}`)
/** The same, and the connection is cut. */
const breaking =
  (...numbers: number[]): Answering =>
  (request, response) =>
    void begin(response).write(numbers.map(eventText).join(''), () =>
      setImmediate(() => lost(request, response)),
    )

const welcome = (n: number): string => `: welcome\nid: ${n}\nretry: 5\n\n`
const heartbeat = (n: number): string => `: still here\nid: ${n}\n\n`
/** Sends this text; then the server ends the stream, or the connection is cut. */
const text =
  (text: string, end: 'ended' | 'cut'): Answering =>
  (request, response) => {
    if (end === 'ended') begin(response).end(text)
    else begin(response).write(text, () => setImmediate(() => lost(request, response)))
  }

async function take(events: AsyncIterable<MillraceEvent>, count: number): Promise<MillraceEvent[]> {
  const taken: MillraceEvent[] = []
  for await (const event of events) {
    taken.push(event)
    if (taken.length === count) break
  }
  return taken
}

/** The answer as it comes over a connection that breaks after the first block. */
async function cutAfterFirstBlock({ body, status, headers }: Response): Promise<Response> {
  const reader = (body as ReadableStream<Uint8Array<ArrayBuffer>>).getReader()
  const decoder = new TextDecoder()
  let block = ''
  while (!block.includes('\n\n')) {
    const { value, done } = await reader.read()
    if (done) break
    block += decoder.decode(value, { stream: true })
  }
  await reader.cancel()
  const pieces = [new TextEncoder().encode(block)]
  const broken = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      const piece = pieces.shift()
      if (piece) controller.enqueue(piece)
      else controller.error(new TypeError('terminated'))
    },
  })
  return new Response(broken, { status, headers })
}

describe('the stream of events', () => {
  it('answers id, name and data, and asks for what is wanted', async () => {
    await using server = await startScripted(stream(1, 2))
    const client = createClient({ url: server.url, token: 'a-token' })
    const events = await take(client.events({ query: { type: ['A', 'B'] } }), 2)
    expect(events[1]).toEqual({ id: '2', event: 'job.completed', data: { n: 2 } })
    expect(server.requests[0]).toMatchObject({
      path: '/api/v1/events?type=A&type=B',
      headers: { accept: 'text/event-stream', authorization: 'Bearer a-token' },
    })
  })

  it.each([
    ['ends the stream', ending(1, 2)],
    ['cuts the connection', breaking(1, 2)],
  ])('goes on after the last event when the server %s', async (_, first) => {
    await using server = await startScripted(first, stream(3))
    const events = await take(createClient({ url: server.url }).events(), 3)
    expect(events.map(each => each.id)).toEqual(['1', '2', '3'])
    expect(server.requests.map(each => each.headers['last-event-id'])).toEqual([undefined, '2'])
  })

  it('comes back when the server was away', async () => {
    await using server = await startScripted(ending(1), lost, problem(503, 'closed'), stream(2))
    const events = await take(createClient({ url: server.url }).events(), 2)
    expect(events.map(each => each.id)).toEqual(['1', '2'])
    expect(server.requests.at(-1)?.headers['last-event-id']).toBe('1')
  })

  it.each(['ended', 'cut'] as const)(
    'goes on from where it began when the connection is %s before any event came',
    async end => {
      await using server = await startScripted(text(welcome(7), end), stream(8))
      expect(await take(createClient({ url: server.url }).events(), 1)).toMatchObject([{ id: '8' }])
      expect(server.requests.map(each => each.headers['last-event-id'])).toEqual([undefined, '7'])
    },
  )

  it.each(['ended', 'cut'] as const)(
    'goes on from the last sign of life when the connection is %s in the silence after',
    async end => {
      const first = text(`${welcome(7)}${eventText(8)}${heartbeat(20)}`, end)
      await using server = await startScripted(first, text(heartbeat(21), end), stream(22))
      const events = await take(createClient({ url: server.url }).events(), 2)
      expect(events.map(each => each.id)).toEqual(['8', '22'])
      expect(server.requests.map(each => each.headers['last-event-id'])).toEqual([undefined, '20', '21'])
    },
  )

  it('does not go on from a place whose block was cut off', async () => {
    await using server = await startScripted(text(`${welcome(7)}id: 9\n`, 'cut'), stream(8))
    await take(createClient({ url: server.url }).events(), 1)
    expect(server.requests[1]?.headers['last-event-id']).toBe('7')
  })

  it('misses nothing of a real server between a first connection without events and the next', async () => {
    await using sample = await startSample()
    const options = { url: sample.url, token: adminToken }
    const writer = createClient(options)
    const lastIds: (string | null)[] = []
    let job: { id: string } | undefined
    const cutting: typeof fetch = async (input, init) => {
      lastIds.push(new Headers(init?.headers).get('last-event-id'))
      if (lastIds.length === 1) return cutAfterFirstBlock(await fetch(input, init))
      job ??= await writer.enqueueJob({ body: { type: 'GREET', payload: { name: 'Ada' } } })
      await writer.waitForResult(job.id)
      return fetch(input, init)
    }
    const [event] = await take(createClient({ ...options, fetch: cutting }).events(), 1)
    expect(lastIds).toEqual([null, expect.stringMatching(/^\d+$/)])
    expect(event?.data).toMatchObject({ id: job?.id })
  })

  it('begins after the event that the caller has seen', async () => {
    await using server = await startScripted(stream(8))
    await take(createClient({ url: server.url }).events({ lastEventId: '7' }), 1)
    expect(server.requests[0]?.headers['last-event-id']).toBe('7')
  })

  it('makes a silent connection anew', async () => {
    await using server = await startScripted(stream(1), stream(2))
    const events = await take(createClient({ url: server.url }).events({ silenceMs: 50 }), 2)
    expect(events.map(each => each.id)).toEqual(['1', '2'])
  })

  it.each([
    ['refuses', problem(403, 'forbidden'), 'forbidden'],
    ['answers something else', json(200, {}), 'unexpected-answer'],
    [
      'sends what is not JSON',
      (_: unknown, r: ServerResponse) => void begin(r).write('data: {\n\n'),
      'unexpected-answer',
    ],
  ] as const)('throws when the server %s', async (_, answer, code) => {
    await using server = await startScripted(answer)
    await expect(take(createClient({ url: server.url }).events(), 1)).rejects.toMatchObject({ code })
    expect(server.requests).toHaveLength(1)
  })

  it('throws the reason of its signal while nothing happens', async () => {
    const controller = new AbortController()
    await using server = await startScripted((_, response) => {
      begin(response).write(': here\n\n', () => controller.abort(new Error('enough')))
    })
    const events = createClient({ url: server.url }).events({ signal: controller.signal })
    await expect(take(events, 1)).rejects.toThrow('enough')
  })

  it('closes the connection when the loop is left', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>()
    await using server = await startScripted((request, response) => {
      request.socket.once('close', () => resolve())
      stream(1)(request, response)
    })
    await take(createClient({ url: server.url }).events(), 1)
    await closed
  })
})
