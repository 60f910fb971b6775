import { expect, it } from 'vitest'
import { handle, NonRetryableError } from '../../src/index.ts'
import { enqueueMany, openRuntime, plainJob, still } from './runtime-stage.ts'
import { dayMs, hourMs, minuteMs } from './samples.ts'
import type { EngineSubject } from './stage.ts'

export function prunerCases(subject: EngineSubject): void {
  it('keeps as many finished jobs as the definition says', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ retention: { completed: { maxCount: 3 } } })
    await runtime.start([handle(work, () => 1)], { concurrency: 1 })
    const ids = await enqueueMany(runtime.millrace, work, 10)
    const kept = async () => (await runtime.stage.states(ids)).filter(state => state !== null).length
    await runtime.clock.eventually(async () => (await kept()) === 3, 10 * minuteMs)
    await runtime.clock.advance(minuteMs)
    expect(await runtime.stage.states(ids.slice(-3))).toEqual(Array(3).fill('completed'))
  })

  it('keeps finished jobs as long as the definition says, each state by its own', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ retention: { completed: { maxAgeMs: hourMs }, dead: { maxAgeMs: 2 * dayMs } } })
    const handler = handle(work, ({ payload }) => {
      if (payload.n > 0) throw new NonRetryableError('no')
    })
    const ids = await enqueueMany(runtime.millrace, work, 2)
    const first = runtime.worker([handler])
    await runtime.clock.until(first.drain())
    expect(await runtime.stage.states(ids)).toEqual(['completed', 'dead'])
    runtime.clock.freeze(dayMs)
    await runtime.start([handler])
    await runtime.clock.eventually(async () => (await runtime.stage.states(ids))[0] === null, 10 * minuteMs)
    expect(await runtime.stage.states(ids)).toEqual([null, 'dead'])
  })

  it('keeps completed jobs for a day and dead ones for a month when the definition says nothing', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    const handler = handle(work, ({ payload }) => {
      if (payload.n > 0) throw new NonRetryableError('no')
    })
    const ids = await enqueueMany(runtime.millrace, work, 2)
    await runtime.clock.until(runtime.worker([handler]).drain())
    const worker = await runtime.start([handler])
    await runtime.clock.advance(10 * minuteMs)
    expect(await runtime.stage.states(ids)).toEqual(['completed', 'dead'])
    await runtime.clock.until(worker.stop())
    runtime.clock.freeze(dayMs)
    await runtime.start([handler])
    await runtime.clock.eventually(async () => (await runtime.stage.states(ids))[0] === null, 10 * minuteMs)
    expect(await runtime.stage.states(ids)).toEqual([null, 'dead'])
  })

  it('prunes a long backlog bit by bit, while jobs are worked', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ retention: { completed: { maxCount: 0 } } })
    await runtime.start([handle(work, () => 1)])
    await enqueueMany(runtime.millrace, work, 3_000)
    const left = async () => (await runtime.millrace.stats()).total
    await runtime.clock.eventually(async () => {
      const { ready, running, completed } = await left()
      return ready + running + completed === 0
    }, hourMs)
  })

  it('is left out of a worker that was told so', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ retention: { completed: { maxCount: 0 } } })
    await runtime.start([handle(work, () => 1)], { ...still, pruner: false })
    const ids = await enqueueMany(runtime.millrace, work, 3)
    await runtime.allReach(ids, 'completed')
    await runtime.clock.advance(10 * minuteMs)
    expect(await runtime.stage.states(ids)).toEqual(Array(3).fill('completed'))
  })
}
