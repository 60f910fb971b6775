import { describe, expect, it } from 'vitest'
import { aJob, complete, hourMs, minuteMs, release, retry } from './samples.ts'
import { type EngineSubject, openStage, type Stage } from './stage.ts'

export function queueCases(subject: EngineSubject): void {
  describe('a paused queue', () => {
    it('hands out nothing, and takes in jobs', async () => {
      const stage = await openStage(subject)
      await stage.enqueue()
      await stage.engine.configureQueue('default', { paused: true })
      await stage.enqueue()
      expect(await stage.claim()).toEqual([])
      await stage.engine.configureQueue('default', { paused: false })
      expect(await stage.claim()).toHaveLength(2)
    })

    it('is paused in every instance at once', async () => {
      const stage = await openStage(subject)
      const other = await stage.another()
      await stage.enqueue()
      expect(await stage.claim({ limit: 0 })).toEqual([])
      await other.configureQueue('default', { paused: true })
      expect(await stage.claim()).toEqual([])
      await other.configureQueue('default', { paused: false })
      expect(await stage.claim()).toHaveLength(1)
    })

    it('does not hold back other queues', async () => {
      const stage = await openStage(subject)
      await stage.engine.configureQueue('a', { paused: true })
      await stage.enqueueMany(20, { queue: 'a', priority: 1 })
      const id = await stage.enqueue({ queue: 'b' })
      const lanes = ['a', 'b'].map(queue => ({ queue, types: ['mail'] }))
      expect((await stage.claim({ lanes, limit: 5 })).map(job => job.id)).toEqual([id])
    })

    it('lets what runs settle, retry included', async () => {
      const stage = await openStage(subject)
      await stage.enqueueMany(2)
      const [first, second] = await stage.claim()
      if (!first || !second) throw new Error('two jobs were expected')
      await stage.engine.configureQueue('default', { paused: true })
      expect(await stage.settle(first, complete())).toBe('settled')
      expect(await stage.settle(second, retry())).toBe('settled')
      expect(await stage.claim()).toEqual([])
    })

    it('stays paused when another setting changes', async () => {
      const stage = await openStage(subject)
      await stage.engine.configureQueue('default', { paused: true })
      await stage.engine.configureQueue('default', { maxQueued: 5 })
      expect(await stage.engine.queues()).toContainEqual({ queue: 'default', paused: true, maxQueued: 5 })
    })

    it('does not say that jobs are due: nobody may claim them', async () => {
      const stage = await openStage(subject)
      await stage.enqueue()
      await stage.engine.configureQueue('default', { paused: true })
      expect((await stage.claimAnswer()).nextDueInMs).not.toBe(0)
    })
  })

  it('keeps its settings over a reopening', async () => {
    const stage = await openStage(subject)
    await stage.engine.configureQueue('slow', { paused: true, maxQueued: 3 })
    expect(await (await stage.another()).queues()).toContainEqual({
      queue: 'slow',
      paused: true,
      maxQueued: 3,
    })
  })

  describe('a bounded queue', () => {
    it('is full exactly at its bound', async () => {
      const stage = await openStage(subject)
      await stage.engine.configureQueue('default', { maxQueued: 3 })
      await stage.enqueueMany(2)
      expect(await outcome(stage)).toBe('enqueued')
      const job = aJob({ id: stage.newId() })
      expect(await stage.engine.enqueue([job])).toEqual([{ outcome: 'queue-full', queued: 3, limit: 3 }])
      expect(await stage.engine.get([job.id])).toEqual([null])
    })

    it('takes of a batch what fits, in order', async () => {
      const stage = await openStage(subject)
      await stage.engine.configureQueue('default', { maxQueued: 3 })
      const jobs = Array.from({ length: 5 }, () => aJob({ id: stage.newId() }))
      const answers = await stage.engine.enqueue(jobs)
      expect(answers.map(answer => answer.outcome)).toEqual([
        'enqueued',
        'enqueued',
        'enqueued',
        'queue-full',
        'queue-full',
      ])
      expect((await stage.engine.counts()).total.ready).toBe(3)
    })

    it('counts delayed jobs, and not running or finished ones', async () => {
      const stage = await openStage(subject)
      await stage.engine.configureQueue('default', { maxQueued: 2 })
      await stage.running()
      await stage.enqueue({ delayMs: hourMs })
      expect(await outcome(stage)).toBe('enqueued')
      expect(await outcome(stage)).toBe('queue-full')
    })

    it('has room again after a claim or a cancel', async () => {
      const stage = await openStage(subject)
      await stage.engine.configureQueue('default', { maxQueued: 1 })
      const id = await stage.enqueue()
      expect(await outcome(stage)).toBe('queue-full')
      await stage.engine.cancel([id], '')
      const lease = await stage.running()
      expect(await outcome(stage)).toBe('enqueued')
      expect(await stage.settle(lease, complete())).toBe('settled')
    })

    it('takes back what it has handed out, full or not', async () => {
      const stage = await openStage(subject)
      await stage.engine.configureQueue('default', { maxQueued: 1 })
      const lease = await stage.running()
      await stage.enqueue()
      expect(await stage.settle(lease, retry(minuteMs))).toBe('settled')
      expect(await stage.settle(await stage.claimOne(), release)).toBe('settled')
      expect((await stage.engine.counts()).total).toMatchObject({ ready: 1, delayed: 1 })
    })

    it('leaves other queues unbounded', async () => {
      const stage = await openStage(subject)
      await stage.engine.configureQueue('default', { maxQueued: 0 })
      expect(await outcome(stage)).toBe('queue-full')
      expect(await stage.enqueueMany(10, { queue: 'other' })).toHaveLength(10)
    })

    it('is unbounded again when the bound is lifted', async () => {
      const stage = await openStage(subject)
      await stage.engine.configureQueue('default', { maxQueued: 1 })
      await stage.engine.configureQueue('default', { maxQueued: null })
      expect(await stage.enqueueMany(10)).toHaveLength(10)
    })

    it('holds when instances race', async () => {
      const stage = await openStage(subject)
      const engines = [stage.engine, await stage.another()]
      await stage.engine.configureQueue('default', { maxQueued: 10 })
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, index) =>
          (engines[index % 2] as Stage['engine']).enqueue([aJob({ id: stage.newId() })]),
        ),
      )
      expect(answers.flat().filter(answer => answer.outcome === 'enqueued')).toHaveLength(10)
    })
  })
}

async function outcome(stage: Stage): Promise<string | undefined> {
  const [answer] = await stage.engine.enqueue([aJob({ id: stage.newId() })])
  return answer?.outcome
}
