import { describe, expect, it } from 'vitest'
import { fixed, handle, isQueueError, sleep } from '../../src/index.ts'
import { aborted, nextEvent } from '../support/events.ts'
import { gate, openRuntime, plainJob, still } from './runtime-stage.ts'
import { minuteMs, secondMs } from './samples.ts'
import type { EngineSubject } from './stage.ts'

export function timeoutCases(subject: EngineSubject): void {
  it('fires the signal of an attempt that takes too long, which counts as failed', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ timeoutMs: 5 * secondMs, maxAttempts: 2, backoff: fixed(secondMs) })
    const reasons: unknown[] = []
    await runtime.start([
      handle(work, async ({ job, signal }) => {
        if (job.attempt === 2) return 'second time lucky'
        const startedMs = runtime.clock.monotonic()
        reasons.push(await aborted(signal))
        expect(runtime.clock.monotonic() - startedMs).toBe(5 * secondMs)
        throw signal.reason
      }),
    ])
    const { id } = await runtime.millrace.enqueue(work, {})
    expect(await runtime.clock.until(runtime.millrace.result(id))).toBe('second time lucky')
    expect(reasons).toEqual([expect.objectContaining({ name: 'QueueError', code: 'timeout' })])
    const [first] = await runtime.millrace.attempts(id)
    expect(first).toMatchObject({
      outcome: 'failed',
      error: { message: expect.stringMatching(/5.?000 ?ms|5 ?s|timeout|timed out/i) },
    })
  })

  it('on the last attempt is the death of the job', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ timeoutMs: secondMs, maxAttempts: 1 })
    await runtime.start([handle(work, async ({ signal }) => Promise.reject(await aborted(signal)))])
    const { id } = await runtime.millrace.enqueue(work, {})
    await runtime.reaches(id, 'dead')
  })

  it('counts as failed even when the handler returns in peace after its signal', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ timeoutMs: secondMs, maxAttempts: 1 })
    await runtime.start([
      handle(work, async ({ signal }) => {
        await aborted(signal)
        return 'as if nothing had happened'
      }),
    ])
    const { id } = await runtime.millrace.enqueue(work, {})
    await runtime.reaches(id, 'dead')
    expect((await runtime.job(id)).result).toBeNull()
  })

  it('leaves an attempt alone that ends in time', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ timeoutMs: 5 * secondMs, maxAttempts: 1 })
    const signals: AbortSignal[] = []
    await runtime.start([
      handle(work, async ({ signal }) => {
        signals.push(signal)
        await sleep(runtime.clock, 4_999)
      }),
    ])
    const { id } = await runtime.millrace.enqueue(work, {})
    await runtime.reaches(id, 'completed')
    await runtime.clock.advance(minuteMs)
    expect(signals.map(signal => signal.aborted)).toEqual([false])
  })

  it('of null lets an attempt take longer than the ten minutes it has by default', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ timeoutMs: null, maxAttempts: 1 })
    const handler = handle(work, () => sleep(runtime.clock, 12 * minuteMs))
    await runtime.start([handler], { ...still, sweepMs: minuteMs })
    const { id } = await runtime.millrace.enqueue(work, {})
    await runtime.clock.advance(11 * minuteMs)
    expect((await runtime.job(id)).state).toBe('running')
    await runtime.reaches(id, 'completed', 2 * minuteMs)
  })

  it('of one job does not touch its neighbour', async () => {
    const runtime = await openRuntime(subject)
    const short = plainJob({ type: 'short', timeoutMs: secondMs, maxAttempts: 1 })
    const long = plainJob({ type: 'long', timeoutMs: minuteMs, maxAttempts: 1 })
    await runtime.start([
      handle(short, async ({ signal }) => Promise.reject(await aborted(signal))),
      handle(long, ({ signal }) => sleep(runtime.clock, 10 * secondMs, signal)),
    ])
    const { id } = await runtime.millrace.enqueue(long, {})
    const other = await runtime.millrace.enqueue(short, {})
    await runtime.reaches(other.id, 'dead')
    await runtime.reaches(id, 'completed')
  })

  describe('a handler that ignores its signal', () => {
    it('is given up after the grace, reported, and frees its slot', async () => {
      const runtime = await openRuntime(subject)
      const work = plainJob({ timeoutMs: 2 * secondMs, maxAttempts: 1 })
      const deaf = gate()
      const worker = await runtime.start(
        [handle(work, ({ payload }) => (payload.n === 0 ? deaf.promise : undefined))],
        { concurrency: 1, graceMs: 3 * secondMs },
      )
      const abandoned = nextEvent(runtime.millrace, 'abandoned')
      const first = await runtime.millrace.enqueue(work, { n: 0 })
      const second = await runtime.millrace.enqueue(work, { n: 1 })
      const sinceMs = runtime.clock.monotonic()
      expect(await runtime.clock.until(abandoned)).toMatchObject({
        id: first.id,
        type: 'work',
        worker: worker.id,
        attempt: 1,
      })
      expect(runtime.clock.monotonic() - sinceMs).toBe(5 * secondMs)
      await runtime.reaches(second.id, 'completed')
      await runtime.reaches(first.id, 'dead')
      deaf.resolve()
    })

    it('changes nothing any more when it returns late', async () => {
      const runtime = await openRuntime(subject)
      const work = plainJob({ timeoutMs: secondMs, maxAttempts: 2, backoff: fixed(0) })
      const deaf = gate<string>()
      await runtime.start(
        [handle(work, ({ job }) => (job.attempt === 1 ? deaf.promise : 'the right result'))],
        { graceMs: secondMs },
      )
      const { id } = await runtime.millrace.enqueue(work, {})
      await runtime.reaches(id, 'completed')
      const before = await runtime.job(id)
      deaf.resolve('a late result')
      await runtime.clock.advance(minuteMs)
      expect(await runtime.job(id)).toEqual(before)
      expect(before.result).toBe('the right result')
    })

    it('can neither report nor log nor complete any more', async () => {
      const runtime = await openRuntime(subject)
      const work = plainJob({ timeoutMs: secondMs, maxAttempts: 1 })
      const deaf = gate()
      const late = gate<unknown>()
      await runtime.start(
        [
          handle(work, async ({ progress, log, complete }) => {
            await deaf.promise
            progress(99, 'late')
            log.info('late')
            await complete(() => 'late').then(late.resolve, late.resolve)
          }),
        ],
        { graceMs: secondMs },
      )
      const { id } = await runtime.millrace.enqueue(work, {})
      await runtime.reaches(id, 'dead')
      deaf.resolve()
      expect(isQueueError(await runtime.clock.until(late.promise))).toBe(true)
      await runtime.clock.advance(minuteMs)
      expect(await runtime.job(id)).toMatchObject({ state: 'dead', progress: null, result: null })
      expect(await runtime.millrace.logs(id)).toEqual([])
    })

    it('that throws late brings nothing down', async () => {
      const runtime = await openRuntime(subject)
      const work = plainJob({ timeoutMs: secondMs, maxAttempts: 1 })
      const deaf = gate()
      await runtime.start([handle(work, ({ payload }) => (payload.n === 0 ? deaf.promise : 'fine'))], {
        graceMs: secondMs,
      })
      const first = await runtime.millrace.enqueue(work, { n: 0 })
      await runtime.reaches(first.id, 'dead')
      deaf.reject(new Error('much too late'))
      await runtime.clock.quiet()
      const second = await runtime.millrace.enqueue(work, { n: 1 })
      expect(await runtime.clock.until(runtime.millrace.result(second.id))).toBe('fine')
    })
  })
}
