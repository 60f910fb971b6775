import { describe, expect, it } from 'vitest'
import { type EventName, fixed, handle, QueueError } from '../../src/index.ts'
import { override } from '../support/engine-proxy.ts'
import { nextEvent, recordEvents } from '../support/events.ts'
import { openRuntime, plainJob } from './runtime-stage.ts'
import { minuteMs, secondMs } from './samples.ts'
import type { EngineSubject } from './stage.ts'

const ofJobs = [
  'enqueued',
  'started',
  'progress',
  'completed',
  'retrying',
  'dead',
  'snoozed',
  'cancelled',
] as const

export function eventCases(subject: EngineSubject): void {
  it('tell the way of a job that succeeds', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ queue: 'slow', maxAttempts: 4 })
    const events = recordEvents(runtime.millrace, 'enqueued', 'started', 'completed')
    const worker = await runtime.start([handle(work, () => 1)])
    const { id } = await runtime.millrace.enqueue(work, {}, { tenant: 'acme' })
    await runtime.reaches(id, 'completed')
    const job = { id, type: 'work', queue: 'slow', tenant: 'acme' }
    const attempt = { ...job, attempt: 1, worker: worker.id }
    expect(events).toEqual([
      { name: 'enqueued', event: job },
      { name: 'started', event: { ...attempt, maxAttempts: 4, waitedMs: expect.any(Number) } },
      { name: 'completed', event: { ...attempt, ranMs: expect.any(Number) } },
    ])
  })

  it('tell the way of a job that fails, sleeps and dies', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ backoff: fixed(5 * secondMs), maxAttempts: 2 })
    const events = recordEvents(runtime.millrace, ...ofJobs)
    let runs = 0
    await runtime.start([
      handle(work, ({ snooze }) => {
        if (++runs === 1) snooze(3 * secondMs, 'too early')
        throw new RangeError('no')
      }),
    ])
    const { id } = await runtime.millrace.enqueue(work, {})
    await runtime.reaches(id, 'dead')
    expect(events.map(each => each.name)).toEqual([
      'enqueued',
      'started',
      'snoozed',
      'started',
      'retrying',
      'started',
      'dead',
    ])
    expect(events[2]?.event).toMatchObject({ id, inMs: 3 * secondMs, reason: 'too early' })
    expect(events[4]?.event).toMatchObject({ attempt: 1, inMs: 5 * secondMs, error: { name: 'RangeError' } })
    expect(events[6]?.event).toMatchObject({ attempt: 2, error: { name: 'RangeError', message: 'no' } })
  })

  it('come after the store has it: whoever hears that a job is complete finds it so', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    await runtime.start([handle(work, () => 1)])
    const state = nextEvent(runtime.millrace, 'completed').then(
      async ({ id }) => (await runtime.job(id)).state,
    )
    await runtime.millrace.enqueue(work, {})
    expect(await runtime.clock.until(state)).toBe('completed')
  })

  it('tell progress', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    const events = recordEvents(runtime.millrace, 'progress')
    await runtime.start([handle(work, ({ progress }) => progress(50, 'half way'))])
    const { id } = await runtime.millrace.enqueue(work, {})
    await runtime.reaches(id, 'completed')
    await runtime.clock.advance(secondMs)
    expect(events.map(each => each.event)).toEqual([
      expect.objectContaining({ id, percent: 50, message: 'half way', attempt: 1 }),
    ])
  })

  it('tell the way of a worker', async () => {
    const runtime = await openRuntime(subject)
    const events = recordEvents(runtime.millrace, 'worker-started', 'worker-stopped')
    const worker = await runtime.start([handle(plainJob(), () => 1)])
    await runtime.clock.until(worker.stop())
    expect(events).toEqual([
      { name: 'worker-started', event: { worker: worker.id } },
      { name: 'worker-stopped', event: { worker: worker.id } },
    ])
  })

  it('do not tell a duplicate as enqueued', async () => {
    const { millrace } = await openRuntime(subject)
    const events = recordEvents(millrace, 'enqueued')
    await millrace.enqueue(plainJob(), {}, { idempotencyKey: 'k' })
    await millrace.enqueue(plainJob(), {}, { idempotencyKey: 'k' })
    expect(events).toHaveLength(1)
  })

  it('tell that a waiting job was cancelled', async () => {
    const { millrace } = await openRuntime(subject)
    const events = recordEvents(millrace, 'cancelled')
    const { id } = await millrace.enqueue(plainJob(), {})
    await millrace.cancel(id, { reason: 'no need' })
    expect(events.map(each => each.event)).toEqual([
      expect.objectContaining({ id, reason: 'no need', tenant: '' }),
    ])
  })

  describe('a listener', () => {
    it('hears no more once it has stopped listening', async () => {
      const { millrace } = await openRuntime(subject)
      const heard: string[] = []
      const off = millrace.on('enqueued', event => heard.push(event.id))
      const { id } = await millrace.enqueue(plainJob(), {})
      off()
      await millrace.enqueue(plainJob(), {})
      expect(heard).toEqual([id])
    })

    it('that throws hurts neither the job nor other listeners, and becomes trouble', async () => {
      const runtime = await openRuntime(subject)
      const work = plainJob()
      const names: EventName[] = ['enqueued', 'started', 'completed']
      for (const name of names)
        runtime.millrace.on(name, () => {
          throw new Error(`careless about ${name}`)
        })
      const events = recordEvents(runtime.millrace, ...names)
      const troubles = recordEvents(runtime.millrace, 'trouble')
      await runtime.start([handle(work, () => 'fine')])
      const { id } = await runtime.millrace.enqueue(work, {})
      expect(await runtime.clock.until(runtime.millrace.result(id))).toBe('fine')
      expect(events.map(each => each.name)).toEqual(names)
      expect(troubles).toHaveLength(3)
    })

    it('of trouble that throws is left at that', async () => {
      const { millrace } = await openRuntime(subject)
      const careless = (): never => {
        throw new Error('careless')
      }
      millrace.on('trouble', careless)
      millrace.on('enqueued', careless)
      await millrace.enqueue(plainJob(), {})
    })
  })

  it('a loop that fails says so, and goes on by itself', async () => {
    let isBroken = false
    const runtime = await openRuntime(subject, {
      between: engine =>
        override(engine, {
          claim: request =>
            isBroken ? Promise.reject(new QueueError('unavailable', 'no answer')) : engine.claim(request),
        }),
    })
    const work = plainJob()
    const troubles = recordEvents(runtime.millrace, 'trouble')
    await runtime.start([handle(work, () => 'fine')])
    isBroken = true
    const { id } = await runtime.millrace.enqueue(work, {})
    await runtime.clock.advance(minuteMs)
    expect(troubles.length).toBeGreaterThan(0)
    // It looks again, but not in a frenzy.
    expect(troubles.length).toBeLessThan(200)
    expect(troubles[0]?.event).toMatchObject({ where: expect.any(String), error: { code: 'unavailable' } })
    isBroken = false
    expect(await runtime.clock.until(runtime.millrace.result(id))).toBe('fine')
  })
}
