import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { believe, fail, startTestServer, type TestServer, token, who } from './sample-server.ts'
import { makeStore, storeKinds, type TestStore } from './stores.ts'

const access = { adminTokens: [token], authenticate: believe }
const none = '00000000ffffffff'

/** Lets jobs die, and answers the fingerprint of what they died of. */
async function die(api: TestServer, message: string, tenants: readonly string[]): Promise<string> {
  const ids: string[] = []
  for (const tenant of tenants)
    ids.push((await api.server.millrace.enqueue(fail, { message }, { tenant })).id)
  for (const id of ids) await api.server.millrace.result(id, { timeoutMs: 10_000 }).catch(() => {})
  return (await api.ask(`/api/v1/jobs/${ids[0]}`)).body.lastError?.fingerprint ?? ''
}

describe.each(storeKinds)('dead letters over HTTP, on %s', kind => {
  let api: TestServer
  let store: TestStore
  beforeAll(async () => {
    store = await makeStore(kind)
    api = await startTestServer({ url: store.url, access, worker: { pollMs: 50 } })
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
  })

  const redrive = (fingerprint: string, body: object = {}, headers = {}) =>
    api.post(`/api/v1/dead-letters/${fingerprint}/redrive`, body, headers)

  it('of one cause are read by themselves', async () => {
    const fingerprint = await die(api, 'read alone', ['acme', 'umbrella'])
    await die(api, 'something else', ['acme'])
    const { status, body } = await api.ask(`/api/v1/dead-letters/${fingerprint}`)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      groups: [{ type: 'FAIL', fingerprint, count: 2, error: { name: 'TypeError', message: 'read alone' } }],
      looked: 2,
      complete: true,
    })
    expect((await api.ask(`/api/v1/dead-letters/${fingerprint}?type=ECHO`)).status).toBe(404)
    const acme = await api.ask(`/api/v1/dead-letters/${fingerprint}`, { headers: who('user/acme') })
    expect(acme.body.groups).toMatchObject([{ count: 1 }])
    const other = await api.ask(`/api/v1/dead-letters/${fingerprint}`, { headers: who('user/other') })
    expect([other.status, other.body.code]).toEqual([404, 'not-found'])
  })

  it('have a plan that changes nothing, of batches from the canary on', async () => {
    const fingerprint = await die(api, 'planned', Array<string>(4).fill('acme'))
    expect((await redrive(fingerprint, { canary: 1, factor: 2 })).body).toEqual({
      dryRun: true,
      count: 4,
      exact: true,
      types: { FAIL: 4 },
      batches: [1, 2, 1],
    })
    expect((await api.ask(`/api/v1/dead-letters/${fingerprint}`)).body.groups).toMatchObject([{ count: 4 }])
  })

  it('stop at the canary when it dies again, and leave the others as dead as before', async () => {
    const fingerprint = await die(api, 'still broken', Array<string>(3).fill('acme'))
    const { status, body } = await redrive(fingerprint, { canary: 1, dryRun: false })
    expect([status, body]).toMatchObject([
      200,
      {
        dryRun: false,
        complete: true,
        hint: null,
        stoppedAt: 'canary',
        total: 3,
        redriven: 1,
        died: 1,
        left: 2,
      },
    ])
  })

  it('of one tenant only are redriven by whoever belongs to it', async () => {
    const fingerprint = await die(api, 'of two tenants', ['acme', 'umbrella'])
    const ask = (body: object) => redrive(fingerprint, body, who('operator/acme'))
    expect((await ask({ tenant: 'umbrella' })).status).toBe(403)
    expect((await ask({})).body).toMatchObject({ count: 1 })
    expect((await ask({ dryRun: false })).body).toMatchObject({ total: 1, redriven: 1 })
  })

  it('are not found where none is dead, and there is nothing to do then', async () => {
    expect((await api.ask(`/api/v1/dead-letters/${none}`)).status).toBe(404)
    expect(await redrive(none)).toMatchObject({ status: 404, body: { code: 'not-found' } })
    const { status, body } = await redrive(none, { dryRun: false })
    expect([status, body]).toMatchObject([200, { complete: true, stoppedAt: 'done', total: 0 }])
  })

  it.each([
    [{ canary: 0 }, 'canary'],
    [{ factor: 0.5 }, 'factor'],
    [{ maxFailures: -1 }, 'maxFailures'],
    [{ dryRun: 1 }, 'dryRun'],
    [{ fast: true }, 'fast'],
  ])('refuse %j', async (body, where) => {
    const answer = await redrive(none, body)
    expect([answer.status, answer.body.faults[0]?.path]).toEqual([400, [where]])
  })

  it.each(['viewer', 'user/acme'])('are not redriven by %s', async said => {
    expect((await redrive(none, {}, who(said))).status).toBe(403)
  })
})

describe('a redrive that takes too long', () => {
  it('stops and says what goes on, and the same request takes those that are still dead', async () => {
    await using store = await makeStore('sqlite')
    let fingerprint: string
    {
      await using working = await startTestServer({ url: store.url, access, worker: { pollMs: 50 } })
      fingerprint = await die(working, 'nobody works', Array<string>(3).fill('acme'))
    }
    // Nobody works, so the canary never ends.
    await using api = await startTestServer({ url: store.url, access, worker: false, budgetMs: 50 })
    const ask = () => api.post(`/api/v1/dead-letters/${fingerprint}/redrive`, { canary: 1, dryRun: false })
    expect((await ask()).body).toMatchObject({
      complete: false,
      hint: expect.stringContaining('again'),
      stoppedAt: 'aborted',
      redriven: 1,
      running: 1,
      left: 2,
    })
    expect((await ask()).body).toMatchObject({ total: 2, redriven: 1, left: 1 })
  })
})
