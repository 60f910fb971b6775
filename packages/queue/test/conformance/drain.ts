import { describe, expect, it } from 'vitest'
import { fixed, handle, type Millrace, NonRetryableError, sleep } from '../../src/index.ts'
import { aborted } from '../support/events.ts'
import { enqueueMany, gate, openRuntime, plainJob } from './runtime-stage.ts'
import { hourMs, minuteMs, secondMs } from './samples.ts'
import type { EngineSubject } from './stage.ts'

const nothing = {
  ...{ completed: 0, retried: 0, dead: 0, snoozed: 0, waiting: 0, cancelled: 0, released: 0 },
  ...{ rescued: 0, ticks: 0, pruned: 0 },
}

export function drainCases(subject: EngineSubject): void {
  it('does all that is due and says so', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    const ids = await enqueueMany(runtime.millrace, work, 30)
    const worker = runtime.worker([handle(work, ({ payload }) => payload.n)])
    expect(await runtime.clock.until(worker.drain())).toEqual({ ...nothing, completed: 30, endedBy: 'empty' })
    expect(await runtime.stage.states(ids)).toEqual(Array(30).fill('completed'))
  })

  it('of nothing ends at once', async () => {
    const runtime = await openRuntime(subject)
    const worker = runtime.worker([handle(plainJob(), () => 1)])
    const sinceMs = runtime.clock.monotonic()
    expect(await runtime.clock.until(worker.drain())).toEqual({ ...nothing, endedBy: 'empty' })
    expect(runtime.clock.monotonic() - sinceMs).toBeLessThan(secondMs)
  })

  it('counts each attempt by its end', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ backoff: fixed(hourMs) })
    await enqueueMany(runtime.millrace, work, 6)
    const worker = runtime.worker([
      handle(work, ({ payload, snooze }) => {
        if (payload.n === 1) throw new Error('again later')
        if (payload.n === 2) throw new NonRetryableError('never')
        if (payload.n === 3) snooze(hourMs)
      }),
    ])
    expect(await runtime.clock.until(worker.drain())).toEqual({
      ...nothing,
      completed: 3,
      retried: 1,
      dead: 1,
      snoozed: 1,
      endedBy: 'empty',
    })
  })

  it('does not wait for what falls due later', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    const { id } = await runtime.millrace.enqueue(work, {}, { delay: '1h' })
    const worker = runtime.worker([handle(work, () => 1)])
    const sinceMs = runtime.clock.monotonic()
    await runtime.clock.until(worker.drain())
    expect(runtime.clock.monotonic() - sinceMs).toBeLessThan(secondMs)
    expect((await runtime.job(id)).state).toBe('queued')
  })

  it('does what its own jobs enqueue', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    await runtime.millrace.enqueue(work, { n: 3 })
    const worker = runtime.worker([
      handle(work, async ({ payload }) => {
        if (payload.n > 0) await runtime.millrace.enqueue(work, { n: payload.n - 1 })
      }),
    ])
    expect(await runtime.clock.until(worker.drain())).toMatchObject({ completed: 4, endedBy: 'empty' })
  })

  it('starts no more than maxJobs, and leaves the rest as it was', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ maxAttempts: 1 })
    const ids = await enqueueMany(runtime.millrace, work, 12)
    const worker = runtime.worker([handle(work, () => 1)], { concurrency: 4 })
    expect(await runtime.clock.until(worker.drain({ maxJobs: 5 }))).toEqual({
      ...nothing,
      completed: 5,
      endedBy: 'max-jobs',
    })
    expect(await runtime.stage.states(ids)).toEqual([
      ...Array<string>(5).fill('completed'),
      ...Array<string>(7).fill('queued'),
    ])
    for (const id of ids.slice(5)) expect(await runtime.job(id)).toMatchObject({ attempt: 0 })
  })

  it('with more room than jobs ends empty', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    await enqueueMany(runtime.millrace, work, 3)
    const worker = runtime.worker([handle(work, () => 1)])
    expect(await runtime.clock.until(worker.drain({ maxJobs: 10 }))).toMatchObject({
      completed: 3,
      endedBy: 'empty',
    })
  })

  describe('within a budget', () => {
    it('gives back what does not finish, no attempt spent', async () => {
      const runtime = await openRuntime(subject)
      const work = plainJob({ maxAttempts: 1 })
      const ids = await enqueueMany(runtime.millrace, work, 5)
      const worker = runtime.worker(
        [handle(work, ({ signal }) => sleep(runtime.clock, 10 * secondMs, signal))],
        {
          concurrency: 1,
        },
      )
      const sinceMs = runtime.clock.monotonic()
      const result = await runtime.clock.until(worker.drain({ budgetMs: 25 * secondMs }), hourMs)
      expect(runtime.clock.monotonic() - sinceMs).toBeLessThan(26 * secondMs)
      expect(result).toMatchObject({ completed: 2, dead: 0, retried: 0, endedBy: 'budget' })
      expect(result.released).toBeGreaterThanOrEqual(1)
      expect(await runtime.stage.states(ids)).toEqual([
        'completed',
        'completed',
        'queued',
        'queued',
        'queued',
      ])
      for (const id of ids.slice(2)) expect(await runtime.job(id)).toMatchObject({ attempt: 0, deaths: 0 })
    })

    it('ends in time though a handler ignores its signal', async () => {
      const runtime = await openRuntime(subject)
      const work = plainJob({ maxAttempts: 1 })
      const deaf = gate()
      const { id } = await runtime.millrace.enqueue(work, {})
      const worker = runtime.worker([handle(work, () => deaf.promise)], { graceMs: 2 * secondMs })
      const sinceMs = runtime.clock.monotonic()
      expect(await runtime.clock.until(worker.drain({ budgetMs: 5 * secondMs }))).toMatchObject({
        endedBy: 'budget',
      })
      expect(runtime.clock.monotonic() - sinceMs).toBeLessThanOrEqual(7 * secondMs)
      expect(await runtime.job(id)).toMatchObject({ state: 'queued', attempt: 0 })
      deaf.resolve()
    })

    it('that suffices it ends empty, and early', async () => {
      const runtime = await openRuntime(subject)
      const work = plainJob()
      await enqueueMany(runtime.millrace, work, 3)
      const worker = runtime.worker([handle(work, () => sleep(runtime.clock, secondMs))])
      const sinceMs = runtime.clock.monotonic()
      const result = await runtime.clock.until(worker.drain({ budgetMs: 50 * secondMs }))
      expect(result).toMatchObject({ completed: 3, endedBy: 'empty' })
      expect(runtime.clock.monotonic() - sinceMs).toBeLessThan(2 * secondMs)
    })
  })

  it('rescues the jobs of a dead worker', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    const { id } = await runtime.millrace.enqueue(work, {})
    await runtime.stage.claimOne({ type: 'work', worker: 'dead-worker', leaseMs: minuteMs })
    await runtime.clock.advance(minuteMs + 1)
    const worker = runtime.worker([handle(work, ({ job }) => job.attempt)])
    expect(await runtime.clock.until(worker.drain())).toEqual({
      ...nothing,
      completed: 1,
      rescued: 1,
      endedBy: 'empty',
    })
    expect(await runtime.job(id)).toMatchObject({ state: 'completed', result: 2, deaths: 1 })
  })

  it('fires the schedules that are due', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    await runtime.millrace.schedules.put('hourly', { job: work, payload: { n: 7 }, every: '1h' })
    const worker = runtime.worker([handle(work, ({ payload }) => payload.n)])
    expect(await runtime.clock.until(worker.drain())).toMatchObject({ completed: 0 })
    await runtime.clock.advance(hourMs)
    expect(await runtime.clock.until(worker.drain())).toEqual({
      ...nothing,
      completed: 1,
      ticks: 1,
      endedBy: 'empty',
    })
  })

  describe('prunes what retention no longer keeps', () => {
    it('in the same call, batch after batch', async () => {
      const runtime = await openRuntime(subject)
      const work = plainJob({ retention: { completed: { maxAgeMs: hourMs } } })
      const ids = await enqueueMany(runtime.millrace, work, 1_200)
      const worker = runtime.worker([handle(work, () => 1)])
      expect(await runtime.clock.until(worker.drain())).toMatchObject({ completed: 1_200, pruned: 0 })
      runtime.clock.freeze(2 * hourMs)
      expect(await runtime.clock.until(worker.drain())).toMatchObject({ pruned: 1_200, endedBy: 'empty' })
      expect(await runtime.stage.states(ids)).toEqual(Array(1_200).fill(null))
    })

    it('but no longer than its budget, and something in every call', async () => {
      const runtime = await openRuntime(subject)
      const work = plainJob({ retention: { completed: { maxAgeMs: hourMs } } })
      await enqueueMany(runtime.millrace, work, 1_200)
      const worker = runtime.worker([handle(work, () => 1)])
      await runtime.clock.until(worker.drain())
      runtime.clock.freeze(2 * hourMs)
      const { pruned } = await runtime.clock.until(worker.drain({ budgetMs: 0 }))
      expect(pruned).toBe(500)
    })

    it('unless it was told not to', async () => {
      const runtime = await openRuntime(subject)
      const work = plainJob({ retention: { completed: { maxCount: 0 } } })
      await enqueueMany(runtime.millrace, work, 3)
      const worker = runtime.worker([handle(work, () => 1)], { pruner: false })
      await runtime.clock.until(worker.drain())
      expect(await runtime.clock.until(worker.drain())).toMatchObject({ pruned: 0 })
    })
  })

  it('with its budget spent before it began claims nothing', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    const [id] = await enqueueMany(runtime.millrace, work, 1)
    const worker = runtime.worker([handle(work, () => 1)])
    expect(await runtime.clock.until(worker.drain({ budgetMs: 0 }))).toEqual({
      ...nothing,
      endedBy: 'budget',
    })
    expect(await runtime.job(id as string)).toMatchObject({ state: 'queued', attempt: 0 })
  })

  it('keeps the lease of a long job', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ maxAttempts: 1 })
    const { id } = await runtime.millrace.enqueue(work, {})
    const worker = runtime.worker([handle(work, () => sleep(runtime.clock, 5 * minuteMs))])
    expect(await runtime.clock.until(worker.drain(), hourMs)).toMatchObject({ completed: 1 })
    expect((await runtime.job(id)).deaths).toBe(0)
  })

  it('hears of a cancel', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    const { id } = await runtime.millrace.enqueue(work, {})
    const worker = runtime.worker([handle(work, async ({ signal }) => Promise.reject(await aborted(signal)))])
    const drained = worker.drain()
    await runtime.reaches(id, 'running')
    const elsewhere: Millrace = await runtime.elsewhere()
    await elsewhere.cancel(id)
    expect(await runtime.clock.until(drained)).toMatchObject({ cancelled: 1, endedBy: 'empty' })
  })

  it('can be repeated, and leaves no worker and no timer behind', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    const worker = runtime.worker([handle(work, () => 1)])
    for (let round = 0; round < 3; round++) {
      await enqueueMany(runtime.millrace, work, 2)
      expect(await runtime.clock.until(worker.drain())).toMatchObject({ completed: 2 })
      expect(await runtime.millrace.workers()).toEqual([])
    }
    await runtime.clock.advance(2 * minuteMs)
    expect(runtime.clock.timers).toBe(0)
  })

  it('by many at the same time runs each job once', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    await enqueueMany(runtime.millrace, work, 60)
    const handler = handle(work, () => sleep(runtime.clock, 10))
    const elsewhere = await runtime.elsewhere()
    const workers = [
      runtime.worker([handler]),
      runtime.worker([handler]),
      runtime.worker([handler], {}, elsewhere),
    ]
    const results = await runtime.clock.until(Promise.all(workers.map(worker => worker.drain())))
    expect(results.reduce((sum, result) => sum + result.completed, 0)).toBe(60)
  })

  it('is refused to a worker that was started', async () => {
    const runtime = await openRuntime(subject)
    const worker = await runtime.start([handle(plainJob(), () => 1)])
    await expect(worker.drain()).rejects.toMatchObject({ code: 'conflict' })
  })
}
