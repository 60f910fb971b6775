import { expect, it } from 'vitest'
import type { Outcome } from '../../src/job/decide.ts'
import {
  aLine,
  anError,
  cancelled,
  complete,
  dead,
  minuteMs,
  release,
  retry,
  secondMs,
  snooze,
} from './samples.ts'
import { type EngineSubject, openStage } from './stage.ts'

export function attemptCases(subject: EngineSubject): void {
  it('are none before the first claim, nor for an unknown job', async () => {
    const stage = await openStage(subject)
    expect(await stage.engine.attempts(await stage.enqueue())).toEqual([])
    expect(await stage.engine.attempts(stage.newId())).toEqual([])
  })

  it('show the one that runs', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running({}, { worker: 'worker-3' })
    expect(await stage.engine.attempts(lease.id)).toMatchObject([
      { attempt: 1, epoch: lease.epoch, worker: 'worker-3', endedAt: null, outcome: 'running', error: null },
    ])
  })

  it('record worker, times and error of a failure', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running({}, { worker: 'worker-3' })
    await stage.clock.advance(5 * secondMs)
    await stage.settle(lease, retry(0, 'no route to host'), { worker: 'worker-3', ranMs: 4_200 })
    const endedAt = stage.clock.now()
    expect(await stage.engine.attempts(lease.id)).toEqual([
      {
        attempt: 1,
        epoch: lease.epoch,
        worker: 'worker-3',
        startedAt: endedAt - 4_200,
        endedAt,
        outcome: 'failed',
        error: anError('no route to host'),
      },
    ])
  })

  it('record each attempt of a job that succeeds in the end', async () => {
    const stage = await openStage(subject)
    const { id } = await stage.finished(retry(0, 'first'))
    await stage.settle(await stage.claimOne({ worker: 'worker-2' }), retry(0, 'second'), {
      worker: 'worker-2',
    })
    await stage.settle(await stage.claimOne(), complete())
    const attempts = await stage.engine.attempts(id)
    expect(attempts.map(each => [each.attempt, each.worker, each.outcome, each.error?.message])).toEqual([
      [1, 'worker-1', 'failed', 'first'],
      [2, 'worker-2', 'failed', 'second'],
      [3, 'worker-1', 'completed', undefined],
    ])
  })

  it.each([
    ['completed', complete()],
    ['failed', dead()],
    ['cancelled', cancelled()],
    ['snoozed', snooze(secondMs)],
  ] as const)('record that one was %s', async (expected, outcome) => {
    const stage = await openStage(subject)
    const { id } = await stage.finished(outcome)
    expect((await stage.engine.attempts(id)).map(each => each.outcome)).toEqual([expected])
  })

  it('leave out what was released: it never ran', async () => {
    const stage = await openStage(subject)
    const { id } = await stage.finished(release)
    await stage.settle(await stage.claimOne(), complete())
    expect((await stage.engine.attempts(id)).map(each => [each.attempt, each.outcome])).toEqual([
      [1, 'completed'],
    ])
  })

  it('that snooze again and again are forgotten but for the last hundred, with what they logged', async () => {
    const stage = await openStage(subject)
    const id = await stage.enqueue()
    const end = async (outcome: Outcome, said: string) => {
      const lease = await stage.claimOne()
      await stage.engine.report('worker-1', [{ lease, logLines: [aLine(said)] }])
      await stage.settle(lease, outcome)
    }
    await end(retry(), 'failed')
    await end(release, 'released')
    for (let count = 0; count < 120; count++) await end(snooze(), `${count}`)
    const attempts = await stage.engine.attempts(id)
    expect(attempts.map(each => each.outcome)).toEqual(['failed', ...Array(100).fill('snoozed')])
    const lines = await stage.engine.logs(id)
    expect(lines.map(line => line.message)).toEqual([
      'failed',
      ...Array.from({ length: 100 }, (_, at) => `${at + 20}`),
    ])
  })

  it('record the failure of an attempt whose job was cancelled meanwhile', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running()
    await stage.engine.cancel([lease.id], 'stop')
    await stage.settle(lease, retry())
    expect(await stage.engine.attempts(lease.id)).toMatchObject([{ outcome: 'failed', error: anError() }])
    expect((await stage.job(lease.id)).state).toBe('cancelled')
  })

  it('record a lost worker between two others', async () => {
    const stage = await openStage(subject)
    const { id } = await stage.finished(retry())
    await stage.claimOne({ worker: 'lost', leaseMs: minuteMs })
    await stage.clock.advance(minuteMs + 1)
    await stage.rescue()
    await stage.settle(await stage.claimOne({ worker: 'worker-2' }), complete(), { worker: 'worker-2' })
    const attempts = await stage.engine.attempts(id)
    expect(attempts.map(each => [each.attempt, each.worker, each.outcome])).toEqual([
      [1, 'worker-1', 'failed'],
      [2, 'lost', 'worker-lost'],
      [3, 'worker-2', 'completed'],
    ])
    const epochs = attempts.map(each => each.epoch)
    expect(epochs).toEqual(epochs.toSorted((a, b) => a - b))
  })

  it('keep an error that holds anything a text can hold', async () => {
    const stage = await openStage(subject)
    const error = {
      name: 'Ошибка',
      message: `"' \\ \n\t 🎉 ${'x'.repeat(4_000)}`,
      stack: null,
      fingerprint: 'f',
    }
    const { id } = await stage.finished({ kind: 'dead', error })
    expect((await stage.job(id)).lastError).toEqual(error)
    expect((await stage.engine.attempts(id))[0]?.error).toEqual(error)
  })
}
