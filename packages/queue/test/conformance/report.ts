import { expect, it } from 'vitest'
import type { LogLine, Progress } from '../../src/engine/contract.ts'
import { complete, dead, retry, secondMs } from './samples.ts'
import { type EngineSubject, openStage } from './stage.ts'

export function reportCases(subject: EngineSubject): void {
  it('stores progress, seen by another instance', async () => {
    const stage = await openStage(subject)
    const other = await stage.another()
    const lease = await stage.running()
    const progress = at(40, 'page 4 of 10', '{"page":4}')
    expect(await stage.engine.report('worker-1', [{ lease, progress }])).toEqual(['ok'])
    expect((await stage.job(lease.id, other)).progress).toEqual(progress)
  })

  it('keeps the last progress, through the completion too', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running()
    await stage.engine.report('worker-1', [{ lease, progress: at(10) }])
    await stage.engine.report('worker-1', [{ lease, progress: at(99.5, 'nearly') }])
    await stage.settle(lease, complete())
    expect((await stage.job(lease.id)).progress).toEqual(at(99.5, 'nearly'))
  })

  it('stores log lines in order, with their attempt', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running()
    const lines = [
      line('one', 'debug'),
      line('two', 'info', '{"n":2}'),
      line('three', 'warn'),
      line('four', 'error'),
    ]
    await stage.engine.report('worker-1', [{ lease, logLines: lines.slice(0, 3) }])
    await stage.engine.report('worker-1', [{ lease, logLines: lines.slice(3) }])
    expect(await stage.engine.logs(lease.id)).toEqual(
      lines.map(each => ({ ...each, attempt: 1, epoch: lease.epoch })),
    )
  })

  it('keeps the logs of each attempt apart, and after the end', async () => {
    const stage = await openStage(subject)
    const first = await stage.running()
    await stage.engine.report('worker-1', [{ lease: first, logLines: [line('first')] }])
    await stage.settle(first, retry())
    const second = await stage.claimOne()
    await stage.engine.report('worker-1', [{ lease: second, logLines: [line('second')] }])
    await stage.settle(second, complete())
    const messages = async (attempt?: number) =>
      (await stage.engine.logs(first.id, attempt === undefined ? {} : { attempt })).map(each => each.message)
    expect(await messages()).toEqual(['first', 'second'])
    expect(await messages(1)).toEqual(['first'])
    expect(await messages(2)).toEqual(['second'])
    expect(await messages(3)).toEqual([])
  })

  it('keeps the logs over a redrive', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running()
    await stage.engine.report('worker-1', [{ lease, logLines: [line('before')] }])
    await stage.settle(lease, dead())
    await stage.engine.redrive([lease.id])
    const next = await stage.claimOne()
    await stage.engine.report('worker-1', [{ lease: next, logLines: [line('after')] }])
    expect((await stage.engine.logs(lease.id)).map(each => each.message)).toEqual(['before', 'after'])
  })

  it('hands out no more log lines than asked for', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running()
    const logLines = Array.from({ length: 20 }, (_, index) => line(`line ${index}`))
    await stage.engine.report('worker-1', [{ lease, logLines }])
    expect(await stage.engine.logs(lease.id, { limit: 5 })).toHaveLength(5)
  })

  it('takes progress and lines together', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running()
    await stage.engine.report('worker-1', [{ lease, progress: at(5), logLines: [line('hello')] }])
    expect((await stage.job(lease.id)).progress).toEqual(at(5))
    expect(await stage.engine.logs(lease.id)).toHaveLength(1)
  })

  it('answers a batch item by item, in order', async () => {
    const stage = await openStage(subject)
    const finished = await stage.finished(complete())
    const removed = await stage.finished(complete())
    await stage.engine.remove([removed.id])
    const lease = await stage.running()
    const reports = [
      { lease: finished, progress: at(1) },
      { lease, progress: at(2) },
      { lease: removed, progress: at(3) },
      { lease: { ...lease, epoch: lease.epoch - 1 }, progress: at(4), logLines: [line('stale')] },
    ]
    expect(await stage.engine.report('worker-1', reports)).toEqual([
      'lease-lost',
      'ok',
      'lease-lost',
      'lease-lost',
    ])
    expect((await stage.job(lease.id)).progress).toEqual(at(2))
    expect((await stage.job(finished.id)).progress).toBeNull()
    expect(await stage.engine.logs(lease.id)).toEqual([])
    expect(await stage.engine.report('worker-1', [])).toEqual([])
  })

  it('is refused after the lease has ended, and touches nothing', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running({}, { leaseMs: 30 * secondMs })
    await stage.clock.advance(30 * secondMs + 1)
    const report = { lease, progress: at(50), logLines: [line('late')] }
    expect(await stage.engine.report('worker-1', [report])).toEqual(['lease-lost'])
    expect((await stage.job(lease.id)).progress).toBeNull()
    expect(await stage.engine.logs(lease.id)).toEqual([])
  })

  it('of a frozen worker does not overwrite its successor’s', async () => {
    const stage = await openStage(subject)
    const zombie = await stage.running({}, { leaseMs: 30 * secondMs })
    await stage.clock.advance(30 * secondMs + 1)
    await stage.rescue()
    const lease = await stage.claimOne({ worker: 'worker-2' })
    await stage.engine.report('worker-2', [{ lease, progress: at(10) }])
    expect(await stage.engine.report('worker-1', [{ lease: zombie, progress: at(90) }])).toEqual([
      'lease-lost',
    ])
    expect((await stage.job(lease.id)).progress).toEqual(at(10))
  })

  it('of an earlier attempt of the same worker is refused', async () => {
    const stage = await openStage(subject)
    const first = await stage.finished(retry())
    const second = await stage.claimOne()
    await stage.engine.report('worker-1', [{ lease: second, progress: at(10) }])
    const late = { lease: first, progress: at(90), logLines: [line('late')] }
    expect(await stage.engine.report('worker-1', [late])).toEqual(['lease-lost'])
    expect((await stage.job(second.id)).progress).toEqual(at(10))
    expect(await stage.engine.logs(second.id)).toEqual([])
  })

  it('does not extend the lease', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running({}, { leaseMs: 30 * secondMs })
    await stage.clock.advance(20 * secondMs)
    await stage.engine.report('worker-1', [{ lease, progress: at(50) }])
    await stage.clock.advance(20 * secondMs)
    expect(await stage.settle(lease, complete())).toBe('lease-lost')
  })

  function at(percent: number, message: string | null = null, dataJson: string | null = null): Progress {
    return { percent, message, dataJson }
  }

  function line(message: string, level: LogLine['level'] = 'info', dataJson: string | null = null): LogLine {
    return { level, message, dataJson, at: 1_768_478_400_123 }
  }
}
