import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineJob, fixed, handle, NonRetryableError } from '../../src/index.ts'
import { gate, openRuntime, plainJob } from './runtime-stage.ts'
import { secondMs } from './samples.ts'
import type { EngineSubject } from './stage.ts'

const pollMs = 1_000

export function resultCases(subject: EngineSubject): void {
  it('is there at once for a job that has finished', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    await runtime.start([handle(work, () => ({ answer: 42 }))])
    const { id } = await runtime.millrace.enqueue(work, {})
    await runtime.reaches(id, 'completed')
    const sinceMs = runtime.clock.monotonic()
    expect(await runtime.clock.until(runtime.millrace.result(id))).toEqual({ answer: 42 })
    expect(runtime.clock.monotonic() - sinceMs).toBe(0)
  })

  it('comes to the process that did the work without waiting for a poll', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    const held = gate<string>()
    await runtime.start([handle(work, () => held.promise)])
    const { id } = await runtime.millrace.enqueue(work, {})
    const result = runtime.millrace.result(id)
    await runtime.reaches(id, 'running')
    const sinceMs = runtime.clock.monotonic()
    held.resolve('done')
    expect(await runtime.clock.until(result)).toBe('done')
    expect(runtime.clock.monotonic() - sinceMs).toBeLessThan(100)
  })

  it('comes to another process within a poll, though every hint is lost', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    const held = gate<string>()
    await runtime.start([handle(work, () => held.promise)])
    const elsewhere = await runtime.elsewhere()
    const { id } = await elsewhere.enqueue(work, {})
    const result = elsewhere.result(id)
    await runtime.reaches(id, 'running')
    held.resolve('done')
    const sinceMs = runtime.clock.monotonic()
    expect(await runtime.clock.until(result)).toBe('done')
    expect(runtime.clock.monotonic() - sinceMs).toBeLessThanOrEqual(pollMs + 100)
  })

  it('comes to all who wait for it', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    const held = gate<string>()
    await runtime.start([handle(work, () => held.promise)])
    const { id } = await runtime.millrace.enqueue(work, {})
    const elsewhere = await runtime.elsewhere()
    const results = [runtime.millrace.result(id), runtime.millrace.result(id), elsewhere.result(id)]
    await runtime.clock.advance(secondMs)
    held.resolve('done')
    expect(await runtime.clock.until(Promise.all(results))).toEqual(['done', 'done', 'done'])
  })

  it('of each of many jobs comes to whoever waits for that one', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    await runtime.start([handle(work, ({ payload }) => payload.n)])
    const items = Array.from({ length: 100 }, (_, n) => ({ payload: { n } }))
    const jobs = await runtime.millrace.enqueueMany(work, items)
    const results = jobs.map(({ id }) => runtime.millrace.result(id))
    expect(await runtime.clock.until(Promise.all(results))).toEqual(items.map(({ payload }) => payload.n))
  })

  it('waits through retries', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ backoff: fixed(5 * secondMs), maxAttempts: 3 })
    await runtime.start([
      handle(work, ({ job }) => {
        if (job.attempt < 3) throw new Error('not yet')
        return job.attempt
      }),
    ])
    const { id } = await runtime.millrace.enqueue(work, {})
    expect(await runtime.clock.until(runtime.millrace.result(id))).toBe(3)
  })

  it('is what the result schema makes of what the handler returned', async () => {
    const runtime = await openRuntime(subject)
    const count = defineJob({
      type: 'count',
      payload: z.object({}),
      result: z.object({ text: z.string().transform(text => text.length) }),
    })
    await runtime.start([handle(count, () => ({ text: 'four' }))])
    const { id } = await runtime.millrace.enqueue(count, {})
    expect(await runtime.clock.until(runtime.millrace.result(id))).toEqual({ text: 4 })
  })

  describe('is refused', () => {
    it('as job-dead with the error of the attempt, for a dead job', async () => {
      const runtime = await openRuntime(subject)
      const work = plainJob()
      await runtime.start([
        handle(work, () => {
          throw new NonRetryableError('the account is closed')
        }),
      ])
      const { id } = await runtime.millrace.enqueue(work, {})
      await expect(runtime.clock.until(runtime.millrace.result(id))).rejects.toMatchObject({
        code: 'job-dead',
        message: expect.stringContaining('the account is closed'),
        cause: expect.objectContaining({ name: 'NonRetryableError' }),
      })
    })

    it('as job-cancelled with the reason, for a cancelled job', async () => {
      const runtime = await openRuntime(subject)
      const { id } = await runtime.millrace.enqueue(plainJob(), {})
      const result = runtime.millrace.result(id)
      result.catch(() => {})
      await runtime.millrace.cancel(id, { reason: 'not needed' })
      await expect(runtime.clock.until(result)).rejects.toMatchObject({
        code: 'job-cancelled',
        message: expect.stringContaining('not needed'),
      })
    })

    it('as timeout after that long; the job goes on', async () => {
      const runtime = await openRuntime(subject)
      const work = plainJob()
      const held = gate<string>()
      await runtime.start([handle(work, () => held.promise)])
      const { id } = await runtime.millrace.enqueue(work, {})
      const sinceMs = runtime.clock.monotonic()
      const result = runtime.millrace.result(id, { timeoutMs: 3_500 })
      await expect(runtime.clock.until(result)).rejects.toMatchObject({ code: 'timeout' })
      expect(runtime.clock.monotonic() - sinceMs).toBe(3_500)
      held.resolve('done after all')
      expect(await runtime.clock.until(runtime.millrace.result(id))).toBe('done after all')
    })

    it('with the signal’s reason when the waiter gives up', async () => {
      const runtime = await openRuntime(subject)
      const { id } = await runtime.millrace.enqueue(plainJob(), {})
      const giveUp = new AbortController()
      const result = runtime.millrace.result(id, { signal: giveUp.signal })
      const reason = new Error('the client has gone')
      giveUp.abort(reason)
      await expect(runtime.clock.until(result)).rejects.toBe(reason)
      await expect(runtime.millrace.result(id, { signal: giveUp.signal })).rejects.toBe(reason)
    })

    it('as not-found for a job that never was', async () => {
      const runtime = await openRuntime(subject)
      const result = runtime.millrace.result(runtime.stage.newId())
      await expect(runtime.clock.until(result)).rejects.toMatchObject({ code: 'not-found' })
    })

    it('as not-found for a job that is removed meanwhile', async () => {
      const runtime = await openRuntime(subject)
      const { id } = await runtime.millrace.enqueue(plainJob(), {})
      const result = runtime.millrace.result(id)
      result.catch(() => {})
      await runtime.clock.quiet()
      await runtime.millrace.remove(id)
      await expect(runtime.clock.until(result)).rejects.toMatchObject({ code: 'not-found' })
    })

    it.each(['', '42', 'not-an-id', "' OR 1=1"])('as invalid-argument for %j', async id => {
      const { millrace } = await openRuntime(subject)
      await expect(millrace.result(id)).rejects.toMatchObject({ code: 'invalid-argument' })
    })

    it('as closed when the queue is closed meanwhile', async () => {
      const runtime = await openRuntime(subject)
      const elsewhere = await runtime.elsewhere()
      const { id } = await elsewhere.enqueue(plainJob(), {})
      const result = elsewhere.result(id)
      result.catch(() => {})
      await runtime.clock.quiet()
      await elsewhere.close()
      await expect(result).rejects.toMatchObject({ code: 'closed' })
    })
  })

  it('leaves no timer behind', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    const worker = await runtime.start([handle(work, () => 1)])
    const { id } = await runtime.millrace.enqueue(work, {})
    await runtime.clock.until(runtime.millrace.result(id, { timeoutMs: 3_600_000 }))
    await runtime.clock.until(worker.stop())
    await runtime.clock.advance(2 * pollMs)
    expect(runtime.clock.timers).toBe(0)
  })
}
