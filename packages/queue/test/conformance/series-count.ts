import { expect, it } from 'vitest'
import { fixed, handle, NonRetryableError, type SeriesPoint } from '../../src/index.ts'
import { override } from '../support/engine-proxy.ts'
import { enqueueMany, openRuntime, plainJob, type Runtime, still } from './runtime-stage.ts'
import { hourMs, minuteMs, secondMs } from './samples.ts'
import type { EngineSubject } from './stage.ts'

async function lastHour(runtime: Runtime, millrace = runtime.millrace): Promise<SeriesPoint> {
  const until = runtime.clock.now() + minuteMs
  const [line] = await millrace.series({ from: until - hourMs, until, stepMs: hourMs })
  return line?.points[0] as SeriesPoint
}

export function seriesCountCases(subject: EngineSubject): void {
  it('counts what completes, fails and dies, and how long it waited and ran', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ backoff: fixed(secondMs), maxAttempts: 2 })
    const handler = handle(work, async ({ payload }) => {
      if (payload.n === 1) throw new Error('no')
      if (payload.n === 2) throw new NonRetryableError('never')
    })
    const ids = await enqueueMany(runtime.millrace, work, 4)
    runtime.clock.freeze(3 * secondMs)
    await runtime.start([handler])
    await runtime.reaches(ids[0] as string, 'completed')
    await runtime.reaches(ids[1] as string, 'dead')
    await runtime.reaches(ids[3] as string, 'completed')
    const point = await lastHour(runtime)
    expect(point).toMatchObject({ completed: 2, failed: 3, dead: 2, cancelled: 0 })
    // Three seconds lie in the bucket from 2,048 to 4,095 ms.
    expect(point.wait.p50).toBeGreaterThanOrEqual(2_048)
    expect(point.wait.p50).toBeLessThan(4_096)
    expect(point.wait.mean).toBeGreaterThan(2_000)
    expect(point.run.mean).not.toBeNull()
  })

  it('is written every ten seconds or so, for other processes to see', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    await runtime.start([handle(work, () => 1)])
    const elsewhere = await runtime.elsewhere()
    const ids = await enqueueMany(runtime.millrace, work, 25)
    await runtime.allReach(ids, 'completed')
    await runtime.clock.advance(10 * secondMs)
    expect(await lastHour(runtime, elsewhere)).toMatchObject({ completed: 25 })
  })

  it('is written when the worker stops', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    const elsewhere = await runtime.elsewhere()
    await enqueueMany(runtime.millrace, work, 3)
    await runtime.clock.until(runtime.worker([handle(work, () => 1)]).drain())
    expect(await lastHour(runtime, elsewhere)).toMatchObject({ completed: 3 })
  })

  it('is not written when nothing has happened', async () => {
    let writes = 0
    const runtime = await openRuntime(subject, {
      between: engine =>
        override(engine, {
          writeSeries: (worker, rows) => {
            writes++
            return engine.writeSeries(worker, rows)
          },
        }),
    })
    const work = plainJob()
    const worker = await runtime.start([handle(work, () => 1)], still)
    const [id] = await enqueueMany(runtime.millrace, work, 1)
    await runtime.reaches(id as string, 'completed')
    await runtime.clock.advance(5 * minuteMs)
    expect(writes).toBe(1)
    await runtime.clock.until(worker.stop())
    expect(writes).toBe(1)
  })

  it('loses nothing when it could not be written for a while', async () => {
    let isAway = true
    const runtime = await openRuntime(subject, {
      between: engine =>
        override(engine, {
          writeSeries: (worker, rows) =>
            isAway ? Promise.reject(new Error('away')) : engine.writeSeries(worker, rows),
        }),
    })
    const work = plainJob()
    await runtime.start([handle(work, () => 1)])
    for (let round = 0; round < 3; round++) {
      const ids = await enqueueMany(runtime.millrace, work, 5)
      await runtime.allReach(ids, 'completed')
      await runtime.clock.advance(minuteMs)
    }
    isAway = false
    await runtime.clock.advance(15 * secondMs)
    const elsewhere = await runtime.elsewhere()
    expect(await lastHour(runtime, elsewhere)).toMatchObject({ completed: 15 })
    expect(await lastHour(runtime)).toMatchObject({ completed: 15 })
  })

  it('counts a minute that comes again beside what was counted then', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    await runtime.start([handle(work, () => 1)], still)
    for (const setBackMs of [0, 2 * minuteMs]) {
      runtime.clock.setWall(runtime.clock.now() - setBackMs)
      const ids = await enqueueMany(runtime.millrace, work, 4)
      await runtime.allReach(ids, 'completed')
      await runtime.clock.advance(2 * minuteMs)
      const [id] = await enqueueMany(runtime.millrace, work, 1)
      await runtime.reaches(id as string, 'completed')
    }
    expect(await lastHour(runtime)).toMatchObject({ completed: 10 })
  })

  it('counts jobs that die with their worker', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    const ids = await enqueueMany(runtime.millrace, work, 3)
    const { engine } = runtime.stage
    const lanes = [{ queue: 'default', types: ['work'] }]
    await engine.claim({ worker: 'w-gone', lanes, limit: 3, leaseMs: secondMs })
    runtime.clock.freeze(2 * secondMs)
    await runtime.start([], { maxDeaths: 1 })
    await runtime.allReach(ids, 'dead')
    expect(await lastHour(runtime)).toMatchObject({ completed: 0, failed: 3, dead: 3 })
  })

  it('answers every step, zeros included, and a line for each type or queue', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ queue: 'fast' })
    const other = plainJob({ type: 'other' })
    const from = runtime.clock.now()
    await runtime.start([handle(work, () => 1), handle(other, () => 1)])
    const ids = await enqueueMany(runtime.millrace, work, 2)
    await runtime.allReach(ids, 'completed')
    await runtime.clock.advance(2 * minuteMs)
    const { id } = await runtime.millrace.enqueue(other, {})
    await runtime.reaches(id, 'completed')
    const query = { from, until: from + 4 * minuteMs, stepMs: minuteMs }
    const completed = (points: SeriesPoint[]): number[] => points.map(point => point.completed)
    const [all, ...none] = await runtime.millrace.series(query)
    expect(none).toEqual([])
    expect(all?.points.map(point => point.at - from)).toEqual([0, 1, 2, 3].map(each => each * minuteMs))
    expect(completed(all?.points ?? [])).toEqual([2, 0, 1, 0])
    const byQueue = await runtime.millrace.series({ ...query, by: 'queue' })
    expect(byQueue.map(({ name, points }) => [name, completed(points)])).toEqual([
      ['default', [0, 0, 1, 0]],
      ['fast', [2, 0, 0, 0]],
    ])
    const [mine] = await runtime.millrace.series({ ...query, types: ['other'] })
    expect(completed(mine?.points ?? [])).toEqual([0, 0, 1, 0])
    expect(all?.points[1]?.wait).toEqual({ mean: null, p50: null, p95: null, p99: null })
  })

  it('refuses a span or a step that makes no sense', async () => {
    const { millrace } = await openRuntime(subject)
    const from = Date.UTC(2026, 0, 1)
    const wrong = [
      { from, until: from + hourMs, stepMs: 90_000 },
      { from, until: from + hourMs, stepMs: 0 },
      { from, until: from, stepMs: minuteMs },
      { from, until: from + 10_000 * minuteMs, stepMs: minuteMs },
      { from: Number.NaN, until: from, stepMs: minuteMs },
    ]
    for (const options of wrong)
      await expect(millrace.series(options)).rejects.toMatchObject({ code: 'invalid-argument' })
  })
}
