import { describe, expect, it } from 'vitest'
import { handle, type ScheduleOptions } from '../../src/index.ts'
import { recordEvents } from '../support/events.ts'
import { openRuntime, plainJob, type Runtime } from './runtime-stage.ts'
import { dayMs, hourMs, minuteMs, secondMs } from './samples.ts'
import type { EngineSubject } from './stage.ts'

const work = plainJob()

export function schedulerCases(subject: EngineSubject): void {
  it('enqueues a job at each tick, and at no other time', async () => {
    const { runtime, firedAt, pass } = await scheduled(subject, { every: '10m' })
    const from = runtime.clock.now()
    await pass(hourMs, 5 * minuteMs)
    expect(await firedAt()).toEqual([1, 2, 3, 4, 5, 6].map(tick => from + tick * 10 * minuteMs))
    expect((await runtime.millrace.stats()).total.completed).toBe(6)
  })

  it('enqueues by itself in a running worker, within a second or so', async () => {
    const runtime = await openRuntime(subject)
    await runtime.start([handle(work, ({ payload }) => payload.n)])
    const fired = recordEvents(runtime.millrace, 'schedule-fired')
    await runtime.millrace.schedules.put('often', { job: work, payload: { n: 3 }, every: '1m' })
    await runtime.clock.advance(3 * minuteMs + 2 * secondMs)
    expect(fired.map(each => each.event)).toEqual(
      Array(3).fill(
        expect.objectContaining({ schedule: 'often', jobId: expect.any(String), outcome: 'fired' }),
      ),
    )
    const { jobs } = await runtime.millrace.list({ states: ['completed'] })
    expect(jobs.map(job => job.result)).toEqual([3, 3, 3])
    const [latest] = await runtime.millrace.schedules.ticks('often')
    expect((latest?.recordedAt as number) - (latest?.scheduledAt as number)).toBeLessThanOrEqual(1_500)
  })

  it('names no job that a full queue did not take, in the event as in the history', async () => {
    const { runtime, pass } = await scheduled(subject, { every: '10m', tenant: 'acme' })
    const { millrace } = runtime
    await runtime.stage.engine.configureQueue('default', { maxQueued: 0 })
    const fired = recordEvents(millrace, 'schedule-fired')
    await pass(10 * minuteMs)
    const [recorded] = await millrace.schedules.ticks('scheduled')
    expect(recorded).toMatchObject({ outcome: 'fired', jobId: null })
    expect(fired.map(each => each.event)).toEqual([
      {
        schedule: 'scheduled',
        scheduledAt: recorded?.scheduledAt,
        jobId: null,
        ...{ type: 'work', queue: 'default', tenant: 'acme' },
        outcome: 'fired',
      },
    ])
    await runtime.stage.engine.configureQueue('default', { maxQueued: null })
    await pass(10 * minuteMs)
    expect(await millrace.get(fired[1]?.event.jobId as string)).toMatchObject({ state: 'completed' })
  })

  it('enqueues once a tick however many workers look', async () => {
    const { runtime, firedAt } = await scheduled(subject, { every: '10m' })
    const elsewhere = await runtime.elsewhere()
    const workers = [
      runtime.worker([handle(work, () => 1)]),
      runtime.worker([handle(work, () => 1)]),
      runtime.worker([handle(work, () => 1)], {}, elsewhere),
    ]
    for (let tick = 0; tick < 3; tick++) {
      await runtime.clock.advance(10 * minuteMs)
      await runtime.clock.until(Promise.all(workers.map(worker => worker.drain())))
    }
    expect(await firedAt()).toHaveLength(3)
    expect((await runtime.millrace.stats()).total.completed).toBe(3)
  })

  it('gives the job what the schedule says', async () => {
    const { runtime, pass } = await scheduled(subject, {
      every: '10m',
      payload: { n: 9 },
      tenant: 'acme',
      priority: 2,
      maxAttempts: 7,
    })
    await pass(10 * minuteMs)
    const { jobs } = await runtime.millrace.list()
    expect(jobs).toMatchObject([{ payload: { n: 9 }, tenant: 'acme', priority: 2, maxAttempts: 7 }])
  })

  it('is left out of a worker that was told so', async () => {
    const { runtime, firedAt } = await scheduled(subject, { every: '10m' })
    const worker = runtime.worker([handle(work, () => 1)], { scheduler: false })
    await runtime.clock.advance(hourMs)
    await runtime.clock.until(worker.drain())
    expect(await firedAt()).toEqual([])
  })

  describe('after a downtime of five ticks', () => {
    it('skip makes up for none, and records each', async () => {
      const { ticks, jobs, pass } = await downtime(subject, 'skip')
      expect(await ticks()).toEqual([...Array<string>(5).fill('skipped')])
      expect(await jobs()).toBe(0)
      await pass(30 * minuteMs)
      expect(await ticks()).toEqual([...Array<string>(5).fill('skipped'), 'fired'])
    })

    it('fire-once makes up for the latest, and records the others as coalesced', async () => {
      const { ticks, jobs, pass } = await downtime(subject, 'fire-once')
      expect(await ticks()).toEqual([...Array<string>(4).fill('coalesced'), 'fired'])
      expect(await jobs()).toBe(1)
      await pass(hourMs)
      expect(await jobs()).toBe(2)
    })

    it('catch-up makes up for as many as allowed', async () => {
      const { ticks, jobs, pass } = await downtime(subject, { catchUp: 3 })
      expect((await ticks()).filter(outcome => outcome === 'fired')).toHaveLength(3)
      expect(await ticks()).toHaveLength(5)
      expect(await jobs()).toBe(3)
      await pass(hourMs)
      expect(await jobs()).toBe(4)
    })

    it('catch-up makes up for all when so many are allowed', async () => {
      const { ticks, jobs } = await downtime(subject, { catchUp: 10 })
      expect(await ticks()).toEqual(Array<string>(5).fill('fired'))
      expect(await jobs()).toBe(5)
    })
  })

  it('a tick that is looked at a few seconds late is no misfire', async () => {
    const { runtime, firedAt, drain } = await scheduled(subject, { every: '1h', misfire: 'skip' })
    const firstAt = await nextAt(runtime)
    await runtime.clock.advance(firstAt - runtime.clock.now() + 2 * secondMs)
    await drain()
    expect(await firedAt()).toEqual([firstAt])
  })

  it('after months of downtime is up to date at once, one job made up for', async () => {
    const { runtime, drain } = await scheduled(subject, { every: '1m' })
    runtime.clock.freeze(90 * dayMs)
    await drain()
    await drain()
    expect((await runtime.millrace.stats()).total.completed).toBe(1)
    expect(await nextAt(runtime)).toBeGreaterThan(runtime.clock.now())
  }, 60_000)

  it('a clock that jumps back fires no tick twice', async () => {
    const { runtime, firedAt, pass, drain } = await scheduled(subject, { every: '1h' })
    const from = runtime.clock.now()
    await pass(2 * hourMs, 30 * minuteMs)
    runtime.clock.setWall(from + 30 * minuteMs)
    await drain()
    await pass(3 * hourMs, 30 * minuteMs)
    expect(await firedAt()).toEqual([1, 2, 3].map(hour => from + hour * hourMs))
  })

  it('a clock that jumps forward is a downtime', async () => {
    const { runtime, drain } = await scheduled(subject, { every: '1h' })
    runtime.clock.setWall(runtime.clock.now() + 5 * hourMs + 30 * minuteMs)
    await drain()
    expect((await runtime.millrace.stats()).total.completed).toBe(1)
  })

  describe('in New York', () => {
    const timeZone = 'America/New_York'

    it('02:30 fires once on the day that skips it, at 07:00Z', async () => {
      const { firedAt, pass } = await scheduled(
        subject,
        { cron: '30 2 * * *', timeZone },
        Date.UTC(2026, 2, 7, 12),
      )
      await pass(3 * dayMs, hourMs)
      expect((await firedAt()).map(iso)).toEqual([
        '2026-03-08T07:00Z',
        '2026-03-09T06:30Z',
        '2026-03-10T06:30Z',
      ])
    })

    it('01:30 fires once on the day that has it twice, at 05:30Z', async () => {
      const { firedAt, pass } = await scheduled(
        subject,
        { cron: '30 1 * * *', timeZone },
        Date.UTC(2026, 9, 31, 12),
      )
      await pass(3 * dayMs, hourMs)
      expect((await firedAt()).map(iso)).toEqual([
        '2026-11-01T05:30Z',
        '2026-11-02T06:30Z',
        '2026-11-03T06:30Z',
      ])
    })

    it.each([Date.UTC(2026, 2, 8, 4), Date.UTC(2026, 10, 1, 3)])(
      '*/30 keeps 30 real minutes over the change of %i',
      async startAt => {
        const { firedAt, pass } = await scheduled(subject, { cron: '*/30 * * * *', timeZone }, startAt)
        await pass(6 * hourMs, 10 * minuteMs)
        expect(await firedAt()).toEqual(
          Array.from({ length: 12 }, (_, tick) => startAt + (tick + 1) * 30 * minuteMs),
        )
      },
    )
  })

  it('overlap skip begins no job while the one before is unfinished', async () => {
    const runtime = await openRuntime(subject)
    const slow = plainJob({ type: 'slow' })
    await runtime.millrace.schedules.put('slowly', { job: slow, payload: {}, every: '1h', overlap: 'skip' })
    let isReady = false
    const worker = runtime.worker([handle(slow, ({ snooze }) => (isReady ? 'done' : snooze(minuteMs)))])
    const passHour = async (): Promise<void> => {
      await runtime.clock.advance(hourMs)
      await runtime.clock.until(worker.drain())
    }
    await passHour()
    await passHour()
    isReady = true
    await passHour()
    await passHour()
    const ticks = await runtime.millrace.schedules.ticks('slowly')
    expect(ticks.map(tick => tick.outcome)).toEqual(['fired', 'skipped-overlap', 'skipped-overlap', 'fired'])
    expect((await runtime.millrace.stats()).total.completed).toBe(2)
  })

  it('paused lets its ticks pass, and goes on with the next when resumed', async () => {
    const { runtime, pass } = await scheduled(subject, { every: '1h' })
    const jobs = async () => (await runtime.millrace.stats()).total.completed
    const { schedules } = runtime.millrace
    expect(await schedules.pause('scheduled')).toBe(true)
    await pass(3.5 * hourMs, 30 * minuteMs)
    expect(await jobs()).toBe(0)
    expect(await schedules.resume('scheduled')).toBe(true)
    await pass(10 * minuteMs)
    expect(await jobs()).toBe(0)
    await pass(20 * minuteMs)
    expect(await jobs()).toBe(1)
    expect(await schedules.pause('unheard-of')).toBe(false)
  })

  it('removed fires no more', async () => {
    const { runtime, pass } = await scheduled(subject, { every: '1h' })
    expect(await runtime.millrace.schedules.remove('scheduled')).toBe(true)
    await pass(3 * hourMs, hourMs)
    expect(await runtime.millrace.list()).toMatchObject({ jobs: [] })
  })

  it('that can not be computed disables itself alone, with the reason', async () => {
    const { runtime, firedAt, pass } = await scheduled(subject, { every: '1h' })
    const disabled = recordEvents(runtime.millrace, 'schedule-disabled')
    await runtime.stage.schedule({
      name: 'broken',
      rule: { cron: 'now and then' },
      firstAt: runtime.clock.now() + 1,
    })
    await runtime.stage.schedule({
      name: 'nowhere',
      rule: { cron: '0 0 * * *', timeZone: 'Mars/Olympus' },
      firstAt: runtime.clock.now() + 1,
    })
    await pass(2 * hourMs, 30 * minuteMs)
    expect(await firedAt()).toHaveLength(2)
    const reasons = Object.fromEntries(
      (await runtime.millrace.schedules.list()).map(each => [each.name, each.disabledReason]),
    )
    expect(reasons).toEqual({ scheduled: null, broken: expect.any(String), nowhere: expect.any(String) })
    expect(disabled.map(each => each.event.schedule).toSorted()).toEqual(['broken', 'nowhere'])
  })

  describe('put', () => {
    it('at every start keeps its place', async () => {
      const { runtime, firedAt, pass, put } = await scheduled(subject, { every: '1h' })
      const from = runtime.clock.now()
      for (let round = 0; round < 4; round++) {
        await pass(30 * minuteMs)
        expect(await put({ every: '1h' })).toBe('unchanged')
      }
      expect(await firedAt()).toEqual([from + hourMs, from + 2 * hourMs])
    })

    it('with another rule counts anew', async () => {
      const { runtime, firedAt, pass, put } = await scheduled(subject, { every: '1h' })
      const from = runtime.clock.now()
      await pass(hourMs)
      expect(await put({ every: '15m' })).toBe('changed')
      await pass(30 * minuteMs, 5 * minuteMs)
      expect(await firedAt()).toEqual([from + hourMs, from + 75 * minuteMs, from + 90 * minuteMs])
    })

    it.each<[string, Partial<ScheduleOptions>]>([
      ['neither cron nor every', {}],
      ['both', { cron: '* * * * *', every: '1h' }],
      ['a cron expression that is none', { cron: 'now and then' }],
      ['a time zone that is none', { cron: '* * * * *', timeZone: 'Mars/Olympus' }],
      ['a date that never comes', { cron: '0 0 30 2 *' }],
      ['no interval', { every: '0s' }],
      ['a negative interval', { every: -5 }],
      ['an interval that is none', { every: 'often' }],
      ['a priority that is none', { every: '1h', priority: 0 }],
      ['catch-up of nothing', { every: '1h', misfire: { catchUp: 0 } }],
    ])('with %s is refused', async (_what, options) => {
      const { millrace } = await openRuntime(subject)
      const put = millrace.schedules.put('bad', { job: work, payload: {}, ...options } as ScheduleOptions<
        typeof work
      >)
      await expect(put).rejects.toMatchObject({ name: 'QueueError', code: 'invalid-argument' })
      expect(await millrace.schedules.list()).toEqual([])
    })

    it('with a payload that does not fit is refused', async () => {
      const { millrace } = await openRuntime(subject)
      const put = millrace.schedules.put('bad', {
        job: work,
        payload: { n: 'x' as unknown as number },
        every: '1h',
      })
      await expect(put).rejects.toMatchObject({ code: 'invalid-payload' })
    })
  })
}

type Timing = Partial<Omit<ScheduleOptions<typeof work>, 'job'>>

/** One schedule, and a worker that is asked to drain now and then. */
async function scheduled(subject: EngineSubject, timing: Timing, startAt?: number) {
  const runtime = await openRuntime(subject, startAt === undefined ? {} : { startAt })
  const { millrace, clock } = runtime
  const put = (options: Timing) =>
    millrace.schedules.put('scheduled', { job: work, payload: {}, ...options } as ScheduleOptions<
      typeof work
    >)
  await put(timing)
  const worker = runtime.worker([handle(work, () => 1)])
  const drain = () => clock.until(worker.drain())
  const pass = async (ms: number, stepMs = ms): Promise<void> => {
    for (let passedMs = 0; passedMs < ms; passedMs += stepMs) {
      await clock.advance(stepMs)
      await drain()
    }
  }
  const firedAt = async (): Promise<number[]> =>
    (await millrace.schedules.ticks('scheduled', { limit: 1_000 }))
      .filter(tick => tick.outcome === 'fired')
      .map(tick => tick.scheduledAt)
      .toReversed()
  return { runtime, put, drain, pass, firedAt }
}

/** An hourly schedule that nobody looked after for five and a half hours. */
async function downtime(subject: EngineSubject, misfire: ScheduleOptions['misfire'] & {}) {
  const { runtime, drain, pass } = await scheduled(subject, { every: '1h', misfire })
  runtime.clock.freeze(5 * hourMs + 30 * minuteMs)
  await drain()
  await drain()
  const ticks = async () =>
    (await runtime.millrace.schedules.ticks('scheduled')).map(tick => tick.outcome as string).toReversed()
  const jobs = async () => (await runtime.millrace.stats()).total.completed
  return { ticks, jobs, pass }
}

async function nextAt(runtime: Runtime): Promise<number> {
  return (await runtime.millrace.schedules.list())[0]?.nextAt ?? Number.NaN
}

function iso(at: number): string {
  return new Date(at).toISOString().replace(':00.000', '')
}
