import { expect, it } from 'vitest'
import type { ClaimedJob, NewJob, SettleAnswer } from '../../src/engine/contract.ts'
import type { Outcome } from '../../src/job/decide.ts'
import type { Wait } from '../../src/job/wait.ts'
import { enqueued, hintsOf } from './flow-stage.ts'
import { aJob, cancelled, complete, dead, hourMs, minuteMs, retry } from './samples.ts'
import { type EngineSubject, openStage, type Stage } from './stage.ts'

export function waitForChildCases(subject: EngineSubject): void {
  it('stores it in a flow of the job’s own, and goes on when it has completed', async () => {
    const stage = await openStage(subject)
    const parent = await stage.running()
    const child = aJob({ id: stage.newId(), type: 'child', payloadJson: '{"n":1}' })
    const hints = await hintsOf(stage, async () => {
      expect(await waitForChild(stage, parent, child)).toBe('settled')
    })
    expect(hints.map(hint => hint.kind)).toContain('ready')
    expect((await stage.job(parent.id)).state).toBe('blocked')
    expect(await stage.engine.steps(parent.id)).toMatchObject([
      { name: 'analyze', kind: 'job', state: 'waiting', childId: child.id },
    ])
    expect(await stage.engine.flow(parent.id)).toMatchObject({ name: 'mail', total: 2, state: 'running' })
    const { nodes } = await stage.engine.flowNodes(parent.id, { limit: 10 })
    expect(nodes).toMatchObject([
      { id: parent.id, name: 'mail', state: 'blocked', waits: 1, after: [child.id] },
      { id: child.id, name: 'mail/analyze', state: 'queued', onFailure: 'continue', waits: 0 },
    ])
    expect(await stage.engine.dependencies(parent.id)).toEqual([])
    const claimed = await stage.claimOne({ type: 'child' })
    expect(claimed).toMatchObject({ id: child.id, payloadJson: '{"n":1}', flow: parent.id })
    await stage.settle(claimed, complete('"found"'))
    const again = await stage.claimOne()
    expect(again).toMatchObject({ id: parent.id, attempt: 1, flow: parent.id })
    await stage.settle(again, complete())
    expect(await stage.engine.flow(parent.id)).toMatchObject({ state: 'completed', completed: 2 })
  })

  it.each([
    ['dead', dead()],
    ['cancelled', cancelled()],
  ] as const)('goes on when the child is %s', async (_state, outcome) => {
    const stage = await openStage(subject)
    const parent = await stage.running()
    const child = aJob({ id: stage.newId(), type: 'child' })
    await waitForChild(stage, parent, child)
    await stage.settle(await stage.claimOne({ type: 'child' }), outcome)
    expect((await stage.engine.counts()).total).toMatchObject({ ready: 1, blocked: 0 })
    expect(await stage.claimOne()).toMatchObject({ id: parent.id })
  })

  it('goes on when somebody cancels the child', async () => {
    const stage = await openStage(subject)
    const parent = await stage.running()
    const child = aJob({ id: stage.newId(), type: 'child' })
    await waitForChild(stage, parent, child, { inMs: hourMs })
    await stage.engine.cancel([child.id], 'no need')
    expect(await stage.claimOne()).toMatchObject({ id: parent.id })
  })

  it('with a limit runs the job when the time is over; the child goes on', async () => {
    const stage = await openStage(subject)
    const parent = await stage.running()
    const child = aJob({ id: stage.newId(), type: 'child' })
    await waitForChild(stage, parent, child, { inMs: hourMs })
    await stage.clock.advance(hourMs)
    const again = await stage.claimOne()
    expect(again.id).toBe(parent.id)
    expect(await stage.engine.steps(parent.id)).toMatchObject([{ state: 'waiting', due: true }])
    await stage.settle(again, complete())
    expect(await stage.states([parent.id, child.id])).toEqual(['completed', 'queued'])
    expect((await stage.engine.flow(parent.id))?.state).toBe('running')
    await stage.settle(await stage.claimOne({ type: 'child' }), complete())
    expect((await stage.engine.flow(parent.id))?.state).toBe('completed')
  })

  it('waits anew for the child that its step has when it comes there again with none', async () => {
    const stage = await openStage(subject)
    const parent = await stage.running()
    const child = aJob({ id: stage.newId(), type: 'child' })
    await waitForChild(stage, parent, child, { inMs: minuteMs })
    await stage.clock.advance(minuteMs)
    const outcome: Outcome = {
      kind: 'wait',
      wait: { step: { name: 'analyze', ordinal: 1, kind: 'job', signal: null }, inMs: null, until: null },
    }
    expect(await stage.settle(await stage.claimOne(), outcome)).toBe('settled')
    expect((await stage.job(parent.id)).state).toBe('blocked')
    expect(await stage.engine.steps(parent.id)).toMatchObject([{ state: 'waiting', childId: child.id }])
    await stage.settle(await stage.claimOne({ type: 'child' }), complete())
    expect(await stage.settle(await stage.claimOne(), outcome)).toBe('settled')
    expect(await stage.claimOne()).toMatchObject({ id: parent.id })
    expect((await stage.engine.flow(parent.id))?.total).toBe(2)
  })

  it('leaves the backoff of a later failure alone', async () => {
    const stage = await openStage(subject)
    const parent = await stage.running()
    await waitForChild(stage, parent, aJob({ id: stage.newId(), type: 'child' }), { inMs: minuteMs })
    await stage.clock.advance(minuteMs)
    await stage.settle(await stage.claimOne(), retry(hourMs))
    const { runAt } = await stage.job(parent.id)
    await stage.settle(await stage.claimOne({ type: 'child' }), complete())
    expect(await stage.job(parent.id)).toMatchObject({ state: 'queued', runAt })
  })

  it('that a step has already waits for that one, and stores no other', async () => {
    const stage = await openStage(subject)
    const parent = await stage.running()
    const child = aJob({ id: stage.newId(), type: 'child' })
    await waitForChild(stage, parent, child, { inMs: minuteMs })
    await stage.clock.advance(minuteMs)
    await waitForChild(stage, await stage.claimOne(), aJob({ id: stage.newId(), type: 'child' }))
    expect((await stage.engine.flow(parent.id))?.total).toBe(2)
    expect(await stage.engine.steps(parent.id)).toMatchObject([{ childId: child.id }])
    await stage.settle(await stage.claimOne({ type: 'child' }), complete())
    expect(await stage.claimOne()).toMatchObject({ id: parent.id })
  })

  it('of two jobs of one flow at the same step is each job’s own', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], b: [] })
    const [one, two] = [
      aJob({ id: stage.newId(), type: 'child' }),
      aJob({ id: stage.newId(), type: 'child' }),
    ]
    await waitForChild(stage, await flow.claim('a'), one)
    await waitForChild(stage, await flow.claim('b'), two)
    expect((await flow.nodes()).map(node => node.name)).toEqual(['a', 'b', 'a/analyze', 'b/analyze'])
    const claimed = await stage.claim({ type: 'child' })
    await stage.settle(claimed.find(job => job.id === two.id) as ClaimedJob, complete())
    expect(await flow.states()).toMatchObject({ a: 'blocked', b: 'queued' })
  })

  it('settled again after a lost reply stores one child', async () => {
    const stage = await openStage(subject)
    const parent = await stage.running()
    const child = aJob({ id: stage.newId(), type: 'child' })
    await waitForChild(stage, parent, child)
    expect(await waitForChild(stage, parent, child)).toBe('already-settled')
    expect((await stage.engine.flow(parent.id))?.total).toBe(2)
  })

  it('cancels the child, as skipped, when the waiting job is cancelled', async () => {
    const stage = await openStage(subject)
    const parent = await stage.running()
    const child = aJob({ id: stage.newId(), type: 'child' })
    await waitForChild(stage, parent, child)
    expect(await stage.engine.cancel([parent.id], 'enough')).toEqual(['cancelled'])
    expect(await stage.job(child.id)).toMatchObject({
      state: 'cancelled',
      cancelReason: 'skipped: "mail" was cancelled',
    })
    expect(await stage.engine.flow(parent.id)).toMatchObject({ state: 'cancelled', cancelled: 2 })
  })

  it('asks a running child to stop when the waiting job is cancelled', async () => {
    const stage = await openStage(subject)
    const parent = await stage.running()
    const child = aJob({ id: stage.newId(), type: 'child' })
    await waitForChild(stage, parent, child)
    const running = await stage.claimOne({ type: 'child' })
    const hints = await hintsOf(stage, () => stage.engine.cancel([parent.id], 'enough'))
    expect(hints.map(hint => hint.kind)).toContain('cancel')
    expect(await stage.engine.cancelRequests('worker-1', [running])).toEqual([child.id])
    await stage.settle(running, cancelled())
    const { nodes } = await stage.engine.flowNodes(parent.id, { limit: 10 })
    expect(nodes.map(node => node.skipped)).toEqual([false, true])
  })

  it('is skipped, child and all, with what the waiting job depends on', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], b: ['a'], x: [] })
    await waitForChild(stage, await flow.claim('a'), aJob({ id: stage.newId(), type: 'child' }))
    await flow.run('x', dead())
    expect(await flow.states()).toEqual({
      a: 'cancelled',
      b: 'cancelled',
      x: 'dead',
      'a/analyze': 'cancelled',
    })
    await stage.engine.redrive([flow.idOf('x')])
    expect(await flow.states()).toEqual({ a: 'queued', b: 'blocked', x: 'queued', 'a/analyze': 'queued' })
  })

  it('leaves the child of a job that stays cancelled skipped', async () => {
    const stage = await openStage(subject)
    const flow = await enqueued(stage, { a: [], x: { onFailure: 'skip' }, underX: ['x'] })
    await waitForChild(stage, await flow.claim('a'), aJob({ id: stage.newId(), type: 'child' }))
    await stage.engine.cancel([flow.idOf('a')], 'enough')
    await flow.run('x', dead())
    await stage.engine.redrive([flow.idOf('x')])
    expect(await flow.states()).toEqual({
      a: 'cancelled',
      x: 'queued',
      underX: 'blocked',
      'a/analyze': 'cancelled',
    })
  })
}

async function waitForChild(
  stage: Stage,
  lease: ClaimedJob,
  child: NewJob,
  wait: Partial<Wait> = {},
): Promise<SettleAnswer | undefined> {
  const step = { name: 'analyze', ordinal: 1, kind: 'job' as const, signal: null }
  const outcome: Outcome = { kind: 'wait', wait: { step, inMs: null, until: null, ...wait } }
  const [answer] = await stage.engine.settle('worker-1', [{ lease, outcome, ranMs: 0, child }])
  return answer
}
