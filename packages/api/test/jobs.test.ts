import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from './sample-server.ts'
import { makeStore, storeKinds, type TestStore } from './stores.ts'

describe.each(storeKinds)('jobs over HTTP, on %s', kind => {
  let api: TestServer
  let store: TestStore
  beforeAll(async () => {
    store = await makeStore(kind)
    api = await startTestServer({ url: store.url, worker: { pollMs: 50 } })
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  })

  const enqueue = (body: object, headers?: Record<string, string>) => api.post('/api/v1/jobs', body, headers)
  const later = { runAt: '2999-01-01T00:00:00Z' }

  describe('POST /api/v1/jobs', () => {
    it('answers 201 with the id and where the job is', async () => {
      const { status, body, headers } = await enqueue({ type: 'ECHO', payload: { text: 'hi' } })
      expect(status).toBe(201)
      expect(body).toEqual({ id: expect.stringMatching(/^[0-9a-f-]{36}$/), duplicate: false })
      expect(headers.get('location')).toBe(`/api/v1/jobs/${body.id}`)
    })

    it('answers 200 and the first id for a known idempotency key with the same work', async () => {
      const key = { 'idempotency-key': 'order-1' }
      const first = await enqueue({ type: 'ECHO', payload: { text: 'a', pages: [] } }, key)
      const again = await enqueue({ type: 'ECHO', payload: { pages: [], text: 'a' } }, key)
      expect(again.status).toBe(200)
      expect(again.body).toEqual({ id: first.body.id, duplicate: true })
    })

    it('answers 409 for a known idempotency key with other work', async () => {
      const key = { 'idempotency-key': 'order-2' }
      await enqueue({ type: 'ECHO', payload: { text: 'a' } }, key)
      const { status, body } = await enqueue({ type: 'ECHO', payload: { text: 'b' } }, key)
      expect(status).toBe(409)
      expect(body).toMatchObject({
        code: 'idempotency-conflict',
        status: 409,
        type: '/problems/idempotency-conflict',
      })
    })

    it('takes every option', async () => {
      const options = { queue: 'slow', priority: 2, maxAttempts: 9, tenant: 'acme', ...later }
      const { body } = await enqueue({ type: 'ECHO', payload: { text: 'x' }, ...options })
      const job = await api.ask(`/api/v1/jobs/${body.id}`)
      expect(job.body).toMatchObject({
        ...options,
        runAt: '2999-01-01T00:00:00.000Z',
        state: 'queued',
        shown: 'scheduled',
        payload: { text: 'x' },
      })
    })

    it('takes a delay as text', async () => {
      const { body } = await enqueue({ type: 'ECHO', payload: { text: 'x' }, delay: '1h30m' })
      const { createdAt, runAt } = (await api.ask(`/api/v1/jobs/${body.id}`)).body
      expect(Date.parse(runAt) - Date.parse(createdAt)).toBe(5_400_000)
    })

    it('answers 429 with Retry-After when the queue is full', async () => {
      await api.server.millrace.configureQueue('tiny', { maxQueued: 1 })
      const job = { type: 'ECHO', payload: { text: 'x' }, queue: 'tiny' }
      expect((await enqueue(job)).status).toBe(201)
      const { status, body, headers } = await enqueue(job)
      expect(status).toBe(429)
      expect(body.code).toBe('queue-full')
      expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    })
  })

  describe('GET /api/v1/jobs/:id', () => {
    it('shows attempts, logs, progress and the result of a completed job', async () => {
      const { body } = await enqueue({ type: 'ECHO', payload: { text: 'hello' } })
      await api.server.millrace.result(body.id, { timeoutMs: 5_000 })
      const job = (await api.ask(`/api/v1/jobs/${body.id}`)).body
      expect(job).toMatchObject({ state: 'completed', result: { text: 'hello' }, tenant: null, attempt: 1 })
      expect(job.attempts).toMatchObject([{ attempt: 1, outcome: 'completed', error: null }])
      expect(job.logs).toMatchObject([{ level: 'info', message: 'heard', data: { length: 5 }, attempt: 1 }])
      expect(job.progress).toMatchObject({ percent: expect.any(Number) })
      expect(Date.parse(job.finishedAt ?? '')).toBeGreaterThan(0)
    })

    it('shows the error of a dead job', async () => {
      const { body } = await enqueue({ type: 'FAIL', payload: { message: 'no luck' } })
      await api.server.millrace.result(body.id, { timeoutMs: 5_000 }).catch(() => {})
      const job = (await api.ask(`/api/v1/jobs/${body.id}`)).body
      expect(job).toMatchObject({ state: 'dead', lastError: { name: 'TypeError', message: 'no luck' } })
    })

    it('answers 404 for an id that is not there', async () => {
      const { status, body } = await api.ask('/api/v1/jobs/01900000-0000-7000-8000-000000000000')
      expect(status).toBe(404)
      expect(body.code).toBe('not-found')
    })
  })

  describe('GET /api/v1/jobs', () => {
    it('lists newest first, page by page, without payloads', async () => {
      const ids: string[] = []
      for (let n = 0; n < 5; n++)
        ids.unshift(
          (await enqueue({ type: 'ECHO', payload: { text: `${n}` }, tenant: 'pages', ...later })).body.id,
        )
      const seen: string[] = []
      let cursor = ''
      do {
        const { body } = await api.ask(`/api/v1/jobs?tenant=pages&limit=2${cursor && `&cursor=${cursor}`}`)
        expect(body.jobs[0]).not.toHaveProperty('payload')
        seen.push(...body.jobs.map((job: { id: string }) => job.id))
        cursor = body.cursor ?? ''
      } while (cursor)
      expect(seen).toEqual(ids)
    })

    it.each([
      ['type=ECHO', 1],
      ['type=HOLD', 0],
      ['type=HOLD,ECHO', 1],
      ['type=HOLD&type=ECHO', 1],
      ['queue=filters', 1],
      ['queue=fast', 0],
      ['state=queued', 1],
      ['state=queued,dead', 1],
      ['state=completed', 0],
      ['from=2020-01-01T00:00:00Z', 1],
      ['until=2020-01-01T00:00:00Z', 0],
    ])('filters by %s', async (query, count) => {
      const key = { 'idempotency-key': 'filters' }
      const job = { type: 'ECHO', payload: { text: 'f' }, tenant: 'filtered', queue: 'filters', ...later }
      await enqueue(job, key)
      const { status, body } = await api.ask(`/api/v1/jobs?tenant=filtered&${query}`)
      expect(status).toBe(200)
      expect(body.jobs).toHaveLength(count)
    })
  })

  describe('cancel and retry', () => {
    it('cancels a waiting job at once, with the reason', async () => {
      const { body } = await enqueue({ type: 'ECHO', payload: { text: 'x' }, ...later })
      const cancelled = await api.post(`/api/v1/jobs/${body.id}/cancel`, { reason: 'not needed' })
      expect(cancelled).toMatchObject({ status: 200, body: { id: body.id, outcome: 'cancelled' } })
      const job = await api.ask(`/api/v1/jobs/${body.id}`)
      expect(job.body).toMatchObject({ state: 'cancelled', cancelReason: 'not needed' })
    })

    it('cancels without a body', async () => {
      const { body } = await enqueue({ type: 'ECHO', payload: { text: 'x' }, ...later })
      const { status } = await api.ask(`/api/v1/jobs/${body.id}/cancel`, { method: 'POST' })
      expect(status).toBe(200)
    })

    it('leaves a finished job as it is', async () => {
      const { body } = await enqueue({ type: 'ECHO', payload: { text: 'x' } })
      await api.server.millrace.result(body.id, { timeoutMs: 5_000 })
      const { body: answer } = await api.ask(`/api/v1/jobs/${body.id}/cancel`, { method: 'POST' })
      expect(answer.outcome).toBe('already-finished')
    })

    it('retries a dead job under the same id', async () => {
      const { body } = await enqueue({ type: 'FAIL', payload: { message: 'again' } })
      await api.server.millrace.result(body.id, { timeoutMs: 5_000 }).catch(() => {})
      const { status, body: answer } = await api.ask(`/api/v1/jobs/${body.id}/retry`, { method: 'POST' })
      expect([status, answer]).toEqual([200, { id: body.id, outcome: 'redriven' }])
      expect((await api.ask(`/api/v1/jobs/${body.id}`)).body.redrives).toBe(1)
    })

    it('answers 409 for the retry of a job that is not finished', async () => {
      const { body } = await enqueue({ type: 'ECHO', payload: { text: 'x' }, ...later })
      const answer = await api.ask(`/api/v1/jobs/${body.id}/retry`, { method: 'POST' })
      expect(answer).toMatchObject({ status: 409, body: { code: 'conflict' } })
    })

    it.each(['cancel', 'retry'])('answers 404 for the %s of a job that is not there', async action => {
      const path = `/api/v1/jobs/01900000-0000-7000-8000-000000000000/${action}`
      expect((await api.ask(path, { method: 'POST' })).status).toBe(404)
    })
  })

  describe('GET /api/v1/stats', () => {
    it('counts by state, type and queue', async () => {
      await enqueue({ type: 'ECHO', payload: { text: 'x' }, queue: 'counted', ...later })
      const { status, body } = await api.ask('/api/v1/stats')
      expect(status).toBe(200)
      expect(body.byQueue.counted).toMatchObject({ delayed: 1, ready: 0, dead: 0 })
      expect(body.byType.ECHO?.delayed).toBeGreaterThanOrEqual(1)
      expect(body.total.delayed).toBeGreaterThanOrEqual(1)
      expect(body.last24h).toHaveProperty('failedAttempts')
    })
  })
})
