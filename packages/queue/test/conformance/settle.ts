import { describe, expect, it } from 'vitest'
import type { Lease } from '../../src/engine/contract.ts'
import type { Outcome } from '../../src/job/decide.ts'
import { anError, cancelled, complete, dead, minuteMs, release, retry, secondMs, snooze } from './samples.ts'
import { type EngineSubject, openStage } from './stage.ts'

export function settleCases(subject: EngineSubject): void {
  it('completes a job with its result', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running()
    await stage.clock.advance(secondMs)
    expect(await stage.settle(lease, complete('{"ok":true}'))).toBe('settled')
    expect(await stage.job(lease.id)).toMatchObject({
      state: 'completed',
      resultJson: '{"ok":true}',
      finishedAt: stage.clock.now(),
      worker: 'worker-1',
      attempt: 1,
      leaseExpiresAt: null,
      lastError: null,
    })
  })

  it('completes a job without a result', async () => {
    const stage = await openStage(subject)
    const { id } = await stage.finished(complete(null))
    expect(await stage.job(id)).toMatchObject({ state: 'completed', resultJson: null })
  })

  it('kills a job with its error', async () => {
    const stage = await openStage(subject)
    const { id } = await stage.finished(dead('no such account'))
    expect(await stage.job(id)).toMatchObject({
      state: 'dead',
      lastError: anError('no such account'),
      finishedAt: stage.clock.now(),
    })
    expect(await stage.claim()).toEqual([])
  })

  it('cancels a job with its reason', async () => {
    const stage = await openStage(subject)
    const { id } = await stage.finished(cancelled('changed my mind'))
    expect(await stage.job(id)).toMatchObject({ state: 'cancelled', cancelReason: 'changed my mind' })
  })

  it('queues a failed attempt again after its wait', async () => {
    const stage = await openStage(subject)
    const first = await stage.finished(retry(4 * secondMs, 'connection refused'))
    expect(await stage.job(first.id)).toMatchObject({
      state: 'queued',
      attempt: 1,
      runAt: stage.clock.now() + 4 * secondMs,
      lastError: anError('connection refused'),
      worker: null,
      leaseExpiresAt: null,
      finishedAt: null,
    })
    await stage.clock.advance(4 * secondMs - 1)
    expect(await stage.claim()).toEqual([])
    await stage.clock.advance(1)
    expect(await stage.claimOne()).toMatchObject({ id: first.id, attempt: 2 })
  })

  it('gives a snoozed job its attempt back, however often', async () => {
    const stage = await openStage(subject)
    const id = await stage.enqueue({ maxAttempts: 1 })
    for (let round = 0; round < 4; round++) {
      const lease = await stage.claimOne()
      expect(lease).toMatchObject({ id, attempt: 1 })
      expect(await stage.settle(lease, snooze(minuteMs))).toBe('settled')
      expect(await stage.job(id)).toMatchObject({
        state: 'queued',
        attempt: 0,
        runAt: stage.clock.now() + minuteMs,
      })
      expect(await stage.claim()).toEqual([])
      await stage.clock.advance(minuteMs)
    }
  })

  it('gives a released job its attempt and its place back', async () => {
    const stage = await openStage(subject)
    const [first] = await stage.enqueueMany(3, { maxAttempts: 1 })
    for (let round = 0; round < 4; round++) {
      const lease = await stage.claimOne()
      expect(lease).toMatchObject({ id: first, attempt: 1, deaths: 0 })
      expect(await stage.settle(lease, release)).toBe('settled')
    }
    expect(await stage.job(first as string)).toMatchObject({ state: 'queued', attempt: 0, deaths: 0 })
  })

  it('keeps the count of attempts when a later one is released', async () => {
    const stage = await openStage(subject)
    await stage.finished(retry())
    await stage.settle(await stage.claimOne(), release)
    expect(await stage.claimOne()).toMatchObject({ attempt: 2 })
  })

  it('answers a batch item by item, in order', async () => {
    const stage = await openStage(subject)
    const removed = await stage.finished(complete())
    await stage.engine.remove([removed.id])
    const ids = await stage.enqueueMany(5)
    const [a, b, c, d, e] = (await stage.claim()) as unknown as [Lease, Lease, Lease, Lease, Lease]
    const settlements: [Lease, Outcome][] = [
      [a, complete()],
      [{ ...b, epoch: b.epoch - 1 }, complete()],
      [removed, complete()],
      [c, dead()],
      [d, retry()],
      [e, release],
    ]
    const answers = await stage.engine.settle(
      'worker-1',
      settlements.map(([lease, outcome]) => ({ lease, outcome, ranMs: 1 })),
    )
    expect(answers).toEqual(['settled', 'lease-lost', 'gone', 'settled', 'settled', 'settled'])
    expect(await stage.states(ids)).toEqual(['completed', 'running', 'dead', 'queued', 'queued'])
  })

  it('answers an empty batch with nothing', async () => {
    const { engine } = await openStage(subject)
    expect(await engine.settle('worker-1', [])).toEqual([])
  })

  it('settles a batch of hundreds', async () => {
    const stage = await openStage(subject)
    await stage.enqueueMany(500)
    const leases = await stage.claim({ limit: 500 })
    const answers = await stage.engine.settle(
      'worker-1',
      leases.map(lease => ({ lease, outcome: complete(JSON.stringify(lease.id)), ranMs: 1 })),
    )
    expect(new Set(answers)).toEqual(new Set(['settled']))
    const records = await stage.engine.get(leases.map(lease => lease.id))
    expect(records.map(record => record?.resultJson)).toEqual(leases.map(lease => JSON.stringify(lease.id)))
  })

  it('takes a lease as the plain value it is', async () => {
    const stage = await openStage(subject)
    const { id, epoch, token } = await stage.running()
    const copy = JSON.parse(JSON.stringify({ id, epoch, token })) as Lease
    expect(await stage.settle(copy, complete())).toBe('settled')
  })

  it('works through another instance', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running()
    expect(await stage.settle(lease, complete(), { engine: await stage.another() })).toBe('settled')
    expect((await stage.job(lease.id)).state).toBe('completed')
  })

  it('reckons the start of the attempt from how long it ran', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running()
    await stage.clock.advance(10 * secondMs)
    await stage.settle(lease, complete(), { ranMs: 3_000 })
    expect(await stage.job(lease.id)).toMatchObject({
      startedAt: stage.clock.now() - 3_000,
      finishedAt: stage.clock.now(),
    })
  })

  describe('a stale lease', () => {
    it('of an earlier epoch is refused', async () => {
      const stage = await openStage(subject)
      const first = await stage.finished(retry())
      const second = await stage.claimOne({ worker: 'worker-2' })
      expect(await stage.settle(first, complete('"late"'))).not.toBe('settled')
      expect(await stage.job(first.id)).toMatchObject({
        state: 'running',
        epoch: second.epoch,
        resultJson: null,
      })
      expect(await stage.settle(second, complete('"right"'), { worker: 'worker-2' })).toBe('settled')
    })

    it.each([complete('"late"'), dead(), retry(), snooze(), release, cancelled()])(
      'of an earlier attempt of the same worker is refused: $kind',
      async outcome => {
        const stage = await openStage(subject)
        const first = await stage.finished(retry())
        const second = await stage.claimOne()
        const before = await stage.job(first.id)
        expect(await stage.settle(first, outcome)).not.toBe('settled')
        expect(await stage.job(first.id)).toEqual(before)
        expect(await stage.settle(second, complete('"right"'))).toBe('settled')
      },
    )

    it('of an epoch that never was is refused', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      expect(await stage.settle({ ...lease, epoch: lease.epoch + 1 }, complete())).toBe('lease-lost')
      expect((await stage.job(lease.id)).state).toBe('running')
    })

    it('is refused for a job that waits', async () => {
      const stage = await openStage(subject)
      const id = await stage.enqueue()
      const { epoch } = await stage.job(id)
      expect(await stage.settle({ id, epoch, token: '' }, complete())).not.toBe('settled')
      expect((await stage.job(id)).state).toBe('queued')
    })

    it('of a removed job answers gone', async () => {
      const stage = await openStage(subject)
      const lease = await stage.finished(complete())
      await stage.engine.remove([lease.id])
      expect(await stage.settle(lease, complete())).toBe('gone')
    })

    it('does not touch a job that was redriven since', async () => {
      const stage = await openStage(subject)
      const lease = await stage.finished(dead())
      await stage.engine.redrive([lease.id])
      expect(await stage.settle(lease, dead())).not.toBe('settled')
      expect(await stage.job(lease.id)).toMatchObject({ state: 'queued', attempt: 0 })
    })
  })

  describe('repeated', () => {
    it.each([
      ['completion', complete('1'), 'completed'],
      ['death', dead('first'), 'dead'],
      ['cancellation', cancelled('first'), 'cancelled'],
      ['retry', retry(minuteMs, 'first'), 'queued'],
    ] as const)('a %s answers already-settled and changes nothing', async (_what, outcome, state) => {
      const stage = await openStage(subject)
      const lease = await stage.finished(outcome)
      const before = await stage.job(lease.id)
      const counts = await stage.engine.counts()
      await stage.clock.advance(secondMs)
      expect(await stage.settle(lease, outcome)).toBe('already-settled')
      expect(await stage.settle(lease, complete('"another"'))).toBe('already-settled')
      expect(await stage.job(lease.id)).toEqual(before)
      expect(before.state).toBe(state)
      expect(await stage.engine.counts()).toEqual(counts)
      expect(await stage.engine.attempts(lease.id)).toHaveLength(1)
    })

    it.each([
      ['release', release],
      ['snooze', snooze(minuteMs)],
    ] as const)('a %s changes nothing more', async (_what, outcome) => {
      const stage = await openStage(subject)
      const lease = await stage.finished(outcome)
      const before = await stage.job(lease.id)
      expect(await stage.settle(lease, outcome)).not.toBe('settled')
      expect(await stage.job(lease.id)).toEqual(before)
    })

    it('in one batch, the first counts', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      const settlements = [complete('"first"'), complete('"second"')].map(outcome => ({
        lease,
        outcome,
        ranMs: 1,
      }))
      expect(await stage.engine.settle('worker-1', settlements)).toEqual(['settled', 'already-settled'])
      expect((await stage.job(lease.id)).resultJson).toBe('"first"')
    })

    it.each(['older', 'newer'] as const)(
      'in one call with another lease of the same job, the %s first, counts for the newer',
      async first => {
        const stage = await openStage(subject)
        const older = await stage.running({}, { leaseMs: minuteMs })
        await stage.clock.advance(minuteMs + 1)
        await stage.rescue()
        const newer = await stage.claimOne()
        const leases = first === 'older' ? [older, newer] : [newer, older]
        const answers = await stage.engine.settle(
          'worker-1',
          leases.map(lease => ({ lease, outcome: complete(`"${lease.epoch}"`), ranMs: 1 })),
        )
        expect(answers[leases.indexOf(newer)]).toBe('settled')
        expect(answers[leases.indexOf(older)]).toBe('lease-lost')
        expect(await stage.job(newer.id)).toMatchObject({
          state: 'completed',
          epoch: newer.epoch,
          resultJson: `"${newer.epoch}"`,
        })
      },
    )

    it('at the same time through two instances, one counts', async () => {
      const stage = await openStage(subject)
      const other = await stage.another()
      const lease = await stage.running()
      const answers = await Promise.all([
        stage.settle(lease, complete('"a"')),
        stage.settle(lease, complete('"b"'), { engine: other }),
      ])
      expect(answers.toSorted()).toEqual(['already-settled', 'settled'])
      expect((await stage.engine.counts()).total.completed).toBe(1)
    })
  })
}
