import { expect, it } from 'vitest'
import { aJob, complete, dead, hourMs, secondMs } from './samples.ts'
import { type EngineSubject, openStage } from './stage.ts'

export function enqueueCases(subject: EngineSubject): void {
  it('stores a job as it was given', async () => {
    const { engine, clock, newId } = await openStage(subject)
    const job = aJob({
      id: newId(),
      type: 'report',
      queue: 'slow',
      tenant: 'acme',
      priority: 2,
      payloadJson: '{"month":"May"}',
      maxAttempts: 7,
    })
    expect(await engine.enqueue([job])).toEqual([{ outcome: 'enqueued', id: job.id }])
    expect(await engine.get([job.id])).toEqual([
      expect.objectContaining({
        id: job.id,
        type: 'report',
        queue: 'slow',
        tenant: 'acme',
        state: 'queued',
        priority: 2,
        payloadJson: '{"month":"May"}',
        resultJson: null,
        attempt: 0,
        maxAttempts: 7,
        deaths: 0,
        redrives: 0,
        createdAt: clock.now(),
        runAt: clock.now(),
        startedAt: null,
        finishedAt: null,
        worker: null,
        leaseExpiresAt: null,
        idempotencyKey: null,
        cancelReason: null,
        lastError: null,
        progress: null,
      }),
    ])
  })

  it('answers a batch item by item, in order', async () => {
    const stage = await openStage(subject)
    const known = await stage.enqueue()
    const [first, second] = [stage.newId(), stage.newId()]
    const jobs = [first, known, second].map(id => aJob({ id }))
    expect(await stage.engine.enqueue(jobs)).toEqual([
      { outcome: 'enqueued', id: first },
      { outcome: 'duplicate', id: known },
      { outcome: 'enqueued', id: second },
    ])
  })

  it('answers an empty batch with nothing', async () => {
    const { engine } = await openStage(subject)
    expect(await engine.enqueue([])).toEqual([])
  })

  it('stores a batch of a thousand whole', async () => {
    const stage = await openStage(subject)
    const ids = await stage.enqueueMany(1_000)
    expect(new Set(await stage.states(ids))).toEqual(new Set(['queued']))
    expect((await stage.engine.counts()).total.ready).toBe(1_000)
  })

  it('stores every one of many enqueues made at the same time', async () => {
    const stage = await openStage(subject)
    const ids = await Promise.all(Array.from({ length: 100 }, () => stage.enqueue()))
    expect(new Set(ids).size).toBe(100)
    expect(new Set(await stage.states(ids))).toEqual(new Set(['queued']))
  })

  it('is seen by another instance as soon as it is acknowledged', async () => {
    const stage = await openStage(subject)
    const other = await stage.another()
    const id = await stage.enqueue()
    expect((await stage.job(id, other)).state).toBe('queued')
  })

  it('answers duplicate to the same id, and stores it once', async () => {
    const stage = await openStage(subject)
    const job = aJob({ id: stage.newId() })
    await stage.engine.enqueue([job])
    expect(await stage.engine.enqueue([job])).toEqual([{ outcome: 'duplicate', id: job.id }])
    expect(await stage.claim()).toHaveLength(1)
  })

  it('answers duplicate to the same id twice in one batch', async () => {
    const stage = await openStage(subject)
    const job = aJob({ id: stage.newId() })
    expect(await stage.engine.enqueue([job, job])).toEqual([
      { outcome: 'enqueued', id: job.id },
      { outcome: 'duplicate', id: job.id },
    ])
    expect((await stage.engine.counts()).total.ready).toBe(1)
  })

  it('keeps the first content when an id comes again with another', async () => {
    const stage = await openStage(subject)
    const id = await stage.enqueue({ payloadJson: '1' })
    await stage.engine.enqueue([aJob({ id, payloadJson: '2', priority: 1, type: 'report' })])
    expect(await stage.job(id)).toMatchObject({ payloadJson: '1', priority: 5, type: 'mail' })
  })

  it('answers duplicate to the id of a running job, which runs on', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running()
    expect(await stage.engine.enqueue([aJob({ id: lease.id })])).toEqual([
      { outcome: 'duplicate', id: lease.id },
    ])
    expect(await stage.settle(lease, complete())).toBe('settled')
  })

  it('answers duplicate to the id of a finished job, which stays finished', async () => {
    const stage = await openStage(subject)
    const { id } = await stage.finished(complete('"done"'))
    expect(await stage.engine.enqueue([aJob({ id })])).toEqual([{ outcome: 'duplicate', id }])
    expect(await stage.job(id)).toMatchObject({ state: 'completed', resultJson: '"done"' })
    expect(await stage.claim()).toEqual([])
  })

  it('counts a delay from the moment of the enqueue', async () => {
    const stage = await openStage(subject)
    const id = await stage.enqueue({ delayMs: 90 * secondMs })
    expect(await stage.job(id)).toMatchObject({
      createdAt: stage.clock.now(),
      runAt: stage.clock.now() + 90 * secondMs,
    })
  })

  it('lets runAt win over a delay', async () => {
    const stage = await openStage(subject)
    const runAt = stage.clock.now() + hourMs
    expect((await stage.job(await stage.enqueue({ runAt, delayMs: secondMs }))).runAt).toBe(runAt)
  })

  it('has a job with a runAt in the past due at once', async () => {
    const stage = await openStage(subject)
    const id = await stage.enqueue({ runAt: stage.clock.now() - hourMs })
    expect(await stage.claim()).toEqual([expect.objectContaining({ id })])
  })

  it('takes a runAt decades ahead', async () => {
    const stage = await openStage(subject)
    const runAt = Date.UTC(2099, 0, 1)
    const id = await stage.enqueue({ runAt })
    expect((await stage.job(id)).runAt).toBe(runAt)
    expect(await stage.claim()).toEqual([])
  })

  it('keeps the job that it comes from, to its end and beyond', async () => {
    const stage = await openStage(subject)
    const { id: origin } = await stage.finished(dead())
    const lease = await stage.running({ origin })
    expect((await stage.job(lease.id)).origin).toBe(origin)
    await stage.settle(lease, complete())
    expect((await stage.job(lease.id)).origin).toBe(origin)
    await stage.engine.redrive([lease.id])
    await stage.settle(await stage.claimOne(), dead())
    expect((await stage.job(lease.id)).origin).toBe(origin)
    expect((await stage.job(origin)).origin).toBeNull()
  })
}
