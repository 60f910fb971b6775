import { describe, expect, it } from 'vitest'
import {
  cancelled,
  complete,
  dead,
  hourMs,
  minuteMs,
  release,
  retry,
  secondMs,
  snooze,
  unknownId,
} from './samples.ts'
import { type EngineSubject, openStage } from './stage.ts'

export function cancelCases(subject: EngineSubject): void {
  it('ends a waiting job at once, with its reason', async () => {
    const stage = await openStage(subject)
    const id = await stage.enqueue()
    expect(await stage.engine.cancel([id], 'not needed')).toEqual(['cancelled'])
    expect(await stage.job(id)).toMatchObject({
      state: 'cancelled',
      cancelReason: 'not needed',
      finishedAt: stage.clock.now(),
    })
    expect(await stage.claim()).toEqual([])
  })

  it('ends a delayed job, which never falls due', async () => {
    const stage = await openStage(subject)
    const id = await stage.enqueue({ delayMs: hourMs })
    expect(await stage.engine.cancel([id], '')).toEqual(['cancelled'])
    await stage.clock.advance(hourMs)
    expect(await stage.claimAnswer()).toEqual({ jobs: [], nextDueInMs: null })
  })

  it('ends a job that waits for another attempt', async () => {
    const stage = await openStage(subject)
    const { id } = await stage.finished(retry(minuteMs))
    expect(await stage.engine.cancel([id], '')).toEqual(['cancelled'])
    expect(await stage.job(id)).toMatchObject({ state: 'cancelled', attempt: 1 })
  })

  it('ends a job in a paused queue', async () => {
    const stage = await openStage(subject)
    await stage.engine.configureQueue('default', { paused: true })
    const id = await stage.enqueue()
    expect(await stage.engine.cancel([id], '')).toEqual(['cancelled'])
  })

  it('asks a running job to stop, which runs on until it settles', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running()
    expect(await stage.engine.cancel([lease.id], 'stop it')).toEqual(['requested'])
    expect((await stage.job(lease.id)).state).toBe('running')
    expect(await stage.settle(lease, cancelled('stop it'))).toBe('settled')
    expect(await stage.job(lease.id)).toMatchObject({ state: 'cancelled', cancelReason: 'stop it' })
  })

  it('keeps the reason of whoever asked, whatever the handler says', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running()
    await stage.engine.cancel([lease.id], 'the customer left')
    await stage.settle(lease, cancelled('it was asked to stop'))
    expect((await stage.job(lease.id)).cancelReason).toBe('the customer left')
  })

  it.each([
    ['completed', complete('1')],
    ['dead', dead()],
    ['cancelled', cancelled('first')],
  ] as const)('leaves a %s job as it is', async (state, outcome) => {
    const stage = await openStage(subject)
    const { id } = await stage.finished(outcome)
    const before = await stage.job(id)
    expect(await stage.engine.cancel([id], 'too late')).toEqual(['already-finished'])
    expect(await stage.job(id)).toEqual(before)
    expect(before.state).toBe(state)
  })

  it('answers a batch item by item, in order', async () => {
    const stage = await openStage(subject)
    const finished = await stage.finished(complete())
    const running = await stage.running()
    const waiting = await stage.enqueue()
    expect(await stage.engine.cancel([finished.id, unknownId, running.id, waiting], '')).toEqual([
      'already-finished',
      'not-found',
      'requested',
      'cancelled',
    ])
    expect(await stage.engine.cancel([], '')).toEqual([])
  })

  it('can be repeated', async () => {
    const stage = await openStage(subject)
    const running = await stage.running()
    const waiting = await stage.enqueue()
    await stage.engine.cancel([running.id, waiting], 'first')
    const counts = await stage.engine.counts()
    expect(await stage.engine.cancel([running.id, waiting], 'second')).toEqual([
      'requested',
      'already-finished',
    ])
    expect((await stage.job(waiting)).cancelReason).toBe('first')
    expect(await stage.engine.counts()).toEqual(counts)
  })

  it('through another instance reaches the worker', async () => {
    const stage = await openStage(subject)
    const other = await stage.another()
    const lease = await stage.running()
    expect(await stage.engine.cancelRequests('worker-1', [lease])).toEqual([])
    await other.cancel([lease.id], '')
    expect(await stage.engine.cancelRequests('worker-1', [lease])).toEqual([lease.id])
    expect(await stage.beat('worker-1', [lease])).toMatchObject({ cancelRequested: [lease.id], lost: [] })
  })

  it('asks only the jobs that are meant', async () => {
    const stage = await openStage(subject)
    await stage.enqueueMany(3)
    const [first, second, third] = await stage.claim()
    if (!first || !second || !third) throw new Error('three jobs were expected')
    const theirs = await stage.running({}, { worker: 'worker-2' })
    await stage.engine.cancel([second.id, theirs.id], '')
    expect(await stage.engine.cancelRequests('worker-1', [first, second, third])).toEqual([second.id])
    expect(await stage.engine.cancelRequests('worker-2', [theirs])).toEqual([theirs.id])
  })

  it('is not asked for again by a later attempt', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running()
    await stage.engine.cancel([lease.id], '')
    await stage.settle(lease, cancelled())
    await stage.engine.redrive([lease.id])
    const next = await stage.claimOne()
    expect(await stage.engine.cancelRequests('worker-1', [next])).toEqual([])
    expect(await stage.job(next.id)).toMatchObject({ state: 'running', cancelReason: null })
  })

  describe('of a running job', () => {
    it.each([
      ['retry', retry(secondMs)],
      ['snooze', snooze(secondMs)],
      ['release', release],
    ] as const)('turns its %s into the cancellation', async (_kind, outcome) => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      await stage.engine.cancel([lease.id], 'stop it')
      expect(await stage.settle(lease, outcome)).toBe('settled')
      expect(await stage.job(lease.id)).toMatchObject({ state: 'cancelled', cancelReason: 'stop it' })
      await stage.clock.advance(minuteMs)
      expect(await stage.claim()).toEqual([])
    })

    it.each([
      ['completion', complete('"done"'), 'completed'],
      ['death', dead(), 'dead'],
    ] as const)('lets its %s stand: it was faster', async (_kind, outcome, state) => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      await stage.engine.cancel([lease.id], 'stop it')
      expect(await stage.settle(lease, outcome)).toBe('settled')
      expect((await stage.job(lease.id)).state).toBe(state)
    })

    it('is done by the rescue when its worker died', async () => {
      const stage = await openStage(subject)
      const { id } = await stage.running({}, { leaseMs: minuteMs })
      await stage.engine.cancel([id], 'stop it')
      await stage.clock.advance(minuteMs + 1)
      expect(await stage.rescue()).toMatchObject([{ id, now: 'cancelled' }])
      expect(await stage.job(id)).toMatchObject({ state: 'cancelled', cancelReason: 'stop it' })
    })
  })
}
