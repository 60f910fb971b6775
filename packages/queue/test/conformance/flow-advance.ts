import { describe, expect, it } from 'vitest'
import { enqueued, hintsOf, tellEnds } from './flow-stage.ts'
import { complete, dead, hourMs, minuteMs, release, retry, secondMs, snooze } from './samples.ts'
import { type EngineSubject, openStage } from './stage.ts'

export function flowAdvanceCases(subject: EngineSubject): void {
  it('queues a job when the last that it waits for has completed', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], b: [], c: ['a', 'b'] })
    await flow.run('b')
    expect(await flow.node('c')).toMatchObject({ state: 'blocked', waits: 1 })
    await flow.run('a')
    expect(await flow.node('c')).toMatchObject({ state: 'queued', waits: 0 })
    await flow.run('c')
    expect(await flow.record()).toMatchObject({ state: 'completed', completed: 3, total: 3 })
  })

  it('runs a chain one job after the other', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], b: ['a'], c: ['b'], d: ['c'] })
    for (const name of ['a', 'b', 'c', 'd']) {
      expect((await stage.claim({ types: ['b', 'c', 'd'].filter(each => each > name) })).length).toBe(0)
      await flow.run(name)
    }
    expect((await flow.record()).state).toBe('completed')
  })

  it('releases all that fan out from one job in the write that completes it', async () => {
    const stage = await openStage(subject)
    const names = Array.from({ length: 30 }, (_, index) => `page-${index}`)
    const flow = await enqueued(stage, {
      start: [],
      ...Object.fromEntries(names.map(name => [name, { after: ['start'], job: { type: 'page' } }])),
      end: names,
    })
    await flow.run('start')
    const claimed = await stage.claim({ type: 'page', limit: 100 })
    expect(claimed).toHaveLength(30)
    const answers = await stage.engine.settle(
      'worker-1',
      claimed.map(lease => ({ lease, outcome: complete(), ranMs: 1 })),
    )
    expect(answers).toEqual(Array(30).fill('settled'))
    await flow.run('end')
    expect(await flow.record()).toMatchObject({ state: 'completed', completed: 32 })
  })

  it('counts a job that ends together with what it waits for nowhere twice', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], b: [], c: ['a', 'b'], d: ['a'] })
    const leases = [await flow.claim('a'), await flow.claim('b')]
    await stage.engine.settle(
      'worker-1',
      leases.map(lease => ({ lease, outcome: complete(), ranMs: 1 })),
    )
    expect(await flow.states()).toEqual({ a: 'completed', b: 'completed', c: 'queued', d: 'queued' })
    expect((await stage.engine.counts()).total).toMatchObject({ ready: 2, blocked: 0, completed: 2 })
  })

  it('finishes when its last job ends, whatever the order', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], b: [] })
    await flow.run('a')
    expect(await flow.record()).toMatchObject({ state: 'running', finishedAt: null })
    await stage.clock.advance(minuteMs)
    await flow.run('b')
    expect(await flow.record()).toMatchObject({ state: 'completed', finishedAt: stage.clock.now() })
  })

  it('schedules a released job whose time lies ahead', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], b: { after: ['a'], job: { delayMs: hourMs } } })
    const runAt = stage.clock.now() + hourMs
    await flow.run('a')
    expect(await flow.job('b')).toMatchObject({ state: 'queued', runAt })
    expect(await stage.claimAnswer({ type: 'b' })).toEqual({ jobs: [], nextDueInMs: hourMs })
    await stage.clock.advance(hourMs)
    await flow.run('b')
  })

  it('runs a released job at once when its time has passed while it waited', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], b: { after: ['a'], job: { delayMs: minuteMs } } })
    await stage.clock.advance(hourMs)
    await flow.run('a')
    await flow.run('b')
  })

  it.each([
    ['fails and is tried again', retry()],
    ['snoozes', snooze()],
    ['is released', release],
  ] as const)('releases nothing when a job only %s', async (_what, outcome) => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], b: ['a'] })
    await flow.run('a', outcome)
    expect(await flow.node('b')).toMatchObject({ state: 'blocked', waits: 1 })
    expect(await flow.record()).toMatchObject({ state: 'running', completed: 0, dead: 0 })
    await flow.run('a')
    expect(await flow.node('b')).toMatchObject({ state: 'queued', waits: 0 })
  })

  it('goes on although the lease says nothing of a flow', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], b: ['a'], c: ['b'] })
    const { id, epoch, token } = await flow.claim('a')
    expect(await stage.settle({ id, epoch, token }, complete())).toBe('settled')
    const second = await flow.claim('b')
    expect(await stage.settle({ ...second, flow: null }, complete())).toBe('settled')
    expect((await flow.states())['c']).toBe('queued')
  })

  it('completes plain jobs beside those of flows in one settle', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], b: ['a'] })
    const plain = await stage.running()
    const inFlow = { ...(await flow.claim('a')), flow: null }
    const gone = await stage.finished(complete())
    await stage.engine.remove([gone.id])
    const answers = await stage.engine.settle(
      'worker-1',
      [gone, inFlow, plain].map(lease => ({ lease, outcome: complete('1'), ranMs: 1 })),
    )
    expect(answers).toEqual(['gone', 'settled', 'settled'])
    expect(await stage.states([plain.id, inFlow.id])).toEqual(['completed', 'completed'])
    expect((await flow.states())['b']).toBe('queued')
  })

  it('settled again after a lost reply goes no further', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], b: [], c: ['a', 'b'] })
    const lease = await flow.run('a')
    expect(await stage.settle(lease, complete())).toBe('already-settled')
    expect(await stage.settle({ ...lease, flow: null }, complete())).toBe('already-settled')
    expect(await flow.node('c')).toMatchObject({ state: 'blocked', waits: 1 })
    expect((await flow.record()).completed).toBe(1)
  })

  it('is not moved by a lease that has ended', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], b: ['a'] })
    const lease = await flow.claim('a', { leaseMs: 30 * secondMs })
    await stage.clock.advance(30 * secondMs + 1)
    expect(await stage.settle(lease, complete())).toBe('lease-lost')
    expect((await flow.states())['b']).toBe('blocked')
    expect((await flow.record()).completed).toBe(0)
  })

  it('runs a job again whose worker died, and goes on', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], b: ['a'] })
    await flow.claim('a', { leaseMs: 30 * secondMs })
    await stage.clock.advance(30 * secondMs + 1)
    expect(await stage.rescue()).toMatchObject([{ id: flow.idOf('a'), now: 'queued' }])
    expect((await flow.states())['b']).toBe('blocked')
    await flow.run('a')
    expect((await flow.states())['b']).toBe('queued')
  })

  it('says at once that a released job may be ready', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], b: ['a'] })
    const lease = await flow.claim('a')
    const hints = await hintsOf(stage, () => stage.settle(lease, complete()))
    expect(hints.map(hint => hint.kind)).toContain('ready')
    expect(tellEnds(hints, [lease.id])).toBe(true)
  })

  it('keeps the counts by state equal to its jobs', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, {
      a: [],
      b: ['a'],
      c: { after: ['a'], job: { delayMs: hourMs } },
      d: ['c'],
    })
    await flow.run('a')
    expect((await stage.engine.counts()).total).toEqual({
      ready: 1,
      delayed: 1,
      blocked: 1,
      running: 0,
      completed: 1,
      cancelled: 0,
      dead: 0,
    })
  })

  describe('dependencies', () => {
    it('are what a job waited for, with results, in the order in which they were added', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: { onFailure: 'continue' }, c: [], d: ['c', 'b', 'a'] })
      await flow.run('c', complete('{"pages":3}'))
      await flow.run('b', dead('no luck'))
      expect(await flow.dependencies('d')).toEqual([
        { id: flow.idOf('a'), name: 'a', type: 'a', state: 'queued', resultJson: null, lastError: null },
        {
          id: flow.idOf('b'),
          name: 'b',
          type: 'b',
          state: 'dead',
          resultJson: null,
          lastError: expect.objectContaining({ message: 'no luck' }),
        },
        {
          id: flow.idOf('c'),
          name: 'c',
          type: 'c',
          state: 'completed',
          resultJson: '{"pages":3}',
          lastError: null,
        },
      ])
    })

    it('of a job that waited for nothing, and of a plain job, are none', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'] })
      expect(await flow.dependencies('a')).toEqual([])
      expect(await stage.engine.dependencies(await stage.enqueue())).toEqual([])
    })
  })

  if (subject.capabilities.transactions)
    describe('a completion with work', () => {
      it('lets the flow go on with it', async () => {
        const stage = await openStage(subject)
        const flow = await enqueued(stage, { a: [], b: ['a'] })
        const lease = await flow.claim('a')
        const hints = await hintsOf(stage, () =>
          stage.engine.completeIn('worker-1', lease, () => ({ resultJson: '7', ranMs: 1 })),
        )
        expect(hints.map(hint => hint.kind)).toContain('ready')
        expect((await flow.dependencies('b')).map(each => each.resultJson)).toEqual(['7'])
        await flow.run('b')
        expect((await flow.record()).state).toBe('completed')
      })

      it('whose work throws leaves the flow as it was', async () => {
        const stage = await openStage(subject)
        const flow = await enqueued(stage, { a: [], b: ['a'] })
        const lease = await flow.claim('a')
        const work = (): never => {
          throw new Error('no')
        }
        await expect(stage.engine.completeIn('worker-1', lease, work)).rejects.toThrow('no')
        expect(await flow.states()).toEqual({ a: 'running', b: 'blocked' })
        expect((await flow.record()).completed).toBe(0)
      })
    })
}
