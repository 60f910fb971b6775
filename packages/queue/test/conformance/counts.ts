import { describe, expect, it } from 'vitest'
import type { Counts, StateCounts } from '../../src/engine/contract.ts'
import { cancelled, complete, dayMs, dead, hourMs, minuteMs, retry } from './samples.ts'
import { type EngineSubject, openStage } from './stage.ts'

const none: StateCounts = {
  ready: 0,
  delayed: 0,
  blocked: 0,
  running: 0,
  completed: 0,
  cancelled: 0,
  dead: 0,
}

export function countCases(subject: EngineSubject): void {
  it('are all zero in an empty store', async () => {
    const { engine } = await openStage(subject)
    expect(await engine.counts()).toEqual({
      total: none,
      byType: {},
      byQueue: {},
      last24h: { completed: 0, failedAttempts: 0, dead: 0, cancelled: 0 },
    })
  })

  it('know when the next job falls due, in whatever queue', async () => {
    const stage = await openStage(subject)
    expect(await stage.engine.nextDueAt()).toBeNull()
    await stage.enqueue({ queue: 'slow', delayMs: hourMs })
    expect(await stage.engine.nextDueAt()).toBe(stage.clock.now() + hourMs)
    await stage.enqueue({ queue: 'fast', delayMs: minuteMs })
    await stage.enqueue({ queue: 'fast' })
    const dueAt = stage.clock.now() + minuteMs
    expect(await stage.engine.nextDueAt()).toBe(dueAt)
    await stage.clock.advance(hourMs - 1)
    expect(await stage.engine.nextDueAt()).toBe(dueAt)
  })

  it('follow a job through its states', async () => {
    const stage = await openStage(subject)
    const total = async () => (await stage.engine.counts()).total
    const id = await stage.enqueue({ delayMs: minuteMs })
    expect(await total()).toEqual({ ...none, delayed: 1 })
    await stage.clock.advance(minuteMs)
    expect(await total()).toEqual({ ...none, ready: 1 })
    const first = await stage.claimOne()
    expect(await total()).toEqual({ ...none, running: 1 })
    await stage.settle(first, retry(minuteMs))
    expect(await total()).toEqual({ ...none, delayed: 1 })
    await stage.clock.advance(minuteMs)
    await stage.settle(await stage.claimOne(), dead())
    expect(await total()).toEqual({ ...none, dead: 1 })
    await stage.engine.redrive([id])
    expect(await total()).toEqual({ ...none, ready: 1 })
    await stage.settle(await stage.claimOne(), complete())
    expect(await total()).toEqual({ ...none, completed: 1 })
    await stage.engine.remove([id])
    expect(await total()).toEqual(none)
  })

  it('tell a job that falls due as ready without anybody touching it', async () => {
    const stage = await openStage(subject)
    await stage.enqueueMany(3, { delayMs: hourMs })
    await stage.enqueueMany(2, { delayMs: 2 * hourMs })
    await stage.clock.advance(hourMs)
    expect((await stage.engine.counts()).total).toEqual({ ...none, ready: 3, delayed: 2 })
  })

  it('are split by type and by queue', async () => {
    const stage = await openStage(subject)
    await stage.enqueueMany(2, { type: 'mail', queue: 'a' })
    await stage.enqueueMany(3, { type: 'report', queue: 'a' })
    await stage.finished(complete(), { type: 'mail', queue: 'b' })
    const counts = await stage.engine.counts()
    expect(counts.total).toEqual({ ...none, ready: 5, completed: 1 })
    expect(counts.byType).toEqual({
      mail: { ...none, ready: 2, completed: 1 },
      report: { ...none, ready: 3 },
    })
    expect(counts.byQueue).toEqual({ a: { ...none, ready: 5 }, b: { ...none, completed: 1 } })
  })

  it('take type and queue names for what they are', async () => {
    const stage = await openStage(subject)
    await stage.enqueue({ type: 'constructor', queue: 'toString' })
    await stage.enqueue({ type: 'hasOwnProperty', queue: 'valueOf' })
    const counts = await stage.engine.counts()
    expect(Object.keys(counts.byType).toSorted()).toEqual(['constructor', 'hasOwnProperty'])
    expect(Object.keys(counts.byQueue).toSorted()).toEqual(['toString', 'valueOf'])
  })

  it('are the same in another instance', async () => {
    const stage = await openStage(subject)
    await stage.enqueueMany(4)
    await stage.running()
    expect(await (await stage.another()).counts()).toEqual(await stage.engine.counts())
  })

  it('follow a rescue, a cancel and a change of runAt', async () => {
    const stage = await openStage(subject)
    await stage.running({ maxAttempts: 1 }, { leaseMs: minuteMs })
    const [first, second] = await stage.enqueueMany(2)
    await stage.engine.cancel([first as string], '')
    await stage.engine.reschedule([{ id: second as string, runAt: stage.clock.now() + dayMs }])
    await stage.clock.advance(minuteMs + 1)
    await stage.rescue()
    expect((await stage.engine.counts()).total).toEqual({ ...none, dead: 1, cancelled: 1, delayed: 1 })
  })

  describe('of the last 24 hours', () => {
    it('tell what finished and what failed', async () => {
      const stage = await openStage(subject)
      await stage.finished(complete())
      await stage.finished(complete())
      await stage.finished(cancelled())
      await stage.finished(dead())
      await stage.finished(retry(hourMs))
      await stage.finished(retry(hourMs))
      expect(last24h(await stage.engine.counts())).toEqual({
        completed: 2,
        failedAttempts: 3,
        dead: 1,
        cancelled: 1,
      })
    })

    it('count a waiting job that was cancelled', async () => {
      const stage = await openStage(subject)
      await stage.engine.cancel([await stage.enqueue()], '')
      expect(last24h(await stage.engine.counts()).cancelled).toBe(1)
    })

    it('forget what is older, while the totals keep it', async () => {
      const stage = await openStage(subject)
      await stage.finished(complete())
      await stage.finished(dead())
      await stage.clock.advance(22 * hourMs)
      expect(last24h(await stage.engine.counts())).toMatchObject({ completed: 1, dead: 1, failedAttempts: 1 })
      await stage.clock.advance(4 * hourMs)
      const counts = await stage.engine.counts()
      expect(last24h(counts)).toEqual({ completed: 0, failedAttempts: 0, dead: 0, cancelled: 0 })
      expect(counts.total).toEqual({ ...none, completed: 1, dead: 1 })
    })

    it('do not shrink when finished jobs are pruned', async () => {
      const stage = await openStage(subject)
      await stage.finished(complete())
      await stage.engine.prune({ rules: [{ type: null, state: 'completed', maxCount: 0 }], limit: 10 })
      const counts = await stage.engine.counts()
      expect(counts.total).toEqual(none)
      expect(last24h(counts).completed).toBe(1)
    })

    it('count a lost worker as a failed attempt', async () => {
      const stage = await openStage(subject)
      await stage.running({}, { leaseMs: minuteMs })
      await stage.clock.advance(minuteMs + 1)
      await stage.rescue()
      expect(last24h(await stage.engine.counts())).toMatchObject({ failedAttempts: 1, dead: 0 })
    })
  })

  function last24h(counts: Counts): Counts['last24h'] {
    return counts.last24h
  }
}
