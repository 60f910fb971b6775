import { describe, expect, it } from 'vitest'
import { startTestServer, visit } from './sample-server.ts'
import { makeStore, storeKinds } from './stores.ts'

describe.each(storeKinds)('finding jobs over HTTP, on %s', kind => {
  async function open() {
    const store = await makeStore(kind)
    const authenticate = (request: Request) => {
      const name = request.headers.get('x-user')
      return name === null ? null : ({ name, role: 'user', tenant: name } as const)
    }
    const api = await startTestServer({
      url: store.url,
      worker: false,
      access: { adminTokens: ['admin'], authenticate },
    })
    const as = (headers: Record<string, string>) => async (path: string) =>
      (await api.ask(path, { headers: { authorization: '', ...headers } })).body
    const put = async (site: string, tenant: string, note = ''): Promise<string> =>
      (await api.server.millrace.enqueue(visit, { site, note }, { tenant })).id
    return {
      admin: as({ authorization: 'Bearer admin' }),
      ada: as({ 'x-user': 'ada' }),
      put,
      async [Symbol.asyncDispose]() {
        await api[Symbol.asyncDispose]()
        await store[Symbol.asyncDispose]()
      },
    }
  }
  const ids = (body: { jobs: { id: string }[] }): string[] => body.jobs.map(job => job.id)

  it('by a search attribute, whatever its value holds, and within a tenant', async () => {
    await using place = await open()
    const first = await place.put('a=1,b', 'ada')
    const second = await place.put('a=1,b', 'bob')
    await place.put('other', 'ada')
    const where = `where=${encodeURIComponent('site=a=1,b')}`
    const found = await place.admin(`/api/v1/jobs?${where}`)
    expect(ids(found)).toEqual([second, first])
    expect(found.jobs[0]).toMatchObject({ attributes: { site: 'a=1,b' } })
    expect(ids(await place.ada(`/api/v1/jobs?${where}`))).toEqual([first])
    expect(await place.admin('/api/v1/jobs?where=site')).toMatchObject({
      code: 'invalid-argument',
      faults: [{ path: ['where', 0], message: 'must be a name, = and a value, such as site=s1' }],
    })
    expect(await place.admin('/api/v1/jobs?where=site=a&where=site=b')).toMatchObject({
      code: 'invalid-argument',
    })
  })

  it('by a text, saying how far it looked, and goes on from there', async () => {
    await using place = await open()
    const early = await place.put('s', 'ada', 'a Needle')
    await place.put('s', 'ada', 'hay')
    await place.put('s', 'ada', 'hay')
    const found = await place.admin('/api/v1/jobs/search?text=needle&look=2')
    expect(found).toMatchObject({ jobs: [], looked: 2, complete: false, cursor: expect.any(String) })
    const rest = await place.admin(`/api/v1/jobs/search?text=needle&cursor=${found.cursor}`)
    expect(rest).toMatchObject({ looked: 1, complete: true, cursor: null })
    expect(ids(rest)).toEqual([early])
  })

  it('shows nobody what another tenant has, though a cursor of theirs is handed in', async () => {
    await using place = await open()
    for (let n = 0; n < 3; n++) await place.put('s', 'bob', 'needle')
    const bobs = await place.admin('/api/v1/jobs/search?text=needle&limit=1')
    expect(bobs.jobs.length).toBe(1)
    expect(ids(await place.ada('/api/v1/jobs/search?text=needle'))).toEqual([])
    const forged = await place.ada(`/api/v1/jobs/search?text=needle&cursor=${bobs.cursor}`)
    expect(forged.jobs ?? []).toEqual([])
  })
})
