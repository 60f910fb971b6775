import { describe, expect, it } from 'vitest'
import { enqueued, hintsOf } from './flow-stage.ts'
import { cancelled, complete, dead, hourMs, minuteMs, unknownId } from './samples.ts'
import { type EngineSubject, openStage } from './stage.ts'

export function flowRedriveCases(subject: EngineSubject): void {
  describe('of the job that failed the flow', () => {
    it('brings back what was skipped for it, blocked as before, and the flow runs again', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { done: [], a: ['done'], b: ['a'], c: ['b', 'done'], x: ['done'] })
      await flow.run('done')
      await flow.run('a', dead())
      expect((await flow.record()).state).toBe('failed')
      await stage.clock.advance(minuteMs)
      expect(await stage.engine.redrive([flow.idOf('a')])).toEqual(['redriven'])
      expect(await flow.states()).toEqual({
        done: 'completed',
        a: 'queued',
        b: 'blocked',
        c: 'blocked',
        x: 'queued',
      })
      expect((await flow.nodes()).map(node => node.waits)).toEqual([0, 0, 1, 1, 0])
      expect(await flow.skipped()).toEqual([])
      expect(await flow.record()).toMatchObject({
        state: 'running',
        completed: 1,
        cancelled: 0,
        dead: 0,
        finishedAt: null,
      })
      for (const name of ['a', 'x', 'b', 'c']) await flow.run(name)
      expect(await flow.record()).toMatchObject({ state: 'completed', completed: 5 })
    })

    it('counts the attempts of those that come back afresh', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: [] })
      const running = await flow.claim('b')
      await flow.run('a', dead())
      await stage.settle(running, cancelled())
      await stage.engine.redrive([flow.idOf('a')])
      expect(await flow.job('b')).toMatchObject({
        state: 'queued',
        attempt: 0,
        redrives: 1,
        cancelReason: null,
      })
      const again = await flow.claim('b')
      expect(again.attempt).toBe(1)
      expect(again.epoch).toBeGreaterThan(running.epoch)
    })

    it('says at once that jobs may be ready', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'] })
      await flow.run('a', dead())
      const hints = await hintsOf(stage, () => stage.engine.redrive([flow.idOf('a')]))
      expect(hints.map(hint => hint.kind)).toContain('ready')
    })

    it('fails the flow once more when it dies once more', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'] })
      await flow.run('a', dead())
      await stage.engine.redrive([flow.idOf('a')])
      await flow.run('a', dead())
      expect(await flow.states()).toEqual({ a: 'dead', b: 'cancelled' })
      expect(await flow.record()).toMatchObject({ state: 'failed', dead: 1, cancelled: 1 })
    })

    it('keeps the counts by state equal to its jobs', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'], c: ['b'] })
      await flow.run('a', dead())
      await stage.engine.redrive([flow.idOf('a')])
      expect((await stage.engine.counts()).total).toMatchObject({
        ready: 1,
        blocked: 2,
        cancelled: 0,
        dead: 0,
      })
    })
  })

  it('leaves skipped what depends, through others too, on a job that stays dead', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, {
      a: { onFailure: 'skip' },
      b: { onFailure: 'skip' },
      underA: ['a'],
      underB: ['b'],
      deepB: ['underB'],
      both: ['underA', 'deepB'],
    })
    await flow.run('a', dead())
    await flow.run('b', dead())
    await stage.engine.redrive([flow.idOf('a')])
    expect(await flow.states()).toEqual({
      a: 'queued',
      b: 'dead',
      underA: 'blocked',
      underB: 'cancelled',
      deepB: 'cancelled',
      both: 'cancelled',
    })
    expect(await flow.record()).toMatchObject({ state: 'running', dead: 1, cancelled: 3 })
  })

  it('leaves skipped what depends on a job that somebody cancelled', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], no: [], underNo: ['no'], b: ['a'] })
    await stage.engine.cancel([flow.idOf('no')], 'no need')
    await flow.run('a', dead())
    await stage.engine.redrive([flow.idOf('a')])
    expect(await flow.states()).toEqual({ a: 'queued', no: 'cancelled', underNo: 'cancelled', b: 'blocked' })
    await flow.run('a')
    await flow.run('b')
    expect((await flow.record()).state).toBe('cancelled')
  })

  it('of a job below one that died with continue brings it back', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { soft: { onFailure: 'continue' }, b: ['soft'], hard: [] })
    await flow.run('soft', dead())
    await flow.run('hard', dead())
    expect((await flow.states())['b']).toBe('cancelled')
    await stage.engine.redrive([flow.idOf('hard')])
    expect(await flow.states()).toEqual({ soft: 'dead', b: 'queued', hard: 'queued' })
  })

  it('of a skipped job alone runs it although what it waited for has ended badly', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: { onFailure: 'skip' }, b: ['a'], c: ['b'] })
    await flow.run('a', dead())
    expect(await stage.engine.redrive([flow.idOf('b')])).toEqual(['redriven'])
    expect(await flow.states()).toEqual({ a: 'dead', b: 'queued', c: 'blocked' })
    await flow.run('b')
    await flow.run('c')
    expect(await flow.record()).toMatchObject({ state: 'completed', completed: 2, dead: 1 })
  })

  it('of a completed job makes what is blocked wait for it anew, and leaves alone what is past it', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], slow: [], past: ['a'], waits: ['a', 'slow'] })
    await flow.run('a')
    await flow.run('past')
    expect((await flow.node('waits')).waits).toBe(1)
    await stage.engine.redrive([flow.idOf('a')])
    expect(await flow.states()).toEqual({ a: 'queued', slow: 'queued', past: 'completed', waits: 'blocked' })
    expect((await flow.node('waits')).waits).toBe(2)
    expect((await flow.record()).completed).toBe(1)
    await flow.run('slow')
    expect((await flow.states())['waits']).toBe('blocked')
    await flow.run('a')
    await flow.run('waits')
    expect(await flow.record()).toMatchObject({ state: 'completed', completed: 4 })
  })

  it('of a completed job leaves a job that is queued already queued', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], b: ['a'] })
    await flow.run('a')
    await stage.engine.redrive([flow.idOf('a')])
    expect(await flow.states()).toEqual({ a: 'queued', b: 'queued' })
    await flow.run('b')
    expect((await flow.record()).state).toBe('running')
    await flow.run('a')
    expect((await flow.record()).state).toBe('completed')
  })

  it('of a cancelled job does not count it as cancelled any more', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], b: ['a'] })
    await stage.engine.cancel([flow.idOf('a')], 'oops')
    expect((await flow.record()).state).toBe('cancelled')
    await stage.engine.redrive([flow.idOf('a')])
    await flow.run('a')
    await flow.run('b')
    expect(await flow.record()).toMatchObject({ state: 'completed', cancelled: 0 })
  })

  it('keeps the time of a job that was skipped before it had begun', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], later: { job: { delayMs: hourMs } } })
    const runAt = stage.clock.now() + hourMs
    await flow.run('a', dead())
    await stage.engine.redrive([flow.idOf('a')])
    expect(await flow.job('later')).toMatchObject({ state: 'queued', runAt })
  })

  it('answers each id, and each once', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], b: ['a'] })
    await flow.run('a', dead())
    const ids = [flow.idOf('a'), flow.idOf('b'), flow.idOf('a'), unknownId]
    expect(await stage.engine.redrive(ids)).toEqual(['redriven', 'redriven', 'not-finished', 'not-found'])
    expect(await flow.states()).toEqual({ a: 'queued', b: 'blocked' })
  })

  it('again after a lost reply changes nothing more', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], b: ['a'] })
    await flow.run('a', dead())
    await stage.engine.redrive([flow.idOf('a')])
    const before = await flow.nodes()
    expect(await stage.engine.redrive([flow.idOf('a')])).toEqual(['not-finished'])
    expect(await flow.nodes()).toEqual(before)
  })

  describe('of a flow', () => {
    it('brings back all that is dead or cancelled, together', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, {
        done: [],
        a: { after: ['done'], onFailure: 'skip' },
        b: ['a'],
        soft: { onFailure: 'continue' },
        no: [],
        underNo: ['no', 'b'],
      })
      await flow.run('done')
      await flow.run('a', dead())
      await flow.run('soft', dead())
      await stage.engine.cancel([flow.idOf('no')], 'no need')
      expect((await flow.record()).state).toBe('cancelled')
      expect(await stage.engine.redriveFlow(flow.id)).toBe('redriven')
      expect(await flow.states()).toEqual({
        done: 'completed',
        a: 'queued',
        b: 'blocked',
        soft: 'queued',
        no: 'queued',
        underNo: 'blocked',
      })
      for (const name of ['a', 'b', 'soft', 'no', 'underNo']) await flow.run(name)
      expect(await flow.record()).toMatchObject({ state: 'completed', completed: 6, cancelled: 0, dead: 0 })
    })

    it('that was cancelled is not cancelled any more', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'] })
      await stage.engine.cancelFlow(flow.id, 'enough')
      expect(await stage.engine.redriveFlow(flow.id)).toBe('redriven')
      expect(await flow.record()).toMatchObject({ state: 'running', cancelReason: null, cancelled: 0 })
      expect(await flow.extend(await flow.claim('a'), { more: [] })).toMatchObject({ outcome: 'enqueued' })
    })

    it('of which nothing ended badly is not finished', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'] })
      expect(await stage.engine.redriveFlow(flow.id)).toBe('not-finished')
      await flow.run('a')
      await flow.run('b')
      expect(await stage.engine.redriveFlow(flow.id)).toBe('not-finished')
      expect((await flow.record()).state).toBe('completed')
    })

    it('that is unknown is not found', async () => {
      const stage = await openStage(subject)
      expect(await stage.engine.redriveFlow(unknownId)).toBe('not-found')
    })

    it('that still runs leaves what runs alone', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: { onFailure: 'skip' }, b: ['a'], c: [] })
      const running = await flow.claim('c')
      await flow.run('a', dead())
      expect(await stage.engine.redriveFlow(flow.id)).toBe('redriven')
      expect(await flow.states()).toEqual({ a: 'queued', b: 'blocked', c: 'running' })
      expect(await stage.settle(running, complete())).toBe('settled')
    })
  })
}
