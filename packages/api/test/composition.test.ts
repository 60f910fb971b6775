import { flow } from 'millrace'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, echo, fail, startTestServer, type TestServer } from './sample-server.ts'
import { makeStore, storeKinds, type TestStore } from './stores.ts'

const absent = '01900000-0000-7000-8000-000000000000'

describe.each(storeKinds)('flows, steps and dead jobs over HTTP, on %s', kind => {
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

  /** Resolves with the id of an ASK that waits for its answer. */
  const asking = async (): Promise<string> => {
    const { millrace } = api.server
    const waits = new Promise<string>(resolve => {
      const off = millrace.on('waiting', job => {
        off()
        resolve(job.id)
      })
    })
    const { id } = await millrace.enqueue(ask, {})
    expect(await waits).toBe(id)
    return id
  }

  describe('GET /api/v1/jobs/:id/why', () => {
    it('names the cause in one sentence', async () => {
      const { body } = await api.post('/api/v1/jobs', {
        type: 'ECHO',
        payload: { text: 'x' },
        runAt: '2999-01-01T00:00:00Z',
      })
      const why = await api.ask(`/api/v1/jobs/${body.id}/why`)
      expect(why).toMatchObject({
        status: 200,
        body: {
          id: body.id,
          state: 'queued',
          cause: 'not-due',
          sentence: 'It is not due before 2999-01-01T00:00:00Z.',
          details: { runAt: '2999-01-01T00:00:00.000Z', after: 'first' },
        },
      })
    })

    it('names the signal that a job waits for', async () => {
      const id = await asking()
      expect((await api.ask(`/api/v1/jobs/${id}/why`)).body).toMatchObject({
        cause: 'waiting-signal',
        details: { signal: 'answer', until: null },
      })
    })
  })

  describe('GET /api/v1/jobs/:id/steps', () => {
    it('lists steps with their results', async () => {
      const id = await asking()
      const { status, body } = await api.ask(`/api/v1/jobs/${id}/steps`)
      expect(status).toBe(200)
      expect(body.steps).toMatchObject([
        { name: 'look up', ordinal: 1, kind: 'run', state: 'completed', result: { who: 'ada' } },
        { name: 'answer', ordinal: 2, kind: 'signal', state: 'waiting', signal: 'answer', endedAt: null },
      ])
      expect(Date.parse(body.steps[0]?.startedAt ?? '')).toBeGreaterThan(0)
    })
  })

  describe('POST /api/v1/jobs/:id/signals', () => {
    it('reaches the job', async () => {
      const id = await asking()
      const sent = await api.post(`/api/v1/jobs/${id}/signals`, { name: 'answer', payload: { is: 42 } })
      expect(sent).toMatchObject({ status: 202, body: { id, name: 'answer', outcome: 'delivered' } })
      expect(await api.server.millrace.result(id, { timeoutMs: 5_000 })).toEqual({ is: 42 })
    })

    it('answers 409 when the job has finished', async () => {
      const { id } = await api.server.millrace.enqueue(echo, { text: 'x' })
      await api.server.millrace.result(id, { timeoutMs: 5_000 })
      const late = await api.post(`/api/v1/jobs/${id}/signals`, { name: 'answer' })
      expect(late).toMatchObject({ status: 409, body: { code: 'conflict' } })
    })

    it.each([
      [{}, ['name']],
      [{ name: '' }, ['name']],
      [{ name: 7 }, ['name']],
      [{ name: 'a', extra: 1 }, ['extra']],
    ])('answers 400 with the path for %j', async (body, path) => {
      const refused = await api.post(`/api/v1/jobs/${absent}/signals`, body)
      expect(refused).toMatchObject({ status: 400, body: { faults: [expect.objectContaining({ path })] } })
    })
  })

  describe('flows', () => {
    /** One of two jobs, of which the second died. */
    const site = async (): Promise<string> => {
      const { millrace } = api.server
      const made = flow('site', { tenant: 'acme' })
      const first = made.add('first', echo, { text: 'x' })
      made.add('second', fail, { message: 'no luck' }, { after: first })
      const { id } = await millrace.flows.enqueue(made)
      await millrace.flows.finished(id, { timeoutMs: 5_000 })
      return id
    }

    it('are listed newest first, by state, name and tenant', async () => {
      const ids = [await site(), await site()]
      const { status, body } = await api.ask('/api/v1/flows?state=failed&name=site&tenant=acme&limit=1')
      expect(status).toBe(200)
      expect(body.flows).toMatchObject([
        { id: ids[1], name: 'site', tenant: 'acme', state: 'failed', total: 2 },
      ])
      const next = await api.ask(`/api/v1/flows?name=site&limit=1&cursor=${body.cursor}`)
      expect(next.body.flows).toMatchObject([{ id: ids[0] }])
      expect((await api.ask('/api/v1/flows?state=completed')).body.flows).toEqual([])
      expect((await api.ask('/api/v1/flows?state=dead')).status).toBe(400)
    })

    it('are shown with their nodes, page by page', async () => {
      const id = await site()
      expect((await api.ask(`/api/v1/flows/${id}`)).body).toMatchObject({ id, completed: 1, dead: 1 })
      const { body } = await api.ask(`/api/v1/flows/${id}/nodes?limit=1`)
      expect(body.nodes).toMatchObject([{ name: 'first', type: 'ECHO', state: 'completed', after: [] }])
      const next = await api.ask(`/api/v1/flows/${id}/nodes?limit=1&cursor=${body.cursor}`)
      expect(next.body.nodes).toMatchObject([{ name: 'second', state: 'dead', after: [body.nodes[0]?.id] }])
    })

    it('are retried and cancelled', async () => {
      const id = await site()
      const path = `/api/v1/flows/${id}`
      expect(await api.post(`${path}/retry`, {})).toMatchObject({
        status: 200,
        body: { outcome: 'redriven' },
      })
      await api.server.millrace.flows.finished(id, { timeoutMs: 5_000 })
      const late = await api.post(`${path}/cancel`, { reason: 'enough' })
      expect(late).toMatchObject({ status: 200, body: { id, outcome: 'already-finished' } })
    })

    it('answers 409 for the retry of a flow in which nothing died', async () => {
      const { millrace } = api.server
      const made = flow('fine')
      made.add('only', echo, { text: 'x' })
      const { id } = await millrace.flows.enqueue(made)
      await millrace.flows.finished(id, { timeoutMs: 5_000 })
      expect(await api.post(`/api/v1/flows/${id}/retry`, {})).toMatchObject({
        status: 409,
        body: { code: 'conflict' },
      })
    })
  })

  it('GET /api/v1/dead-letters groups by type and cause', async () => {
    const { id } = await api.server.millrace.enqueue(fail, { message: 'order 7 is lost' })
    await api.server.millrace.result(id, { timeoutMs: 5_000 }).catch(() => {})
    const { status, body } = await api.ask('/api/v1/dead-letters?type=FAIL')
    expect(status).toBe(200)
    expect(body).toMatchObject({ complete: true, looked: expect.any(Number) })
    const group = body.groups.find(each => each.error.message === 'order 7 is lost')
    expect(group).toMatchObject({ type: 'FAIL', count: 1, ids: [id], error: { name: 'TypeError' } })
    expect(Date.parse(group?.lastAt ?? '')).toBeGreaterThan(0)
    expect((await api.ask('/api/v1/dead-letters?type=ECHO')).body.groups).toEqual([])
    expect((await api.ask('/api/v1/dead-letters?limit=0')).status).toBe(400)
  })

  it.each([
    ['GET', `/api/v1/jobs/${absent}/why`],
    ['GET', `/api/v1/jobs/${absent}/steps`],
    ['POST', `/api/v1/jobs/${absent}/signals`],
    ['GET', `/api/v1/flows/${absent}`],
    ['GET', `/api/v1/flows/${absent}/nodes`],
    ['POST', `/api/v1/flows/${absent}/cancel`],
    ['POST', `/api/v1/flows/${absent}/retry`],
  ])('%s %s answers 404', async (method, path) => {
    const body = path.endsWith('signals') ? { name: 'answer' } : {}
    const answer = method === 'GET' ? await api.ask(path) : await api.post(path, body)
    expect(answer).toMatchObject({ status: 404, body: { code: 'not-found' } })
  })
})
