import { describe, expect, it } from 'vitest'
import { enqueued, hintsOf, tellEnds } from './flow-stage.ts'
import { cancelled, complete, dead, hourMs, retry, secondMs, snooze, unknownId } from './samples.ts'
import { type EngineSubject, openStage } from './stage.ts'

export function flowCancelCases(subject: EngineSubject): void {
  describe('of one job', () => {
    it('that waits for its turn skips what depends on it', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'], c: ['b'], x: ['a'] })
      const hints = await hintsOf(stage, async () => {
        expect(await stage.engine.cancel([flow.idOf('b')], 'no need')).toEqual(['cancelled'])
      })
      expect(await flow.states()).toEqual({ a: 'queued', b: 'cancelled', c: 'cancelled', x: 'blocked' })
      expect(await flow.skipped()).toEqual(['c'])
      expect((await flow.job('b')).cancelReason).toBe('no need')
      expect((await flow.job('c')).cancelReason).toBe('skipped: "b" was cancelled')
      expect(await flow.node('b')).toMatchObject({ waits: 0 })
      expect(tellEnds(hints, [flow.idOf('b'), flow.idOf('c')])).toBe(true)
      await flow.run('a')
      await flow.run('x')
      expect(await flow.record()).toMatchObject({ state: 'cancelled', completed: 2, cancelled: 2 })
    })

    it('that runs skips what depends on it once it has stopped', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'] })
      const running = await flow.claim('a')
      expect(await stage.engine.cancel([flow.idOf('a')], 'no need')).toEqual(['requested'])
      expect(await flow.states()).toEqual({ a: 'running', b: 'blocked' })
      await stage.settle(running, retry())
      expect(await flow.states()).toEqual({ a: 'cancelled', b: 'cancelled' })
      expect(await flow.skipped()).toEqual(['b'])
      expect((await flow.record()).state).toBe('cancelled')
    })

    it('that completes all the same cancels nothing', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'] })
      const running = await flow.claim('a')
      await stage.engine.cancel([running.id], 'no need')
      await stage.settle(running, complete())
      await flow.run('b')
      expect(await flow.record()).toMatchObject({ state: 'completed', completed: 2 })
    })

    it('together with what depends on it cancels both for their own sake', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'], c: ['b'] })
      const ids = [flow.idOf('b'), flow.idOf('c')]
      expect((await stage.engine.cancel(ids, 'no need'))[0]).toBe('cancelled')
      expect(await flow.states()).toEqual({ a: 'queued', b: 'cancelled', c: 'cancelled' })
      expect((await flow.record()).cancelled).toBe(2)
    })

    it('that was asked to stop before the flow failed is cancelled for its own sake', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: [] })
      const running = await flow.claim('b')
      await stage.engine.cancel([running.id], 'no need')
      await flow.run('a', dead())
      expect((await flow.job('b')).cancelReason).toBe('no need')
      await stage.settle(running, cancelled())
      expect(await flow.node('b')).toMatchObject({ state: 'cancelled', skipped: false })
    })

    it('that is held by a dead worker skips what depends on it when it is rescued', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'] })
      await flow.claim('a', { leaseMs: 30 * secondMs })
      await stage.engine.cancel([flow.idOf('a')], 'no need')
      await stage.clock.advance(30 * secondMs + 1)
      await stage.rescue()
      expect(await flow.states()).toEqual({ a: 'cancelled', b: 'cancelled' })
      expect(await flow.record()).toMatchObject({ state: 'cancelled', cancelled: 2 })
    })
  })

  describe('of a flow', () => {
    it('that only waits ends it at once', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'], later: { job: { delayMs: hourMs } } })
      const hints = await hintsOf(stage, async () => {
        expect(await stage.engine.cancelFlow(flow.id, 'enough')).toBe('cancelled')
      })
      expect(await flow.states()).toEqual({ a: 'cancelled', b: 'cancelled', later: 'cancelled' })
      expect(await flow.skipped()).toEqual([])
      expect((await flow.job('b')).cancelReason).toBe('enough')
      expect(await flow.record()).toMatchObject({
        state: 'cancelled',
        cancelled: 3,
        cancelReason: 'enough',
        finishedAt: stage.clock.now(),
      })
      expect(tellEnds(hints, Object.values(flow.ids))).toBe(true)
    })

    it('of which something runs asks that to stop', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'] })
      const running = await flow.claim('a')
      const hints = await hintsOf(stage, async () => {
        expect(await stage.engine.cancelFlow(flow.id, 'enough')).toBe('requested')
      })
      expect(hints.map(hint => hint.kind)).toContain('cancel')
      expect(await flow.states()).toEqual({ a: 'running', b: 'cancelled' })
      expect(await stage.engine.cancelRequests('worker-1', [running])).toEqual([running.id])
      await stage.settle(running, snooze())
      expect(await flow.record()).toMatchObject({ state: 'cancelled', cancelled: 2 })
    })

    it('whose last running job completes all the same keeps that result', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'] })
      const running = await flow.claim('a')
      await stage.engine.cancelFlow(flow.id, 'enough')
      await stage.settle(running, complete('1'))
      expect(await flow.job('a')).toMatchObject({ state: 'completed', resultJson: '1' })
      expect(await flow.record()).toMatchObject({ state: 'cancelled', completed: 1, cancelled: 1 })
    })

    it('again changes nothing more: the first reason stands', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'] })
      await flow.claim('a')
      await stage.engine.cancelFlow(flow.id, 'first')
      expect(await stage.engine.cancelFlow(flow.id, 'second')).toBe('requested')
      expect((await flow.record()).cancelReason).toBe('first')
      expect((await flow.job('a')).cancelReason).toBe('first')
      expect((await flow.record()).cancelled).toBe(1)
    })

    it('that has finished is answered as that', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [] })
      await flow.run('a')
      expect(await stage.engine.cancelFlow(flow.id, 'late')).toBe('already-finished')
      expect(await flow.record()).toMatchObject({ state: 'completed', cancelReason: null })
    })

    it('that is unknown is not found', async () => {
      const stage = await openStage(subject)
      expect(await stage.engine.cancelFlow(unknownId, 'who')).toBe('not-found')
    })
  })
}
