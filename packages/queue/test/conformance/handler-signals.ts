import { expect, it } from 'vitest'
import { z } from 'zod'
import { defineSignal, fixed, handle, type Handler } from '../../src/index.ts'
import { gate, openRuntime, plainJob } from './runtime-stage.ts'
import { hourMs, minuteMs, unknownId } from './samples.ts'
import type { EngineSubject } from './stage.ts'

const work = plainJob({ type: 'order', backoff: fixed(0), maxAttempts: 3 })
const approved = defineSignal('approved', z.object({ by: z.string(), amount: z.number().default(0) }))

export function handlerSignalCases(subject: EngineSubject): void {
  it('wakes the job that waits for it, and hands over what it carries', async () => {
    const { millrace, clock, runtime, worker } = await bound(subject, [
      handle(work, async ({ step }) => step.waitForSignal(approved)),
    ])
    const { id } = await millrace.enqueue(work, {})
    await runtime.reaches(id, 'blocked')
    expect(worker.running).toBe(0)
    await millrace.signal(id, approved, { by: 'Ada' })
    expect(await clock.until(millrace.result(id))).toEqual({ by: 'Ada', amount: 0 })
    expect(await millrace.steps(id)).toMatchObject([
      { name: 'approved', kind: 'signal', state: 'completed', signal: 'approved' },
    ])
  })

  it('is not lost when it comes first', async () => {
    const { millrace, clock, runtime } = await bound(subject, [])
    const { id } = await millrace.enqueue(work, {})
    await millrace.signal(id, 'approved', { by: 'Ada' })
    await runtime.start([handle(work, async ({ step }) => step.waitForSignal('approved'))])
    expect(await clock.until(millrace.result(id))).toEqual({ by: 'Ada' })
  })

  it('is not lost when it comes while the handler is on its way to wait for it', async () => {
    const open = gate()
    const { millrace, clock } = await bound(subject, [
      handle(work, async ({ step }) => {
        await step.run('prepare', () => open.promise)
        return step.waitForSignal('approved')
      }),
    ])
    const { id } = await millrace.enqueue(work, {})
    await clock.eventually(async () => (await millrace.get(id))?.state === 'running')
    await millrace.signal(id, 'approved', 1)
    open.resolve()
    expect(await clock.until(millrace.result(id))).toBe(1)
  })

  it('reaches a job by its idempotency key, from another process', async () => {
    const { millrace, clock, runtime } = await bound(subject, [
      handle(work, async ({ step }) => step.waitForSignal('paid')),
    ])
    const { id } = await millrace.enqueue(work, {}, { idempotencyKey: 'order-42', tenant: 'acme' })
    await runtime.reaches(id, 'blocked')
    const elsewhere = await runtime.elsewhere()
    await elsewhere.signal({ idempotencyKey: 'order-42', tenant: 'acme' }, 'paid', { cents: 100 })
    expect(await clock.until(millrace.result(id))).toEqual({ cents: 100 })
  })

  it('is taken once: the second wait gets the second signal', async () => {
    const { millrace, clock } = await bound(subject, [
      handle(work, async ({ step, job }) => {
        const first = await step.waitForSignal('approved')
        const second = await step.waitForSignal('approved', { as: 'approved again' })
        if (job.attempt === 1) throw new Error('once more')
        return [first, second]
      }),
    ])
    const { id } = await millrace.enqueue(work, {})
    for (const n of [1, 2, 3]) await millrace.signal(id, 'approved', n)
    expect(await clock.until(millrace.result(id))).toEqual([1, 2])
  })

  it('leaves a job asleep that waits for another', async () => {
    const { millrace, runtime, clock } = await bound(subject, [
      handle(work, async ({ step }) => step.waitForSignal('approved')),
    ])
    const { id } = await millrace.enqueue(work, {})
    await runtime.reaches(id, 'blocked')
    await millrace.signal(id, 'rejected', null)
    await clock.advance(minuteMs)
    expect((await runtime.job(id)).state).toBe('blocked')
    await millrace.signal(id, 'approved', 'yes')
    expect(await clock.until(millrace.result(id))).toBe('yes')
  })

  it('that does not come in time is a timeout, now and in every later attempt', async () => {
    const { millrace, clock } = await bound(subject, [
      handle(work, async ({ step, job }) => {
        const said = await step
          .waitForSignal('approved', { timeoutMs: 20 * minuteMs })
          .catch((error: Error) => error.message)
        await step.run('after', () => 1)
        if (job.attempt === 1) throw new Error('once more')
        return said
      }),
    ])
    const { id } = await millrace.enqueue(work, {})
    const startAt = clock.now()
    const failed = gate()
    millrace.on('retrying', () => failed.resolve())
    await clock.until(failed.promise, hourMs)
    await millrace.signal(id, 'approved', 'too late').catch(() => {})
    expect(await clock.until(millrace.result(id), hourMs)).toMatch(/no signal approved came in time/)
    expect(clock.now() - startAt).toBeGreaterThanOrEqual(20 * minuteMs)
  })

  it('that comes in time ends the wait before its limit', async () => {
    const { millrace, clock } = await bound(subject, [
      handle(work, async ({ step }) => step.waitForSignal('approved', { timeoutMs: 20 * minuteMs })),
    ])
    const { id } = await millrace.enqueue(work, {})
    const startAt = clock.now()
    await clock.eventually(async () => (await millrace.get(id))?.shown === 'scheduled')
    await clock.advance(minuteMs)
    await millrace.signal(id, 'approved', 'yes')
    expect(await clock.until(millrace.result(id))).toBe('yes')
    expect(clock.now() - startAt).toBeLessThan(10 * minuteMs)
  })

  it('to nothing is refused', async () => {
    const { millrace, clock } = await bound(subject, [handle(work, () => 'done')])
    await expect(millrace.signal(unknownId, 'approved')).rejects.toMatchObject({ code: 'not-found' })
    await expect(millrace.signal({ idempotencyKey: 'nobody' }, 'approved')).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('"nobody"') as string,
    })
    const { id } = await millrace.enqueue(work, {})
    await clock.until(millrace.result(id))
    await expect(millrace.signal(id, 'approved')).rejects.toMatchObject({ code: 'conflict' })
  })

  it('that its definition refuses is not sent', async () => {
    const { millrace } = await bound(subject, [])
    const { id } = await millrace.enqueue(work, {})
    await expect(millrace.signal(id, approved, { by: 7 as never })).rejects.toMatchObject({
      code: 'invalid-payload',
      faults: [{ path: ['by'] }],
    })
    await expect(millrace.signal(id, 'approved', { n: 1n })).rejects.toMatchObject({
      code: 'invalid-payload',
    })
    await expect(millrace.signal(id, ' ', 1)).rejects.toMatchObject({ code: 'invalid-argument' })
    expect(await millrace.engine.signals(id)).toEqual([])
  })
}

async function bound(subject: EngineSubject, handlers: Handler[]) {
  const runtime = await openRuntime(subject)
  const worker = await runtime.start(
    handlers.length > 0 ? handlers : [handle(plainJob({ type: 'none' }), () => {})],
  )
  return { runtime, worker, millrace: runtime.millrace, clock: runtime.clock }
}
