import { describe, expect, it } from 'vitest'
import { type FeedEntry, feedEvents, handle } from '../../src/index.ts'
import { override } from '../support/engine-proxy.ts'
import { counted, follow, names, take, taken, work } from './feed-stage.ts'
import { enqueueMany, openRuntime, still } from './runtime-stage.ts'
import { minuteMs, secondMs } from './samples.ts'
import type { EngineSubject } from './stage.ts'

export function feedWritingCases(subject: EngineSubject): void {
  describe('while nobody watches', () => {
    it('nothing is listened to and nothing is written', async () => {
      const { calls, between } = counted()
      const runtime = await openRuntime(subject, { between })
      await runtime.start([handle(work, () => 1)])
      const ids = await enqueueMany(runtime.millrace, work, 20)
      await runtime.allReach(ids, 'completed')
      await runtime.clock.advance(minuteMs)
      for (const name of feedEvents) expect(runtime.millrace.events.heard(name)).toBe(false)
      expect(calls['appendFeed']).toBe(0)
      expect(calls['readFeed']).toBe(0)
      // Once in ten seconds.
      expect(calls['feedWatched']).toBeLessThanOrEqual(8)
    })

    it('it goes on for ten minutes after the last one who did, and not much longer', async () => {
      const runtime = await openRuntime(subject)
      const elsewhere = await runtime.elsewhere()
      await runtime.start([handle(work, () => 1)], still, elsewhere)
      const follower = await follow(runtime)
      await runtime.clock.advance(5 * minuteMs)
      follower.end()
      await runtime.clock.advance(10 * minuteMs - secondMs)
      expect(elsewhere.events.heard('completed')).toBe(true)
      await runtime.clock.advance(2 * minuteMs)
      expect(elsewhere.events.heard('completed')).toBe(false)
    })
  })

  it('costs one read of the store however many follow', async () => {
    const { calls, between } = counted()
    const runtime = await openRuntime(subject, { between })
    const ended = new AbortController()
    const followers = Array.from({ length: 500 }, () =>
      runtime.millrace.feed.follow({ signal: ended.signal }),
    )
    await runtime.clock.until(Promise.all(followers.map(each => each.started)))
    const before = calls['readFeed'] as number
    expect(before).toBeLessThan(5)
    const { id } = await runtime.millrace.enqueue(work, {})
    const items = await runtime.clock.until(Promise.all(followers.map(each => each.next())))
    for (const { value } of items) expect(value).toMatchObject({ event: 'enqueued', id })
    expect((calls['readFeed'] as number) - before).toBeLessThan(5)
    const reads = calls['readFeed'] as number
    ended.abort()
    await runtime.clock.advance(minuteMs)
    expect(calls['readFeed']).toBe(reads)
  })

  it('looks at the store once a second while nothing happens', async () => {
    const { calls, between } = counted()
    const runtime = await openRuntime(subject, { between })
    await follow(runtime)
    await runtime.clock.advance(5 * secondMs)
    const before = calls['readFeed'] as number
    await runtime.clock.advance(10 * secondMs)
    expect((calls['readFeed'] as number) - before).toBeLessThanOrEqual(11)
  })

  it('never hurts a job: what could not be written is counted, and told when it can be', async () => {
    let isAway = false
    const runtime = await openRuntime(subject, {
      between: engine =>
        override(engine, {
          appendFeed: (batch, entries) =>
            isAway ? Promise.reject(new Error('away')) : engine.appendFeed(batch, entries),
        }),
    })
    await runtime.start([handle(work, () => 1)], { concurrency: 50 })
    const follower = await follow(runtime)
    isAway = true
    const ids = await enqueueMany(runtime.millrace, work, 30)
    await runtime.allReach(ids, 'completed')
    await runtime.clock.advance(5 * secondMs)
    isAway = false
    const items = await taken(runtime, follower, item => item.event === 'missed')
    const missed = items.at(-1) as FeedEntry
    expect(missed.data).toEqual({ count: 90 })
    const { id } = await runtime.millrace.enqueue(work, {})
    expect(await take(runtime, follower, 1)).toMatchObject([{ event: 'enqueued', id }])
    const mine = await runtime.millrace.feed.read({ tenant: 'acme', events: ['dead'] })
    expect(names(mine.entries)).toEqual(['missed'])
  })

  it('holds no more than ten thousand entries while the store is slow', async () => {
    let go = (): void => {}
    const slow = new Promise<void>(resolve => {
      go = resolve
    })
    const sizes: number[] = []
    const runtime = await openRuntime(subject, {
      between: engine =>
        override(engine, {
          appendFeed: (batch, entries) => {
            sizes.push(entries.length)
            return slow.then(() => engine.appendFeed(batch, entries))
          },
        }),
    })
    const follower = await follow(runtime, { events: ['enqueued'] })
    const ref = { type: 'work', queue: 'default', tenant: '' }
    const tell = (n: number): void => runtime.millrace.events.emit('enqueued', { id: `${n}`, ...ref })
    tell(0)
    await runtime.clock.quiet()
    for (let n = 1; n <= 12_000; n++) tell(n)
    go()
    const items = await taken(runtime, follower, item => item.event === 'missed')
    expect((items.at(-1) as FeedEntry).data).toEqual({ count: 2_000 })
    await runtime.clock.advance(secondMs)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(10_002)
  })

  it('is written to the last entry when a worker stops', async () => {
    const runtime = await openRuntime(subject)
    const worker = await runtime.start([handle(work, () => 1)])
    const follower = await follow(runtime, { events: ['completed'] })
    const ids = await enqueueMany(runtime.millrace, work, 40)
    await runtime.allReach(ids, 'completed')
    await runtime.clock.until(worker.stop())
    const page = await runtime.millrace.feed.read({ events: ['completed'], limit: 100 })
    expect(page.entries).toHaveLength(40)
    expect(await take(runtime, follower, 40)).toHaveLength(40)
  })
}
