import { describe, expect, it } from 'vitest'
import type { EnqueueAnswer, NewJob } from '../../src/engine/contract.ts'
import { aJob, complete, dayMs, hourMs } from './samples.ts'
import { type EngineSubject, openStage, type Stage } from './stage.ts'

export function idempotencyCases(subject: EngineSubject): void {
  it('answers the first job to the same key and body', async () => {
    const stage = await openStage(subject)
    const first = await stage.enqueue(keyed('k'))
    expect(await again(stage, keyed('k'))).toEqual({ outcome: 'duplicate', id: first })
    expect((await stage.engine.counts()).total.ready).toBe(1)
    expect((await stage.job(first)).idempotencyKey).toBe('k')
  })

  it('answers a conflict to the same key with another body, and stores nothing', async () => {
    const stage = await openStage(subject)
    const first = await stage.enqueue(keyed('k', 'body'))
    const other = aJob({ id: stage.newId(), ...keyed('k', 'other body') })
    expect(await stage.engine.enqueue([other])).toEqual([{ outcome: 'idempotency-conflict', id: first }])
    expect(await stage.engine.get([other.id])).toEqual([null])
    expect((await stage.engine.counts()).total.ready).toBe(1)
  })

  it('keeps the keys of two tenants apart', async () => {
    const stage = await openStage(subject)
    await stage.enqueue({ ...keyed('k'), tenant: 'acme' })
    expect(await again(stage, { ...keyed('k'), tenant: 'globex' })).toMatchObject({ outcome: 'enqueued' })
    expect(await again(stage, keyed('k'))).toMatchObject({ outcome: 'enqueued' })
  })

  it('holds a key across queues and types', async () => {
    const stage = await openStage(subject)
    const first = await stage.enqueue(keyed('k'))
    expect(await again(stage, { ...keyed('k'), queue: 'slow' })).toEqual({ outcome: 'duplicate', id: first })
  })

  it('never lets jobs without a key collide', async () => {
    const stage = await openStage(subject)
    const first = await stage.enqueueMany(2)
    expect(new Set([...first, ...(await stage.enqueueMany(2))]).size).toBe(4)
  })

  it('stores a key once when one batch holds it twice', async () => {
    const stage = await openStage(subject)
    const [a, b, c] = [stage.newId(), stage.newId(), stage.newId()]
    expect(
      await stage.engine.enqueue([
        aJob({ id: a, ...keyed('k') }),
        aJob({ id: b, ...keyed('k') }),
        aJob({ id: c, ...keyed('k', 'other body') }),
      ]),
    ).toEqual([
      { outcome: 'enqueued', id: a },
      { outcome: 'duplicate', id: a },
      { outcome: 'idempotency-conflict', id: a },
    ])
    expect((await stage.engine.counts()).total.ready).toBe(1)
  })

  it('stores a key once when two instances enqueue it at the same time', async () => {
    const stage = await openStage(subject)
    const engines = [stage.engine, await stage.another()]
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        (engines[index % 2] as Stage['engine']).enqueue([aJob({ id: stage.newId(), ...keyed('k') })]),
      ),
    )
    const outcomes = answers.flat()
    expect(outcomes.filter(each => each.outcome === 'enqueued')).toHaveLength(1)
    expect(outcomes.filter(each => each.outcome === 'duplicate')).toHaveLength(39)
    expect(new Set(outcomes.map(idOf)).size).toBe(1)
  })

  it('takes keys of any text', async () => {
    const stage = await openStage(subject)
    for (const key of ["'; DROP TABLE jobs; --", '名前 🎉', ' k', 'k', 'K'])
      expect(await again(stage, keyed(key))).toMatchObject({ outcome: 'enqueued' })
  })

  describe('a key', () => {
    it('is known while its job runs', async () => {
      const stage = await openStage(subject)
      const { id } = await stage.running(keyed('k'))
      expect(await again(stage, keyed('k'))).toEqual({ outcome: 'duplicate', id })
    })

    it('is known after its job has completed', async () => {
      const stage = await openStage(subject)
      const { id } = await stage.finished(complete(), keyed('k'))
      expect(await again(stage, keyed('k'))).toEqual({ outcome: 'duplicate', id })
    })

    it('is known after its job was cancelled', async () => {
      const stage = await openStage(subject)
      const id = await stage.enqueue(keyed('k'))
      await stage.engine.cancel([id], 'no')
      expect(await again(stage, keyed('k'))).toEqual({ outcome: 'duplicate', id })
    })

    it('is known as long as its job waits, however long', async () => {
      const stage = await openStage(subject)
      const id = await stage.enqueue({ ...keyed('k'), delayMs: 40 * dayMs })
      await stage.clock.advance(30 * dayMs)
      await pruneAll(stage)
      expect(await again(stage, keyed('k'))).toEqual({ outcome: 'duplicate', id })
    })

    it('is known as long as its finished job is kept', async () => {
      const stage = await openStage(subject)
      const { id } = await stage.finished(complete(), keyed('k'))
      await stage.clock.advance(10 * dayMs)
      await stage.engine.prune({
        rules: [{ type: null, state: 'completed', maxAgeMs: 30 * dayMs }],
        limit: 100,
      })
      expect(await again(stage, keyed('k'))).toEqual({ outcome: 'duplicate', id })
    })

    it('is known for 24 hours even when its job is pruned before', async () => {
      const stage = await openStage(subject)
      const { id } = await stage.finished(complete(), keyed('k'))
      await pruneAll(stage)
      expect(await stage.engine.get([id])).toEqual([null])
      await stage.clock.advance(24 * hourMs - 1)
      await pruneAll(stage)
      expect(await again(stage, keyed('k'))).toEqual({ outcome: 'duplicate', id })
    })

    it('is known for 24 hours even when its job is removed before', async () => {
      const stage = await openStage(subject)
      const id = await stage.enqueue(keyed('k', 'body'))
      await stage.engine.remove([id])
      await stage.clock.advance(23 * hourMs)
      await pruneAll(stage)
      expect(await again(stage, keyed('k', 'body'))).toEqual({ outcome: 'duplicate', id })
      expect(await again(stage, keyed('k', 'other body'))).toEqual({ outcome: 'idempotency-conflict', id })
    })

    it('is free again some days after its job is gone', async () => {
      const stage = await openStage(subject)
      await stage.finished(complete(), keyed('k'))
      await pruneAll(stage)
      await stage.clock.advance(8 * dayMs)
      await pruneAll(stage)
      expect(await again(stage, keyed('k'))).toMatchObject({ outcome: 'enqueued' })
    })

    it('is known in a queue that is full', async () => {
      const stage = await openStage(subject)
      const id = await stage.enqueue(keyed('k'))
      await stage.engine.configureQueue('default', { maxQueued: 1 })
      expect(await again(stage, keyed('k'))).toEqual({ outcome: 'duplicate', id })
    })

    it('is not used up by a job that a full queue refused', async () => {
      const stage = await openStage(subject)
      await stage.engine.configureQueue('default', { maxQueued: 0 })
      expect(await again(stage, keyed('k'))).toMatchObject({ outcome: 'queue-full' })
      await stage.engine.configureQueue('default', { maxQueued: null })
      expect(await again(stage, keyed('k'))).toMatchObject({ outcome: 'enqueued' })
    })
  })

  describe('finding a job by its key', () => {
    it('gives the job that the key stands for, live or finished', async () => {
      const stage = await openStage(subject)
      const id = await stage.enqueue(keyed('order-7'))
      expect(await stage.engine.findByKey('', 'order-7')).toBe(id)
      await stage.settle(await stage.claimOne(), complete())
      expect(await stage.engine.findByKey('', 'order-7')).toBe(id)
    })

    it('gives none for an unknown key, and none of another tenant', async () => {
      const stage = await openStage(subject)
      await stage.enqueue({ ...keyed('order-7'), tenant: 'acme' })
      expect(await stage.engine.findByKey('', 'order-7')).toBeNull()
      expect(await stage.engine.findByKey('acme', 'order')).toBeNull()
    })

    it('gives none once the key is free again', async () => {
      const stage = await openStage(subject)
      const id = await stage.enqueue(keyed('order-7'))
      await stage.settle(await stage.claimOne(), complete())
      await stage.clock.advance(2 * dayMs)
      await pruneAll(stage)
      await stage.clock.advance(1)
      expect(await stage.engine.findByKey('', 'order-7')).toBeNull()
      const next = await stage.enqueue(keyed('order-7'))
      expect(next).not.toBe(id)
      expect(await stage.engine.findByKey('', 'order-7')).toBe(next)
    })
  })
}

function keyed(key: string, body = 'body'): Pick<NewJob, 'idempotency'> {
  return { idempotency: { key, bodyHash: `hash of ${body}` } }
}

/** Enqueues under a fresh id. */
async function again(stage: Stage, job: Partial<NewJob>): Promise<EnqueueAnswer> {
  const [answer] = await stage.engine.enqueue([aJob({ id: stage.newId(), ...job })])
  return answer as EnqueueAnswer
}

function idOf(answer: EnqueueAnswer): string | null {
  return 'id' in answer ? answer.id : null
}

async function pruneAll(stage: Stage): Promise<void> {
  const rules = (['completed', 'cancelled', 'dead'] as const).map(state => ({
    type: null,
    state,
    maxCount: 0,
  }))
  while ((await stage.engine.prune({ rules, limit: 100 })).more);
}
