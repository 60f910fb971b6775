import { createApi, createServer } from '@millrace/api'
import { createMillrace, defineJob, handle, openEngine, sleep } from 'millrace'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { openStage, token } from './drain-stage.ts'

const secondMs = 1_000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs

const numbered = z.object({ n: z.int().default(0) })
const work = defineJob({ type: 'WORK', payload: numbered, timeoutMs: 5 * secondMs, maxAttempts: 1 })

describe('POST /api/v1/drain', () => {
  it('finishes a thousand jobs by calls of a cron, one a minute, each within its budget', async () => {
    const ran = new Map<number, number>()
    const stage = await openStage(
      clock => [
        handle(work, async ({ payload, signal }) => {
          await sleep(clock, secondMs, signal)
          ran.set(payload.n, (ran.get(payload.n) ?? 0) + 1)
        }),
      ],
      { drain: { budgetMs: 10 * secondMs, maxJobs: 10_000 } },
    )
    const items = Array.from({ length: 1_000 }, (_, n) => ({ payload: { n } }))
    await stage.millrace.enqueueMany(work, items)
    let completed = 0
    let calls = 0
    for (; completed < 1_000; calls++) {
      const startedAt = stage.clock.now()
      const report = await stage.drain()
      completed += report.completed
      expect(report.tookMs).toBeLessThanOrEqual(10 * secondMs + 100)
      expect(report.pending).toMatchObject({ ready: 1_000 - completed, running: 0 })
      await stage.clock.advance(Math.max(0, startedAt + minuteMs - stage.clock.now()))
    }
    expect([ran.size, ...new Set(ran.values())]).toEqual([1_000, 1])
    // Ten at once, a second each, ten seconds: some hundred a call.
    expect(calls).toBeGreaterThanOrEqual(10)
    expect(calls).toBeLessThanOrEqual(13)
  })

  it('ticks, rescues, works and prunes in one call, and says so', async () => {
    const kept = { completed: { maxAgeMs: hourMs } }
    const job = defineJob({ type: 'WORK', payload: numbered, timeoutMs: secondMs, retention: kept })
    const stage = await openStage(() => [handle(job, ({ payload }) => payload.n)])
    const { millrace, clock } = stage
    await millrace.enqueueMany(job, [{ payload: {} }, { payload: {} }])
    expect(await stage.drain()).toMatchObject({ processed: 2, completed: 2, pruned: 0 })
    await millrace.schedules.put('hourly', { job, payload: { n: 7 }, every: '2h' })
    await millrace.enqueue(job, {})
    const lanes = [{ queue: 'default', types: ['WORK'] }]
    await millrace.engine.claim({ worker: millrace.newId(), lanes, limit: 1, leaseMs: 30 * secondMs })
    await clock.advance(2 * hourMs)
    expect(await stage.drain()).toEqual({
      processed: 2,
      ...{ completed: 2, retried: 0, dead: 0, snoozed: 0, waiting: 0, cancelled: 0, released: 0 },
      ...{ rescued: 1, ticks: 1, pruned: 2 },
      endedBy: 'empty',
      pending: { ready: 0, delayed: 0, blocked: 0, running: 0 },
      tookMs: expect.any(Number),
    })
  })

  it('goes on with a job in steps, call after call, and runs no step twice', async () => {
    const report = defineJob({ type: 'REPORT', payload: z.object({}), timeoutMs: null, usesSteps: true })
    const ran: string[] = []
    const stage = await openStage(
      clock => [
        handle(report, async ({ step, signal }) => {
          for (const part of ['a', 'b', 'c', 'd', 'e'])
            await step.run(part, async () => {
              await sleep(clock, 4 * secondMs, signal)
              ran.push(part)
            })
          return 'whole'
        }),
      ],
      { drain: { budgetMs: 10 * secondMs } },
    )
    const { id } = await stage.millrace.enqueue(report, {})
    expect(await stage.drain()).toMatchObject({ processed: 0, released: 1, endedBy: 'budget' })
    expect(ran).toEqual(['a', 'b'])
    expect(await stage.drain()).toMatchObject({ processed: 0, released: 1, endedBy: 'budget' })
    expect(await stage.drain()).toMatchObject({ processed: 1, completed: 1, endedBy: 'empty' })
    expect(ran).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(await stage.millrace.get(id)).toMatchObject({ state: 'completed', result: 'whole', attempt: 1 })
  })

  it('answers in time though a handler ignores its signal, and gives the job back unspent', async () => {
    const deaf = Promise.withResolvers<void>()
    const stage = await openStage(() => [handle(work, () => deaf.promise)], {
      drain: { budgetMs: 5 * secondMs, graceMs: 2 * secondMs },
    })
    const { id } = await stage.millrace.enqueue(work, {})
    const report = await stage.drain('?budgetMs=4000')
    expect(report).toMatchObject({ processed: 0, released: 1, endedBy: 'budget', pending: { ready: 1 } })
    expect(report.tookMs).toBeLessThanOrEqual(6 * secondMs)
    expect(await stage.millrace.get(id)).toMatchObject({ state: 'queued', attempt: 0, deaths: 0 })
    deaf.resolve()
  })

  it('answers 503 in time when the store does not answer', async () => {
    const stage = await openStage(() => [handle(work, () => {})], {
      drain: { budgetMs: 5 * secondMs, graceMs: secondMs },
      engine: { heartbeat: () => new Promise(() => {}) },
    })
    const since = stage.clock.monotonic()
    const { status, headers, body } = await stage.ask('POST', '/api/v1/drain')
    expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'unavailable', '5'])
    expect(stage.clock.monotonic() - since).toBe(8 * secondMs)
  })

  it('starts ten jobs unless it is told how many', async () => {
    const stage = await openStage(() => [handle(work, () => {})])
    await stage.millrace.enqueueMany(work, Array(40).fill({ payload: {} }))
    expect(await stage.drain()).toMatchObject({ processed: 10, endedBy: 'max-jobs', pending: { ready: 30 } })
    expect(await stage.drain('?maxJobs=25')).toMatchObject({ processed: 25, endedBy: 'max-jobs' })
    expect(await stage.drain('?maxJobs=10000')).toMatchObject({ processed: 5, endedBy: 'empty' })
  })

  it.each([
    ['maxJobs=0', 'maxJobs', '1 to 10000'],
    ['maxJobs=10001', 'maxJobs', '1 to 10000'],
    ['maxJobs=ten', 'maxJobs', '1 to 10000'],
    ['budgetMs=50001', 'budgetMs', '1 to 50000'],
    ['budgetMs=-1', 'budgetMs', '1 to 86400000'],
    ['budgetMs=1&budgetMs=2', 'budgetMs', 'more than once'],
    ['maxjobs=3', 'maxjobs', 'not known'],
  ])('refuses ?%s', async (query, path, message) => {
    const stage = await openStage(() => [handle(work, () => {})])
    const { status, body } = await stage.ask('POST', `/api/v1/drain?${query}`)
    expect([status, body.code]).toEqual([400, 'invalid-argument'])
    expect(body.faults).toEqual([{ path: [path], message: expect.stringContaining(message) }])
  })

  it('is refused by a server that was not made for it', async () => {
    const stage = await openStage(() => [handle(work, () => {})], { drain: null })
    const { status, body } = await stage.ask('POST', '/api/v1/drain')
    expect([status, body.code]).toEqual([422, 'unsupported'])
    expect((await stage.ask('GET', '/api/v1/drain')).status).toBe(200)
    expect((await stage.ask('GET', '/api/cron/drain', { 'x-api-key': 'none' })).status).toBe(403)
  })
})

describe('GET /api/v1/drain', () => {
  it('shows what there is to do, and does nothing', async () => {
    const stage = await openStage(() => [handle(work, () => {})])
    const { millrace, clock } = stage
    await millrace.enqueueMany(work, [
      { payload: {} },
      { payload: {}, options: { queue: 'mail', delay: '1h' } },
    ])
    await millrace.schedules.put('later', { job: work, payload: {}, every: '2h' })
    await millrace.schedules.put('never', { job: work, payload: {}, every: '1h' })
    await millrace.schedules.pause('never')
    const none = { ready: 0, delayed: 0, blocked: 0, running: 0 }
    const { status, body } = await stage.ask('GET', '/api/v1/drain')
    expect([status, body]).toEqual([
      200,
      {
        pending: { ...none, ready: 1, delayed: 1 },
        byQueue: { default: { ...none, ready: 1 }, mail: { ...none, delayed: 1 } },
        byType: { WORK: { ...none, ready: 1, delayed: 1 } },
        nextDueAt: new Date(clock.now() + hourMs).toISOString(),
        nextTickAt: new Date(clock.now() + 2 * hourMs).toISOString(),
      },
    ])
  })

  it('of an empty store says that nothing is due', async () => {
    const stage = await openStage(() => [handle(work, () => {})])
    expect((await stage.ask('GET', '/api/v1/drain')).body).toMatchObject({
      nextDueAt: null,
      nextTickAt: null,
    })
  })
})

describe('/api/cron/drain', () => {
  const cronSecret = 'cron-secret-0123456789'
  const processorKey = 'processor-key-0123456789'
  const access = { cronSecrets: [cronSecret], processorKeys: [processorKey] }
  const open = () => openStage(() => [handle(work, () => {})], { access })

  it.each([
    ['GET', { authorization: `Bearer ${cronSecret}` }],
    ['POST', { authorization: `Bearer ${cronSecret}` }],
    ['GET', { 'x-api-key': processorKey }],
    ['POST', { 'x-api-key': processorKey }],
    ['POST', { 'x-api-key': cronSecret }],
  ])('drains by %s with %o', async (method, headers) => {
    const stage = await open()
    await stage.millrace.enqueue(work, {})
    const { status, body } = await stage.ask(method, '/api/cron/drain?maxJobs=5', headers as never)
    expect([status, body.processed]).toEqual([200, 1])
  })

  it.each([
    ['no secret', {}],
    ['a wrong one', { authorization: 'Bearer wrong' }],
    ['a wrong key', { 'x-api-key': `${processorKey}x` }],
    ['the key as a token', { authorization: `Bearer ${processorKey}` }],
  ])('refuses %s, and does nothing', async (_, headers) => {
    const stage = await open()
    await stage.millrace.enqueue(work, {})
    const { status, body } = await stage.ask('GET', '/api/cron/drain', headers as never)
    expect([status, body.code]).toEqual([401, 'unauthorized'])
    expect((await stage.millrace.stats()).total.ready).toBe(1)
  })

  it('does nothing for a HEAD', async () => {
    const stage = await open()
    await stage.millrace.enqueue(work, {})
    expect((await stage.ask('HEAD', '/api/cron/drain', { 'x-api-key': processorKey })).status).toBe(405)
    expect((await stage.millrace.stats()).total.ready).toBe(1)
  })

  it('opens nothing else', async () => {
    const stage = await open()
    const { status } = await stage.ask('GET', '/api/v1/stats', { authorization: `Bearer ${cronSecret}` })
    expect(status).toBe(403)
  })
})

describe('an application that drains', () => {
  const millrace = createMillrace({ engine: openEngine('file::memory:') })
  const make = (drain: object, jobs = [work]) =>
    createApi({
      millrace,
      access: { adminTokens: [token] },
      modules: [{ name: 'sample', jobs, handlers: jobs.map(job => handle(job as typeof work, () => {})) }],
      drain,
    })

  it('is refused with jobs that it could never finish, each named, with what to do', () => {
    const long = { ...work, type: 'LONG', timeoutMs: 60_000 } as unknown as typeof work
    const endless = { ...work, type: 'ENDLESS', timeoutMs: null } as unknown as typeof work
    const stepwise = { ...endless, type: 'STEPWISE', usesSteps: true } as unknown as typeof work
    const refused = () => make({ budgetMs: 30_000 }, [work, long, endless, stepwise])
    expect(refused).toThrow(expect.objectContaining({ name: 'QueueError', code: 'invalid-argument' }))
    expect(refused).toThrow(
      /30000.*LONG \(timeoutMs: 60000\), ENDLESS \(timeoutMs: null, no limit\)\..*usesSteps/,
    )
    expect(refused).not.toThrow(/WORK|STEPWISE/)
    expect(() => make({ budgetMs: 60_000 }, [work, long, stepwise])).not.toThrow()
  })

  it.each([
    [{ budgetMs: 0 }, /budgetMs/],
    [{ budgetMs: Number.NaN }, /budgetMs/],
    [{ budgetMs: 20_000, maxBudgetMs: 10_000 }, /maxBudgetMs/],
    [{ maxJobs: 10_001 }, /maxJobs/],
    [{ concurrency: 0 }, /concurrency/],
    [{ graceMs: -1 }, /graceMs/],
  ])('is refused with %o', (drain, message) => {
    expect(() => make(drain)).toThrow(message)
  })

  it('is refused by a server too, which leaves nothing open', async () => {
    const slow = defineJob({ type: 'SLOW', payload: z.object({}) })
    const modules = [{ name: 'sample', jobs: [slow], handlers: [handle(slow, () => {})] }]
    const options = { url: 'file::memory:', access: { adminTokens: [token] }, port: 0, modules, drain: {} }
    await expect(createServer(options)).rejects.toThrow(/SLOW \(timeoutMs: 600000\)/)
  })
})
