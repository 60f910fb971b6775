import { describe, expect, it } from 'vitest'
import { believe, sample, startTestServer, token, who } from './sample-server.ts'
import { makeStore, storeKinds } from './stores.ts'

describe.each(storeKinds)('workers over HTTP, on %s', kind => {
  it('are listed with what they claim and run, and leave the list when they stop', async () => {
    await using store = await makeStore(kind)
    const module = sample()
    const access = { adminTokens: [token], authenticate: believe }
    await using api = await startTestServer({
      url: store.url,
      modules: [module],
      access,
      worker: { pollMs: 50 },
    })
    const { body: job } = await api.post('/api/v1/jobs', { type: 'HOLD', payload: {}, queue: 'default' })
    await module.holding
    const { status, body } = await api.ask('/api/v1/workers')
    expect(status).toBe(200)
    expect(body).toEqual({
      allRunning: true,
      workers: [
        {
          worker: api.server.worker?.id,
          label: expect.stringContaining(String(process.pid)),
          startedAt: expect.stringMatching(/Z$/),
          beatAt: expect.stringMatching(/Z$/),
          expiresAt: expect.stringMatching(/Z$/),
          lanes: expect.arrayContaining([{ queue: 'fast', types: expect.arrayContaining(['ECHO', 'HOLD']) }]),
          running: [
            { id: job.id, type: 'HOLD', queue: 'default', attempt: 1, startedAt: expect.any(String) },
          ],
        },
      ],
    })
    const [worker] = body.workers
    expect(Date.parse(worker?.expiresAt ?? '')).toBeGreaterThan(Date.parse(worker?.beatAt ?? ''))
    expect((await api.ask('/api/v1/workers', { headers: who('viewer/acme') })).status).toBe(403)
    module.release()
    await api.server.millrace.result(job.id, { timeoutMs: 10_000 })
    await api.server.worker?.stop()
    expect((await api.ask('/api/v1/workers')).body.workers).toEqual([])
  })
})
