import { expect, it } from 'vitest'
import { fixed, handle, type Handler, sleep } from '../../src/index.ts'
import { openRuntime, plainJob } from './runtime-stage.ts'
import { hourMs, minuteMs, secondMs } from './samples.ts'
import type { EngineSubject } from './stage.ts'

const work = plainJob({ type: 'order', backoff: fixed(0), maxAttempts: 5 })

export function handlerWaitCases(subject: EngineSubject): void {
  it('sleeps without holding the worker or spending an attempt', async () => {
    const events: string[] = []
    const { millrace, clock, runtime, worker } = await bound(subject, [
      handle(work, async ({ step, job }) => {
        events.push(`attempt ${job.attempt}`)
        await step.run('begin', () => void events.push('begin'))
        await step.sleep('a nap', '20m')
        events.push('woke')
      }),
    ])
    const startAt = clock.now()
    const { id } = await millrace.enqueue(work, {})
    await clock.eventually(async () => (await millrace.get(id))?.shown === 'scheduled')
    expect(worker.running).toBe(0)
    expect(await runtime.job(id)).toMatchObject({ runAt: startAt + 20 * minuteMs, attempt: 0 })
    expect(await millrace.steps(id)).toMatchObject([
      { name: 'begin', state: 'completed' },
      { name: 'a nap', kind: 'sleep', state: 'waiting', wakeAt: startAt + 20 * minuteMs, endedAt: null },
    ])
    await runtime.reaches(id, 'completed', hourMs)
    expect(clock.now() - startAt).toBeGreaterThanOrEqual(20 * minuteMs)
    expect(clock.now() - startAt).toBeLessThan(21 * minuteMs)
    expect(events).toEqual(['attempt 1', 'begin', 'attempt 1', 'woke'])
    expect((await millrace.attempts(id)).map(each => each.outcome)).toEqual(['waited', 'completed'])
    expect((await millrace.steps(id)).map(each => each.state)).toEqual(['completed', 'completed'])
  })

  it('sleeps until an instant, and not at all for one that has passed', async () => {
    const { millrace, clock, runtime } = await bound(subject, [
      handle(work, async ({ step }) => {
        await step.sleepUntil('past', 1_000)
        await step.sleepUntil('noon', new Date(noonAt))
        return 'awake'
      }),
    ])
    const noonAt = clock.now() + 20 * minuteMs
    const { id } = await millrace.enqueue(work, {})
    await runtime.reaches(id, 'completed', hourMs)
    expect(clock.now()).toBeGreaterThanOrEqual(noonAt)
    expect(clock.now()).toBeLessThan(noonAt + minuteMs)
  })

  it('goes on sleeping for what is left when it is woken too early', async () => {
    let woken = 0
    const { millrace, clock, runtime } = await bound(subject, [
      handle(work, async ({ step }) => {
        woken++
        await step.sleep('a nap', '20m')
      }),
    ])
    const startAt = clock.now()
    const { id } = await millrace.enqueue(work, {})
    await clock.eventually(async () => (await millrace.get(id))?.shown === 'scheduled')
    await millrace.reschedule(id, { runAt: clock.now() })
    await clock.eventually(() => woken === 2)
    await runtime.reaches(id, 'completed', hourMs)
    expect(clock.now() - startAt).toBeGreaterThanOrEqual(20 * minuteMs)
    expect(clock.now() - startAt).toBeLessThan(21 * minuteMs)
  })

  it('leaves the handler where it waits, whatever that would catch', async () => {
    const reached: string[] = []
    const { millrace, clock, runtime } = await bound(subject, [
      handle(work, async ({ step }) => {
        try {
          await step.sleep('a while', '10m').catch(() => void reached.push('caught'))
          reached.push('woke')
        } finally {
          reached.push('finally')
        }
      }),
    ])
    const { id } = await millrace.enqueue(work, {})
    await clock.eventually(async () => (await millrace.get(id))?.shown === 'scheduled')
    await clock.advance(minuteMs)
    expect(reached).toEqual([])
    await runtime.reaches(id, 'completed', hourMs)
    expect(reached).toEqual(['woke', 'finally'])
  })

  it('records the steps beside one that waits before the attempt ends', async () => {
    let ran = 0
    const { millrace, runtime } = await bound(subject, [
      handle(work, async ({ step }) => {
        const slow = step.run('slow', async () => {
          await sleep(runtime.clock, 5 * secondMs)
          return ++ran
        })
        await step.sleep('a while', '1m')
        return slow
      }),
    ])
    const { id } = await millrace.enqueue(work, {})
    await runtime.reaches(id, 'completed', hourMs)
    expect(ran).toBe(1)
  })

  it('refuses to wait within a step', async () => {
    const { millrace, runtime } = await bound(subject, [
      handle(work, ({ step }) => step.run('outer', () => step.sleep('inner', '1m'))),
    ])
    const { id } = await millrace.enqueue(work, {})
    await runtime.reaches(id, 'dead')
    expect((await runtime.job(id)).lastError?.message).toMatch(/inner waits, and stands within step outer/)
  })

  it('enqueues a child once and goes on with its result', async () => {
    const child = plainJob({ type: 'child' })
    let passes = 0
    const { millrace, clock, worker, runtime } = await bound(
      subject,
      [
        handle(work, async ({ step }) => {
          passes++
          const n = await step.enqueueAndWait('convert', child, { n: 20 })
          return (n as number) + 1
        }),
        handle(child, ({ payload }) => payload.n * 2),
      ],
      { concurrency: 1 },
    )
    const { id } = await millrace.enqueue(work, {}, { tenant: 'acme' })
    expect(await clock.until(millrace.result(id))).toBe(41)
    expect(passes).toBe(2)
    const [step] = await millrace.steps(id)
    expect(step).toMatchObject({ name: 'convert', kind: 'job', state: 'completed', result: 40 })
    expect(await runtime.job(step?.childId ?? '')).toMatchObject({ type: 'child', tenant: 'acme', flow: id })
    expect(await clock.until(millrace.flows.finished(id))).toMatchObject({ total: 2, completed: 2 })
    expect(worker.running).toBe(0)
  })

  it('throws when the child dies, and goes on when the handler gets over it', async () => {
    const child = plainJob({ type: 'child', maxAttempts: 1 })
    let passes = 0
    const { millrace, clock } = await bound(subject, [
      handle(work, async ({ step }) => {
        passes++
        const said = await step.enqueueAndWait('convert', child, {}).then(
          () => 'converted',
          (error: Error) => error.message,
        )
        await step.run('after', () => 1)
        if (passes === 2) throw new Error('once more')
        return said
      }),
      handle(child, () => {
        throw new Error('no such format')
      }),
    ])
    const { id } = await millrace.enqueue(work, {})
    expect(await clock.until(millrace.result(id))).toMatch(/is dead: no such format/)
    expect(passes).toBe(3)
    expect((await millrace.list({ types: ['child'] })).jobs).toHaveLength(1)
  })

  it('fails with its child, and goes on when both are retried', async () => {
    const child = plainJob({ type: 'child', maxAttempts: 1 })
    const parent = plainJob({ type: 'order', maxAttempts: 1 })
    let broken = true
    const { millrace, clock, runtime } = await bound(subject, [
      handle(parent, async ({ step }) => step.enqueueAndWait('convert', child, {})),
      handle(child, () => {
        if (broken) throw new Error('no such format')
        return 'converted'
      }),
    ])
    const { id } = await millrace.enqueue(parent, {})
    await runtime.reaches(id, 'dead')
    broken = false
    expect(await millrace.flows.retry(id)).toBe('redriven')
    expect(await clock.until(millrace.result(id))).toBe('converted')
    expect((await millrace.list({ types: ['child'] })).jobs).toHaveLength(1)
  })

  it('waits for a child no longer than it may', async () => {
    const child = plainJob({ type: 'child' })
    const { millrace, clock } = await bound(subject, [
      handle(work, async ({ step }) =>
        step
          .enqueueAndWait('convert', child, {}, { timeoutMs: 10 * minuteMs })
          .catch((error: Error) => error.message),
      ),
    ])
    const { id } = await millrace.enqueue(work, {})
    expect(await clock.until(millrace.result(id), hourMs)).toMatch(/did not finish in time/)
  })

  it('cancels the child that a cancelled job waits for', async () => {
    const child = plainJob({ type: 'child' })
    const { millrace, clock, runtime } = await bound(subject, [
      handle(work, async ({ step }) => step.enqueueAndWait('convert', child, {})),
    ])
    const { id } = await millrace.enqueue(work, {})
    await clock.eventually(async () => (await millrace.get(id))?.state === 'blocked')
    const [step] = await millrace.steps(id)
    expect(await millrace.cancel(id)).toBe('cancelled')
    expect((await runtime.job(step?.childId ?? '')).state).toBe('cancelled')
    expect(await millrace.flows.get(id)).toMatchObject({ state: 'cancelled', cancelled: 2 })
  })
}

async function bound(subject: EngineSubject, handlers: Handler[], options: { concurrency?: number } = {}) {
  const runtime = await openRuntime(subject)
  const worker = await runtime.start(
    handlers.length > 0 ? handlers : [handle(plainJob({ type: 'none' }), () => {})],
    options,
  )
  return { runtime, worker, millrace: runtime.millrace, clock: runtime.clock }
}
