import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineJob, createMillrace, type Millrace } from '../../src/index.ts'
import { recordEvents } from '../support/events.ts'
import { openRuntime, plainJob } from './runtime-stage.ts'
import { hourMs, minuteMs } from './samples.ts'
import type { EngineSubject } from './stage.ts'

const work = plainJob()
const options = { queue: 'night', priority: 2, maxAttempts: 7, tenant: 'acme' }

/** What people do with schedules by hand. */
export function schedulesCases(subject: EngineSubject): void {
  it('are found by name', async () => {
    const { millrace } = await openRuntime(subject)
    await millrace.schedules.put('hourly', { job: work, payload: { n: 1 }, every: '1h' })
    expect(await millrace.schedules.get('hourly')).toMatchObject({ name: 'hourly', job: { type: 'work' } })
    expect(await millrace.schedules.get('daily')).toBeNull()
  })

  describe('putByType', () => {
    it('creates and changes what put does', async () => {
      const millrace = await knowing(subject)
      const put = () => millrace.schedules.putByType('hourly', 'work', { n: 1 }, { every: '1h', ...options })
      expect([await put(), await put()]).toEqual(['created', 'unchanged'])
      expect((await millrace.schedules.get('hourly'))?.job).toEqual({
        type: 'work',
        payloadJson: '{"n":1}',
        ...options,
      })
    })

    it('refuses an unknown type, and a payload that the type refuses', async () => {
      const millrace = await knowing(subject)
      const put = (type: string, payload: unknown) =>
        millrace.schedules.putByType('hourly', type, payload, { every: '1h' })
      await expect(put('nothing', {})).rejects.toMatchObject({ code: 'unknown-type' })
      await expect(put('work', { n: 'one' })).rejects.toMatchObject({
        code: 'invalid-payload',
        faults: [{ path: ['n'] }],
      })
      expect(await millrace.schedules.list()).toEqual([])
    })
  })

  describe('runNow', () => {
    it('enqueues the job with the stored payload and options, and is no tick', async () => {
      const { millrace, clock } = await openRuntime(subject)
      await millrace.schedules.put('hourly', { job: work, payload: { n: 3 }, every: '1h', ...options })
      const before = await millrace.schedules.get('hourly')
      const told = recordEvents(millrace, 'enqueued')
      const { id, duplicate } = await millrace.schedules.runNow('hourly')
      expect(duplicate).toBe(false)
      expect(await millrace.get(id)).toMatchObject({
        type: 'work',
        payload: { n: 3 },
        state: 'queued',
        runAt: clock.now(),
        ...options,
      })
      expect(told.map(each => each.event)).toEqual([{ id, type: 'work', queue: 'night', tenant: 'acme' }])
      expect(await millrace.schedules.get('hourly')).toEqual(before)
      expect(await millrace.schedules.ticks('hourly')).toEqual([])
    })

    it('is one job for one key, also after the schedule has been changed, and another without', async () => {
      const { millrace } = await openRuntime(subject)
      await millrace.schedules.put('hourly', { job: work, payload: { n: 3 }, every: '1h' })
      const key = { idempotencyKey: 'now-1' }
      const first = await millrace.schedules.runNow('hourly', key)
      await millrace.schedules.put('hourly', { job: work, payload: { n: 4 }, every: '1h' })
      expect(await millrace.schedules.runNow('hourly', key)).toEqual({ id: first.id, duplicate: true })
      expect((await millrace.schedules.runNow('hourly')).id).not.toBe(first.id)
      expect((await millrace.stats()).total.ready).toBe(2)
    })

    it('refuses a key that stands for another schedule', async () => {
      const { millrace } = await openRuntime(subject)
      for (const name of ['a', 'b'])
        await millrace.schedules.put(name, { job: work, payload: { n: 1 }, every: '1h' })
      const key = { idempotencyKey: 'now-1' }
      await millrace.schedules.runNow('a', key)
      await expect(millrace.schedules.runNow('b', key)).rejects.toMatchObject({
        code: 'idempotency-conflict',
      })
    })

    it('works for a paused and for a disabled schedule', async () => {
      const { stage, millrace } = await openRuntime(subject)
      await millrace.schedules.put('hourly', { job: work, payload: {}, every: '1h' })
      await millrace.schedules.pause('hourly')
      await millrace.schedules.runNow('hourly')
      await stage.engine.disableSchedule('hourly', 'a reason')
      await millrace.schedules.runNow('hourly')
      expect((await millrace.stats()).total.ready).toBe(2)
    })

    it('refuses a name that is not there, and a full queue', async () => {
      const { millrace } = await openRuntime(subject)
      await expect(millrace.schedules.runNow('none')).rejects.toMatchObject({ code: 'not-found' })
      await millrace.schedules.put('hourly', { job: work, payload: {}, every: '1h' })
      await millrace.configureQueue('default', { maxQueued: 0 })
      await expect(millrace.schedules.runNow('hourly')).rejects.toMatchObject({ code: 'queue-full' })
    })
  })

  describe('preview', () => {
    it('begins with the run that the store holds, overdue or not', async () => {
      const { millrace, clock } = await openRuntime(subject)
      await millrace.schedules.put('often', { job: work, payload: {}, every: '10m' })
      const nextAt = (await millrace.schedules.get('often'))?.nextAt as number
      const runs = async () => (await millrace.schedules.preview('often', { count: 3 })).map(each => each.at)
      expect(await runs()).toEqual([0, 10, 20].map(minutes => nextAt + minutes * minuteMs))
      await clock.advance(hourMs)
      expect((await runs())[0]).toBe(nextAt)
    })

    it('is empty for a disabled schedule, and refused for one that is not there', async () => {
      const { stage, millrace } = await openRuntime(subject)
      await stage.schedule()
      await stage.engine.disableSchedule('hourly', 'a reason')
      expect(await millrace.schedules.preview('hourly')).toEqual([])
      await expect(millrace.schedules.preview('none')).rejects.toMatchObject({ code: 'not-found' })
    })

    it('refuses a rule that this process can not compute', async () => {
      const { stage, millrace } = await openRuntime(subject)
      await stage.schedule({ rule: { cron: '0 2 * * *', timeZone: 'Mars/Olympus' } })
      await expect(millrace.schedules.preview('hourly')).rejects.toMatchObject({
        code: 'invalid-argument',
        message: expect.stringContaining('Mars/Olympus'),
      })
    })
  })
}

async function knowing(subject: EngineSubject): Promise<Millrace> {
  const { stage, clock } = await openRuntime(subject)
  const jobs = [defineJob({ type: 'work', payload: z.object({ n: z.int().default(0) }) })]
  return createMillrace({ engine: stage.engine, clock, jobs }) as Millrace
}
