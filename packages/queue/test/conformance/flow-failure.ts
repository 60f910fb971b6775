import { describe, expect, it } from 'vitest'
import { enqueued, hintsOf, tellEnds } from './flow-stage.ts'
import { cancelled, complete, dead, hourMs, retry, secondMs } from './samples.ts'
import { type EngineSubject, openStage } from './stage.ts'

export function flowFailureCases(subject: EngineSubject): void {
  describe('a job that dies with the policy fail', () => {
    it('fails the flow: all that waits is skipped, whether or not it depends on it', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, {
        a: [],
        below: ['a'],
        beside: [],
        later: { job: { delayMs: hourMs } },
        blocked: ['beside'],
      })
      await flow.run('a', dead())
      expect(await flow.states()).toEqual({
        a: 'dead',
        below: 'cancelled',
        beside: 'cancelled',
        later: 'cancelled',
        blocked: 'cancelled',
      })
      expect(await flow.skipped()).toEqual(['below', 'beside', 'later', 'blocked'])
      expect(await flow.record()).toMatchObject({
        state: 'failed',
        dead: 1,
        cancelled: 4,
        finishedAt: stage.clock.now(),
      })
      expect((await stage.engine.counts()).total).toMatchObject({
        ready: 0,
        delayed: 0,
        blocked: 0,
        dead: 1,
        cancelled: 4,
      })
    })

    it('asks what runs to stop, and counts it as skipped when it does', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: [] })
      const running = await flow.claim('b')
      await flow.run('a', dead())
      expect(await flow.record()).toMatchObject({ state: 'running', dead: 1, cancelled: 0, finishedAt: null })
      expect(await flow.node('b')).toMatchObject({ state: 'running', skipped: false })
      expect(await stage.engine.cancelRequests('worker-1', [running])).toEqual([running.id])
      expect((await flow.job('b')).cancelReason).toContain('"a"')
      await stage.settle(running, cancelled())
      expect(await flow.node('b')).toMatchObject({ state: 'cancelled', skipped: true })
      expect(await flow.record()).toMatchObject({ state: 'failed', dead: 1, cancelled: 1 })
    })

    it('lets what runs complete if it does not stop', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: [], c: ['b'] })
      const running = await flow.claim('b')
      await flow.run('a', dead())
      await stage.settle(running, complete())
      expect(await flow.states()).toEqual({ a: 'dead', b: 'completed', c: 'cancelled' })
      expect(await flow.node('b')).toMatchObject({ skipped: false })
      expect(await flow.record()).toMatchObject({ state: 'failed', completed: 1, cancelled: 1, dead: 1 })
    })

    it('cancels what runs instead of trying it again', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: [] })
      const running = await flow.claim('b')
      await flow.run('a', dead())
      await stage.settle(running, retry())
      expect(await flow.node('b')).toMatchObject({ state: 'cancelled', skipped: true })
      expect((await flow.record()).state).toBe('failed')
    })

    it('tells of all that ended for it, and that running jobs are to stop', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'], c: ['b'], d: [] })
      await flow.claim('d')
      const lease = await flow.claim('a')
      const hints = await hintsOf(stage, () => stage.settle(lease, dead()))
      expect(
        tellEnds(
          hints,
          ['a', 'b', 'c'].map(name => flow.idOf(name)),
        ),
      ).toBe(true)
      expect(hints.map(hint => hint.kind)).toContain('cancel')
    })

    it('leaves the jobs of other flows, and plain jobs, alone', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'] })
      const other = await enqueued(stage, { x: [], y: ['x'] })
      const plain = await stage.enqueue()
      await flow.run('a', dead())
      expect(await other.states()).toEqual({ x: 'queued', y: 'blocked' })
      expect(await stage.states([plain])).toEqual(['queued'])
    })
  })

  it('a job that dies with the policy skip takes only what depends on it along', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, {
      a: { onFailure: 'skip' },
      b: ['a'],
      c: ['b'],
      x: [],
      y: ['x'],
      both: ['y', 'b'],
    })
    await flow.run('a', dead())
    expect(await flow.states()).toEqual({
      a: 'dead',
      b: 'cancelled',
      c: 'cancelled',
      x: 'queued',
      y: 'blocked',
      both: 'cancelled',
    })
    expect(await flow.skipped()).toEqual(['b', 'c', 'both'])
    await flow.run('x')
    await flow.run('y')
    expect(await flow.record()).toMatchObject({ state: 'completed', completed: 2, cancelled: 3, dead: 1 })
  })

  it('a job that dies with the policy continue lets what depends on it run', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: { onFailure: 'continue' }, b: ['a'] })
    await flow.run('a', dead())
    await flow.run('b')
    expect(await flow.record()).toMatchObject({ state: 'completed', completed: 1, dead: 1 })
  })

  it.each(['fail', 'skip', 'continue'] as const)(
    'a job whose handler cancels it, with the policy %s, skips what depends on it, and no more',
    async onFailure => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: { onFailure }, b: ['a'], c: ['b'], x: [] })
      await flow.run('a', cancelled('not wanted'))
      expect(await flow.states()).toEqual({ a: 'cancelled', b: 'cancelled', c: 'cancelled', x: 'queued' })
      expect(await flow.skipped()).toEqual(['b', 'c'])
      await flow.run('x')
      expect(await flow.record()).toMatchObject({ state: 'cancelled', completed: 1, cancelled: 3 })
    },
  )

  it('a skipped job says which job it was for, and passes that on', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { crawl: { onFailure: 'skip' }, b: ['crawl'], c: ['b'] })
    await flow.run('crawl', dead())
    const reason = (await flow.job('b')).cancelReason
    expect(reason).toBe('skipped: "crawl" died')
    expect((await flow.job('c')).cancelReason).toBe(reason)
    expect((await flow.job('crawl')).cancelReason).toBeNull()
  })

  it('a job that is skipped for one dependency does not run when the other completes', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: { onFailure: 'skip' }, b: [], c: ['a', 'b'] })
    await flow.run('a', dead())
    await flow.run('b')
    expect(await flow.states()).toEqual({ a: 'dead', b: 'completed', c: 'cancelled' })
    expect((await flow.record()).state).toBe('completed')
  })

  it('jobs that end badly and well in one settle leave the flow as one after the other would', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, {
      a: { onFailure: 'skip' },
      b: [],
      c: { onFailure: 'continue' },
      ab: ['a', 'b'],
      bc: ['b', 'c'],
    })
    const [a, b, c] = [await flow.claim('a'), await flow.claim('b'), await flow.claim('c')]
    await stage.engine.settle('worker-1', [
      { lease: b, outcome: complete(), ranMs: 1 },
      { lease: a, outcome: dead(), ranMs: 1 },
      { lease: c, outcome: dead(), ranMs: 1 },
    ])
    expect(await flow.states()).toMatchObject({ ab: 'cancelled', bc: 'queued' })
    await flow.run('bc')
    expect(await flow.record()).toMatchObject({ state: 'completed', completed: 2, cancelled: 1, dead: 2 })
  })

  it('the worst of what happened is the flow’s state: failed above cancelled', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], b: [] })
    const running = await flow.claim('a')
    await flow.run('b', cancelled())
    expect((await flow.record()).state).toBe('running')
    await stage.settle(running, dead())
    expect((await flow.record()).state).toBe('failed')
  })

  it('a worker that dies on the last attempt fails the flow when it is rescued', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: { job: { maxAttempts: 1 } }, b: ['a'] })
    await flow.claim('a', { leaseMs: 30 * secondMs })
    await stage.clock.advance(30 * secondMs + 1)
    const hints = await hintsOf(stage, async () => {
      expect(await stage.rescue()).toMatchObject([{ id: flow.idOf('a'), now: 'dead' }])
    })
    expect(await flow.states()).toEqual({ a: 'dead', b: 'cancelled' })
    expect((await flow.record()).state).toBe('failed')
    expect(tellEnds(hints, [flow.idOf('b')])).toBe(true)
  })

  it('a job that a dead worker was asked to stop for another’s sake is skipped when it is rescued', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], b: [] })
    await flow.claim('b', { worker: 'worker-2', leaseMs: 30 * secondMs })
    await flow.run('a', dead())
    await stage.clock.advance(30 * secondMs + 1)
    expect(await stage.rescue()).toMatchObject([{ id: flow.idOf('b'), now: 'cancelled' }])
    expect(await flow.skipped()).toEqual(['b'])
    expect((await flow.record()).state).toBe('failed')
  })

  it('a failed flow of many jobs ends in one write', async () => {
    const stage = await openStage(subject)
    const names = Array.from({ length: 200 }, (_, index) => `job-${index}`)
    const flow = await enqueued(stage, {
      start: [],
      ...Object.fromEntries(names.map((name, index) => [name, [index === 0 ? 'start' : `job-${index - 1}`]])),
    })
    await flow.run('start', dead())
    expect(await flow.record()).toMatchObject({ state: 'failed', dead: 1, cancelled: 200 })
    expect((await stage.engine.counts()).total).toMatchObject({ blocked: 0, cancelled: 200 })
  })
}
