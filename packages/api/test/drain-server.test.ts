import { defineJob, handle, type Millrace } from 'millrace'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { DrainReport, Module } from '@millrace/api'
import { startTestServer, type TestServer } from './sample-server.ts'
import { makeStore, storeKinds } from './stores.ts'

const work = defineJob({ type: 'WORK', payload: z.object({ n: z.int().default(0) }), timeoutMs: 20_000 })
const secondMs = 1_000

const module = (run: Parameters<typeof handle<typeof work>>[1]): Module => ({
  name: 'work',
  jobs: [work],
  handlers: [handle(work, run)],
})

function start(url: string, run: Parameters<typeof module>[0]): Promise<TestServer> {
  const drain = { budgetMs: 20 * secondMs, maxJobs: 1_000 }
  return startTestServer({ url, modules: [module(run)], worker: false, drain })
}

const drained = async (server: TestServer): Promise<DrainReport> =>
  (await server.ask('/api/v1/drain', { method: 'POST' })).body as unknown as DrainReport

const released = (millrace: Millrace): Promise<string> =>
  new Promise(resolve => millrace.on('released', job => resolve(job.id)))

describe.each(storeKinds)('draining over HTTP, on %s', kind => {
  it('two calls at once work side by side, and run each job once', async () => {
    await using store = await makeStore(kind)
    const ran: number[] = []
    const both = Promise.withResolvers<void>()
    const workers = new Set<string>()
    const run: Parameters<typeof module>[0] = async ({ payload }) => {
      ran.push(payload.n)
      await both.promise
    }
    await using one = await start(store.url, run)
    await using two = await start(store.url, run)
    for (const { server } of [one, two])
      server.millrace.on('started', job => workers.add(job.worker).size === 2 && both.resolve())
    const items = Array.from({ length: 100 }, (_, n) => ({ payload: { n } }))
    await one.server.millrace.enqueueMany(work, items)
    const reports = await Promise.all([drained(one), drained(two)])
    expect(reports.map(each => each.completed > 0)).toEqual([true, true])
    expect(reports.reduce((sum, each) => sum + each.completed, 0)).toBe(100)
    expect(ran.toSorted((a, b) => a - b)).toEqual(items.map(each => each.payload.n))
  })

  it('a client that goes away has its jobs released at once, unspent, and loses nothing', async () => {
    await using store = await makeStore(kind)
    const begun = Promise.withResolvers<void>()
    let deaf = true
    await using api = await start(store.url, async ({ signal }) => {
      begun.resolve()
      if (deaf)
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    const { millrace } = api.server
    const { id } = await millrace.enqueue(work, {})
    const heard = released(millrace)
    const leaving = new AbortController()
    const request = api.ask('/api/v1/drain', { method: 'POST', signal: leaving.signal })
    await begun.promise
    leaving.abort()
    await expect(request).rejects.toThrow()
    expect(await heard).toBe(id)
    expect(await millrace.get(id)).toMatchObject({ state: 'queued', attempt: 0, deaths: 0 })
    deaf = false
    expect(await drained(api)).toMatchObject({ completed: 1, endedBy: 'empty' })
  })

  it('a server that stops gives back at once, unspent, what a drain was doing', async () => {
    await using store = await makeStore(kind)
    const begun = Promise.withResolvers<void>()
    await using api = await start(store.url, async ({ signal }) => {
      begun.resolve()
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    await using other = await start(store.url, () => {})
    const { id } = await api.server.millrace.enqueue(work, {})
    const draining = drained(api)
    await begun.promise
    await api.server.close()
    expect(await draining).toMatchObject({ released: 1, endedBy: 'stopped' })
    expect(await other.server.millrace.get(id)).toMatchObject({ state: 'queued', attempt: 0, deaths: 0 })
  })
})
