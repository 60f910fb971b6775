import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { createWorker, defineJob, handle, isQueueError, type RunningJob, sleep } from '../../src/index.ts'
import { enqueueMany, gate, heldReports, openRuntime, plainJob } from './runtime-stage.ts'
import { aJob, minuteMs, secondMs } from './samples.ts'
import type { EngineSubject } from './stage.ts'

const pollMs = 1_000

export function workerCases(subject: EngineSubject): void {
  it('runs a job with its validated payload and stores its result', async () => {
    const { millrace, clock, start } = await bound(subject)
    const greet = defineJob({
      type: 'greet',
      payload: z.object({ name: z.string().trim(), greeting: z.string().default('hello') }),
      result: z.object({ text: z.string() }),
    })
    await start([handle(greet, ({ payload }) => ({ text: `${payload.greeting} ${payload.name}` }))])
    const { id } = await millrace.enqueue(greet, { name: ' Ada ' })
    expect(await clock.until(millrace.result(id))).toEqual({ text: 'hello Ada' })
    expect(await millrace.get(id)).toMatchObject({ state: 'completed', result: { text: 'hello Ada' } })
  })

  it('tells the handler about its job', async () => {
    const { millrace, clock, start } = await bound(subject)
    const work = plainJob({ queue: 'slow', maxAttempts: 7 })
    const seen: RunningJob[] = []
    await start([handle(work, ({ job }) => void seen.push(job))])
    const createdAt = clock.now()
    const { id } = await millrace.enqueue(work, {}, { tenant: 'acme', priority: 2 })
    await clock.until(millrace.result(id))
    const { epoch } = (await millrace.get(id)) ?? {}
    expect(seen).toMatchObject([
      {
        id,
        type: 'work',
        queue: 'slow',
        tenant: 'acme',
        priority: 2,
        attempt: 1,
        maxAttempts: 7,
        epoch,
        createdAt,
      },
    ])
  })

  it('runs no more handlers at once than its concurrency', async () => {
    const { millrace, clock, start, runtime } = await bound(subject)
    const work = plainJob()
    let running = 0
    let most = 0
    const worker = await start(
      [
        handle(work, async () => {
          most = Math.max(most, ++running)
          await sleep(clock, secondMs)
          expect(worker.running).toBeLessThanOrEqual(3)
          running--
        }),
      ],
      { concurrency: 3 },
    )
    await runtime.allReach(await enqueueMany(millrace, work, 20), 'completed')
    expect(most).toBe(3)
    expect(worker.running).toBe(0)
  })

  it('keeps all its slots busy', async () => {
    const { millrace, clock, start, runtime } = await bound(subject)
    const work = plainJob()
    await start([handle(work, () => sleep(clock, secondMs))], { concurrency: 5 })
    const ids = await enqueueMany(millrace, work, 50)
    expect(await runtime.allReach(ids, 'completed')).toBeLessThan(12 * secondMs)
  })

  it('acknowledges neighbours while a slow job runs', async () => {
    const { millrace, start, runtime } = await bound(subject)
    const work = plainJob()
    const slow = gate()
    await start([handle(work, ({ payload }) => (payload.n === 0 ? slow.promise : undefined))], {
      concurrency: 2,
    })
    const [first, ...others] = await enqueueMany(millrace, work, 30)
    expect(await runtime.allReach(others, 'completed')).toBeLessThan(secondMs)
    expect((await runtime.job(first as string)).state).toBe('running')
    slow.resolve()
    await runtime.reaches(first as string, 'completed')
  })

  it('runs jobs in the order of their priority', async () => {
    const { millrace, start, runtime } = await bound(subject)
    const work = plainJob()
    const order: number[] = []
    const ids: string[] = []
    for (const priority of [5, 1, 9, 3, 7])
      ids.push((await millrace.enqueue(work, { n: priority }, { priority })).id)
    await start([handle(work, ({ payload }) => void order.push(payload.n))], { concurrency: 1 })
    await runtime.allReach(ids, 'completed')
    expect(order).toEqual([1, 3, 5, 7, 9])
  })

  describe('starts', () => {
    it('a job that is enqueued in the same process at once', async () => {
      const { millrace, clock, start } = await bound(subject)
      const work = plainJob()
      await start([handle(work, () => 1)])
      await clock.advance(10 * secondMs)
      const sinceMs = clock.monotonic()
      const { id } = await millrace.enqueue(work, {})
      await clock.until(millrace.result(id))
      expect(clock.monotonic() - sinceMs).toBeLessThan(100)
    })

    it('a job that is enqueued elsewhere within a poll, though every hint is lost', async () => {
      const { start, runtime } = await bound(subject)
      const work = plainJob()
      await start([handle(work, () => 1)])
      const elsewhere = await runtime.elsewhere()
      const { id } = await elsewhere.enqueue(work, {})
      expect(await runtime.reaches(id, 'completed')).toBeLessThanOrEqual(pollMs + 100)
    })

    it('a delayed job when it falls due', async () => {
      const { millrace, clock, start, runtime } = await bound(subject)
      const work = plainJob()
      await start([handle(work, () => 1)])
      const { id } = await millrace.enqueue(work, {}, { delay: '1m' })
      const dueAt = clock.now() + minuteMs
      await runtime.reaches(id, 'completed', 2 * minuteMs)
      const { startedAt } = await runtime.job(id)
      expect(startedAt).toBeGreaterThanOrEqual(dueAt)
      expect(startedAt).toBeLessThan(dueAt + 100)
    })

    it('a job that was waiting before it started', async () => {
      const { millrace, start, runtime } = await bound(subject)
      const work = plainJob()
      const ids = await enqueueMany(millrace, work, 25)
      await start([handle(work, () => 1)])
      await runtime.allReach(ids, 'completed')
    })
  })

  describe('leaves alone', () => {
    it('types that it has no handler for', async () => {
      const { millrace, start, runtime } = await bound(subject)
      const [known, unknown] = [plainJob(), plainJob({ type: 'unknown' })]
      const other = await millrace.enqueue(unknown, {}, { priority: 1 })
      await start([handle(known, () => 1)])
      const { id } = await millrace.enqueue(known, {})
      await runtime.reaches(id, 'completed')
      expect((await runtime.job(other.id)).state).toBe('queued')
    })

    it('queues that it was not told to serve', async () => {
      const { millrace, clock, start, runtime } = await bound(subject)
      const [fast, slow] = [plainJob({ queue: 'fast' }), plainJob({ type: 'slow', queue: 'slow' })]
      const other = await millrace.enqueue(slow, {})
      await start([handle(fast, () => 1), handle(slow, () => 1)], { queues: ['fast'] })
      const { id } = await millrace.enqueue(fast, {})
      await runtime.reaches(id, 'completed')
      await clock.advance(5 * secondMs)
      expect((await runtime.job(other.id)).state).toBe('queued')
    })

    it('a paused queue, until it is resumed', async () => {
      const { millrace, clock, start, runtime } = await bound(subject)
      const work = plainJob()
      await millrace.pause('default')
      await start([handle(work, () => 1)])
      const { id } = await millrace.enqueue(work, {})
      await clock.advance(5 * secondMs)
      expect((await runtime.job(id)).state).toBe('queued')
      await millrace.resume('default')
      expect(await runtime.reaches(id, 'completed')).toBeLessThanOrEqual(pollMs)
    })
  })

  it('runs jobs that were stored under an alias of their type', async () => {
    const { millrace, start, runtime } = await bound(subject)
    const before = plainJob({ type: 'work-v1' })
    const { id } = await millrace.enqueue(before, { n: 4 })
    const elsewhere = await runtime.elsewhere()
    const now = plainJob({ type: 'work-v2', aliases: ['work-v1'] })
    await start([handle(now, ({ payload }) => payload.n * 2)], {}, elsewhere)
    await runtime.reaches(id, 'completed')
    expect(await runtime.job(id)).toMatchObject({ type: 'work-v1', result: 8 })
  })

  it('shares the work with another worker, each job run once', async () => {
    const { millrace, clock, start, runtime } = await bound(subject)
    const work = plainJob()
    const runs = new Map<string, number>()
    const workers = new Set<string>()
    const handler = (name: string) =>
      handle(work, async ({ job }) => {
        runs.set(job.id, (runs.get(job.id) ?? 0) + 1)
        workers.add(name)
        await sleep(clock, 200)
      })
    await start([handler('here')], { concurrency: 3 })
    await start([handler('there')], { concurrency: 3 }, await runtime.elsewhere())
    const ids = await enqueueMany(millrace, work, 200)
    await runtime.allReach(ids, 'completed')
    expect([...runs.values()]).toEqual(Array(200).fill(1))
    expect(workers).toEqual(new Set(['here', 'there']))
  })

  it.each([
    ['is not JSON', '{'],
    ['does not fit the schema', '{"n":"many"}'],
  ])(
    'sets a stored payload that %s aside, without running it or hurting its neighbours',
    async (what, payloadJson) => {
      const { millrace, start, runtime } = await bound(subject)
      const work = plainJob({ maxAttempts: 3 })
      const bad = aJob({ id: runtime.stage.newId(), type: 'work', payloadJson })
      const before = await millrace.enqueue(work, {})
      // A store that keeps JSON as such refuses what is none: then there is nothing to set aside.
      const isStored = await runtime.stage.engine.enqueue([bad]).then(
        () => true,
        (error: unknown) => {
          if (what !== 'is not JSON' || !isQueueError(error) || error.code !== 'invalid-payload') throw error
          return false
        },
      )
      const after = await millrace.enqueue(work, {})
      const ran: string[] = []
      await start([handle(work, ({ job }) => void ran.push(job.id))])
      await runtime.allReach([before.id, after.id], 'completed')
      expect(ran.toSorted()).toEqual([before.id, after.id].toSorted())
      if (!isStored) return expect(await runtime.millrace.get(bad.id)).toBeNull()
      await runtime.reaches(bad.id, 'dead')
      expect((await runtime.job(bad.id)).lastError?.message).toMatch(/payload/)
    },
  )

  it('shows itself among the workers until it has stopped', async () => {
    const { millrace, clock, start } = await bound(subject)
    const worker = await start([handle(plainJob(), () => 1)], { label: 'the one in the corner' })
    expect(await millrace.workers()).toMatchObject([{ worker: worker.id, label: 'the one in the corner' }])
    await clock.until(worker.stop())
    expect(await millrace.workers()).toEqual([])
  })

  it('refuses two handlers for one type, and settings that can not work', async () => {
    const { millrace } = await bound(subject)
    const work = plainJob()
    const twice = [handle(work, () => 1), handle(plainJob({ type: 'other', aliases: ['work'] }), () => 2)]
    const refused = expect.objectContaining({ code: 'invalid-argument' })
    expect(() => createWorker(millrace, twice)).toThrow(refused)
    expect(() => createWorker(millrace, [handle(work, () => 1)], { concurrency: 0 })).toThrow(refused)
    expect(() => createWorker(millrace, [handle(work, () => 1)], { leaseMs: Number.NaN })).toThrow(refused)
  })

  describe('what a handler reports', () => {
    it('is written before its end, also what is on its way when the handler returns', async () => {
      const { between, begun, go } = heldReports()
      const runtime = await openRuntime(subject, { between })
      const work = plainJob()
      const returns = gate()
      await runtime.start([
        handle(work, async ({ progress, log }) => {
          progress(90, 'nearly')
          log.info('on its way')
          await returns.promise
          log.info('the last')
        }),
      ])
      const { id } = await runtime.millrace.enqueue(work, {})
      await runtime.clock.until(begun)
      returns.resolve()
      await runtime.clock.quiet()
      expect((await runtime.job(id)).state).toBe('running')
      go()
      await runtime.reaches(id, 'completed')
      expect((await runtime.job(id)).progress).toMatchObject({ percent: 90, message: 'nearly' })
      const lines = (await runtime.millrace.logs(id)).map(line => line.message)
      expect(lines).toEqual(['on its way', 'the last'])
    })

    it('is written in order, also while the store is slow', async () => {
      const { between, begun, go } = heldReports()
      const runtime = await openRuntime(subject, { between })
      const work = plainJob()
      const returns = gate()
      const goesOn = gate()
      await runtime.start([
        handle(work, async ({ log }) => {
          log.info('first')
          await goesOn.promise
          log.info('second')
          await returns.promise
        }),
      ])
      const { id } = await runtime.millrace.enqueue(work, {})
      await runtime.clock.until(begun)
      goesOn.resolve()
      await runtime.clock.advance(secondMs)
      go()
      const lines = async () => (await runtime.millrace.logs(id)).map(line => line.message)
      await runtime.clock.eventually(async () => (await lines()).length === 2, 5 * secondMs)
      expect(await lines()).toEqual(['first', 'second'])
      returns.resolve()
      await runtime.reaches(id, 'completed')
    })

    it('keeps its job only a few seconds when the store never answers', async () => {
      const { between, begun, go } = heldReports()
      const runtime = await openRuntime(subject, { between })
      const work = plainJob()
      const returns = gate()
      await runtime.start([
        handle(work, async ({ log }) => {
          log.info('unheard')
          await returns.promise
        }),
      ])
      onTestFinished(() => go())
      const { id } = await runtime.millrace.enqueue(work, {})
      await runtime.clock.until(begun)
      returns.resolve()
      expect(await runtime.reaches(id, 'completed')).toBeLessThanOrEqual(6 * secondMs)
    })

    it('as progress is stored', async () => {
      const { millrace, clock, start, runtime } = await bound(subject)
      const work = plainJob()
      const held = gate()
      await start([
        handle(work, async ({ progress }) => {
          progress(10)
          progress(40, 'page 4 of 10', { page: 4 })
          await held.promise
          progress(90, 'nearly')
        }),
      ])
      const { id } = await millrace.enqueue(work, {})
      const shown = async () => (await millrace.get(id))?.progress
      await clock.eventually(async () => (await shown()) !== null, 5 * secondMs)
      expect(await shown()).toEqual({ percent: 40, message: 'page 4 of 10', data: { page: 4 } })
      held.resolve()
      await runtime.reaches(id, 'completed')
      expect(await shown()).toMatchObject({ percent: 90, message: 'nearly' })
    })

    it('as log lines is stored in order, before the job is complete', async () => {
      const { millrace, clock, start } = await bound(subject)
      const work = plainJob()
      await start([
        handle(work, ({ log }) => {
          log.debug('one')
          log.info('two', { n: 2 })
          log.warn('three')
          log.error('four', [4])
        }),
      ])
      const { id } = await millrace.enqueue(work, {})
      await clock.until(millrace.result(id))
      expect(await millrace.logs(id)).toEqual(
        [
          ['debug', 'one', null],
          ['info', 'two', { n: 2 }],
          ['warn', 'three', null],
          ['error', 'four', [4]],
        ].map(([level, message, data]) => ({ attempt: 1, level, message, data, at: expect.any(Number) })),
      )
    })

    it('as log lines is bounded', async () => {
      const { millrace, clock, start } = await bound(subject)
      const work = plainJob()
      await start([
        handle(work, ({ log }) => {
          for (let line = 0; line < 3_000; line++) log.info(`line ${line}`)
        }),
      ])
      const { id } = await millrace.enqueue(work, {})
      await clock.until(millrace.result(id))
      const lines = await millrace.logs(id, { limit: 10_000 })
      expect(lines.length).toBeGreaterThan(0)
      expect(lines.length).toBeLessThanOrEqual(1_001)
    })

    it('that is nonsense costs the job nothing', async () => {
      const { millrace, clock, start } = await bound(subject)
      const work = plainJob()
      const circular: Record<string, unknown> = {}
      circular['self'] = circular
      await start([
        handle(work, ({ progress, log }) => {
          progress(Number.NaN, 'half \ud800 a pair', circular)
          progress(250, 'nul \0', 10n)
          progress(-5)
          log.info('half \ud800 a pair \0', circular)
          log.info('big', 10n)
          return 'fine'
        }),
      ])
      const { id } = await millrace.enqueue(work, {})
      expect(await clock.until(millrace.result(id))).toBe('fine')
      const { progress } = (await millrace.get(id)) ?? {}
      if (progress) expect(progress.percent).toBeGreaterThanOrEqual(0)
      if (progress) expect(progress.percent).toBeLessThanOrEqual(100)
    })
  })
}

async function bound(subject: EngineSubject) {
  const runtime = await openRuntime(subject)
  return { runtime, millrace: runtime.millrace, clock: runtime.clock, start: runtime.start.bind(runtime) }
}
