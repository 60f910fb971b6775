import { describe, expect, it } from 'vitest'
import { aJob, complete, hourMs, minuteMs, secondMs } from './samples.ts'
import { type EngineSubject, openStage, type Stage } from './stage.ts'

export function claimCases(subject: EngineSubject): void {
  it('hands out what the handler needs', async () => {
    const stage = await openStage(subject)
    const createdAt = stage.clock.now()
    const id = await stage.enqueue({ tenant: 'acme', priority: 3, payloadJson: '{"n":1}', maxAttempts: 4 })
    await stage.clock.advance(minuteMs)
    expect(await stage.claim()).toEqual([
      {
        id,
        epoch: expect.any(Number),
        token: expect.any(String),
        type: 'mail',
        queue: 'default',
        tenant: 'acme',
        priority: 3,
        payloadJson: '{"n":1}',
        attempt: 1,
        maxAttempts: 4,
        deaths: 0,
        createdAt,
        runAt: createdAt,
        flow: null,
      },
    ])
  })

  it('marks the job as running, by whom and until when', async () => {
    const stage = await openStage(subject)
    const { id, epoch } = await stage.running({}, { worker: 'worker-7', leaseMs: 20 * secondMs })
    expect(await stage.job(id)).toMatchObject({
      state: 'running',
      attempt: 1,
      epoch,
      worker: 'worker-7',
      leaseExpiresAt: stage.clock.now() + 20 * secondMs,
    })
  })

  it('answers nothing from an empty store, or to no lanes', async () => {
    const stage = await openStage(subject)
    expect(await stage.claimAnswer()).toEqual({ jobs: [], nextDueInMs: null })
    await stage.enqueue()
    expect(await stage.claim({ lanes: [] })).toEqual([])
    expect(await stage.claim({ types: [] })).toEqual([])
  })

  it('never claims more than the limit', async () => {
    const stage = await openStage(subject)
    await stage.enqueueMany(7)
    expect(await stage.claim({ limit: 3 })).toHaveLength(3)
    expect(await stage.claim({ limit: 3 })).toHaveLength(3)
    expect(await stage.claim({ limit: 3 })).toHaveLength(1)
  })

  it('never claims more than the limit over many lanes', async () => {
    const stage = await openStage(subject)
    const queues = ['a', 'b', 'c']
    for (const queue of queues)
      for (const type of ['mail', 'report']) await stage.enqueueMany(5, { queue, type })
    const lanes = queues.map(queue => ({ queue, types: ['mail', 'report'] }))
    expect(await stage.claim({ lanes, limit: 4 })).toHaveLength(4)
  })

  it('does not hand out a claimed job again', async () => {
    const stage = await openStage(subject)
    await stage.enqueue()
    await stage.claimOne()
    expect(await stage.claim()).toEqual([])
    expect(await stage.claim({ worker: 'worker-2', engine: await stage.another() })).toEqual([])
  })

  it('never gives two instances the same job', async () => {
    const stage = await openStage(subject)
    const engines = [stage.engine, await stage.another(), await stage.another()]
    const ids = await stage.enqueueMany(300)
    const claimed: string[] = []
    // A claim need not wait for what others are just taking, so it may come back with less than there is.
    const work = async (engine: Stage['engine'], worker: string): Promise<void> => {
      for (let calls = 0; calls < 1_000 && claimed.length < ids.length; calls++) {
        const jobs = await stage.claim({ worker, engine, limit: 7 })
        claimed.push(...jobs.map(job => job.id))
      }
    }
    await Promise.all(
      engines.flatMap((engine, index) => [1, 2, 3].map(() => work(engine, `worker-${index}`))),
    )
    expect(claimed.toSorted()).toEqual(ids.toSorted())
  })

  it('raises the epoch with each claim', async () => {
    const stage = await openStage(subject)
    const first = await stage.running()
    await stage.settle(first, { kind: 'release' })
    const second = await stage.claimOne()
    await stage.settle(second, { kind: 'snooze', inMs: 0, reason: '' })
    const third = await stage.claimOne()
    expect(second.epoch).toBeGreaterThan(first.epoch)
    expect(third.epoch).toBeGreaterThan(second.epoch)
  })

  describe('order', () => {
    it('goes by priority, 1 first', async () => {
      const stage = await openStage(subject)
      const priorities = [5, 10, 1, 7, 3, 2, 9, 4, 8, 6]
      for (const priority of priorities) await stage.enqueue({ priority })
      expect((await stage.claim()).map(job => job.priority)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    })

    it('goes by arrival within a priority, in one batch and across batches', async () => {
      const stage = await openStage(subject)
      const ids = [...(await stage.enqueueMany(5)), ...(await stage.enqueueMany(5))]
      await stage.clock.advance(secondMs)
      ids.push(...(await stage.enqueueMany(5)))
      expect(await claimedIds(stage, 15)).toEqual(ids)
    })

    it('goes by arrival across types and queues', async () => {
      const stage = await openStage(subject)
      const lanes = ['a', 'b', 'c'].map(queue => ({ queue, types: ['mail', 'report'] }))
      const ids: string[] = []
      for (let turn = 0; turn < 12; turn++) {
        const queue = ['a', 'b', 'c'][turn % 3] as string
        ids.push(await stage.enqueue({ queue, type: turn % 2 === 0 ? 'mail' : 'report' }))
        await stage.clock.advance(1)
      }
      const claimed = [
        ...(await stage.claim({ lanes, limit: 5 })),
        ...(await stage.claim({ lanes, limit: 7 })),
      ]
      expect(claimed.map(job => job.id)).toEqual(ids)
    })

    it('puts priority above arrival across queues', async () => {
      const stage = await openStage(subject)
      const late = await stage.enqueue({ queue: 'a', priority: 5 })
      await stage.clock.advance(minuteMs)
      const urgent = await stage.enqueue({ queue: 'b', type: 'report', priority: 1 })
      const lanes = [
        { queue: 'a', types: ['mail'] },
        { queue: 'b', types: ['report'] },
      ]
      expect((await stage.claim({ lanes })).map(job => job.id)).toEqual([urgent, late])
    })

    it('lets an urgent job that has just fallen due overtake', async () => {
      const stage = await openStage(subject)
      const urgent = await stage.enqueue({ priority: 1, delayMs: minuteMs })
      const plain = await stage.enqueue()
      await stage.clock.advance(minuteMs)
      expect(await claimedIds(stage, 10)).toEqual([urgent, plain])
    })
  })

  describe('lanes', () => {
    it('hold back types that the worker does not know', async () => {
      const stage = await openStage(subject)
      await stage.enqueue({ type: 'from-the-future' })
      const id = await stage.enqueue()
      expect(await claimedIds(stage, 10)).toEqual([id])
    })

    it('are not blocked by many urgent jobs of an unknown type', async () => {
      const stage = await openStage(subject)
      const unknown = await stage.enqueueMany(500, { type: 'from-the-future', priority: 1 })
      await stage.clock.advance(minuteMs)
      const ids = await stage.enqueueMany(3)
      expect(await claimedIds(stage, 10)).toEqual(ids)
      expect(new Set(await stage.states(unknown))).toEqual(new Set(['queued']))
    })

    it('hold back other queues', async () => {
      const stage = await openStage(subject)
      await stage.enqueue({ queue: 'slow' })
      expect(await stage.claim()).toEqual([])
      expect(await stage.claim({ queue: 'slow' })).toHaveLength(1)
    })

    it('pair each queue with its own types', async () => {
      const stage = await openStage(subject)
      const ids = [
        await stage.enqueue({ queue: 'a', type: 'mail' }),
        await stage.enqueue({ queue: 'b', type: 'report' }),
      ]
      await stage.enqueue({ queue: 'a', type: 'report' })
      await stage.enqueue({ queue: 'b', type: 'mail' })
      const lanes = [
        { queue: 'a', types: ['mail'] },
        { queue: 'b', types: ['report'] },
      ]
      expect((await stage.claim({ lanes })).map(job => job.id)).toEqual(ids)
    })

    it('tell names apart by case and by every character', async () => {
      const stage = await openStage(subject)
      await stage.enqueue({ type: 'Mail' })
      await stage.enqueue({ type: 'mail_' })
      await stage.enqueue({ type: 'mail', queue: 'Default' })
      expect(await stage.claim()).toEqual([])
    })
  })

  describe('a delayed job', () => {
    it('stays out of sight until it is due', async () => {
      const stage = await openStage(subject)
      const id = await stage.enqueue({ delayMs: 5 * secondMs })
      await stage.clock.advance(5 * secondMs - 1)
      expect(await stage.claim()).toEqual([])
      await stage.clock.advance(1)
      expect(await claimedIds(stage, 10)).toEqual([id])
    })

    it('does not hold back what is due', async () => {
      const stage = await openStage(subject)
      await stage.enqueue({ delayMs: hourMs, priority: 1 })
      const id = await stage.enqueue({ priority: 10 })
      expect(await claimedIds(stage, 10)).toEqual([id])
    })

    it('tells to the millisecond when it falls due', async () => {
      const stage = await openStage(subject)
      await stage.enqueue({ delayMs: 9_000 })
      await stage.enqueue({ delayMs: 5_000, priority: 10 })
      expect(await stage.claimAnswer()).toEqual({ jobs: [], nextDueInMs: 5_000 })
      await stage.clock.advance(1_999)
      expect(await stage.claimAnswer()).toEqual({ jobs: [], nextDueInMs: 3_001 })
      await stage.clock.advance(3_001)
      expect(await stage.claimAnswer()).toMatchObject({ jobs: [{ priority: 10 }], nextDueInMs: 4_000 })
    })

    it('of another lane does not count as the next', async () => {
      const stage = await openStage(subject)
      await stage.enqueue({ delayMs: secondMs, type: 'report' })
      await stage.enqueue({ delayMs: secondMs, queue: 'slow' })
      expect(await stage.claimAnswer()).toEqual({ jobs: [], nextDueInMs: null })
    })

    it('counts as the next after a retry that waits', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      await stage.settle(lease, { kind: 'snooze', inMs: 2_500, reason: '' })
      expect(await stage.claimAnswer()).toEqual({ jobs: [], nextDueInMs: 2_500 })
    })
  })

  it('says that more is due when the limit left some', async () => {
    const stage = await openStage(subject)
    await stage.enqueueMany(3)
    expect(await stage.claimAnswer({ limit: 2 })).toMatchObject({ nextDueInMs: 0 })
    expect(await stage.claimAnswer({ limit: 2 })).toMatchObject({ nextDueInMs: null })
  })

  it('costs finished jobs nothing: they are never claimed', async () => {
    const stage = await openStage(subject)
    await stage.finished(complete())
    await stage.engine.enqueue([aJob({ id: stage.newId() })])
    expect(await stage.claim()).toHaveLength(1)
    expect(await stage.claim()).toHaveLength(0)
  })
}

async function claimedIds(stage: Stage, limit: number): Promise<string[]> {
  return (await stage.claim({ limit })).map(job => job.id)
}
