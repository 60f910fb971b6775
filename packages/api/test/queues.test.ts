import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { believe, startTestServer, type TestServer, token, who } from './sample-server.ts'
import { makeStore, storeKinds, type TestStore } from './stores.ts'

describe.each(storeKinds)('queues over HTTP, on %s', kind => {
  let api: TestServer
  let store: TestStore
  beforeAll(async () => {
    store = await makeStore(kind)
    const access = { adminTokens: [token], authenticate: believe }
    api = await startTestServer({ url: store.url, access, worker: { pollMs: 50 } })
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  })

  const edit = (queue: string, body: unknown, headers: Record<string, string> = {}) =>
    api.ask(`/api/v1/queues/${queue}`, {
      method: 'PATCH',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    })
  const enqueue = (queue: string) => api.post('/api/v1/jobs', { type: 'ECHO', payload: { text: 'x' }, queue })

  it('are listed with settings and counts, by name', async () => {
    await api.server.millrace.configureQueue('b-set', { paused: true, maxQueued: 7 })
    await api.post('/api/v1/jobs', { type: 'ECHO', payload: { text: 'x' }, queue: 'a-used', delay: '1h' })
    const { status, body } = await api.ask('/api/v1/queues')
    expect(status).toBe(200)
    const zero = { ready: 0, delayed: 0, blocked: 0, running: 0, completed: 0, cancelled: 0, dead: 0 }
    expect(body.queues.filter(each => ['a-used', 'b-set'].includes(each.queue))).toEqual([
      { queue: 'a-used', paused: false, maxQueued: null, counts: { ...zero, delayed: 1 } },
      { queue: 'b-set', paused: true, maxQueued: 7, counts: zero },
    ])
  })

  it('are read one by one; one that never was is not found', async () => {
    await api.server.millrace.configureQueue('one', { maxQueued: 3 })
    expect((await api.ask('/api/v1/queues/one')).body).toMatchObject({ queue: 'one', maxQueued: 3 })
    const { status, body } = await api.ask('/api/v1/queues/never')
    expect([status, body.code]).toEqual([404, 'not-found'])
  })

  it.each(['constructor', 'toString'])(
    'count nothing under the name %s, until there is something',
    async name => {
      expect((await edit(name, { maxQueued: 5 })).body).toMatchObject({ counts: { ready: 0, delayed: 0 } })
      const job = { type: 'ECHO', payload: { text: 'x' }, queue: name, delay: '1h' }
      const { body } = await api.post('/api/v1/jobs', job)
      const listed = (await api.ask('/api/v1/queues')).body.queues.find(each => each.queue === name)
      expect(listed).toMatchObject({ maxQueued: 5, counts: { ready: 0, delayed: 1 } })
      expect((await api.ask(`/api/v1/jobs/${body.id}/why`)).status).toBe(200)
    },
  )

  it('take changes one by one, and lift a bound with null', async () => {
    expect((await edit('edited', { maxQueued: 5 })).body).toMatchObject({ paused: false, maxQueued: 5 })
    expect((await edit('edited', { paused: true })).body).toMatchObject({ paused: true, maxQueued: 5 })
    expect((await edit('edited', { maxQueued: null })).body).toMatchObject({ paused: true, maxQueued: null })
  })

  it('refuse the job above their bound', async () => {
    await edit('closed', { maxQueued: 0 })
    const full = { status: 429, body: { code: 'queue-full' } }
    expect(await enqueue('closed')).toMatchObject(full)
    const job = { type: 'ECHO', payload: { text: 'x' }, queue: 'filled', delay: '1h' }
    const { id } = (await api.post('/api/v1/jobs', job)).body
    await api.post(`/api/v1/jobs/${id}/cancel`, {})
    await edit('filled', { maxQueued: 0 })
    // An edited retry is a new job.
    const edited = { payload: { text: 'another' } }
    expect(await api.post(`/api/v1/jobs/${id}/retry`, edited)).toMatchObject(full)
  })

  it.each([
    [{}, []],
    [{ paused: 'yes' }, ['paused']],
    [{ maxQueued: -1 }, ['maxQueued']],
    [{ maxQueued: 2 ** 31 }, ['maxQueued']],
    [{ maxQueued: 1.5 }, ['maxQueued']],
    [{ speed: 1 }, ['speed']],
  ])('refuse the change %j', async (change, path) => {
    const { status, body } = await edit('refused', change)
    expect([status, body.code]).toEqual([400, 'invalid-argument'])
    expect(body.faults[0]?.path).toEqual(path)
  })

  it('refuse a name that no queue can have', async () => {
    const { status, body } = await api.ask('/api/v1/queues/a%20b/pause', { method: 'POST' })
    expect([status, body.code]).toEqual([400, 'invalid-argument'])
  })

  it('hand out nothing while they are paused, and go on when resumed; each twice is once', async () => {
    for (let time = 0; time < 2; time++) {
      const { status, body } = await api.ask('/api/v1/queues/fast/pause', { method: 'POST' })
      expect([status, body]).toMatchObject([200, { queue: 'fast', paused: true }])
    }
    const { body: job } = await enqueue('fast')
    expect((await api.ask('/api/v1/queues/fast')).body).toMatchObject({
      counts: { ready: 1, completed: 0 },
    })
    expect((await api.ask(`/api/v1/jobs/${job.id}/why`)).body.cause).toBe('paused-queue')
    for (let time = 0; time < 2; time++) {
      const { body } = await api.ask('/api/v1/queues/fast/resume', { method: 'POST' })
      expect(body).toMatchObject({ paused: false })
    }
    await api.server.millrace.result(job.id, { timeoutMs: 10_000 })
    expect((await api.ask('/api/v1/queues/fast')).body).toMatchObject({
      counts: { ready: 0, completed: 1 },
    })
  })

  it.each(['viewer/acme', 'operator/acme', 'admin/acme'])(
    'are closed to %s, who is one of many',
    async said => {
      expect((await api.ask('/api/v1/queues', { headers: who(said) })).status).toBe(403)
      expect((await edit('theirs', { paused: true }, who(said))).status).toBe(403)
      expect((await api.ask('/api/v1/queues/theirs')).status).toBe(404)
    },
  )
})
