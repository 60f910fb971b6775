import { describe, expect, it } from 'vitest'
import { enqueued, planned } from './flow-stage.ts'
import { complete, dayMs, hourMs, minuteMs } from './samples.ts'
import { type EngineSubject, openStage } from './stage.ts'

export function flowListCases(subject: EngineSubject): void {
  describe('listed', () => {
    it('are the newest first, page by page', async () => {
      const stage = await openStage(subject)
      const ids: string[] = []
      for (let count = 0; count < 5; count++) {
        ids.unshift((await enqueued(stage, { a: [] })).id)
        await stage.clock.advance(minuteMs)
      }
      const first = await stage.engine.flows({}, { limit: 3 })
      expect(first.flows.map(flow => flow.id)).toEqual(ids.slice(0, 3))
      const second = await stage.engine.flows({}, { limit: 3, cursor: first.cursor as string })
      expect(second.flows.map(flow => flow.id)).toEqual(ids.slice(3))
      expect(second.cursor).toBeNull()
    })

    it('are those of a state, a name and a tenant', async () => {
      const stage = await openStage(subject)
      const done = await enqueued(stage, { a: [] }, { name: 'audit', tenant: 'acme' })
      await done.run('a')
      const running = await enqueued(stage, { a: [] }, { name: 'audit' })
      const other = await enqueued(stage, { a: [] }, { tenant: 'acme' })
      const found = async (filter: Parameters<typeof stage.engine.flows>[0]) =>
        (await stage.engine.flows(filter, { limit: 10 })).flows.map(flow => flow.id)
      expect(await found({ states: ['completed'] })).toEqual([done.id])
      expect(await found({ states: ['running'] })).toEqual([other.id, running.id])
      expect(await found({ states: ['completed', 'running'] })).toEqual([other.id, running.id, done.id])
      expect(await found({ states: ['failed'] })).toEqual([])
      expect(await found({ states: [] })).toEqual([])
      expect(await found({ name: 'audit' })).toEqual([running.id, done.id])
      expect(await found({ tenant: 'acme' })).toEqual([other.id, done.id])
      expect(await found({ tenant: '' })).toEqual([running.id])
      expect(await found({ name: 'audit', tenant: 'acme', states: ['completed'] })).toEqual([done.id])
    })

    it('from a cursor that is none are refused', async () => {
      const stage = await openStage(subject)
      const listed = stage.engine.flows({}, { limit: 3, cursor: 'nonsense' })
      await expect(listed).rejects.toMatchObject({ code: 'invalid-argument' })
      const flow = await enqueued(stage, { a: [] })
      const nodes = stage.engine.flowNodes(flow.id, { limit: 3, cursor: '§' })
      await expect(nodes).rejects.toMatchObject({ code: 'invalid-argument' })
    })
  })

  describe('retained', () => {
    const rules = [{ type: null, state: 'completed' as const, maxAgeMs: hourMs }]

    it('keeps its finished jobs as long as it has not finished', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'] })
      await flow.run('a')
      const { id: plain } = await stage.finished(complete(), { type: 'a' })
      await stage.clock.advance(dayMs)
      expect(await stage.engine.prune({ rules, limit: 1 })).toMatchObject({ removed: 1 })
      expect(await stage.states([flow.idOf('a'), plain])).toEqual(['completed', null])
      expect(await stage.engine.prune({ rules, limit: 10 })).toEqual({ removed: 0, more: false })
      expect((await flow.dependencies('b')).map(each => each.state)).toEqual(['completed'])
    })

    it('goes with its last job', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'] })
      await flow.run('a')
      await flow.run('b')
      await stage.clock.advance(dayMs)
      await stage.engine.prune({ rules, limit: 1 })
      expect(await flow.record()).toMatchObject({ total: 2, completed: 2 })
      expect(await flow.nodes()).toHaveLength(1)
      await stage.engine.prune({ rules, limit: 1 })
      expect(await stage.engine.flow(flow.id)).toBeNull()
      expect(await stage.engine.flows({}, { limit: 10 })).toEqual({ flows: [], cursor: null })
    })

    it('keeps its key for a day at least, however soon it goes', async () => {
      const stage = await openStage(subject)
      const idempotency = { key: 'k', bodyHash: 'h' }
      const flow = await enqueued(stage, { a: [] }, { idempotency })
      await flow.run('a')
      await stage.clock.advance(2 * hourMs)
      await stage.engine.prune({ rules, limit: 10 })
      expect(await stage.engine.flow(flow.id)).toBeNull()
      const again = planned(stage, { a: [] }, { idempotency }).flow
      expect(await stage.engine.enqueueFlow(again)).toEqual({ outcome: 'duplicate', id: flow.id })
      await stage.clock.advance(dayMs)
      expect(await stage.engine.enqueueFlow(again)).toEqual({ outcome: 'enqueued', id: again.id })
    })

    it('gives no job away before it has finished, and every job after', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'] })
      await flow.run('a')
      const ids = [flow.idOf('a'), flow.idOf('b')]
      expect(await stage.engine.remove(ids)).toEqual(['in-flow', 'in-flow'])
      await flow.run('b')
      expect(await stage.engine.remove(ids)).toEqual(['removed', 'removed'])
      expect(await stage.engine.flow(flow.id)).toBeNull()
    })
  })
}
