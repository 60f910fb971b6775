import { describe, expect, it } from 'vitest'
import { enqueued, hintsOf, planned } from './flow-stage.ts'
import { aJob, complete, hourMs, unknownId } from './samples.ts'
import { type EngineSubject, openStage } from './stage.ts'

export function flowEnqueueCases(subject: EngineSubject): void {
  it('queues what waits for nothing, and blocks the rest by what it waits for', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, {
      crawl: [],
      robots: [],
      analyze: ['crawl', 'robots'],
      fix: ['analyze'],
    })
    expect(await flow.states()).toEqual({
      crawl: 'queued',
      robots: 'queued',
      analyze: 'blocked',
      fix: 'blocked',
    })
    expect((await flow.nodes()).map(node => node.waits)).toEqual([0, 0, 2, 1])
    expect((await stage.engine.counts()).total).toMatchObject({ ready: 2, blocked: 2 })
    const types = ['crawl', 'robots', 'analyze', 'fix']
    expect((await stage.claim({ types })).map(job => job.type).toSorted()).toEqual(['crawl', 'robots'])
  })

  it('is kept with its name, tenant and size', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], b: ['a'] }, { name: 'audit', tenant: 'acme' })
    expect(await flow.record()).toEqual({
      id: flow.id,
      name: 'audit',
      tenant: 'acme',
      state: 'running',
      total: 2,
      completed: 0,
      cancelled: 0,
      dead: 0,
      createdAt: stage.clock.now(),
      finishedAt: null,
      cancelReason: null,
    })
  })

  it('keeps each job as it was handed over, and says which flow it belongs to', async () => {
    const stage = await openStage(subject)
    const job = {
      type: 'mail',
      queue: 'slow',
      tenant: 'acme',
      priority: 2,
      payloadJson: '{"n":1}',
      maxAttempts: 7,
    }
    const flow = await enqueued(stage, { a: { job }, b: ['a'] })
    expect(await flow.job('a')).toMatchObject({
      ...job,
      flow: flow.id,
      state: 'queued',
      idempotencyKey: null,
    })
    const [claimed] = await stage.claim({ queue: 'slow' })
    expect(claimed).toMatchObject({ id: flow.idOf('a'), flow: flow.id })
    const plain = await stage.enqueue()
    expect((await stage.job(plain)).flow).toBeNull()
  })

  it('draws its graph: nodes in the order in which they were added, each with what it waits for', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, {
      a: [],
      b: { after: ['a'], onFailure: 'skip' },
      c: { after: ['b', 'a'], onFailure: 'continue' },
    })
    const [a, b, c] = await flow.nodes()
    expect([a?.name, b?.name, c?.name]).toEqual(['a', 'b', 'c'])
    expect([a?.after, b?.after, c?.after]).toEqual([[], [a?.id], [a?.id, b?.id]])
    expect([a?.onFailure, b?.onFailure, c?.onFailure]).toEqual(['fail', 'skip', 'continue'])
    expect(c).toEqual({
      id: flow.idOf('c'),
      name: 'c',
      type: 'c',
      queue: 'default',
      state: 'blocked',
      onFailure: 'continue',
      skipped: false,
      attempt: 0,
      waits: 2,
      after: [flow.idOf('a'), flow.idOf('b')],
      createdAt: stage.clock.now(),
      startedAt: null,
      finishedAt: null,
    })
  })

  it('names a dependency once, however often it was handed over', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], b: ['a', 'a'] })
    expect(await flow.node('b')).toMatchObject({ waits: 1, after: [flow.idOf('a')] })
    await flow.run('a')
    expect((await flow.states())['b']).toBe('queued')
  })

  it('takes jobs in any order: one may stand before what it waits for', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { last: ['first'], first: [] })
    expect(await flow.states()).toEqual({ last: 'blocked', first: 'queued' })
    await flow.run('first')
    await flow.run('last')
    expect((await flow.record()).state).toBe('completed')
  })

  it('gives its jobs page by page', async () => {
    const stage = await openStage(subject)
    const names = Array.from({ length: 7 }, (_, index) => `job-${index}`)
    const flow = await enqueued(stage, Object.fromEntries(names.map(name => [name, []])))
    const found: string[] = []
    let cursor: string | undefined
    do {
      const page = await stage.engine.flowNodes(flow.id, { limit: 3, ...(cursor ? { cursor } : {}) })
      expect(page.nodes.length).toBeLessThanOrEqual(3)
      found.push(...page.nodes.map(node => node.name))
      cursor = page.cursor ?? undefined
    } while (cursor !== undefined)
    expect(found).toEqual(names)
  })

  it('of an unknown id is none, and has no jobs', async () => {
    const stage = await openStage(subject)
    expect(await stage.engine.flow(unknownId)).toBeNull()
    expect(await stage.engine.flowNodes(unknownId, { limit: 10 })).toEqual({ nodes: [], cursor: null })
    expect(await stage.engine.dependencies(unknownId)).toEqual([])
  })

  it('says at once that jobs may be ready', async () => {
    const stage = await openStage(subject)
    const hints = await hintsOf(stage, () => enqueued(stage, { a: [] }))
    expect(hints.map(hint => hint.kind)).toContain('ready')
  })

  it('lets a job that waits for nothing wait for its time', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: { job: { delayMs: hourMs } }, b: ['a'] })
    expect(await stage.claimAnswer({ types: ['a', 'b'] })).toEqual({ jobs: [], nextDueInMs: hourMs })
    await stage.clock.advance(hourMs)
    await flow.run('a')
    await flow.run('b')
  })

  describe('again', () => {
    it('with the same id changes nothing', async () => {
      const stage = await openStage(subject)
      const { flow } = planned(stage, { a: [], b: ['a'] })
      await stage.engine.enqueueFlow(flow)
      expect(await stage.engine.enqueueFlow(flow)).toEqual({ outcome: 'duplicate', id: flow.id })
      expect((await stage.engine.counts()).total).toMatchObject({ ready: 1, blocked: 1 })
    })

    it('with the same id changes nothing after it has finished', async () => {
      const stage = await openStage(subject)
      const { flow } = planned(stage, { a: [] })
      await stage.engine.enqueueFlow(flow)
      await stage.settle(await stage.claimOne({ type: 'a' }), complete())
      expect(await stage.engine.enqueueFlow(flow)).toEqual({ outcome: 'duplicate', id: flow.id })
      expect((await stage.engine.flow(flow.id))?.state).toBe('completed')
    })

    it('with the same key and body is the flow that is there', async () => {
      const stage = await openStage(subject)
      const idempotency = { key: 'site-7', bodyHash: 'h' }
      const first = planned(stage, { a: [] }, { idempotency, tenant: 'acme' }).flow
      const second = planned(stage, { a: [] }, { idempotency, tenant: 'acme' }).flow
      await stage.engine.enqueueFlow(first)
      expect(await stage.engine.enqueueFlow(second)).toEqual({ outcome: 'duplicate', id: first.id })
      expect(await stage.engine.flow(second.id)).toBeNull()
      expect(await stage.claim({ type: 'a' })).toHaveLength(1)
    })

    it('with the same key and another body is a conflict', async () => {
      const stage = await openStage(subject)
      const first = planned(stage, { a: [] }, { idempotency: { key: 'k', bodyHash: 'one' } }).flow
      const second = planned(stage, { a: [] }, { idempotency: { key: 'k', bodyHash: 'two' } }).flow
      await stage.engine.enqueueFlow(first)
      expect(await stage.engine.enqueueFlow(second)).toEqual({
        outcome: 'idempotency-conflict',
        id: first.id,
      })
    })

    it('with the same key of another tenant is another flow', async () => {
      const stage = await openStage(subject)
      const idempotency = { key: 'k', bodyHash: 'h' }
      await enqueued(stage, { a: [] }, { idempotency, tenant: 'acme' })
      await enqueued(stage, { a: [] }, { idempotency, tenant: 'other' })
      expect(await stage.claim({ type: 'a' })).toHaveLength(2)
    })
  })

  describe('that does not fit', () => {
    it('for a bounded queue is stored in no part', async () => {
      const stage = await openStage(subject)
      await stage.engine.configureQueue('default', { maxQueued: 2 })
      const { flow } = planned(stage, { a: [], b: [], c: [] })
      expect(await stage.engine.enqueueFlow(flow)).toEqual({
        outcome: 'queue-full',
        queue: 'default',
        queued: 2,
        limit: 2,
      })
      expect(await stage.engine.flow(flow.id)).toBeNull()
      expect((await stage.engine.counts()).total).toMatchObject({ ready: 0, blocked: 0 })
    })

    it('takes room only for what is queued at once', async () => {
      const stage = await openStage(subject)
      await stage.engine.configureQueue('default', { maxQueued: 1 })
      await enqueued(stage, { a: [], b: ['a'], c: ['a'] })
      const [answer] = await stage.engine.enqueue([aJob({ id: stage.newId() })])
      expect(answer).toMatchObject({ outcome: 'queue-full', queued: 1 })
    })

    it('because a job of it is known already is refused, and stored in no part', async () => {
      const stage = await openStage(subject)
      const id = await stage.enqueue()
      const { flow } = planned(stage, { a: [], b: { job: { id } } })
      await expect(stage.engine.enqueueFlow(flow)).rejects.toMatchObject({ code: 'conflict' })
      expect(await stage.engine.flow(flow.id)).toBeNull()
      expect((await stage.engine.counts()).total.ready).toBe(1)
    })

    it('because it names a job that it has not is refused, and stored in no part', async () => {
      const stage = await openStage(subject)
      const { flow } = planned(stage, { a: [], b: [unknownId] })
      await expect(stage.engine.enqueueFlow(flow)).rejects.toMatchObject({ code: 'invalid-argument' })
      expect(await stage.engine.flow(flow.id)).toBeNull()
      expect((await stage.engine.counts()).total.ready).toBe(0)
    })
  })
}
