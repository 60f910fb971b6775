import { expect, it } from 'vitest'
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
}
