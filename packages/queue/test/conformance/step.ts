import { describe, expect, it } from 'vitest'
import type { Lease } from '../../src/engine/contract.ts'
import type { StepWrite } from '../../src/engine/step.ts'
import { anError, aStep, complete, dead, hourMs, minuteMs, retry, secondMs } from './samples.ts'
import { type EngineSubject, openStage, type Stage } from './stage.ts'

export function stepCases(subject: EngineSubject): void {
  it('is kept as it was written, with the attempt that wrote it', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running()
    await stage.clock.advance(minuteMs / 2)
    expect(await write(stage, lease, { resultJson: '{"charged":true}', ranMs: 300 })).toBe('ok')
    expect(await stage.engine.steps(lease.id)).toEqual([
      {
        name: 'charge',
        ordinal: 1,
        kind: 'run',
        state: 'completed',
        resultJson: '{"charged":true}',
        error: null,
        attempt: 1,
        epoch: lease.epoch,
        startedAt: stage.clock.now() - 300,
        endedAt: stage.clock.now(),
        wakeAt: null,
        due: false,
        signal: null,
        childId: null,
      },
    ])
  })

  it('is listed by its place in the handler', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running()
    const steps = [
      aStep({ name: 'b', ordinal: 2 }),
      aStep({ name: 'a', ordinal: 10 }),
      aStep({ name: 'c', ordinal: 1 }),
    ]
    await stage.engine.report('worker-1', [{ lease, steps }])
    expect((await stage.engine.steps(lease.id)).map(step => step.name)).toEqual(['c', 'b', 'a'])
  })

  it('of the same name is replaced: the last write stands', async () => {
    const stage = await openStage(subject)
    const lease = await stage.finished(retry())
    const first = await stage.claimOne()
    expect(first.id).toBe(lease.id)
    await write(stage, first, { state: 'failed', error: anError('first try') })
    expect(await stage.engine.steps(lease.id)).toMatchObject([
      { state: 'failed', error: { message: 'first try' } },
    ])
    await stage.settle(first, retry())
    const second = await stage.claimOne()
    await write(stage, second, { resultJson: '2' })
    expect(await stage.engine.steps(lease.id)).toMatchObject([
      { state: 'completed', resultJson: '2', error: null, attempt: 3, epoch: second.epoch },
    ])
  })

  it('that was caught keeps its error', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running()
    await write(stage, lease, { state: 'caught', error: anError('declined') })
    expect(await stage.engine.steps(lease.id)).toMatchObject([
      { state: 'caught', error: anError('declined') },
    ])
  })

  it('goes with progress and log lines in one report', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running()
    const progress = { percent: 50, message: null, dataJson: null }
    await stage.engine.report('worker-1', [{ lease, progress, steps: [aStep()] }])
    expect(await stage.engine.steps(lease.id)).toHaveLength(1)
    expect((await stage.job(lease.id)).progress).toEqual(progress)
  })

  it('keeps any result that a payload may be', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running()
    const resultJson = JSON.stringify({ text: 'zażółć 🐎 \u0000 \ud800', nested: [[], {}, null, 1e300] })
    await write(stage, lease, { resultJson })
    expect((await stage.engine.steps(lease.id))[0]?.resultJson).toBe(resultJson)
  })

  it('stands for the next attempt, whoever runs it', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running({}, { leaseMs: 30 * secondMs })
    await write(stage, lease, { resultJson: '"once"' })
    await stage.clock.advance(30 * secondMs + 1)
    await stage.rescue()
    const second = await stage.claimOne({ worker: 'worker-2' })
    expect(await stage.engine.steps(second.id)).toMatchObject([{ state: 'completed', resultJson: '"once"' }])
  })

  it('of a job without steps, or of none, are none', async () => {
    const stage = await openStage(subject)
    expect(await stage.engine.steps(await stage.enqueue())).toEqual([])
    expect(await stage.engine.steps(stage.newId())).toEqual([])
  })

  describe('is refused', () => {
    it('after the lease has ended', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running({}, { leaseMs: 30 * secondMs })
      await stage.clock.advance(30 * secondMs + 1)
      expect(await write(stage, lease)).toBe('lease-lost')
      expect(await stage.engine.steps(lease.id)).toEqual([])
    })

    it('of a zombie whose job another worker has', async () => {
      const stage = await openStage(subject)
      const zombie = await stage.running({}, { leaseMs: 30 * secondMs })
      await stage.clock.advance(30 * secondMs + 1)
      await stage.rescue()
      const lease = await stage.claimOne({ worker: 'worker-2' })
      await write(stage, lease, { resultJson: '"right"' }, 'worker-2')
      expect(await write(stage, zombie, { resultJson: '"late"' })).toBe('lease-lost')
      expect(await stage.engine.steps(lease.id)).toMatchObject([{ resultJson: '"right"' }])
    })

    it('once the attempt was settled', async () => {
      const stage = await openStage(subject)
      const lease = await stage.finished(complete())
      expect(await write(stage, lease)).toBe('lease-lost')
      expect(await stage.engine.steps(lease.id)).toEqual([])
    })
  })

  describe('of a job that is redriven', () => {
    it('stands when the job was dead', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      await write(stage, lease)
      await stage.settle(lease, dead())
      expect(await stage.engine.steps(lease.id)).toHaveLength(1)
      await stage.engine.redrive([lease.id])
      expect(await stage.engine.steps(lease.id)).toMatchObject([{ name: 'charge', state: 'completed' }])
    })

    it('stands when the job was cancelled', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      await write(stage, lease)
      await stage.settle(lease, { kind: 'cancelled', reason: 'no' })
      await stage.engine.redrive([lease.id])
      expect(await stage.engine.steps(lease.id)).toHaveLength(1)
    })

    it('is forgotten when that is asked for', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      await write(stage, lease)
      await stage.settle(lease, dead())
      await stage.engine.redrive([lease.id], { forgetSteps: true })
      expect(await stage.engine.steps(lease.id)).toEqual([])
    })

    it('is forgotten when the job had completed', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      await write(stage, lease)
      await stage.settle(lease, complete())
      await stage.engine.redrive([lease.id])
      expect(await stage.engine.steps(lease.id)).toEqual([])
    })
  })

  it('goes with its job when that is pruned or removed', async () => {
    const stage = await openStage(subject)
    const [pruned, removed] = [await stage.running(), await stage.running()]
    for (const lease of [pruned, removed]) {
      await write(stage, lease)
      await stage.settle(lease, complete())
    }
    await stage.engine.remove([removed.id])
    expect(await stage.engine.steps(removed.id)).toEqual([])
    expect(await stage.engine.steps(pruned.id)).toHaveLength(1)
    await stage.clock.advance(2 * hourMs)
    await stage.engine.prune({ rules: [{ type: null, state: 'completed', maxAgeMs: hourMs }], limit: 10 })
    expect(await stage.engine.steps(pruned.id)).toEqual([])
  })
}

async function write(
  stage: Stage,
  lease: Lease,
  step: Partial<StepWrite> = {},
  worker = 'worker-1',
): Promise<'ok' | 'lease-lost' | undefined> {
  const [answer] = await stage.engine.report(worker, [{ lease, steps: [aStep(step)] }])
  return answer
}
