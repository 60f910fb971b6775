import { describe, expect, it } from 'vitest'
import type { Completion, Hint, Lease, SettleAnswer } from '../../src/engine/contract.ts'
import { turn } from '../support/test-clock.ts'
import { aJob, complete, retry, secondMs } from './samples.ts'
import { after, type EngineSubject, openStage, type Stage } from './stage.ts'

export function transactionCases(subject: EngineSubject): void {
  if (!subject.capabilities.transactions) {
    it('is refused by an engine that has none', async () => {
      const stage = await openStage(subject)
      const unsupported = { code: 'unsupported' }
      const job = aJob({ id: stage.newId() })
      await expect(stage.engine.enqueue([job], { tx: {} })).rejects.toMatchObject(unsupported)
      const lease = await stage.running()
      await expect(stage.engine.completeIn('worker-1', lease, () => completion())).rejects.toMatchObject(
        unsupported,
      )
    })
    return
  }

  describe('of the caller', () => {
    it('makes a job exist when it commits', async () => {
      const stage = await openStage(subject)
      const other = await stage.another()
      const own = await stage.caller.begin()
      const id = stage.newId()
      await stage.caller.write(own.tx, 'order 1')
      expect(await stage.engine.enqueue([aJob({ id })], { tx: own.tx })).toEqual([
        { outcome: 'enqueued', id },
      ])
      expect(await other.get([id])).toEqual([null])
      expect((await other.counts()).total.ready).toBe(0)
      await own.commit()
      expect((await other.counts()).total.ready).toBe(1)
      expect(await stage.caller.notes()).toEqual(['order 1'])
      expect(await stage.claimOne()).toMatchObject({ id })
    })

    it('takes the job along when it rolls back', async () => {
      const stage = await openStage(subject)
      const own = await stage.caller.begin()
      const id = stage.newId()
      await stage.caller.write(own.tx, 'order 1')
      await stage.engine.enqueue([aJob({ id })], { tx: own.tx })
      await own.rollback()
      expect(await stage.engine.get([id])).toEqual([null])
      expect((await stage.engine.counts()).total.ready).toBe(0)
      expect(await stage.caller.notes()).toEqual([])
      expect(await stage.claim()).toEqual([])
      expect(await stage.engine.enqueue([aJob({ id })])).toEqual([{ outcome: 'enqueued', id }])
    })

    it('takes the idempotency key along when it rolls back', async () => {
      const stage = await openStage(subject)
      const job = aJob({ id: stage.newId(), idempotency: { key: 'k', bodyHash: 'h' } })
      const own = await stage.caller.begin()
      await stage.engine.enqueue([job], { tx: own.tx })
      await own.rollback()
      expect(await stage.engine.enqueue([job])).toMatchObject([{ outcome: 'enqueued' }])
    })

    it('keeps the idempotency key when it commits', async () => {
      const stage = await openStage(subject)
      const job = aJob({ id: stage.newId(), idempotency: { key: 'k', bodyHash: 'h' } })
      const own = await stage.caller.begin()
      await stage.engine.enqueue([job], { tx: own.tx })
      await own.commit()
      const again = { ...job, id: stage.newId() }
      expect(await stage.engine.enqueue([again])).toEqual([{ outcome: 'duplicate', id: job.id }])
    })

    it('sees its own jobs: the same id or key twice in it is a duplicate', async () => {
      const stage = await openStage(subject)
      const job = aJob({ id: stage.newId(), idempotency: { key: 'k', bodyHash: 'h' } })
      const own = await stage.caller.begin()
      await stage.engine.enqueue([job], { tx: own.tx })
      const same = await stage.engine.enqueue([job, { ...job, id: stage.newId() }], { tx: own.tx })
      expect(same).toEqual(Array(2).fill({ outcome: 'duplicate', id: job.id }))
      await own.commit()
      expect(await stage.claim()).toHaveLength(1)
    })

    it('bounds a queue like any enqueue', async () => {
      const stage = await openStage(subject)
      await stage.engine.configureQueue('default', { maxQueued: 1 })
      const own = await stage.caller.begin()
      const jobs = [aJob({ id: stage.newId() }), aJob({ id: stage.newId() })]
      const answers = await stage.engine.enqueue(jobs, { tx: own.tx })
      expect(answers.map(answer => answer.outcome)).toEqual(['enqueued', 'queue-full'])
      await own.commit()
    })

    it('on another store is refused, and stores nothing there', async () => {
      const stage = await openStage(subject)
      const elsewhere = await stage.caller.beginElsewhere()
      const enqueued = stage.engine.enqueue([aJob({ id: stage.newId() })], { tx: elsewhere.tx })
      await expect(enqueued).rejects.toMatchObject({ code: 'invalid-argument' })
      await elsewhere.rollback()
    })

    it('that is not open is refused, and stores nothing', async () => {
      const stage = await openStage(subject)
      const tx = await stage.caller.idle()
      const enqueued = stage.engine.enqueue([aJob({ id: stage.newId() })], { tx })
      await expect(enqueued).rejects.toMatchObject({ code: 'invalid-argument' })
      expect((await stage.engine.counts()).total.ready).toBe(0)
    })

    it.each([
      ['an empty object', {}],
      ['text', 'BEGIN'],
      ['null', null],
      ['a number', 1],
    ])('that is %s is refused', async (_what, tx) => {
      const stage = await openStage(subject)
      const enqueued = stage.engine.enqueue([aJob({ id: stage.newId() })], { tx })
      await expect(enqueued).rejects.toMatchObject({ code: 'invalid-argument' })
    })
  })

  describe('of a completion', () => {
    it('keeps the work and the completion together', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      await stage.clock.advance(secondMs)
      const answer = await stage.engine.completeIn('worker-1', lease, tx =>
        after(stage.caller.write(tx, 'sent'), () => ({ resultJson: '"ok"', ranMs: 300 })),
      )
      expect(answer).toBe('settled')
      expect(await stage.caller.notes()).toEqual(['sent'])
      expect(await stage.job(lease.id)).toMatchObject({
        state: 'completed',
        resultJson: '"ok"',
        finishedAt: stage.clock.now(),
        startedAt: stage.clock.now() - 300,
      })
      expect((await stage.engine.counts()).total).toMatchObject({ running: 0, completed: 1 })
      expect(await stage.engine.attempts(lease.id)).toMatchObject([{ outcome: 'completed' }])
    })

    it('keeps neither when the work throws, and throws the same; the lease still holds', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      const thrown = new Error('no')
      const work = (tx: unknown): never | Promise<never> =>
        after(stage.caller.write(tx, 'sent'), () => {
          throw thrown
        })
      await expect(stage.engine.completeIn('worker-1', lease, work)).rejects.toBe(thrown)
      expect(await stage.caller.notes()).toEqual([])
      expect((await stage.job(lease.id)).state).toBe('running')
      expect(await stage.settle(lease, complete())).toBe('settled')
    })

    it('keeps neither after the lease has ended', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running({}, { leaseMs: 30 * secondMs })
      await stage.clock.advance(30 * secondMs + 1)
      expect(await completeWith(stage, lease, 'zombie')).toBe('lease-lost')
      expect(await stage.caller.notes()).toEqual([])
      expect((await stage.job(lease.id)).state).toBe('running')
    })

    it('keeps neither for a zombie whose job another worker has', async () => {
      const stage = await openStage(subject)
      const zombie = await stage.running({}, { leaseMs: 30 * secondMs })
      await stage.clock.advance(30 * secondMs + 1)
      await stage.rescue()
      const lease = await stage.claimOne({ worker: 'worker-2' })
      expect(await completeWith(stage, zombie, 'zombie')).toBe('lease-lost')
      expect(await completeWith(stage, lease, 'right', 'worker-2')).toBe('settled')
      expect(await completeWith(stage, zombie, 'zombie')).toBe('lease-lost')
      expect(await stage.caller.notes()).toEqual(['right'])
    })

    it('keeps neither for an earlier attempt of the same worker', async () => {
      const stage = await openStage(subject)
      const first = await stage.finished(retry())
      const second = await stage.claimOne()
      expect(await completeWith(stage, first, 'late')).not.toBe('settled')
      expect(await stage.caller.notes()).toEqual([])
      expect(await completeWith(stage, second, 'right')).toBe('settled')
    })

    it('repeated after a lost reply does the work once', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      expect(await completeWith(stage, lease, 'sent')).toBe('settled')
      expect(await completeWith(stage, lease, 'sent')).toBe('already-settled')
      expect(await stage.caller.notes()).toEqual(['sent'])
    })

    it('of a job that is gone keeps nothing', async () => {
      const stage = await openStage(subject)
      const lease = await stage.finished(complete())
      await stage.engine.remove([lease.id])
      expect(await completeWith(stage, lease, 'late')).toBe('gone')
      expect(await stage.caller.notes()).toEqual([])
    })

    it('says at once that the job has finished', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      const hints: Hint[] = []
      stage.engine.subscribe(hint => hints.push(hint))
      await completeWith(stage, lease, 'sent')
      await stage.clock.quiet()
      expect(hints.some(hint => hint.kind === 'settled' && hint.ids?.has(lease.id))).toBe(true)
    })

    if (subject.asyncWork)
      it('waits for work that takes its time', async () => {
        const stage = await openStage(subject)
        const lease = await stage.running()
        const answer = stage.engine.completeIn('worker-1', lease, async tx => {
          await stage.caller.write(tx, 'first')
          await turn()
          await stage.caller.write(tx, 'second')
          return completion()
        })
        expect(await answer).toBe('settled')
        expect(await stage.caller.notes()).toEqual(['first', 'second'])
        expect((await stage.job(lease.id)).state).toBe('completed')
      })
    else
      it('refuses work that takes its time, and keeps nothing of it', async () => {
        const stage = await openStage(subject)
        const lease = await stage.running()
        const answer = stage.engine.completeIn('worker-1', lease, async tx => {
          await stage.caller.write(tx, 'sent')
          return completion()
        })
        await expect(answer).rejects.toMatchObject({ code: 'invalid-argument' })
        expect(await stage.caller.notes()).toEqual([])
        expect((await stage.job(lease.id)).state).toBe('running')
        expect(await completeWith(stage, lease, 'at once')).toBe('settled')
      })

    it('keeps calls made meanwhile out of it', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      const id = stage.newId()
      const enqueued = stage.engine.enqueue([aJob({ id })])
      const failed = stage.engine.completeIn('worker-1', lease, () => {
        throw new Error('no')
      })
      await expect(failed).rejects.toThrow('no')
      expect(await enqueued).toEqual([{ outcome: 'enqueued', id }])
      expect((await stage.job(id)).state).toBe('queued')
      expect(await completeWith(stage, lease, 'second')).toBe('settled')
      expect(await stage.caller.notes()).toEqual(['second'])
    })
  })
}

function completion(): Completion {
  return { resultJson: null, ranMs: 0 }
}

function completeWith(stage: Stage, lease: Lease, note: string, worker = 'worker-1'): Promise<SettleAnswer> {
  return stage.engine.completeIn(worker, lease, tx => after(stage.caller.write(tx, note), completion))
}
