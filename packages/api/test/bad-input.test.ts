import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, startTestServer, type TestServer, token } from './sample-server.ts'
import { makeStore, storeKinds, type TestStore } from './stores.ts'

describe.each(storeKinds)('bad input, on %s', kind => {
  let api: TestServer
  let store: TestStore
  const troubles: unknown[] = []
  beforeAll(async () => {
    store = await makeStore(kind)
    api = await startTestServer({ url: store.url, worker: false })
    api.server.millrace.on('trouble', trouble => troubles.push(trouble))
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  })

  const enqueue = (body: unknown, headers?: Record<string, string>) => api.post('/api/v1/jobs', body, headers)

  function expectProblem(answer: Answer, status: number, code: string): void {
    expect({ status: answer.status, code: answer.body.code }).toEqual({ status, code })
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(answer.body).toMatchObject({
      type: `/problems/${code}`,
      title: expect.any(String),
      status,
      detail: expect.any(String),
      faults: expect.any(Array),
    })
  }

  const paths = (answer: Answer): string[] =>
    answer.body.faults.map((fault: { path: unknown[] }) => fault.path.join('.'))

  describe('a body that is refused', () => {
    it.each([
      ['nothing', ''],
      ['half an object', '{"type":'],
      ['a lone word', 'hello'],
      ['an array nested 400,000 deep', '['.repeat(400_000) + ']'.repeat(400_000)],
    ])('that is %s is a 400', async (_, body) => {
      const answer = await enqueue(body)
      expect(answer.status).toBe(400)
      expect(['malformed-body', 'invalid-argument']).toContain(answer.body.code)
    })

    it.each([['null'], ['[]'], ['"text"'], ['7']])('that is %s is told to be an object', async body => {
      const answer = await enqueue(body)
      expectProblem(answer, 400, 'invalid-argument')
      expect(answer.body.faults).toEqual([{ path: [], message: 'must be a JSON object' }])
    })

    it('that is not UTF-8 is a 400', async () => {
      const body = new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d])
      const headers = { 'content-type': 'application/json' }
      expectProblem(await api.ask('/api/v1/jobs', { method: 'POST', body, headers }), 400, 'malformed-body')
    })

    it('with a __proto__ key is a 400', async () => {
      const answer = await enqueue('{"type":"ECHO","payload":{"text":"x","__proto__":{"admin":true}}}')
      expectProblem(answer, 400, 'malformed-body')
      expect(paths(answer)).toEqual(['__proto__'])
    })

    it('with an integer beyond 2^53 is a 400 that names the number', async () => {
      const answer = await enqueue('{"type":"ECHO","payload":{"text":"x","n":9007199254740993}}')
      expectProblem(answer, 400, 'malformed-body')
      expect(answer.body.detail).toContain('9007199254740993')
    })

    it.each([
      ['NUL', '\\u0000'],
      ['half a surrogate pair', '\\ud800'],
    ])('with %s in the payload is a 422 with its path', async (_, escape) => {
      const answer = await enqueue(`{"type":"ECHO","payload":{"text":"a${escape}b"}}`)
      expectProblem(answer, 422, 'invalid-payload')
      expect(paths(answer)).toEqual(['payload.text'])
    })

    it.each([
      ['tenant', '"a\\u0000b"'],
      ['tenant', '"\\ud800"'],
      ['tenant', '""'],
      ['queue', '"no spaces allowed"'],
      ['priority', '0'],
      ['priority', '1.5'],
      ['priority', '"5"'],
      ['maxAttempts', '0'],
      ['runAt', '"2026-11-23T14:00:00"'],
      ['runAt', '"2026-02-30T00:00:00Z"'],
      ['runAt', '-1'],
      ['delay', '"soon"'],
      ['delay', '-1'],
      ['delay', '[]'],
    ])('with %s %s is a 400', async (field, value) => {
      const answer = await enqueue(`{"type":"ECHO","payload":{"text":"x"},"${field}":${value}}`)
      expectProblem(answer, 400, 'invalid-argument')
    })

    it('with a number that JavaScript would bend is a 400', async () => {
      const answer = await enqueue('{"type":"ECHO","payload":{"text":"x"},"delay":1e999}')
      expectProblem(answer, 400, 'malformed-body')
      expect(paths(answer)).toEqual(['delay'])
    })

    it('names every unknown and every missing field', async () => {
      const answer = await enqueue({ typ: 'ECHO', prio: 1 })
      expectProblem(answer, 400, 'invalid-argument')
      expect(paths(answer).sort()).toEqual(['payload', 'prio', 'typ', 'type'])
    })

    it('with both runAt and delay is a 400', async () => {
      const answer = await enqueue({ type: 'ECHO', payload: { text: 'x' }, runAt: 0, delay: 5 })
      expectProblem(answer, 400, 'invalid-argument')
      expect(paths(answer)).toEqual(['delay'])
    })

    it('of an unknown type is a 422 that names the known ones', async () => {
      const answer = await enqueue({ type: 'NOPE', payload: {} })
      expectProblem(answer, 422, 'unknown-type')
      expect(answer.body.detail).toContain('ECHO')
    })

    it('with an invalid payload is a 422 with the path of each fault', async () => {
      const answer = await enqueue({
        type: 'ECHO',
        payload: { text: 7, pages: [{ url: 'https://a.test' }, { url: 'no' }] },
      })
      expectProblem(answer, 422, 'invalid-payload')
      expect(paths(answer)).toEqual(['payload.text', 'payload.pages.1.url'])
    })

    it('with a payload over 1 MiB is a 413', async () => {
      expectProblem(
        await enqueue({ type: 'ECHO', payload: { text: 'x'.repeat(2 ** 20) } }),
        413,
        'payload-too-large',
      )
    })

    it('over 2 MiB is a 413 by its announced length', async () => {
      expectProblem(
        await enqueue({ type: 'ECHO', payload: { text: 'x'.repeat(3 * 2 ** 20) } }),
        413,
        'payload-too-large',
      )
    })

    it('over 2 MiB is a 413 while it streams, without an announced length', async () => {
      const chunk = new Uint8Array(64 * 1_024).fill(0x20)
      let left = 48
      const body = new ReadableStream({
        pull: controller => (left-- > 0 ? controller.enqueue(chunk) : controller.close()),
      })
      const headers = { 'content-type': 'application/json' }
      const init = { method: 'POST', body, headers, duplex: 'half' } as RequestInit
      expectProblem(await api.ask('/api/v1/jobs', init), 413, 'payload-too-large')
    })

    it.each([
      ['text/plain'],
      ['application/x-www-form-urlencoded'],
      ['application/json; charset=latin1'],
      [''],
    ])('of content type %j is a 415', async type => {
      expectProblem(
        await enqueue({ type: 'ECHO', payload: {} }, { 'content-type': type }),
        415,
        'unsupported-media-type',
      )
    })

    it('that is compressed is a 415', async () => {
      expectProblem(await enqueue({}, { 'content-encoding': 'gzip' }), 415, 'unsupported-media-type')
    })

    it.each([
      ['256 characters', 'a'.repeat(256)],
      ['a letter beyond ASCII', '\u00e9'],
    ])('with an idempotency key of %s is a 400', async (_, key) => {
      const answer = await enqueue({ type: 'ECHO', payload: { text: 'x' } }, { 'idempotency-key': key })
      expectProblem(answer, 400, 'invalid-argument')
    })
  })

  describe('a query that is refused', () => {
    it.each([
      ['cursor=nonsense', 'the cursor'],
      ['limit=0', 'limit'],
      ['limit=201', 'limit'],
      ['limit=ten', 'limit'],
      ['limit=1&limit=2', 'limit'],
      ['state=PENDING', 'state'],
      ['from=yesterday', 'from'],
      ['tenant=%00', 'tenant'],
      ['tenant=a&tenant=b', 'tenant'],
      ['stat=queued', 'stat'],
      ['__proto__=x', '__proto__'],
      ['%5F_proto__=x', '__proto__'],
      ['__proto__=x&__proto__=y', '__proto__'],
    ])('%s', async (query, mentioned) => {
      const answer = await api.ask(`/api/v1/jobs?${query}`)
      expectProblem(answer, 400, 'invalid-argument')
      expect(answer.body.detail).toContain(mentioned)
    })

    it.each(['1', 'nope', '01900000-0000-7000-8000-00000000000g', '%00', '%E0%A4%A', '%27%20OR%201=1'])(
      'for the id %s',
      async id => {
        expectProblem(await api.ask(`/api/v1/jobs/${id}`), 400, 'invalid-argument')
      },
    )
  })

  describe('bytes that are hardly HTTP', () => {
    it.each([
      ['an absolute target', 'GET http://elsewhere.test/health HTTP/1.1\r\nHost: x\r\n\r\n'],
      ['no host', 'GET /health HTTP/1.1\r\n\r\n'],
      ['two slashes', 'GET //health HTTP/1.1\r\nHost: x\r\n\r\n'],
      ['an odd host', 'GET /health HTTP/1.1\r\nHost: %%%\r\n\r\n'],
      ['no request at all', 'hello\r\n\r\n'],
    ])('with %s get no 5xx', async (_, bytes) => {
      const status = await new Promise<number>((resolve, reject) => {
        const { hostname, port } = new URL(api.server.url)
        const socket = connect(Number(port), hostname, () => socket.write(bytes))
        socket.once('data', data => (socket.destroy(), resolve(Number(String(data).split(' ')[1]))))
        socket.once('error', reject)
      })
      expect(status).toBeGreaterThanOrEqual(200)
      expect(status).toBeLessThan(500)
    })
  })

  it.each([
    ['Content-Length: 99\r\n\r\n{"type":', 'of a length that it announced'],
    ['Transfer-Encoding: chunked\r\n\r\n63\r\n{"type":', 'in chunks'],
  ])('%j is cut off, as its caller goes away, and is no trouble (%s)', async rest => {
    const { hostname, port } = new URL(api.server.url)
    await new Promise<void>(resolve => {
      const head = `POST /api/v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n`
      const socket = connect(Number(port), hostname, () => socket.end(`${head}${rest}`))
      socket.once('close', () => resolve()).resume()
    })
  })

  describe('after all that', () => {
    it('the server has had no trouble and stored nothing', async () => {
      expect(troubles).toEqual([])
      expect((await api.ask('/api/v1/stats')).body.total.ready).toBe(0)
    })
  })
})
