import { expect, it } from 'vitest'
import { planned } from './flow-stage.ts'
import { complete } from './samples.ts'
import { type EngineSubject, openStage } from './stage.ts'

export function flowTransactionCases(subject: EngineSubject): void {
  if (!subject.capabilities.transactions) {
    it('is refused by an engine that has none', async () => {
      const stage = await openStage(subject)
      const { flow } = planned(stage, { a: [] })
      await expect(stage.engine.enqueueFlow(flow, { tx: {} })).rejects.toMatchObject({ code: 'unsupported' })
    })
    return
  }

  it('of the caller makes a flow exist when it commits', async () => {
    const stage = await openStage(subject)
    const other = await stage.another()
    const { flow, ids } = planned(stage, { a: [], b: ['a'] })
    const own = await stage.caller.begin()
    await stage.caller.write(own.tx, 'order 1')
    expect(await stage.engine.enqueueFlow(flow, { tx: own.tx })).toEqual({ outcome: 'enqueued', id: flow.id })
    expect(await other.flow(flow.id)).toBeNull()
    await own.commit()
    expect(await other.flow(flow.id)).toMatchObject({ total: 2, state: 'running' })
    expect(await stage.caller.notes()).toEqual(['order 1'])
    await stage.settle(await stage.claimOne({ type: 'a' }), complete())
    expect(await stage.claimOne({ type: 'b' })).toMatchObject({ id: ids['b'] })
  })

  it('of the caller takes the whole flow along when it rolls back', async () => {
    const stage = await openStage(subject)
    const { flow, ids } = planned(stage, { a: [], b: ['a'] }, { idempotency: { key: 'k', bodyHash: 'h' } })
    const own = await stage.caller.begin()
    await stage.engine.enqueueFlow(flow, { tx: own.tx })
    await own.rollback()
    expect(await stage.engine.flow(flow.id)).toBeNull()
    expect(await stage.engine.get(Object.values(ids))).toEqual([null, null])
    expect((await stage.engine.counts()).total).toMatchObject({ ready: 0, blocked: 0 })
    expect(await stage.engine.enqueueFlow(flow)).toEqual({ outcome: 'enqueued', id: flow.id })
  })

  it('of the caller sees its own flow: the same one twice in it is a duplicate', async () => {
    const stage = await openStage(subject)
    const { flow } = planned(stage, { a: [] })
    const own = await stage.caller.begin()
    await stage.engine.enqueueFlow(flow, { tx: own.tx })
    expect(await stage.engine.enqueueFlow(flow, { tx: own.tx })).toEqual({
      outcome: 'duplicate',
      id: flow.id,
    })
    await own.commit()
    expect(await stage.claim({ type: 'a' })).toHaveLength(1)
  })

  it('of the caller goes on after a flow that was refused, of which it keeps nothing', async () => {
    const stage = await openStage(subject)
    const known = await stage.enqueue()
    const { flow } = planned(stage, { a: [], b: { job: { id: known } } })
    const own = await stage.caller.begin()
    await expect(stage.engine.enqueueFlow(flow, { tx: own.tx })).rejects.toMatchObject({ code: 'conflict' })
    await stage.caller.write(own.tx, 'still here')
    await own.commit()
    expect(await stage.caller.notes()).toEqual(['still here'])
    expect(await stage.engine.flow(flow.id)).toBeNull()
    expect(await stage.claim({ type: 'a' })).toEqual([])
  })

  it('on another store is refused', async () => {
    const stage = await openStage(subject)
    const elsewhere = await stage.caller.beginElsewhere()
    const { flow } = planned(stage, { a: [] })
    const refused = stage.engine.enqueueFlow(flow, { tx: elsewhere.tx })
    await expect(refused).rejects.toMatchObject({ code: 'invalid-argument' })
    await elsewhere.rollback()
  })
}
