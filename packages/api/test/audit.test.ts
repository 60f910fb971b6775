import { operations } from '@millrace/api'
import { createMillrace, openEngine, type Millrace } from 'millrace'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApi } from '../src/api.ts'
import { makeDeadJob, makeSpecimen } from './auth-matrix/specimens.ts'
import { echo, sample, startTestServer, type TestServer } from './sample-server.ts'

interface Entry {
  principal: string
  role: string
  action: string
  target: string
  before: unknown
  after: unknown
  request: { id: string; address: string | null; path: string }
}

/** What is only told by default, done. */
const inEarnest: Readonly<Record<string, object>> = { redriveDeadLetter: { dryRun: false } }
/** Reads that need a body; they change nothing. */
const reads = new Set(['previewRule'])

describe('the audit log', () => {
  let api: TestServer
  const module = sample()
  beforeAll(async () => {
    api = await startTestServer({
      worker: false,
      modules: [module],
      drain: { budgetMs: 600_000 },
      budgetMs: 300,
    })
    await makeDeadJob(api.server, module)
  })
  afterAll(() => api[Symbol.asyncDispose]())

  async function entries(query: string): Promise<Entry[]> {
    const { status, body } = await api.ask(`/api/v1/audit?${query}`)
    expect(status).toBe(200)
    return (body as unknown as { entries: Entry[] }).entries
  }

  const changes = operations.filter(each => each.method !== 'get' && !reads.has(each.id))

  it.each(changes.map(each => [each.id, each] as const))('has an entry of %s', async (id, operation) => {
    if (id === 'drain' || id === 'cronDrain') await api.server.millrace.enqueue(echo, { text: 'x' })
    const specimen = await makeSpecimen(api.server, operation)
    const { path } = specimen
    const body = inEarnest[id] ?? specimen.body
    const tokens = { login: 'test-token-0123456789' }
    const requestId = `audit-${id}`
    const { status } = await api.ask(path, {
      method: operation.method.toUpperCase(),
      headers: { 'content-type': 'application/json', 'x-request-id': requestId },
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(id === 'login' ? { token: tokens.login } : body) }),
    })
    expect(status).toBeLessThan(300)
    // Nobody waits for those of enqueues.
    let found = await entries(`action=${id}`)
    while (found.length === 0) found = await entries(`action=${id}`)
    expect(found[0]).toMatchObject({ action: id, request: { id: requestId, path: path.split('?')[0] } })
    expect(found[0]?.principal).toBe(id === 'login' ? 'nobody' : 'admin#1')
    expect(found[0]?.target).not.toBe('')
    expect(JSON.stringify(found)).not.toContain(tokens.login)
  })

  it('tells what was before and after', async () => {
    const { id } = await api.server.millrace.enqueue(echo, { text: 'x' }, { delay: '1h' })
    await api.post(`/api/v1/jobs/${id}/cancel`, { reason: 'enough' })
    expect(await entries(`target=${encodeURIComponent(`job ${id}`)}`)).toMatchObject([
      {
        action: 'cancelJob',
        role: 'admin',
        before: { state: 'queued' },
        after: { outcome: 'cancelled', reason: 'enough' },
      },
    ])
  })

  it('has no entry of what was refused', async () => {
    const before = (await entries('limit=200')).length
    expect((await api.post('/api/v1/jobs/not-a-job/cancel', {})).status).toBe(400)
    expect((await api.post('/api/v1/jobs', { type: 'NOBODY' })).status).toBe(400)
    expect((await entries('limit=200')).length).toBe(before)
  })

  it('that takes no entries is told as trouble, and the change stands', async () => {
    const engine = openEngine('file::memory:')
    engine.appendAudit = () => Promise.reject(new Error('no room'))
    const millrace: Millrace = createMillrace({ engine, jobs: [echo] })
    const troubles: { where: string }[] = []
    millrace.on('trouble', trouble => troubles.push(trouble))
    const app = createApi({ millrace, access: { adminTokens: ['admin'] } })
    const { id } = await millrace.enqueue(echo, { text: 'x' }, { delay: '1h' })
    const response = await app.request(`/api/v1/jobs/${id}/cancel`, {
      method: 'POST',
      headers: { authorization: 'Bearer admin' },
    })
    expect(response.status).toBe(200)
    expect((await millrace.get(id))?.state).toBe('cancelled')
    expect(troubles).toMatchObject([{ where: 'the audit entry of cancelJob' }])
    await millrace.close()
  })
})
