import { describe, expect, it } from 'vitest'
import { complete, minuteMs, retry, secondMs } from './samples.ts'
import { type EngineSubject, openStage } from './stage.ts'

const leaseMs = 30 * secondMs

export function rescueCases(subject: EngineSubject): void {
  it('leaves a job alone while its lease lasts', async () => {
    const stage = await openStage(subject)
    const { id } = await stage.running({}, { leaseMs })
    await stage.clock.advance(leaseMs - 1)
    expect(await stage.rescue()).toEqual([])
    expect((await stage.job(id)).state).toBe('running')
  })

  it('puts a dead worker’s job back into the queue, and says so', async () => {
    const stage = await openStage(subject)
    const { id } = await stage.running(
      { type: 'report', queue: 'slow', tenant: 'acme' },
      { leaseMs, worker: 'worker-9' },
    )
    await stage.clock.advance(leaseMs + 1)
    expect(await stage.rescue()).toEqual([
      {
        id,
        type: 'report',
        queue: 'slow',
        tenant: 'acme',
        worker: 'worker-9',
        attempt: 1,
        deaths: 1,
        now: 'queued',
      },
    ])
    expect(await stage.job(id)).toMatchObject({ state: 'queued', attempt: 1, deaths: 1, worker: null })
  })

  it('makes the job claimable at once, for its next attempt', async () => {
    const stage = await openStage(subject)
    const first = await stage.running({ payloadJson: '"kept"', priority: 3, tenant: 'acme' }, { leaseMs })
    await stage.clock.advance(leaseMs + 1)
    await stage.rescue()
    const second = await stage.claimOne({ worker: 'worker-2' })
    expect(second).toMatchObject({
      id: first.id,
      attempt: 2,
      deaths: 1,
      payloadJson: '"kept"',
      priority: 3,
      tenant: 'acme',
    })
    expect(second.epoch).toBeGreaterThan(first.epoch)
  })

  it('kills a job whose worker died on the last attempt, with an error that says so', async () => {
    const stage = await openStage(subject)
    const { id } = await stage.running({ maxAttempts: 1 }, { leaseMs, worker: 'worker-9' })
    await stage.clock.advance(leaseMs + 1)
    expect(await stage.rescue()).toMatchObject([{ id, now: 'dead' }])
    const job = await stage.job(id)
    expect(job).toMatchObject({ state: 'dead', deaths: 1, finishedAt: stage.clock.now() })
    expect(job.lastError?.message).toMatch(/worker/i)
    expect(await stage.claim()).toEqual([])
  })

  it('kills a job on its last attempt after failures, too', async () => {
    const stage = await openStage(subject)
    const { id } = await stage.finished(retry(), { maxAttempts: 2 })
    await stage.claimOne({ leaseMs: minuteMs })
    await stage.clock.advance(minuteMs + 1)
    expect(await stage.rescue()).toMatchObject([{ id, attempt: 2, now: 'dead' }])
  })

  it('refuses the late settle of the worker that was thought dead', async () => {
    const stage = await openStage(subject)
    const zombie = await stage.running({}, { leaseMs })
    await stage.clock.advance(leaseMs + 1)
    await stage.rescue()
    expect(await stage.settle(zombie, complete('"zombie"'))).toBe('lease-lost')
    const lease = await stage.claimOne({ worker: 'worker-2' })
    expect(await stage.settle(zombie, complete('"zombie"'))).toBe('lease-lost')
    expect(await stage.settle(lease, complete('"right"'), { worker: 'worker-2' })).toBe('settled')
    expect(await stage.settle(zombie, complete('"zombie"'))).toBe('lease-lost')
    expect((await stage.job(zombie.id)).resultJson).toBe('"right"')
  })

  it('rescues each job once', async () => {
    const stage = await openStage(subject)
    const { id } = await stage.running({}, { leaseMs })
    await stage.clock.advance(leaseMs + 1)
    expect(await stage.rescue()).toHaveLength(1)
    expect(await stage.rescue()).toEqual([])
    expect(await stage.job(id)).toMatchObject({ deaths: 1 })
  })

  it('rescues each job once when instances race', async () => {
    const stage = await openStage(subject)
    const engines = [stage.engine, await stage.another(), await stage.another()]
    const ids = await stage.enqueueMany(50)
    await stage.claim({ limit: 50, leaseMs })
    await stage.clock.advance(leaseMs + 1)
    const rescued = (await Promise.all(engines.map(engine => stage.rescue({ engine })))).flat()
    expect(rescued.map(each => each.id).toSorted()).toEqual(ids.toSorted())
    expect(new Set(rescued.map(each => each.deaths))).toEqual(new Set([1]))
  })

  it('takes no more than the limit at a time', async () => {
    const stage = await openStage(subject)
    await stage.enqueueMany(5)
    await stage.claim({ leaseMs })
    await stage.clock.advance(leaseMs + 1)
    expect(await stage.rescue({ limit: 2 })).toHaveLength(2)
    expect(await stage.rescue({ limit: 2 })).toHaveLength(2)
    expect(await stage.rescue({ limit: 2 })).toHaveLength(1)
  })

  it('leaves the jobs of a beating worker alone', async () => {
    const stage = await openStage(subject)
    const alive = await stage.running({}, { worker: 'alive', leaseMs })
    const lost = await stage.running({}, { worker: 'lost', leaseMs })
    await stage.clock.advance(20 * secondMs)
    await stage.beat('alive', [alive], { leaseMs })
    await stage.clock.advance(20 * secondMs)
    expect(await stage.rescue()).toMatchObject([{ id: lost.id, worker: 'lost' }])
    expect(await stage.settle(alive, complete(), { worker: 'alive' })).toBe('settled')
  })

  it('leaves settled and waiting jobs alone', async () => {
    const stage = await openStage(subject)
    await stage.finished(complete())
    await stage.finished(retry(minuteMs))
    await stage.enqueue()
    await stage.clock.advance(10 * minuteMs)
    expect(await stage.rescue()).toEqual([])
  })

  it('works from an instance that never saw the job', async () => {
    const stage = await openStage(subject)
    const { id } = await stage.running({}, { leaseMs })
    const other = await stage.another()
    await stage.clock.advance(leaseMs + 1)
    expect(await stage.rescue({ engine: other })).toMatchObject([{ id }])
  })

  it('records the attempt as lost with its worker', async () => {
    const stage = await openStage(subject)
    const { id } = await stage.running({}, { leaseMs })
    await stage.clock.advance(leaseMs + 1)
    await stage.rescue()
    expect(await stage.engine.attempts(id)).toMatchObject([
      { attempt: 1, worker: 'worker-1', outcome: 'worker-lost', endedAt: stage.clock.now() },
    ])
  })

  describe('poison', () => {
    it('a job that has killed its worker three times is dead, though attempts remain', async () => {
      const stage = await openStage(subject)
      const id = await stage.enqueue({ maxAttempts: 100 })
      const outcomes: string[] = []
      for (let death = 0; death < 3; death++) {
        await stage.claimOne({ worker: `worker-${death}`, leaseMs })
        await stage.clock.advance(leaseMs + 1)
        outcomes.push(...(await stage.rescue({ maxDeaths: 3 })).map(each => each.now))
      }
      expect(outcomes).toEqual(['queued', 'queued', 'dead'])
      const job = await stage.job(id)
      expect(job).toMatchObject({ state: 'dead', deaths: 3 })
      expect(job.lastError?.message).toMatch(/worker/i)
      expect(job.lastError?.message).toContain('3')
    })

    it('failures do not count as deaths', async () => {
      const stage = await openStage(subject)
      const id = await stage.enqueue({ maxAttempts: 100 })
      for (let round = 0; round < 5; round++) await stage.settle(await stage.claimOne(), retry())
      await stage.claimOne({ leaseMs, worker: 'worker-2' })
      await stage.clock.advance(minuteMs + 1)
      expect(await stage.rescue({ maxDeaths: 2 })).toMatchObject([{ id, deaths: 1, now: 'queued' }])
    })

    it('deaths count over failures in between', async () => {
      const stage = await openStage(subject)
      const id = await stage.enqueue({ maxAttempts: 100 })
      await stage.claimOne({ leaseMs, worker: 'worker-1' })
      await stage.clock.advance(leaseMs + 1)
      await stage.rescue()
      await stage.settle(await stage.claimOne({ worker: 'worker-2' }), retry(), { worker: 'worker-2' })
      await stage.claimOne({ leaseMs, worker: 'worker-3' })
      await stage.clock.advance(leaseMs + 1)
      expect(await stage.rescue({ maxDeaths: 2 })).toMatchObject([{ id, deaths: 2, now: 'dead' }])
    })

    it('the bound is the caller’s', async () => {
      const stage = await openStage(subject)
      const { id } = await stage.running({ maxAttempts: 100 }, { leaseMs })
      await stage.clock.advance(leaseMs + 1)
      expect(await stage.rescue({ maxDeaths: 1 })).toMatchObject([{ id, now: 'dead' }])
    })

    it('neighbours that were released are not hurt', async () => {
      const stage = await openStage(subject)
      const poison = await stage.enqueue({ priority: 1, maxAttempts: 100 })
      const neighbours = await stage.enqueueMany(3, { maxAttempts: 1 })
      for (let death = 0; death < 3; death++) {
        const [, ...leases] = await stage.claim({ leaseMs })
        for (const lease of leases) await stage.settle(lease, { kind: 'release' })
        await stage.clock.advance(leaseMs + 1)
        await stage.rescue()
      }
      expect(await stage.states([poison, ...neighbours])).toEqual(['dead', 'queued', 'queued', 'queued'])
      for (const id of neighbours) expect(await stage.job(id)).toMatchObject({ deaths: 0, attempt: 0 })
    })
  })
}
