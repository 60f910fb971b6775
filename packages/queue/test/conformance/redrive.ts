import { expect, it } from 'vitest'
import { aJob, cancelled, complete, dead, hourMs, minuteMs, retry, unknownId } from './samples.ts'
import { type EngineSubject, openStage } from './stage.ts'

export function redriveCases(subject: EngineSubject): void {
  it.each([
    ['dead', dead()],
    ['completed', complete('"done"')],
    ['cancelled', cancelled()],
  ] as const)('queues a %s job again, its attempts counted afresh', async (_state, outcome) => {
    const stage = await openStage(subject)
    const first = await stage.finished(outcome, { payloadJson: '"kept"', tenant: 'acme', priority: 2 })
    await stage.clock.advance(minuteMs)
    expect(await stage.engine.redrive([first.id])).toEqual(['redriven'])
    expect(await stage.job(first.id)).toMatchObject({
      state: 'queued',
      attempt: 0,
      redrives: 1,
      payloadJson: '"kept"',
      tenant: 'acme',
      priority: 2,
      resultJson: null,
      cancelReason: null,
      finishedAt: null,
      worker: null,
      runAt: stage.clock.now(),
    })
    const second = await stage.claimOne()
    expect(second).toMatchObject({ id: first.id, attempt: 1, payloadJson: '"kept"' })
    expect(second.epoch).toBeGreaterThan(first.epoch)
  })

  it('gives a job all its attempts again', async () => {
    const stage = await openStage(subject)
    const { id } = await stage.finished(dead(), { maxAttempts: 2 })
    await stage.engine.redrive([id])
    expect(await stage.claimOne()).toMatchObject({ attempt: 1, maxAttempts: 2 })
  })

  it('keeps the history of the attempts before', async () => {
    const stage = await openStage(subject)
    const first = await stage.finished(retry(0, 'first failure'))
    await stage.settle(await stage.claimOne(), dead('second failure'))
    await stage.engine.redrive([first.id])
    await stage.settle(await stage.claimOne(), complete())
    const attempts = await stage.engine.attempts(first.id)
    expect(attempts.map(each => [each.attempt, each.outcome, each.error?.message ?? null])).toEqual([
      [1, 'failed', 'first failure'],
      [2, 'failed', 'second failure'],
      [1, 'completed', null],
    ])
    expect(attempts.map(each => each.epoch)).toEqual(
      [...new Set(attempts.map(each => each.epoch))].toSorted((a, b) => a - b),
    )
  })

  it('lists a job once that ends again in the same millisecond', async () => {
    const stage = await openStage(subject)
    const ids = await stage.enqueueMany(3)
    await stage.engine.cancel(ids, 'not needed')
    expect(await stage.engine.redrive([ids[1] as string])).toEqual(['redriven'])
    await stage.engine.cancel([ids[1] as string], 'not needed')
    const { jobs } = await stage.engine.list({ states: ['cancelled'] }, { limit: 10 })
    expect(jobs.map(each => each.id).toSorted()).toEqual(ids.toSorted())
    expect((await stage.engine.list({}, { limit: 10 })).jobs).toHaveLength(3)
  })

  it('forgives the deaths of workers', async () => {
    const stage = await openStage(subject)
    const { id } = await stage.running({ maxAttempts: 100 }, { leaseMs: minuteMs })
    await stage.clock.advance(minuteMs + 1)
    await stage.rescue({ maxDeaths: 1 })
    await stage.engine.redrive([id])
    await stage.claimOne({ leaseMs: minuteMs })
    await stage.clock.advance(minuteMs + 1)
    expect(await stage.rescue({ maxDeaths: 2 })).toMatchObject([{ id, deaths: 1, now: 'queued' }])
  })

  it('counts how often', async () => {
    const stage = await openStage(subject)
    const { id } = await stage.finished(dead())
    for (let round = 1; round <= 3; round++) {
      await stage.engine.redrive([id])
      expect((await stage.job(id)).redrives).toBe(round)
      await stage.settle(await stage.claimOne(), dead())
    }
  })

  it('answers a batch item by item, and leaves what is not finished as it is', async () => {
    const stage = await openStage(subject)
    const finished = await stage.finished(dead())
    const running = await stage.running()
    const queued = await stage.enqueue({ delayMs: hourMs })
    const before = await stage.engine.get([running.id, queued])
    expect(await stage.engine.redrive([running.id, finished.id, unknownId, queued])).toEqual([
      'not-finished',
      'redriven',
      'not-found',
      'not-finished',
    ])
    expect(await stage.engine.get([running.id, queued])).toEqual(before)
  })

  it('repeated after a lost reply queues the job once', async () => {
    const stage = await openStage(subject)
    const { id } = await stage.finished(dead())
    await stage.engine.redrive([id])
    expect(await stage.engine.redrive([id])).toEqual(['not-finished'])
    expect(await stage.claim()).toHaveLength(1)
    expect((await stage.job(id)).redrives).toBe(1)
  })

  it('keeps the idempotency key', async () => {
    const stage = await openStage(subject)
    const idempotency = { key: 'k', bodyHash: 'h' }
    const { id } = await stage.finished(dead(), { idempotency })
    await stage.engine.redrive([id])
    expect((await stage.job(id)).idempotencyKey).toBe('k')
    const job = aJob({ id: stage.newId(), idempotency })
    expect(await stage.engine.enqueue([job])).toEqual([{ outcome: 'duplicate', id }])
  })
}
