import { describe, expect, it } from 'vitest'
import { enqueued } from './flow-stage.ts'
import { complete, hourMs, minuteMs, retry, secondMs, unknownId } from './samples.ts'
import { type EngineSubject, openStage } from './stage.ts'

export function rescheduleCases(subject: EngineSubject): void {
  it('brings a delayed job forward', async () => {
    const stage = await openStage(subject)
    const id = await stage.enqueue({ delayMs: hourMs })
    expect(await stage.engine.reschedule([{ id, runAt: stage.clock.now() }])).toEqual(['changed'])
    expect(await stage.claimOne()).toMatchObject({ id, runAt: stage.clock.now() })
  })

  it('puts a due job off', async () => {
    const stage = await openStage(subject)
    const id = await stage.enqueue()
    const runAt = stage.clock.now() + minuteMs
    expect(await stage.engine.reschedule([{ id, runAt }])).toEqual(['changed'])
    expect(await stage.job(id)).toMatchObject({ runAt, priority: 5 })
    expect(await stage.claimAnswer()).toEqual({ jobs: [], nextDueInMs: minuteMs })
    await stage.clock.advance(minuteMs)
    expect(await stage.claim()).toHaveLength(1)
  })

  it('moves a job within the order', async () => {
    const stage = await openStage(subject)
    const [first, second] = await stage.enqueueMany(2)
    expect(await stage.engine.reschedule([{ id: second as string, priority: 1 }])).toEqual(['changed'])
    expect((await stage.claim()).map(job => [job.id, job.priority])).toEqual([
      [second, 1],
      [first, 5],
    ])
  })

  it('changes both at once', async () => {
    const stage = await openStage(subject)
    const id = await stage.enqueue()
    const runAt = stage.clock.now() + secondMs
    await stage.engine.reschedule([{ id, runAt, priority: 9 }])
    expect(await stage.job(id)).toMatchObject({ runAt, priority: 9, state: 'queued' })
  })

  it('changes a job that waits for another attempt', async () => {
    const stage = await openStage(subject)
    const { id } = await stage.finished(retry(hourMs))
    expect(await stage.engine.reschedule([{ id, runAt: stage.clock.now() }])).toEqual(['changed'])
    expect(await stage.claimOne()).toMatchObject({ id, attempt: 2 })
  })

  it('answers a batch item by item, and leaves what is not queued as it is', async () => {
    const stage = await openStage(subject)
    const finished = await stage.finished(complete())
    const running = await stage.running()
    const queued = await stage.enqueue()
    const before = await stage.engine.get([finished.id, running.id])
    const changes = [finished.id, running.id, unknownId, queued].map(id => ({ id, priority: 1, runAt: 0 }))
    expect(await stage.engine.reschedule(changes)).toEqual([
      'not-queued',
      'not-queued',
      'not-found',
      'changed',
    ])
    expect(await stage.engine.get([finished.id, running.id])).toEqual(before)
  })

  it('can be repeated', async () => {
    const stage = await openStage(subject)
    const id = await stage.enqueue()
    const change = { id, runAt: stage.clock.now() + minuteMs, priority: 2 }
    await stage.engine.reschedule([change])
    const counts = await stage.engine.counts()
    expect(await stage.engine.reschedule([change])).toEqual(['changed'])
    expect(await stage.engine.counts()).toEqual(counts)
  })

  describe('to another queue', () => {
    it('moves a job there', async () => {
      const stage = await openStage(subject)
      const id = await stage.enqueue()
      expect(await stage.engine.reschedule([{ id, queue: 'fast' }])).toEqual(['changed'])
      expect(await stage.job(id)).toMatchObject({ queue: 'fast', type: 'mail', state: 'queued', priority: 5 })
      expect(await stage.claim()).toEqual([])
      expect(await stage.claimOne({ queue: 'fast' })).toMatchObject({ id, queue: 'fast' })
    })

    it('moves a job that waits for its time, and keeps that', async () => {
      const stage = await openStage(subject)
      const id = await stage.enqueue({ delayMs: hourMs })
      const { runAt } = await stage.job(id)
      await stage.engine.reschedule([{ id, queue: 'fast' }])
      expect(await stage.job(id)).toMatchObject({ queue: 'fast', runAt })
      expect(await stage.claimAnswer({ queue: 'fast' })).toEqual({ jobs: [], nextDueInMs: hourMs })
      await stage.clock.advance(hourMs)
      expect(await stage.claim({ queue: 'fast' })).toHaveLength(1)
    })

    it('counts it there, and lists it there', async () => {
      const stage = await openStage(subject)
      const [id] = await stage.enqueueMany(2)
      await stage.engine.reschedule([{ id: id as string, queue: 'fast', runAt: stage.clock.now() + hourMs }])
      const { byQueue } = await stage.engine.counts()
      expect(byQueue['default']).toMatchObject({ ready: 1, delayed: 0 })
      expect(byQueue['fast']).toMatchObject({ ready: 0, delayed: 1 })
      const { jobs } = await stage.engine.list({ queues: ['fast'] }, { limit: 10 })
      expect(jobs.map(job => job.id)).toEqual([id])
      expect((await stage.engine.queues()).map(each => each.queue)).toContain('fast')
    })

    it('can be repeated, and back again', async () => {
      const stage = await openStage(subject)
      const id = await stage.enqueue()
      for (const queue of ['fast', 'fast', 'default']) await stage.engine.reschedule([{ id, queue }])
      expect((await stage.engine.counts()).byQueue['default']).toMatchObject({ ready: 1 })
      expect(await stage.claimOne()).toMatchObject({ id })
    })

    it('leaves what runs, and what is blocked, where it is', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'] })
      await flow.claim('a')
      const changes = ['a', 'b'].map(name => ({ id: flow.idOf(name), queue: 'fast' }))
      expect(await stage.engine.reschedule(changes)).toEqual(['not-queued', 'not-queued'])
      expect((await flow.nodes()).map(node => node.queue)).toEqual(['default', 'default'])
    })
  })
}
