import { describe, expect, it } from 'vitest'
import { enqueued, FlowUnderTest, hintsOf, planned } from './flow-stage.ts'
import { cancelled, complete, dead, secondMs, unknownId } from './samples.ts'
import { type EngineSubject, openStage } from './stage.ts'

export function flowExtendCases(subject: EngineSubject): void {
  it('adds jobs to the flow, and what depends on the adding job waits for them too', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { crawl: [], report: ['crawl'], other: [] })
    const crawl = await flow.claim('crawl')
    const answer = await flow.extend(crawl, { 'page-1': [], 'page-2': ['page-1'] })
    expect(answer).toEqual({
      outcome: 'enqueued',
      flow: flow.id,
      ids: [flow.idOf('page-1'), flow.idOf('page-2')],
    })
    expect(await flow.states()).toMatchObject({ 'page-1': 'queued', 'page-2': 'blocked', report: 'blocked' })
    expect(await flow.node('report')).toMatchObject({ waits: 3 })
    expect((await flow.nodes()).map(node => node.name)).toEqual([
      'crawl',
      'report',
      'other',
      'page-1',
      'page-2',
    ])
    expect((await flow.record()).total).toBe(5)
    await stage.settle(crawl, complete())
    await flow.run('page-1')
    expect((await flow.states())['report']).toBe('blocked')
    await flow.run('page-2', complete('"two"'))
    expect((await flow.dependencies('report')).map(each => each.name)).toEqual(['crawl', 'page-1', 'page-2'])
    await flow.run('report')
    await flow.run('other')
    expect(await flow.record()).toMatchObject({ state: 'completed', completed: 5 })
  })

  it('makes a flow where there is none, of the job’s own id and type', async () => {
    const stage = await openStage(subject)
    const root = await stage.running({ tenant: 'acme' })
    const flow = new FlowUnderTest(stage, root.id, { mail: root.id })
    expect(await flow.extend(root, { child: [] })).toMatchObject({ outcome: 'enqueued', flow: root.id })
    expect(await flow.record()).toMatchObject({ id: root.id, name: 'mail', tenant: 'acme', total: 2 })
    expect(await flow.states()).toEqual({ mail: 'running', child: 'queued' })
    expect((await flow.job('mail')).flow).toBe(root.id)
    expect(await stage.settle(root, complete())).toBe('settled')
    expect((await flow.record()).state).toBe('running')
    await flow.run('child')
    expect(await flow.record()).toMatchObject({ state: 'completed', completed: 2 })
  })

  it('by a job that then dies fails the flow that was made for it', async () => {
    const stage = await openStage(subject)
    const root = await stage.running()
    const flow = new FlowUnderTest(stage, root.id, { mail: root.id })
    await flow.extend(root, { child: [], after: ['mail'] })
    await stage.settle(root, dead())
    expect(await flow.states()).toEqual({ mail: 'dead', child: 'cancelled', after: 'cancelled' })
    expect((await flow.record()).state).toBe('failed')
  })

  it('leaves alone what waits no more for the job that adds', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], b: ['a'], c: ['b'] })
    await flow.run('a')
    await stage.engine.redrive([flow.idOf('a')])
    await flow.extend(await flow.claim('a'), { more: [] })
    expect(await flow.node('b')).toMatchObject({ state: 'queued', waits: 0 })
    await flow.run('more')
    await flow.run('b')
    expect(await flow.node('c')).toMatchObject({ state: 'queued', waits: 0 })
  })

  it('lets a new job wait for the one that adds it', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], b: ['a'] })
    const a = await flow.claim('a')
    await flow.extend(a, { next: ['a'] })
    expect(await flow.node('next')).toMatchObject({ state: 'blocked', waits: 1 })
    await stage.settle(a, complete())
    expect(await flow.states()).toMatchObject({ next: 'queued', b: 'blocked' })
  })

  it('lets a new job wait for an earlier one, and not for one that has ended', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { done: [], live: [], a: [] })
    await flow.run('done')
    await flow.extend(await flow.claim('a'), { both: ['done', 'live'], ended: ['done'] })
    expect(await flow.node('both')).toMatchObject({ state: 'blocked', waits: 1 })
    expect(await flow.node('ended')).toMatchObject({ state: 'queued', waits: 0 })
    expect((await flow.dependencies('ended')).map(each => each.name)).toEqual(['done'])
  })

  it('skips at once a new job that depends on one that has ended badly', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { bad: { onFailure: 'skip' }, a: [], b: ['a'] })
    await flow.run('bad', dead())
    const a = await flow.claim('a')
    expect(await flow.extend(a, { lost: ['bad'], fine: [] })).toMatchObject({ outcome: 'enqueued' })
    expect(await flow.node('lost')).toMatchObject({ state: 'cancelled', skipped: true })
    expect((await flow.job('lost')).cancelReason).toContain('"bad"')
    // It waits for all that its dependency adds, and one of these can't come.
    expect(await flow.node('b')).toMatchObject({ state: 'cancelled', skipped: true })
    expect(await flow.record()).toMatchObject({ total: 5, cancelled: 2, dead: 1 })
  })

  it('skips a new job for the first of the flow’s jobs that have ended badly, whatever their order in it', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { first: [], second: [], a: [] })
    for (const name of ['second', 'first']) await flow.run(name, cancelled())
    await flow.extend(await flow.claim('a'), { lost: ['second', 'first'], below: ['lost'] })
    for (const name of ['lost', 'below']) expect((await flow.job(name)).cancelReason).toContain('"first"')
  })

  it('leaves alone an earlier job that was redriven although it depends on the same one', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, {
      crawl: [],
      bad: [],
      slow: [],
      report: ['bad', 'slow'],
      later: ['report'],
    })
    await flow.run('bad', cancelled())
    expect(await flow.skipped()).toEqual(['report', 'later'])
    expect(await stage.engine.redrive([flow.idOf('report')])).toEqual(['redriven'])
    const crawl = await flow.claim('crawl')
    await flow.extend(crawl, { fix: ['bad'], check: ['fix'] })
    expect(await flow.skipped()).toEqual(['fix', 'check'])
    expect(await flow.node('report')).toMatchObject({ state: 'blocked', waits: 1 })
    await stage.settle(crawl, complete())
    await flow.run('slow')
    await flow.run('report')
    await flow.run('later')
    expect(await flow.record()).toMatchObject({ state: 'cancelled', completed: 4, cancelled: 3 })
  })

  it('gives a new job that may run now away at once', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [] })
    const a = await flow.claim('a')
    const hints = await hintsOf(stage, () => flow.extend(a, { child: [] }))
    expect(hints.map(hint => hint.kind)).toContain('ready')
    expect(await flow.claim('child')).toMatchObject({ flow: flow.id })
  })

  describe('with a name that the flow has', () => {
    it('is that earlier job, so that an attempt may repeat what the one before did', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'] })
      const a = await flow.claim('a')
      await flow.extend(a, { one: [], two: ['one'] })
      const ids = [flow.idOf('one'), flow.idOf('two')]
      const before = await flow.nodes()
      expect(await flow.extend(a, { one: [], two: ['one'] })).toEqual({
        outcome: 'enqueued',
        flow: flow.id,
        ids,
      })
      expect(await flow.nodes()).toEqual(before)
      expect((await flow.record()).total).toBe(4)
    })

    it('adds the others, which may wait for that earlier job', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'] })
      const a = await flow.claim('a')
      await flow.extend(a, { one: [] })
      const one = flow.idOf('one')
      const more = planned(stage, { one: [], two: ['one'] })
      expect(await stage.engine.extendFlow('worker-1', a, more.flow.nodes)).toMatchObject({
        ids: [one, more.ids['two']],
      })
      expect(await flow.node('two')).toMatchObject({ state: 'blocked', waits: 1, after: [one] })
    })

    it('for another type is refused, and nothing is added', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'] })
      const a = await flow.claim('a')
      const answer = await flow.extend(a, { fresh: [], b: { job: { type: 'other' } } })
      expect(answer).toEqual({ outcome: 'name-taken', name: 'b' })
      expect(await flow.states()).toEqual({ a: 'running', b: 'blocked' })
      expect((await flow.record()).total).toBe(2)
    })
  })

  describe('is refused, and adds nothing,', () => {
    it('when the lease has ended', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [] })
      const a = await flow.claim('a', { leaseMs: 30 * secondMs })
      await stage.clock.advance(30 * secondMs + 1)
      expect(await flow.extend(a, { child: [] })).toEqual({ outcome: 'lease-lost' })
      expect((await flow.record()).total).toBe(1)
    })

    it('when the job was settled, or is another worker’s', async () => {
      const stage = await openStage(subject)
      const root = await stage.running()
      const flow = new FlowUnderTest(stage, root.id, { mail: root.id })
      expect(await flow.extend(root, { child: [] }, 'worker-2')).toEqual({ outcome: 'lease-lost' })
      await stage.settle(root, complete())
      expect(await flow.extend(root, { child: [] })).toEqual({ outcome: 'lease-lost' })
      expect(await stage.engine.flow(root.id)).toBeNull()
    })

    it('when it names no job of the flow', async () => {
      const stage = await openStage(subject)
      const elsewhere = await stage.enqueue()
      const root = await stage.running({ type: 'root' })
      const flow = new FlowUnderTest(stage, root.id, { root: root.id })
      for (const id of [unknownId, elsewhere])
        expect(await flow.extend(root, { child: [id] })).toEqual({ outcome: 'unknown', id })
      expect(await stage.engine.flow(root.id)).toBeNull()
      expect((await stage.job(root.id)).flow).toBeNull()
    })

    it('when it would wait for a job that waits for the adding one', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'], c: ['b'] })
      const a = await flow.claim('a')
      for (const name of ['b', 'c'])
        expect(await flow.extend(a, { child: [name] })).toEqual({ outcome: 'unknown', id: flow.idOf(name) })
      expect((await flow.record()).total).toBe(3)
    })

    it('when a queue has no room', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'] })
      const a = await flow.claim('a')
      await stage.engine.configureQueue('default', { maxQueued: 1 })
      const answer = await flow.extend(a, { one: [], two: [] })
      expect(answer).toMatchObject({ outcome: 'queue-full', queue: 'default', limit: 1 })
      expect(await flow.node('b')).toMatchObject({ waits: 1 })
      expect((await flow.record()).total).toBe(2)
    })

    it('when the flow has failed', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: [] })
      const b = await flow.claim('b')
      await flow.run('a', dead())
      expect(await flow.extend(b, { child: [] })).toEqual({ outcome: 'over' })
      await stage.settle(b, cancelled())
      expect(await flow.record()).toMatchObject({ state: 'failed', total: 2 })
    })

    it('when the flow was cancelled', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [] })
      const a = await flow.claim('a')
      await stage.engine.cancelFlow(flow.id, 'enough')
      expect(await flow.extend(a, { child: [] })).toEqual({ outcome: 'over' })
    })
  })
}
