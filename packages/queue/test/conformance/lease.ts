import { describe, expect, it } from 'vitest'
import type { Engine } from '../../src/engine/contract.ts'
import { complete, minuteMs, retry, secondMs } from './samples.ts'
import { type EngineSubject, openStage } from './stage.ts'

const leaseMs = 30 * secondMs

export function leaseCases(subject: EngineSubject): void {
  it('lets an attempt be settled until it ends', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running({}, { leaseMs })
    await stage.clock.advance(leaseMs - 1)
    expect(await stage.settle(lease, complete())).toBe('settled')
  })

  it('refuses a settle after its end, even if nobody has rescued the job yet', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running({}, { leaseMs })
    await stage.clock.advance(leaseMs + 1)
    expect(await stage.settle(lease, complete('"late"'))).toBe('lease-lost')
    expect(await stage.job(lease.id)).toMatchObject({ state: 'running', resultJson: null })
  })

  it('refuses every outcome after its end', async () => {
    const stage = await openStage(subject)
    for (const outcome of [complete(), retry(), { kind: 'release' } as const]) {
      const lease = await stage.running({}, { leaseMs, worker: outcome.kind })
      await stage.clock.advance(leaseMs + 1)
      expect(await stage.settle(lease, outcome, { worker: outcome.kind })).toBe('lease-lost')
    }
  })

  it('is made once by a worker that is new in several calls at once, and what it claims stays its own', async () => {
    const stage = await openStage(subject)
    const engines = [stage.engine, await stage.another(), await stage.another()]
    for (let round = 0; round < 20; round++) {
      const worker = `new-${round}`
      await stage.enqueueMany(6)
      const [beat, ...claims] = await Promise.all([
        stage.beat(worker, [], { engine: engines[0] as Engine }),
        ...engines.flatMap(engine => [0, 1].map(() => stage.claim({ worker, engine, limit: 1 }))),
      ])
      expect(beat.lost).toEqual([])
      const jobs = claims.flat()
      expect(new Set(jobs.map(job => job.id)).size).toBe(jobs.length)
      expect((await stage.beat(worker, jobs)).lost).toEqual([])
    }
  })

  describe('heartbeat', () => {
    it('extends a lease', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running({}, { leaseMs })
      await stage.clock.advance(20 * secondMs)
      expect(await stage.beat('worker-1', [lease], { leaseMs })).toEqual({
        lost: [],
        cancelRequested: [],
        serverNow: stage.clock.now(),
      })
      expect((await stage.job(lease.id)).leaseExpiresAt).toBe(stage.clock.now() + leaseMs)
      await stage.clock.advance(20 * secondMs)
      expect(await stage.settle(lease, complete())).toBe('settled')
    })

    it('holds a lease for hours', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running({}, { leaseMs })
      for (let beat = 0; beat < 250; beat++) {
        await stage.clock.advance(leaseMs - 1)
        await stage.beat('worker-1', [lease], { leaseMs })
      }
      expect(await stage.rescue()).toEqual([])
      expect(await stage.settle(lease, complete())).toBe('settled')
    })

    it('extends all leases of the worker together', async () => {
      const stage = await openStage(subject)
      await stage.enqueueMany(20)
      const leases = await stage.claim({ limit: 20, leaseMs })
      await stage.clock.advance(20 * secondMs)
      await stage.beat('worker-1', leases, { leaseMs })
      await stage.clock.advance(20 * secondMs)
      expect(await stage.rescue()).toEqual([])
    })

    it('of one worker leaves the leases of another to their end', async () => {
      const stage = await openStage(subject)
      const mine = await stage.running({}, { worker: 'worker-1', leaseMs })
      const theirs = await stage.running({}, { worker: 'worker-2', leaseMs })
      await stage.clock.advance(20 * secondMs)
      await stage.beat('worker-1', [mine], { leaseMs })
      await stage.clock.advance(20 * secondMs)
      expect(await stage.settle(theirs, complete(), { worker: 'worker-2' })).toBe('lease-lost')
      expect(await stage.settle(mine, complete())).toBe('settled')
    })

    it('tells of a lease that has ended, and does not bring it back', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running({}, { leaseMs })
      await stage.clock.advance(leaseMs + 1)
      expect(await stage.beat('worker-1', [lease], { leaseMs })).toMatchObject({ lost: [lease.id] })
      expect(await stage.settle(lease, complete())).toBe('lease-lost')
      await stage.rescue()
      expect(await stage.claimOne({ worker: 'worker-2' })).toMatchObject({ id: lease.id, attempt: 2 })
    })

    it('tells of a lease that was taken over', async () => {
      const stage = await openStage(subject)
      await stage.enqueueMany(2)
      const leases = await stage.claim({ leaseMs })
      await stage.clock.advance(leaseMs + 1)
      await stage.rescue()
      await stage.claim({ worker: 'worker-2', limit: 1, leaseMs })
      expect((await stage.beat('worker-1', leases, { leaseMs })).lost.toSorted()).toEqual(
        leases.map(lease => lease.id).toSorted(),
      )
    })

    it('tells only of what was lost among what is held', async () => {
      const stage = await openStage(subject)
      const old = await stage.running({}, { leaseMs })
      await stage.clock.advance(leaseMs + 1)
      await stage.rescue()
      const taken = await stage.claimOne({ worker: 'worker-2', leaseMs: minuteMs })
      expect(taken.id).toBe(old.id)
      const held = await stage.running({}, { leaseMs })
      expect((await stage.beat('worker-1', [old, held], { leaseMs })).lost).toEqual([old.id])
    })

    it('tells of an earlier attempt of the same worker', async () => {
      const stage = await openStage(subject)
      const first = await stage.finished(retry())
      const second = await stage.claimOne()
      expect((await stage.beat('worker-1', [second])).lost).toEqual([])
      expect((await stage.beat('worker-1', [first])).lost).toEqual([first.id])
    })

    it('answers by the clock of the engine', async () => {
      const stage = await openStage(subject)
      await stage.clock.advance(12_345)
      expect((await stage.beat('worker-1', [])).serverNow).toBe(stage.clock.now())
    })
  })

  it('that has ended is not brought back by a new claim of its worker', async () => {
    const stage = await openStage(subject)
    const old = await stage.running({ priority: 9 }, { leaseMs })
    await stage.clock.advance(leaseMs + 1)
    const fresh = await stage.running({ priority: 1 }, { leaseMs })
    expect(fresh.id).not.toBe(old.id)
    expect(await stage.settle(old, complete())).toBe('lease-lost')
    expect(await stage.settle(fresh, complete())).toBe('settled')
    await stage.rescue()
    expect(await stage.claimOne({ worker: 'worker-2' })).toMatchObject({ id: old.id, attempt: 2 })
  })

  describe('a worker', () => {
    it('is registered by its first heartbeat', async () => {
      const stage = await openStage(subject)
      const startedAt = stage.clock.now()
      await stage.beat('worker-1', [], { label: 'host:42', leaseMs })
      await stage.clock.advance(10 * secondMs)
      await stage.beat('worker-1', [], { label: 'host:42', leaseMs })
      expect(await stage.engine.workers()).toEqual([
        {
          worker: 'worker-1',
          label: 'host:42',
          startedAt,
          beatAt: stage.clock.now(),
          expiresAt: stage.clock.now() + leaseMs,
          lanes: null,
        },
      ])
    })

    it('says what it claims, and that stands until it says something else', async () => {
      const stage = await openStage(subject)
      const lanes = [{ queue: 'default', types: ['mail', 'report'] }]
      const beat = { worker: 'worker-1', label: 'host:42', leases: [], leaseMs }
      await stage.engine.heartbeat({ ...beat, lanes })
      await stage.engine.heartbeat(beat)
      expect((await stage.engine.workers()).map(each => each.lanes)).toEqual([lanes])
      const fewer = [{ queue: 'default', types: ['mail'] }]
      await stage.engine.heartbeat({ ...beat, lanes: fewer })
      expect((await stage.engine.workers()).map(each => each.lanes)).toEqual([fewer])
    })

    it('is seen by another instance', async () => {
      const stage = await openStage(subject)
      const other = await stage.another()
      await stage.beat('worker-1', [])
      await stage.beat('worker-2', [], { engine: other })
      const seen = [await stage.engine.workers(), await other.workers()].map(all =>
        all.map(each => each.worker),
      )
      for (const workers of seen) expect(workers.toSorted()).toEqual(['worker-1', 'worker-2'])
    })

    it('is forgotten when it retires', async () => {
      const stage = await openStage(subject)
      await stage.beat('worker-1', [])
      await stage.beat('worker-2', [])
      await stage.engine.retire('worker-1')
      expect((await stage.engine.workers()).map(each => each.worker)).toEqual(['worker-2'])
    })

    it('that retires twice, or never was, hurts nobody', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running({}, { worker: 'worker-2' })
      await stage.engine.retire('worker-1')
      await stage.engine.retire('worker-1')
      expect(await stage.settle(lease, complete(), { worker: 'worker-2' })).toBe('settled')
    })

    it('that retires loses what it still holds at once', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      await stage.engine.retire('worker-1')
      await stage.rescue()
      expect(await stage.settle(lease, complete())).toBe('lease-lost')
      expect(await stage.claimOne({ worker: 'worker-2' })).toMatchObject({ id: lease.id })
    })

    it('that died is no longer listed once its jobs were rescued', async () => {
      const stage = await openStage(subject)
      await stage.beat('worker-1', [], { leaseMs })
      await stage.running({}, { leaseMs })
      await stage.clock.advance(leaseMs + 1)
      await stage.rescue()
      await stage.rescue()
      expect(await stage.engine.workers()).toEqual([])
    })
  })
}
