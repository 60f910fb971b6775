import { expect, it } from 'vitest'
import { seriesBuckets, seriesKeptMs, type SeriesRow, type SeriesSum } from '../../src/engine/series.ts'
import { hourMs, minuteMs } from './samples.ts'
import { type EngineSubject, openStage } from './stage.ts'

const noon = Date.UTC(2026, 0, 15, 12)

function aRow(row: Partial<SeriesRow> = {}): SeriesRow {
  const none = (): number[] => Array.from({ length: seriesBuckets }, () => 0)
  return {
    minute: noon,
    type: 'mail',
    queue: 'default',
    completed: 0,
    failed: 0,
    dead: 0,
    cancelled: 0,
    waitedMs: 0,
    ranMs: 0,
    waited: none(),
    ran: none(),
    ...row,
  }
}

const hour = { from: noon, until: noon + hourMs, stepMs: hourMs }

export function seriesCases(subject: EngineSubject): void {
  it('has nothing where nothing was written', async () => {
    const { engine } = await openStage(subject)
    expect(await engine.readSeries(hour)).toEqual([])
  })

  it('answers what was written, as it was', async () => {
    const { engine } = await openStage(subject)
    const waited = Array.from({ length: seriesBuckets }, (_, index) => index)
    const ran = waited.toReversed()
    const totals = { completed: 7, failed: 3, dead: 2, cancelled: 1, waitedMs: 1234, ranMs: 987 }
    await engine.writeSeries('w1', [aRow({ ...totals, waited, ran })])
    expect(await engine.readSeries(hour)).toEqual([{ at: noon, name: null, ...totals, waited, ran }])
  })

  it('adds up workers, minutes, types and queues', async () => {
    const { engine } = await openStage(subject)
    await engine.writeSeries('w1', [
      aRow({ completed: 1 }),
      aRow({ completed: 2, minute: noon + minuteMs }),
      aRow({ completed: 4, type: 'report' }),
      aRow({ completed: 8, queue: 'slow' }),
    ])
    await engine.writeSeries('w2', [aRow({ completed: 16, waitedMs: 5 })])
    expect(await engine.readSeries(hour)).toMatchObject([{ completed: 31, waitedMs: 5 }])
  })

  it('writes totals: a repeat, or one that comes late, changes nothing', async () => {
    const { engine } = await openStage(subject)
    const early = aRow({ completed: 2, ranMs: 10, ran: [2] })
    const later = aRow({ completed: 5, ranMs: 30, ran: [4, 1] })
    for (const row of [early, later, later, early]) await engine.writeSeries('w1', [row])
    const [sum] = await engine.readSeries(hour)
    expect(sum).toMatchObject({ completed: 5, ranMs: 30 })
    expect((sum as SeriesSum).ran[0]).toBe(4)
    expect((sum as SeriesSum).ran[1]).toBe(1)
  })

  it('answers by steps from where it is asked, and only what lies within', async () => {
    const { engine } = await openStage(subject)
    const minutes = [-1, 0, 1, 4, 5, 9, 10]
    await engine.writeSeries(
      'w1',
      minutes.map(each => aRow({ minute: noon + each * minuteMs, completed: 1 })),
    )
    const sums = await engine.readSeries({ from: noon, until: noon + 10 * minuteMs, stepMs: 5 * minuteMs })
    expect(sums.map(({ at, completed }) => [at - noon, completed])).toEqual([
      [0, 3],
      [5 * minuteMs, 2],
    ])
  })

  it('answers by type or by queue, of those that are wanted', async () => {
    const { engine } = await openStage(subject)
    await engine.writeSeries('w1', [
      aRow({ completed: 1, type: 'mail', queue: 'a' }),
      aRow({ completed: 2, type: 'mail', queue: 'b' }),
      aRow({ completed: 4, type: 'Report', queue: 'a' }),
      aRow({ completed: 8, type: 'it"s', queue: 'c' }),
    ])
    const counts = async (more: object): Promise<unknown[]> =>
      (await engine.readSeries({ ...hour, ...more })).map(({ name, completed }) => [name, completed])
    expect(await counts({ by: 'type' })).toEqual([
      ['Report', 4],
      ['it"s', 8],
      ['mail', 3],
    ])
    expect(await counts({ by: 'queue' })).toEqual([
      ['a', 5],
      ['b', 2],
      ['c', 8],
    ])
    expect(await counts({ types: ['mail', 'it"s'] })).toEqual([[null, 11]])
    expect(await counts({ types: ['mail'], queues: ['b', 'c'] })).toEqual([[null, 2]])
    expect(await counts({ queues: [] })).toEqual([])
  })

  it('is forgotten after two days', async () => {
    const stage = await openStage(subject)
    const now = stage.clock.now()
    await stage.engine.writeSeries('w1', [
      aRow({ minute: now - seriesKeptMs - minuteMs, completed: 1 }),
      aRow({ minute: now - seriesKeptMs + minuteMs, completed: 2 }),
    ])
    expect(await stage.engine.prune({ rules: [], limit: 100 })).toMatchObject({ more: false })
    const all = { from: 0, until: now + hourMs, stepMs: minuteMs }
    expect((await stage.engine.readSeries(all)).map(sum => sum.completed)).toEqual([2])
  })
}
