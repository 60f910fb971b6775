import { createClient, type ClientOptions } from '@millrace/client'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { json, lost, problem, proxyError, silent, startScripted } from './scripted-server.ts'

const id = '01900000-0000-7000-8000-000000000000'
const page = { jobs: [], cursor: null }
const body = { type: 'GREET', payload: {} }
const clientOf = (url: string, options: Partial<ClientOptions> = {}) =>
  createClient({ url, token: 'a-token', ...options })

describe('a call that has no answer', () => {
  it('is repeated when it only reads', async () => {
    await using server = await startScripted(lost, problem(503, 'unavailable'), json(200, page))
    expect(await clientOf(server.url).listJobs()).toEqual(page)
    expect(server.requests).toHaveLength(3)
  })

  it('is not repeated when it would be done twice', async () => {
    await using server = await startScripted(lost, json(201, { id, duplicate: false }))
    await expect(clientOf(server.url).enqueueJob({ body })).rejects.toMatchObject({
      code: 'unreachable',
      status: 0,
    })
    expect(server.requests).toHaveLength(1)
  })

  it('is repeated with the same idempotency key', async () => {
    await using server = await startScripted(lost, json(200, { id, duplicate: true }))
    const client = clientOf(server.url)
    expect(await client.enqueueJob({ body, idempotencyKey: 'once' })).toEqual({ id, duplicate: true })
    expect(server.requests.map(each => each.headers['idempotency-key'])).toEqual(['once', 'once'])
  })

  it.each([
    ['a key', { ...body, idempotencyKey: 'b' }, 2],
    ['none', body, 1],
  ])('is, of a batch whose last job has %s, sent %s', async (_, last, times) => {
    const answer = json(200, { enqueued: 2, refused: 0, results: [] })
    await using server = await startScripted(lost, answer)
    const jobs = [{ ...body, idempotencyKey: 'a' }, last]
    await clientOf(server.url)
      .enqueueJobs({ body: { jobs } })
      .catch(() => {})
    expect(server.requests).toHaveLength(times)
  })

  it('is repeated when it says how something is to be', async () => {
    await using server = await startScripted(lost, json(200, {}))
    await clientOf(server.url).putSchedule({
      name: 'mornings',
      body: { type: 'GREET', payload: {}, cron: '0 7 * * *' },
    })
    expect(server.requests.map(each => each.method)).toEqual(['PUT', 'PUT'])
  })

  it.each([
    ['the connection was lost', lost],
    ['a proxy said 502', proxyError(502)],
    ['a proxy said 503', proxyError(503)],
    ['a proxy said 504', proxyError(504)],
  ])('has deleted when %s and what it deletes is gone at the next try', async (_, first) => {
    await using server = await startScripted(first, problem(404, 'not-found'))
    expect(await clientOf(server.url).removeJob({ id })).toBeUndefined()
    expect(server.requests).toHaveLength(2)
  })

  it('has not found what is not there after the server itself has refused', async () => {
    await using server = await startScripted(problem(503, 'read-only'), problem(404, 'not-found'))
    await expect(clientOf(server.url).removeJob({ id })).rejects.toMatchObject({ code: 'not-found' })
  })

  it('has not found what was not there at the first try', async () => {
    await using server = await startScripted(problem(404, 'not-found'))
    await expect(clientOf(server.url).removeJob({ id })).rejects.toMatchObject({ code: 'not-found' })
  })

  it('is given up after as many tries as wanted', async () => {
    await using server = await startScripted(problem(503, 'closed'))
    const client = clientOf(server.url, { retries: 1 })
    await expect(client.listJobs()).rejects.toMatchObject({ code: 'closed' })
    await expect(client.listJobs({ retries: 0 })).rejects.toMatchObject({ code: 'closed' })
    expect(server.requests).toHaveLength(3)
  })

  it('ends by its time', async () => {
    await using server = await startScripted(silent)
    const call = clientOf(server.url).listJobs({ timeoutMs: 20, retries: 0 })
    await expect(call).rejects.toMatchObject({ code: 'timed-out', detail: expect.stringContaining('20 ms') })
  })

  it('ends by its time in the middle of an answer', async () => {
    await using server = await startScripted((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"jobs":')
    })
    const call = clientOf(server.url).listJobs({ timeoutMs: 50, retries: 0 })
    await expect(call).rejects.toMatchObject({ code: 'timed-out' })
  })

  it('ends with the reason of its signal', async () => {
    const controller = new AbortController()
    await using server = await startScripted(() => controller.abort(new Error('enough')))
    await expect(clientOf(server.url).listJobs({ signal: controller.signal })).rejects.toThrow('enough')
    expect(server.requests).toHaveLength(1)
  })
})

describe.each(['drain', 'cronDrain', 'cronDrainByGet'] as const)('%s, which works', operation => {
  afterEach(() => void vi.useRealTimers())

  it.each([
    ['the connection is lost', lost, 'unreachable'],
    ['a proxy says 502', proxyError(502), 'unexpected-answer'],
    ['the time is up', silent, 'timed-out'],
  ])('is not repeated when %s', async (_, answer, code) => {
    await using server = await startScripted(answer, json(200, {}))
    // Nothing but the silent server lasts as long.
    const call = clientOf(server.url)[operation](answer === silent ? { timeoutMs: 20 } : {})
    await expect(call).rejects.toMatchObject({ code })
    expect(server.requests).toHaveLength(1)
  })

  it('may take as long as the server lets it', async () => {
    const asked = Promise.withResolvers<() => void>()
    await using server = await startScripted((...of) =>
      asked.resolve(() => json(200, { processed: 1 })(...of)),
    )
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const call = clientOf(server.url)[operation]()
    const answer = await asked.promise
    vi.advanceTimersByTime(86_400_000)
    answer()
    expect(await call).toEqual({ processed: 1 })
  })

  it('takes no longer than the client was told', async () => {
    await using server = await startScripted(silent)
    const call = clientOf(server.url, { timeoutMs: 20 })[operation]()
    await expect(call).rejects.toMatchObject({ code: 'timed-out' })
  })
})

describe('the time of a call that nobody has given any', () => {
  afterEach(() => void vi.useRealTimers())

  it('is half a minute', async () => {
    const asked = Promise.withResolvers<void>()
    await using server = await startScripted(() => asked.resolve())
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const call = expect(clientOf(server.url).listJobs({ retries: 0 })).rejects.toMatchObject({
      code: 'timed-out',
      detail: expect.stringContaining('30000 ms'),
    })
    await asked.promise
    vi.advanceTimersByTime(30_000)
    await call
  })

  it('has no end for a long poll, which only reads and is repeated', async () => {
    const asked = Promise.withResolvers<() => void>()
    await using server = await startScripted(lost, (...of) => asked.resolve(() => json(202, { id })(...of)))
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldAdvanceTime: true })
    const call = clientOf(server.url).jobResult({ id, query: { waitMs: 60_000 } })
    const answer = await asked.promise
    vi.advanceTimersByTime(60_000)
    answer()
    expect(await call).toEqual({ id })
    expect(server.requests).toHaveLength(2)
  })
})

describe('a change of a session that is refused', () => {
  const whoAmI = (csrfToken: string) => json(200, { csrfToken })
  const forbidden = problem(403, 'forbidden')
  const sent = ({ requests }: { requests: { method: string; headers: Record<string, unknown> }[] }) =>
    requests.map(each => `${each.method} ${String(each.headers['x-csrf-token'] ?? '-')}`)
  const pageOf = (url: string) => createClient({ url, session: true })

  it('is sent once more with the token that stands in place of the old', async () => {
    await using server = await startScripted(whoAmI('old'), forbidden, whoAmI('new'), json(201, { id }))
    expect(await pageOf(server.url).enqueueJob({ body })).toEqual({ id })
    expect(sent(server)).toEqual(['GET -', 'POST old', 'GET -', 'POST new'])
  })

  it('stays refused when the token is still the same', async () => {
    await using server = await startScripted(whoAmI('same'), forbidden, whoAmI('same'))
    await expect(pageOf(server.url).enqueueJob({ body })).rejects.toMatchObject({ code: 'forbidden' })
    expect(sent(server)).toEqual(['GET -', 'POST same', 'GET -'])
  })

  it('stays refused when it is refused with the new token, too', async () => {
    await using server = await startScripted(whoAmI('old'), forbidden, whoAmI('new'), forbidden)
    await expect(pageOf(server.url).enqueueJob({ body })).rejects.toMatchObject({ code: 'forbidden' })
    expect(sent(server)).toEqual(['GET -', 'POST old', 'GET -', 'POST new'])
  })

  it('stays refused when nobody can tell another token', async () => {
    await using server = await startScripted(whoAmI('old'), forbidden, problem(401, 'unauthorized'))
    await expect(pageOf(server.url).enqueueJob({ body })).rejects.toMatchObject({ code: 'forbidden' })
  })
})

describe('a server that wants to be asked later', () => {
  it('is asked again no sooner', async () => {
    await using server = await startScripted(
      problem(429, 'rate-limited', { 'retry-after': '1' }),
      json(200, page),
    )
    await clientOf(server.url).listJobs()
    const [first, second] = server.requests
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(995)
  })

  it('is not waited for longer than a minute', async () => {
    await using server = await startScripted(problem(503, 'disk-full', { 'retry-after': '61' }))
    await expect(clientOf(server.url).listJobs()).rejects.toMatchObject({
      code: 'disk-full',
      retryAfterMs: 61_000,
    })
    expect(server.requests).toHaveLength(1)
  })
})

describe('an answer that is not one of the API', () => {
  it('is told with what it is', async () => {
    await using server = await startScripted((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Sign in</h1>')
    })
    await expect(clientOf(server.url).listJobs()).rejects.toMatchObject({
      code: 'unexpected-answer',
      status: 200,
      detail: expect.stringContaining('text/html'),
    })
  })

  it('is not followed to another address, which would get the key', async () => {
    await using other = await startScripted(json(200, page))
    await using server = await startScripted((_, response) => {
      response.writeHead(308, { location: `${other.url}/api/v1/jobs` }).end()
    })
    const client = createClient({ url: server.url, apiKey: 'a-key' })
    await expect(client.listJobs()).rejects.toMatchObject({
      code: 'unexpected-answer',
      detail: expect.stringContaining(other.url),
    })
    expect(other.requests).toHaveLength(0)
  })

  it('is a problem of its own where JSON is broken off', async () => {
    await using server = await startScripted((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"jobs":')
    })
    await expect(clientOf(server.url).listJobs()).rejects.toMatchObject({ code: 'unexpected-answer' })
  })
})

describe('what is sent', () => {
  it('holds every value of a list, and nothing of what is undefined', async () => {
    await using server = await startScripted(json(200, page))
    const client = clientOf(`${server.url}/jobs-api/`)
    const query = { type: ['A&B', 'C,D'], state: ['dead' as const], tenant: undefined as unknown as string }
    await client.listJobs({ query })
    expect(server.requests[0]?.path).toBe('/jobs-api/api/v1/jobs?type=A%26B&type=C%2CD&state=dead')
  })

  it('has the token of the moment', async () => {
    await using server = await startScripted(json(200, page))
    let turn = 0
    const client = clientOf(server.url, { token: () => Promise.resolve(`token-${++turn}`) })
    await client.listJobs()
    await client.listJobs()
    expect(server.requests.map(each => each.headers.authorization)).toEqual([
      'Bearer token-1',
      'Bearer token-2',
    ])
  })

  it('has the key as x-api-key', async () => {
    await using server = await startScripted(json(200, page))
    await createClient({ url: server.url, apiKey: 'a-key' }).listJobs()
    expect(server.requests[0]?.headers).toMatchObject({ 'x-api-key': 'a-key' })
  })

  it.each(['', '.', '..', '\uD800'])('is nothing for the id %j, which would lead elsewhere', async wrong => {
    await using server = await startScripted(json(200, {}))
    await expect(clientOf(server.url).getJob({ id: wrong })).rejects.toMatchObject({
      code: 'invalid-argument',
    })
    expect(server.requests).toHaveLength(0)
  })

  it('stays in its place whatever an id holds', async () => {
    await using server = await startScripted(json(200, {}))
    await clientOf(server.url).getJob({ id: '../../ready?x=1#y' })
    expect(server.requests[0]?.path).toBe('/api/v1/jobs/..%2F..%2Fready%3Fx%3D1%23y')
  })

  it.each([
    ['a token with a line end', { token: 'a\nx-evil: 1' }],
    ['a token beyond ASCII', { token: 'schlüssel' }],
  ])('is nothing with %s', async (_, options) => {
    await using server = await startScripted(json(200, page))
    await expect(clientOf(server.url, options).listJobs()).rejects.toMatchObject({ code: 'invalid-argument' })
    expect(server.requests).toHaveLength(0)
  })
})

describe('options that can not work', () => {
  it.each([
    ['no url', { url: 'jobs' }],
    ['another protocol', { url: 'ftp://jobs.example' }],
    ['a password in the url', { url: 'https://a:b@jobs.example' }],
    ['a query in the url', { url: 'https://jobs.example?a=1' }],
    ['an empty token', { url: 'https://jobs.example', token: '' }],
    ['two secrets', { url: 'https://jobs.example', token: 'a', apiKey: 'b' }],
    ['no time', { url: 'https://jobs.example', timeoutMs: 0 }],
    ['less than no retries', { url: 'https://jobs.example', retries: -1 }],
    ['retries that are no number', { url: 'https://jobs.example', retries: Number.NaN }],
  ])('are refused at once: %s', (_, options) => {
    expect(() => createClient(options)).toThrow(expect.objectContaining({ code: 'invalid-argument' }))
  })
})
