import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../src/job/decide.ts'
import type { Wait } from '../../src/job/wait.ts'
import { enqueued, hintsOf } from './flow-stage.ts'
import { aLine, aStep, complete, dead, hourMs, minuteMs, secondMs } from './samples.ts'
import { type EngineSubject, openStage, type Stage } from './stage.ts'

export function waitCases(subject: EngineSubject): void {
  describe('a sleep', () => {
    it('frees the worker, and runs the job again when its time has come', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      expect(await stage.settle(lease, sleeps({ inMs: hourMs }))).toBe('settled')
      expect(await stage.job(lease.id)).toMatchObject({
        state: 'queued',
        runAt: stage.clock.now() + hourMs,
        attempt: 0,
        worker: null,
      })
      expect(await stage.claimAnswer()).toEqual({ jobs: [], nextDueInMs: hourMs })
      await stage.clock.advance(hourMs)
      expect(await stage.claimOne()).toMatchObject({ id: lease.id, attempt: 1 })
    })

    it('ends at an instant, whatever the duration says', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      const until = stage.clock.now() + 3 * minuteMs
      await stage.settle(lease, sleeps({ inMs: hourMs, until }))
      expect((await stage.job(lease.id)).runAt).toBe(until)
    })

    it('until an instant that has passed ends at once', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      await stage.settle(lease, sleeps({ until: stage.clock.now() - hourMs }))
      expect(await stage.claimOne()).toMatchObject({ id: lease.id })
    })

    it('is a step that waits, and is due when its time has come', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      const startedAt = stage.clock.now()
      await stage.settle(lease, sleeps({ inMs: minuteMs }))
      const step = {
        name: 'pause',
        ordinal: 1,
        kind: 'sleep',
        state: 'waiting',
        resultJson: null,
        error: null,
        attempt: 1,
        epoch: lease.epoch,
        startedAt,
        endedAt: null,
        wakeAt: startedAt + minuteMs,
        due: false,
        signal: null,
        childId: null,
      }
      expect(await stage.engine.steps(lease.id)).toEqual([step])
      await stage.clock.advance(minuteMs)
      expect(await stage.engine.steps(lease.id)).toEqual([{ ...step, due: true }])
    })

    it('that has ended is a step like any, begun when it began to wait', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      const startedAt = stage.clock.now()
      await stage.settle(lease, sleeps({ inMs: minuteMs }))
      await stage.clock.advance(minuteMs)
      const second = await stage.claimOne()
      await stage.engine.report('worker-1', [
        { lease: second, steps: [aStep({ name: 'pause', kind: 'sleep' })] },
      ])
      expect(await stage.engine.steps(lease.id)).toMatchObject([
        { state: 'completed', due: false, startedAt, endedAt: stage.clock.now() },
      ])
    })
  })

  it('spends no attempt, and is told as one that waited', async () => {
    const stage = await openStage(subject)
    const { id } = await stage.finished(sleeps({ inMs: 0 }), { maxAttempts: 1 })
    const second = await stage.claimOne()
    expect(second.attempt).toBe(1)
    await stage.settle(second, complete())
    expect((await stage.engine.attempts(id)).map(each => [each.attempt, each.outcome])).toEqual([
      [1, 'waited'],
      [1, 'completed'],
    ])
  })

  it('again and again keeps only the last hundred of these in the history', async () => {
    const stage = await openStage(subject)
    const id = await stage.enqueue()
    for (let count = 0; count < 130; count++) {
      const lease = await stage.claimOne()
      await stage.engine.report('worker-1', [{ lease, logLines: [aLine(`${count}`)] }])
      await stage.settle(lease, sleeps({ inMs: 0 }))
    }
    expect(await stage.engine.attempts(id)).toHaveLength(100)
    const lines = await stage.engine.logs(id)
    expect(lines.map(line => line.message)).toEqual(Array.from({ length: 100 }, (_, at) => `${at + 30}`))
    expect((await stage.claimOne()).attempt).toBe(1)
  })

  it('settled again after a lost reply changes nothing more', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running()
    await stage.settle(lease, sleeps({ inMs: hourMs }))
    await stage.clock.advance(minuteMs)
    expect(await stage.settle(lease, sleeps({ inMs: hourMs }))).toBe('already-settled')
    expect((await stage.job(lease.id)).runAt).toBe(stage.clock.now() + hourMs - minuteMs)
    expect(await stage.engine.attempts(lease.id)).toHaveLength(1)
  })

  it('after the lease has ended is refused, and stores no step', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running({}, { leaseMs: 30 * secondMs })
    await stage.clock.advance(30 * secondMs + 1)
    expect(await stage.settle(lease, sleeps({ inMs: hourMs }))).toBe('lease-lost')
    expect(await stage.engine.steps(lease.id)).toEqual([])
    expect((await stage.job(lease.id)).state).toBe('running')
  })

  it('of a job that somebody wants cancelled cancels it instead', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running()
    await stage.engine.cancel([lease.id], 'no need')
    expect(await stage.settle(lease, waitsFor({ inMs: hourMs }))).toBe('settled')
    expect(await stage.job(lease.id)).toMatchObject({ state: 'cancelled', cancelReason: 'no need' })
    expect((await stage.engine.attempts(lease.id)).map(each => each.outcome)).toEqual(['cancelled'])
    expect(await stage.engine.steps(lease.id)).toEqual([])
  })

  describe('for a signal', () => {
    it('without a limit blocks the job until the signal comes', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      await stage.settle(lease, waitsFor())
      expect((await stage.job(lease.id)).state).toBe('blocked')
      expect(await stage.claimAnswer()).toEqual({ jobs: [], nextDueInMs: null })
      expect((await stage.engine.counts()).total).toMatchObject({ blocked: 1, ready: 0 })
      await stage.clock.advance(minuteMs)
      const hints = await hintsOf(stage, async () => expect(await send(stage, lease.id)).toBe('delivered'))
      expect(hints.map(hint => hint.kind)).toContain('ready')
      expect(await stage.job(lease.id)).toMatchObject({ state: 'queued', runAt: stage.clock.now() })
      expect(await stage.claimOne()).toMatchObject({ id: lease.id, attempt: 1 })
    })

    it('is a step that says what it waits for', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      await stage.settle(lease, waitsFor())
      expect(await stage.engine.steps(lease.id)).toMatchObject([
        { name: 'approval', kind: 'signal', state: 'waiting', signal: 'approved', wakeAt: null, due: false },
      ])
    })

    it('with a limit runs the job when the time is over', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      await stage.settle(lease, waitsFor({ inMs: hourMs }))
      expect(await stage.job(lease.id)).toMatchObject({ state: 'queued', runAt: stage.clock.now() + hourMs })
      await stage.clock.advance(hourMs)
      expect(await stage.claimOne()).toMatchObject({ id: lease.id })
      expect(await stage.engine.steps(lease.id)).toMatchObject([{ state: 'waiting', due: true }])
    })

    it('with a limit ends when the signal comes first', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      await stage.settle(lease, waitsFor({ inMs: hourMs }))
      await send(stage, lease.id)
      expect(await stage.claimOne()).toMatchObject({ id: lease.id })
      expect(await stage.engine.steps(lease.id)).toMatchObject([{ state: 'waiting', due: false }])
      expect((await stage.engine.counts()).total).toMatchObject({ delayed: 0, running: 1 })
    })

    it('that is there already ends at once', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      await send(stage, lease.id)
      await stage.settle(lease, waitsFor({ inMs: hourMs }))
      expect(await stage.job(lease.id)).toMatchObject({ state: 'queued', runAt: stage.clock.now() })
      expect(await stage.claimOne()).toMatchObject({ id: lease.id, attempt: 1 })
    })

    it('that a step took already goes on waiting', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      const signalId = stage.newId()
      await send(stage, lease.id, 'approved', signalId)
      await stage.engine.report('worker-1', [
        { lease, steps: [aStep({ name: 'first', kind: 'signal', signalId })] },
      ])
      await stage.settle(lease, waitsFor())
      expect((await stage.job(lease.id)).state).toBe('blocked')
    })

    it('is not ended by a signal of another name, nor by another job’s', async () => {
      const stage = await openStage(subject)
      const other = await stage.enqueue({ type: 'other' })
      const lease = await stage.running()
      await stage.settle(lease, waitsFor())
      await send(stage, lease.id, 'refused')
      await send(stage, other, 'approved')
      expect((await stage.job(lease.id)).state).toBe('blocked')
      expect(await stage.claim()).toEqual([])
    })

    it('leaves the backoff of a later failure alone', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      await stage.settle(lease, waitsFor({ inMs: minuteMs }))
      await stage.clock.advance(minuteMs)
      const second = await stage.claimOne()
      await stage.settle(second, {
        kind: 'retry',
        inMs: hourMs,
        error: { name: 'E', message: '', stack: null, fingerprint: 'f' },
      })
      await send(stage, lease.id)
      expect((await stage.job(lease.id)).runAt).toBe(stage.clock.now() + hourMs)
    })

    it('is cancelled like any waiting job', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      await stage.settle(lease, waitsFor())
      expect(await stage.engine.cancel([lease.id], 'enough')).toEqual(['cancelled'])
      expect((await stage.engine.counts()).total).toMatchObject({ blocked: 0, cancelled: 1 })
      expect(await send(stage, lease.id)).toBe('already-finished')
    })

    it('of a job that was cancelled and redriven does not go on by itself', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      await stage.settle(lease, waitsFor())
      await stage.engine.cancel([lease.id], 'enough')
      await stage.engine.redrive([lease.id])
      expect(await stage.engine.steps(lease.id)).toMatchObject([{ name: 'approval', state: 'waiting' }])
      expect(await stage.claimOne()).toMatchObject({ id: lease.id, attempt: 1 })
    })

    it('of a job that is blocked by others, once it was redriven, does not end by a signal', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'], x: [] })
      await flow.run('a')
      await flow.run('b', waitsFor())
      await flow.run('x', dead())
      await stage.engine.redrive([flow.idOf('a'), flow.idOf('x')])
      expect(await flow.states()).toEqual({ a: 'queued', b: 'blocked', x: 'queued' })
      await send(stage, flow.idOf('b'))
      expect(await flow.states()).toEqual({ a: 'queued', b: 'blocked', x: 'queued' })
      await flow.run('a')
      await flow.run('b')
    })

    it('in a flow blocks what depends on the job, and is skipped with the flow', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: [], b: ['a'], x: [] })
      await flow.run('a', waitsFor())
      expect(await flow.states()).toEqual({ a: 'blocked', b: 'blocked', x: 'queued' })
      await flow.run('x', dead())
      expect(await flow.skipped()).toEqual(['a', 'b'])
      await stage.engine.redrive([flow.idOf('x')])
      expect(await flow.states()).toEqual({ a: 'queued', b: 'blocked', x: 'queued' })
    })

    it('in a flow is no wait for a dependency: the job is not skipped for one that is redriven and dies', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { a: { onFailure: 'skip' }, b: ['a'] })
      await flow.run('a')
      await flow.run('b', waitsFor())
      await stage.engine.redrive([flow.idOf('a')])
      await flow.run('a', dead())
      expect(await flow.states()).toEqual({ a: 'dead', b: 'blocked' })
      await send(stage, flow.idOf('b'))
      await flow.run('b')
      expect((await flow.record()).state).toBe('completed')
    })
  })
}

function sleeps(wait: Partial<Wait>): Outcome {
  const step = { name: 'pause', ordinal: 1, kind: 'sleep' as const, signal: null }
  return { kind: 'wait', wait: { step, inMs: null, until: null, ...wait } }
}

function waitsFor(wait: Partial<Wait> = {}): Outcome {
  const step = { name: 'approval', ordinal: 1, kind: 'signal' as const, signal: 'approved' }
  return { kind: 'wait', wait: { step, inMs: null, until: null, ...wait } }
}

function send(stage: Stage, jobId: string, name = 'approved', id = stage.newId()) {
  return stage.engine.signal({ id, jobId, name, payloadJson: '{"by":"ada"}' })
}
