import { describe, expect, it } from 'vitest'
import type { Tick } from '../../src/engine/contract.ts'
import { aJob, complete, hourMs, minuteMs } from './samples.ts'
import { type EngineSubject, openStage, type Stage } from './stage.ts'

export function scheduleCases(subject: EngineSubject): void {
  it('is stored as it was put', async () => {
    const stage = await openStage(subject)
    const { firstAt, ...settings } = await stage.schedule({
      name: 'daily',
      rule: { cron: '0 7 * * *', timeZone: 'Europe/Paris' },
      misfire: { kind: 'catch-up', max: 3 },
      overlap: 'skip',
      job: {
        type: 'report',
        queue: 'slow',
        tenant: 'acme',
        priority: 2,
        maxAttempts: 9,
        payloadJson: '{"a":[1]}',
      },
    })
    expect(await stage.engine.schedules()).toEqual([
      {
        ...settings,
        cursorAt: null,
        nextAt: firstAt,
        paused: false,
        disabledReason: null,
        lastJobId: null,
        createdAt: stage.clock.now(),
      },
    ])
  })

  describe('put again', () => {
    it('unchanged keeps its place', async () => {
      const stage = await openStage(subject)
      const schedule = await stage.schedule()
      await stage.engine.fireTick(tick(stage, schedule.firstAt))
      const before = await stage.engine.schedules()
      const again = { ...schedule, firstAt: schedule.firstAt + 17 * minuteMs }
      expect(await stage.engine.putSchedule(again)).toBe('unchanged')
      expect(await stage.engine.schedules()).toEqual(before)
    })

    it('with another rule starts anew', async () => {
      const stage = await openStage(subject)
      const schedule = await stage.schedule()
      await stage.engine.fireTick(tick(stage, schedule.firstAt))
      const firstAt = schedule.firstAt + 20 * minuteMs
      const changed = { ...schedule, rule: { everyMs: 20 * minuteMs }, firstAt }
      expect(await stage.engine.putSchedule(changed)).toBe('changed')
      expect(await stage.engine.schedules()).toMatchObject([
        { rule: { everyMs: 20 * minuteMs }, nextAt: firstAt },
      ])
    })

    it('with another job keeps its place', async () => {
      const stage = await openStage(subject)
      const schedule = await stage.schedule()
      const job = { ...schedule.job, payloadJson: '"other"', priority: 1 }
      const changed = { ...schedule, job, firstAt: schedule.firstAt + minuteMs }
      expect(await stage.engine.putSchedule(changed)).toBe('changed')
      expect(await stage.engine.schedules()).toMatchObject([{ job, nextAt: schedule.firstAt }])
    })

    it('with other policies keeps its place', async () => {
      const stage = await openStage(subject)
      const schedule = await stage.schedule()
      const changed = {
        ...schedule,
        misfire: { kind: 'skip' as const },
        overlap: 'skip' as const,
        firstAt: 0,
      }
      expect(await stage.engine.putSchedule(changed)).toBe('changed')
      expect(await stage.engine.schedules()).toMatchObject([
        { misfire: { kind: 'skip' }, overlap: 'skip', nextAt: schedule.firstAt },
      ])
    })

    it('stays paused', async () => {
      const stage = await openStage(subject)
      const schedule = await stage.schedule()
      await stage.engine.pauseSchedule('hourly', true)
      await stage.engine.putSchedule(schedule)
      expect(await stage.engine.schedules()).toMatchObject([{ paused: true }])
    })

    it('by many instances at the same time exists once', async () => {
      const stage = await openStage(subject)
      const engines = [stage.engine, await stage.another(), await stage.another()]
      const schedule = await stage.schedule({ name: 'other' })
      const answers = await Promise.all(
        engines.map(engine => engine.putSchedule({ ...schedule, name: 'once' })),
      )
      expect(answers.toSorted()).toEqual(['created', 'unchanged', 'unchanged'])
      expect(await stage.engine.schedules()).toHaveLength(2)
    })
  })

  describe('a tick', () => {
    it('enqueues its job, is recorded and moves the cursor', async () => {
      const stage = await openStage(subject)
      const { firstAt } = await stage.schedule()
      await stage.clock.advance(hourMs)
      const fired = tick(stage, firstAt)
      expect(await stage.engine.fireTick(fired)).toBe('recorded')
      const jobId = fired.job?.id as string
      expect(await stage.job(jobId)).toMatchObject({ state: 'queued', type: 'mail' })
      expect(await stage.engine.schedules()).toMatchObject([
        { cursorAt: firstAt, nextAt: firstAt + hourMs, lastJobId: jobId },
      ])
      expect(await stage.engine.ticks('hourly', { limit: 10 })).toEqual([
        { schedule: 'hourly', scheduledAt: firstAt, outcome: 'fired', jobId, recordedAt: stage.clock.now() },
      ])
      expect(await stage.claimOne()).toMatchObject({ id: jobId })
    })

    it.each(['skip', 'coalesce'] as const)(
      'that is told to %s enqueues nothing and is recorded',
      async outcome => {
        const stage = await openStage(subject)
        const { firstAt } = await stage.schedule()
        expect(await stage.engine.fireTick({ ...tick(stage, firstAt), outcome, job: null })).toBe('recorded')
        expect(await stage.claim()).toEqual([])
        expect(await stage.engine.ticks('hourly', { limit: 10 })).toMatchObject([
          { scheduledAt: firstAt, outcome: outcome === 'skip' ? 'skipped' : 'coalesced', jobId: null },
        ])
        expect(await stage.engine.schedules()).toMatchObject([
          { cursorAt: firstAt, nextAt: firstAt + hourMs },
        ])
      },
    )

    it('fires once however many schedulers race', async () => {
      const stage = await openStage(subject)
      const engines = [stage.engine]
      while (engines.length < 8) engines.push(await stage.another())
      const { firstAt } = await stage.schedule()
      const answers = await Promise.all(engines.map(engine => engine.fireTick(tick(stage, firstAt))))
      expect(answers.filter(answer => answer === 'recorded')).toHaveLength(1)
      for (const answer of answers) expect(['recorded', 'already', 'cursor-moved']).toContain(answer)
      expect((await stage.engine.counts()).total.ready).toBe(1)
      expect(await stage.engine.ticks('hourly', { limit: 10 })).toHaveLength(1)
    })

    it('repeated after a lost reply changes nothing', async () => {
      const stage = await openStage(subject)
      const { firstAt } = await stage.schedule()
      const fired = tick(stage, firstAt)
      await stage.engine.fireTick(fired)
      const before = await stage.engine.schedules()
      expect(await stage.engine.fireTick(fired)).toBe('already')
      expect(await stage.engine.schedules()).toEqual(before)
      expect((await stage.engine.counts()).total.ready).toBe(1)
    })

    it('of a scheduler that was overtaken changes nothing', async () => {
      const stage = await openStage(subject)
      const { firstAt } = await stage.schedule()
      await stage.engine.fireTick(tick(stage, firstAt))
      await stage.engine.fireTick(tick(stage, firstAt + hourMs))
      const late = { ...tick(stage, firstAt + 30 * minuteMs), expectedNextAt: firstAt }
      expect(await stage.engine.fireTick(late)).toBe('cursor-moved')
      expect(await stage.engine.schedules()).toMatchObject([{ nextAt: firstAt + 2 * hourMs }])
      expect(await stage.engine.ticks('hourly', { limit: 10 })).toHaveLength(2)
      expect((await stage.engine.counts()).total.ready).toBe(2)
    })

    it('of a schedule that was removed changes nothing', async () => {
      const stage = await openStage(subject)
      const { firstAt } = await stage.schedule()
      expect(await stage.engine.removeSchedule('hourly')).toBe(true)
      expect(await stage.engine.fireTick(tick(stage, firstAt))).toBe('cursor-moved')
      expect(await stage.claim()).toEqual([])
    })

    it('finds its job in a full queue refused, and is recorded all the same', async () => {
      const stage = await openStage(subject)
      const { firstAt } = await stage.schedule()
      await stage.engine.configureQueue('default', { maxQueued: 0 })
      await stage.engine.fireTick(tick(stage, firstAt))
      expect(await stage.engine.ticks('hourly', { limit: 10 })).toHaveLength(1)
      expect(await stage.engine.schedules()).toMatchObject([{ nextAt: firstAt + hourMs }])
    })

    it('of one schedule leaves the others alone', async () => {
      const stage = await openStage(subject)
      const { firstAt } = await stage.schedule()
      await stage.schedule({ name: 'other' })
      await stage.engine.fireTick(tick(stage, firstAt))
      const other = (await stage.engine.schedules()).find(each => each.name === 'other')
      expect(other).toMatchObject({ cursorAt: null, nextAt: firstAt })
      expect(await stage.engine.ticks('other', { limit: 10 })).toEqual([])
    })

    it('is listed newest first, no more than asked for', async () => {
      const stage = await openStage(subject)
      const { firstAt } = await stage.schedule()
      for (let hour = 0; hour < 5; hour++) await stage.engine.fireTick(tick(stage, firstAt + hour * hourMs))
      const ticks = await stage.engine.ticks('hourly', { limit: 3 })
      expect(ticks.map(each => each.scheduledAt)).toEqual([4, 3, 2].map(hour => firstAt + hour * hourMs))
    })
  })

  describe('overlap skip', () => {
    it('skips while the job of the tick before is unfinished, and records that', async () => {
      const stage = await openStage(subject)
      const { firstAt } = await stage.schedule({ overlap: 'skip' })
      expect(await stage.engine.fireTick(tick(stage, firstAt))).toBe('recorded')
      expect(await stage.engine.fireTick(tick(stage, firstAt + hourMs))).toBe('skipped-overlap')
      await stage.claimOne()
      expect(await stage.engine.fireTick(tick(stage, firstAt + 2 * hourMs))).toBe('skipped-overlap')
      expect(await stage.claim()).toEqual([])
      const ticks = await stage.engine.ticks('hourly', { limit: 10 })
      expect(ticks.map(each => each.outcome)).toEqual(['skipped-overlap', 'skipped-overlap', 'fired'])
      expect(await stage.engine.schedules()).toMatchObject([{ nextAt: firstAt + 3 * hourMs }])
    })

    it('fires again once that job has finished', async () => {
      const stage = await openStage(subject)
      const { firstAt } = await stage.schedule({ overlap: 'skip' })
      await stage.engine.fireTick(tick(stage, firstAt))
      const lease = await stage.claimOne()
      await stage.engine.fireTick(tick(stage, firstAt + hourMs))
      await stage.settle(lease, complete())
      expect(await stage.engine.fireTick(tick(stage, firstAt + 2 * hourMs))).toBe('recorded')
      expect(await stage.claim()).toHaveLength(1)
    })

    it('fires again once that job is gone', async () => {
      const stage = await openStage(subject)
      const { firstAt } = await stage.schedule({ overlap: 'skip' })
      const first = tick(stage, firstAt)
      await stage.engine.fireTick(first)
      await stage.engine.remove([first.job?.id as string])
      expect(await stage.engine.fireTick(tick(stage, firstAt + hourMs))).toBe('recorded')
    })

    it('left at allow, ticks overlap', async () => {
      const stage = await openStage(subject)
      const { firstAt } = await stage.schedule({ overlap: 'allow' })
      await stage.engine.fireTick(tick(stage, firstAt))
      expect(await stage.engine.fireTick(tick(stage, firstAt + hourMs))).toBe('recorded')
      expect(await stage.claim()).toHaveLength(2)
    })
  })

  it('fires into a full queue without a job, and says so', async () => {
    const stage = await openStage(subject)
    const { firstAt } = await stage.schedule({ overlap: 'skip' })
    await stage.engine.configureQueue('default', { maxQueued: 1 })
    const id = await stage.enqueue()
    expect(await stage.engine.fireTick(tick(stage, firstAt))).toBe('queue-full')
    expect(await stage.engine.ticks('hourly', { limit: 10 })).toMatchObject([
      { scheduledAt: firstAt, outcome: 'fired', jobId: null },
    ])
    expect(await stage.engine.schedules()).toMatchObject([{ nextAt: firstAt + hourMs, lastJobId: null }])
    await stage.engine.remove([id])
    const next = tick(stage, firstAt + hourMs)
    expect(await stage.engine.fireTick(next)).toBe('recorded')
    expect((await stage.claim()).map(job => job.id)).toEqual([next.job?.id])
  })

  it('is paused and resumed', async () => {
    const stage = await openStage(subject)
    await stage.schedule()
    expect(await stage.engine.pauseSchedule('hourly', true)).toBe(true)
    expect(await stage.engine.schedules()).toMatchObject([{ paused: true }])
    expect(await stage.engine.pauseSchedule('hourly', false)).toBe(true)
    expect(await stage.engine.schedules()).toMatchObject([{ paused: false }])
    expect(await stage.engine.pauseSchedule('unheard-of', true)).toBe(false)
  })

  it('is disabled alone, with the reason, until its rule changes', async () => {
    const stage = await openStage(subject)
    const schedule = await stage.schedule()
    await stage.schedule({ name: 'other' })
    await stage.engine.disableSchedule('hourly', 'time zone is not known')
    const disabled = async () =>
      (await stage.engine.schedules()).map(each => [each.name, each.disabledReason])
    expect((await disabled()).toSorted()).toEqual([
      ['hourly', 'time zone is not known'],
      ['other', null],
    ])
    await stage.engine.putSchedule({ ...schedule, rule: { everyMs: 5 * minuteMs } })
    expect((await disabled()).toSorted()).toEqual([
      ['hourly', null],
      ['other', null],
    ])
  })

  it('is removed once; its jobs stay', async () => {
    const stage = await openStage(subject)
    const { firstAt } = await stage.schedule()
    await stage.engine.fireTick(tick(stage, firstAt))
    expect(await stage.engine.removeSchedule('hourly')).toBe(true)
    expect(await stage.engine.removeSchedule('hourly')).toBe(false)
    expect(await stage.engine.schedules()).toEqual([])
    expect(await stage.claim()).toHaveLength(1)
  })
}

/** The tick at `scheduledAt` of the hourly schedule, by a scheduler that is up to date. */
function tick(stage: Stage, scheduledAt: number): Tick {
  return {
    schedule: 'hourly',
    scheduledAt,
    expectedNextAt: scheduledAt,
    nextAt: scheduledAt + hourMs,
    outcome: 'fire',
    job: aJob({ id: stage.newId() }),
  }
}
