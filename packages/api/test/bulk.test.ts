import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { believe, echo, startTestServer, type TestServer, token, who } from './sample-server.ts'
import { makeStore, storeKinds, type TestStore } from './stores.ts'

const path = '/api/v1/jobs/bulk'
const access = { adminTokens: [token], authenticate: believe }

async function enqueue(api: TestServer, count: number, tenant: string): Promise<string[]> {
  const items = Array.from({ length: count }, () => ({
    payload: { text: 'x' },
    options: { tenant, delay: '1h' as const },
  }))
  return (await api.server.millrace.enqueueMany(echo, items)).map(each => each.id)
}

describe.each(storeKinds)('bulk actions over HTTP, on %s', kind => {
  let api: TestServer
  let store: TestStore
  beforeAll(async () => {
    store = await makeStore(kind)
    api = await startTestServer({ url: store.url, access, worker: false })
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  })
  const state = async (id: string | undefined) => (await api.ask(`/api/v1/jobs/${id}`)).body.state

  it('only tell what they would do, unless they are told to', async () => {
    const ids = await enqueue(api, 12, 'planned')
    const { status, body } = await api.post(path, { action: { do: 'cancel' }, filter: { tenant: 'planned' } })
    expect(status).toBe(200)
    expect(body).toMatchObject({ dryRun: true, count: 12, exact: true, refused: {} })
    expect(body).toHaveProperty('sample.length', 10)
    expect(body).toHaveProperty('sample.0.id', ids.at(-1))
    expect(await state(ids[0])).toBe('queued')
  })

  it('say which of the states that were named they leave alone', async () => {
    await enqueue(api, 2, 'refused')
    const filter = { tenant: 'refused', state: ['queued', 'dead'] }
    const { body } = await api.post(path, { action: { do: 'retry' }, filter })
    expect(body).toMatchObject({ count: 0, states: ['dead'], refused: { queued: 2 } })
  })

  it('do it when they are told to, and nothing more the second time', async () => {
    const ids = await enqueue(api, 3, 'done')
    const request = {
      action: { do: 'cancel', reason: 'moved away' },
      filter: { tenant: 'done', type: ['ECHO'] },
      dryRun: false,
    }
    expect((await api.post(path, request)).body).toMatchObject({
      dryRun: false,
      complete: true,
      hint: null,
      changed: 3,
      failed: 0,
    })
    expect((await api.ask(`/api/v1/jobs/${ids[0]}`)).body).toMatchObject({ cancelReason: 'moved away' })
    expect((await api.post(path, request)).body).toMatchObject({ complete: true, done: 0, changed: 0 })
  })

  it.each([
    [{ do: 'reprioritise', priority: 1 }, { priority: 1 }],
    [{ do: 'move', queue: 'slow' }, { queue: 'slow' }],
  ])('do %j', async (action, after) => {
    const [id] = await enqueue(api, 1, `moved-${action.do}`)
    const filter = { tenant: `moved-${action.do}` }
    expect((await api.post(path, { action, filter, dryRun: false })).body.changed).toBe(1)
    expect((await api.ask(`/api/v1/jobs/${id}`)).body).toMatchObject(after)
  })

  it.each([
    [{}, 'action'],
    [{ action: { do: 'explode' }, filter: { type: ['ECHO'] } }, 'action.do'],
    [{ action: 'cancel', filter: { type: ['ECHO'] } }, 'action'],
    [{ action: { do: 'move' }, filter: { type: ['ECHO'] } }, 'action.queue'],
    [{ action: { do: 'reprioritise', priority: 11 }, filter: { type: ['ECHO'] } }, 'action.priority'],
    [{ action: { do: 'cancel', forgetSteps: true }, filter: { type: ['ECHO'] } }, 'action.forgetSteps'],
    [{ action: { do: 'cancel' }, filter: { states: ['queued'] } }, 'filter.states'],
    [{ action: { do: 'cancel' }, filter: { type: 'ECHO' } }, 'filter.type'],
    [{ action: { do: 'cancel' }, filter: { state: ['gone'] } }, 'filter.state.0'],
    [{ action: { do: 'cancel' } }, 'filter'],
    [{ action: { do: 'cancel' }, filter: {} }, 'filter'],
    [{ action: { do: 'cancel' }, filter: { type: ['ECHO'] }, dryRun: 'no' }, 'dryRun'],
  ])('refuse %j', async (request, where) => {
    const { status, body } = await api.post(path, request)
    expect([status, body.code]).toEqual([400, 'invalid-argument'])
    expect(body.faults.map(fault => fault.path.join('.'))).toContain(where)
  })

  it('refuse states that the action can not take', async () => {
    const { status, body } = await api.post(path, { action: { do: 'cancel' }, filter: { state: ['dead'] } })
    expect([status, body.detail]).toEqual([400, expect.stringContaining('queued, blocked, running')])
  })

  it('take everything only when that is said', async () => {
    await enqueue(api, 1, 'everything')
    const { body } = await api.post(path, { action: { do: 'cancel' }, filter: {}, everything: true })
    expect(body).toHaveProperty('count', expect.any(Number))
  })

  it('reach no further than the tenant of whoever asks, and need everything said for all of that', async () => {
    const [mine] = await enqueue(api, 1, 'acme')
    const [theirs] = await enqueue(api, 1, 'umbrella')
    const ask = (body: object) =>
      api.post(path, { action: { do: 'cancel' }, dryRun: false, ...body }, who('operator/acme'))
    expect((await ask({ filter: { tenant: 'umbrella' } })).status).toBe(403)
    expect((await ask({ filter: {} })).status).toBe(400)
    expect((await ask({ filter: { type: ['ECHO'] } })).body.changed).toBe(1)
    expect([await state(mine), await state(theirs)]).toEqual(['cancelled', 'queued'])
    await enqueue(api, 1, 'acme')
    expect((await ask({ filter: {}, everything: true })).body.changed).toBe(1)
    expect(await state(theirs)).toBe('queued')
  })

  it('remove nothing for those who may not delete a job', async () => {
    const [id] = await enqueue(api, 1, 'kept')
    const request = { action: { do: 'remove' }, filter: { tenant: 'kept' }, dryRun: false }
    expect((await api.post(path, request, who('operator'))).status).toBe(403)
    expect(await state(id)).toBe('queued')
    expect((await api.post(path, request)).body.changed).toBe(1)
  })

  it.each(['viewer', 'user/acme', 'processor', 'cron'])('are not for %s', async said => {
    const request = { action: { do: 'cancel' }, filter: { type: ['ECHO'] } }
    expect((await api.post(path, request, who(said))).status).toBe(403)
  })
})

describe('a bulk action that takes too long', () => {
  it('stops and says so, and the same request does the rest', async () => {
    await using api = await startTestServer({ access, worker: false, budgetMs: 1 })
    await enqueue(api, 1_600, 'many')
    const request = { action: { do: 'cancel' }, filter: { tenant: 'many' }, dryRun: false }
    const first = (await api.post(path, request)).body
    expect(first).toMatchObject({ complete: false, hint: expect.stringContaining('again') })
    let changed = first.changed
    for (let last = first; !last.complete; changed += last.changed) {
      last = (await api.post(path, request)).body
      expect(last.changed).toBeGreaterThan(0)
    }
    expect(changed).toBe(1_600)
  })
})
