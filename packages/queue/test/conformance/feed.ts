import { expect, it } from 'vitest'
import type { Hint } from '../../src/engine/contract.ts'
import { type FeedEntry, feedBatchMost, feedKept, type NewFeedEntry } from '../../src/engine/feed.ts'
import { turn } from '../support/test-clock.ts'
import { hourMs, minuteMs, secondMs } from './samples.ts'
import { type EngineSubject, openStage, type Stage } from './stage.ts'

function anEntry(entry: Partial<NewFeedEntry> = {}): NewFeedEntry {
  return {
    event: 'completed',
    id: null,
    type: 'mail',
    queue: 'default',
    tenant: '',
    data: {},
    agoMs: 0,
    ...entry,
  }
}

function numbered(count: number, from = 0): NewFeedEntry[] {
  return Array.from({ length: count }, (_, n) => anEntry({ data: { n: from + n } }))
}

const numbers = (entries: readonly FeedEntry[]): unknown[] => entries.map(entry => entry.data['n'])

async function lastOf({ engine }: Stage): Promise<number> {
  return (await engine.readFeed({ after: 0, limit: 0 })).last
}

export function feedCases(subject: EngineSubject): void {
  it('is empty at first, and says where it begins', async () => {
    const { engine } = await openStage(subject)
    const page = await engine.readFeed({ after: 0, limit: 10 })
    expect(page.entries).toEqual([])
    expect(page.last).toBe(page.pruned)
    expect(page.last).toBeGreaterThan(0)
  })

  it('answers what was appended, as it was', async () => {
    const stage = await openStage(subject)
    const from = await lastOf(stage)
    const entry = anEntry({
      event: 'dead',
      id: stage.newId(),
      type: 'report',
      queue: 'slow',
      tenant: 'acmé "1"',
      data: { error: { message: 'a NUL \0 and half a \ud83d' }, n: 1.5 },
    })
    await stage.engine.appendFeed(stage.newId(), [{ ...entry, agoMs: 40 }])
    const { entries, last } = await stage.engine.readFeed({ after: from, limit: 10 })
    const { agoMs: _, ...kept } = entry
    expect(entries).toEqual([{ ...kept, seq: from + 1, at: stage.clock.now() - 40 }])
    expect(last).toBe(from + 1)
  })

  it('answers pages in order, whatever the batches', async () => {
    const stage = await openStage(subject)
    let n = 0
    for (const size of [1, 5, 1, 40, 2, 300, 1]) {
      await stage.engine.appendFeed(stage.newId(), numbered(size, n))
      n += size
    }
    const seen: FeedEntry[] = []
    for (let after = 0; ; after = (seen.at(-1) as FeedEntry).seq) {
      const { entries } = await stage.engine.readFeed({ after, limit: 7 })
      seen.push(...entries)
      if (entries.length === 0) break
      expect(entries.length).toBeLessThanOrEqual(7)
    }
    expect(numbers(seen)).toEqual(Array.from({ length: n }, (_, index) => index))
  })

  it('takes no append twice: a repeat after a lost reply changes nothing', async () => {
    const stage = await openStage(subject)
    const batch = stage.newId()
    const elsewhere = await stage.another()
    await stage.engine.appendFeed(batch, numbered(3))
    await stage.engine.appendFeed(stage.newId(), numbered(1, 3))
    await stage.engine.appendFeed(batch, numbered(3))
    await elsewhere.appendFeed(batch, numbered(3))
    expect(numbers((await elsewhere.readFeed({ after: 0, limit: 100 })).entries)).toEqual([0, 1, 2, 3])
  })

  it('refuses an append of more than it takes', async () => {
    const stage = await openStage(subject)
    await expect(stage.engine.appendFeed(stage.newId(), numbered(feedBatchMost + 1))).rejects.toMatchObject({
      code: 'invalid-argument',
    })
    await stage.engine.appendFeed(stage.newId(), numbered(feedBatchMost))
    expect((await stage.engine.readFeed({ after: 0, limit: 5_000 })).entries).toHaveLength(feedBatchMost)
  })

  it('shows who reads after a place everything that appears later, with many who append at once', async () => {
    const stage = await openStage(subject)
    const engines = [stage.engine, await stage.another(), await stage.another()]
    const seen: FeedEntry[] = []
    let appending = true
    const read = async (): Promise<void> => {
      const { entries } = await stage.engine.readFeed({ after: seen.at(-1)?.seq ?? 0, limit: 50 })
      seen.push(...entries)
    }
    const reading = (async () => {
      for (; appending; await turn()) await read()
    })()
    const names = engines.flatMap((engine, of) =>
      Array.from({ length: 30 }, (_, n) => ({ engine, name: `${of}-${n}` })),
    )
    await Promise.all(
      names.map(({ engine, name }) =>
        engine.appendFeed(stage.newId(), [
          anEntry({ data: { n: name } }),
          anEntry({ data: { n: `${name}+` } }),
        ]),
      ),
    )
    appending = false
    await reading
    for (let before = -1; before !== seen.length; ) {
      before = seen.length
      await read()
    }
    expect(numbers(seen).toSorted()).toEqual(names.flatMap(({ name }) => [name, `${name}+`]).toSorted())
  })

  it('forgets what is a quarter of an hour old, and says that it has', async () => {
    const stage = await openStage(subject)
    await stage.engine.appendFeed(stage.newId(), numbered(5))
    stage.clock.freeze(feedKept.ageMs - secondMs)
    await stage.engine.appendFeed(stage.newId(), numbered(2, 5))
    await stage.engine.pruneFeed(100)
    const before = await stage.engine.readFeed({ after: 0, limit: 100 })
    expect(numbers(before.entries)).toEqual([0, 1, 2, 3, 4, 5, 6])
    stage.clock.freeze(2 * secondMs)
    expect(await stage.engine.pruneFeed(100)).toBe(false)
    const after = await stage.engine.readFeed({ after: 0, limit: 100 })
    expect(numbers(after.entries)).toEqual([5, 6])
    expect(after.pruned).toBe((before.entries[4] as FeedEntry).seq)
    expect(after.last).toBe(before.last)
  })

  it('gives no place twice, even when everything was forgotten', async () => {
    const stage = await openStage(subject)
    await stage.engine.appendFeed(stage.newId(), numbered(5))
    const last = await lastOf(stage)
    stage.clock.freeze(hourMs)
    await stage.engine.pruneFeed(100)
    expect(await stage.engine.readFeed({ after: 0, limit: 10 })).toEqual({ entries: [], pruned: last, last })
    await stage.engine.appendFeed(stage.newId(), numbered(1))
    expect((await stage.engine.readFeed({ after: last, limit: 10 })).entries).toMatchObject([
      { seq: last + 1 },
    ])
  })

  it('keeps no more than a hundred thousand entries', async () => {
    const stage = await openStage(subject)
    const count = feedKept.entries / feedBatchMost + 3
    for (let n = 0; n < count; n++) await stage.engine.appendFeed(stage.newId(), numbered(feedBatchMost))
    while (await stage.engine.pruneFeed(2));
    const { pruned, last } = await stage.engine.readFeed({ after: 0, limit: 0 })
    expect(last - pruned).toBe(feedKept.entries)
  })

  it('is pruned with everything else', async () => {
    const stage = await openStage(subject)
    await stage.engine.appendFeed(stage.newId(), numbered(5))
    stage.clock.freeze(hourMs)
    await stage.engine.prune({ rules: [], limit: 100 })
    const { pruned, last } = await stage.engine.readFeed({ after: 0, limit: 0 })
    expect(pruned).toBe(last)
  })

  it('is watched for as long as somebody said, and a shorter word takes nothing back', async () => {
    const stage = await openStage(subject)
    const elsewhere = await stage.another()
    expect(await elsewhere.feedWatched()).toBe(0)
    await stage.engine.watchFeed(10 * minuteMs)
    await stage.engine.watchFeed(minuteMs)
    expect(await elsewhere.feedWatched()).toBe(10 * minuteMs)
    stage.clock.freeze(9 * minuteMs)
    expect(await elsewhere.feedWatched()).toBe(minuteMs)
    stage.clock.freeze(2 * minuteMs)
    expect(await elsewhere.feedWatched()).toBe(0)
  })

  it('tells its own process at once that somebody watches, and that it has grown', async () => {
    const stage = await openStage(subject)
    const heard: Hint['kind'][] = []
    stage.engine.subscribe(({ kind }) => void heard.push(kind))
    await stage.clock.quiet()
    heard.length = 0
    await stage.engine.watchFeed(minuteMs)
    expect(heard).toContain('watch')
    await stage.engine.appendFeed(stage.newId(), numbered(1))
    expect(heard).toContain('feed')
  })
}
