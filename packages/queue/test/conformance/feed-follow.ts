import { describe, expect, it, onTestFinished } from 'vitest'
import {
  createMillrace,
  type FeedEntry,
  type FeedItem,
  type Follower,
  fixed,
  handle,
  type Millrace,
} from '../../src/index.ts'
import { feedKept } from '../../src/engine/feed.ts'
import { override } from '../support/engine-proxy.ts'
import { counted, follow, names, take, taken, work } from './feed-stage.ts'
import { enqueueMany, gate, openRuntime, plainJob } from './runtime-stage.ts'
import { minuteMs, secondMs } from './samples.ts'
import type { EngineSubject } from './stage.ts'

export function feedFollowCases(subject: EngineSubject): void {
  it('shows the way of a job, with its tenant in every entry', async () => {
    const runtime = await openRuntime(subject)
    const failing = plainJob({ backoff: fixed(secondMs), maxAttempts: 2, queue: 'slow' })
    await runtime.start([
      handle(failing, ({ progress, snooze, job }) => {
        if (job.attempt === 1) progress(50, 'half')
        else snooze(secondMs, 'x'.repeat(5_000))
        throw new RangeError('no')
      }),
    ])
    const follower = await follow(runtime)
    const { id } = await runtime.millrace.enqueue(failing, {}, { tenant: 'acme' })
    const items = (await take(runtime, follower, 6)) as FeedEntry[]
    expect(names(items)).toEqual(['enqueued', 'started', 'progress', 'retrying', 'started', 'snoozed'])
    for (const item of items) expect(item).toMatchObject({ id, type: 'work', queue: 'slow', tenant: 'acme' })
    expect(items.map(item => item.seq)).toEqual(items.map((_, index) => (items[0] as FeedEntry).seq + index))
    expect(items[2]?.data).toMatchObject({ percent: 50, message: 'half', attempt: 1 })
    expect(items[3]?.data).toMatchObject({ inMs: secondMs, error: { name: 'RangeError', message: 'no' } })
    expect(items[3]?.data['error']).not.toHaveProperty('stack')
    expect(String(items[5]?.data['reason'])).toHaveLength(1_000)
  })

  it('shows cancels, rescues and ticks', async () => {
    const runtime = await openRuntime(subject)
    const waiting = plainJob({ type: 'waiting' })
    const follower = await follow(runtime, { events: ['cancelled', 'rescued', 'schedule-fired'] })
    const { id } = await runtime.millrace.enqueue(waiting, {}, { tenant: 'acme' })
    await runtime.millrace.cancel(id, { reason: 'no need' })
    const lost = await runtime.millrace.enqueue(work, {}, { tenant: 'beta' })
    const lanes = [{ queue: 'default', types: ['work'] }]
    await runtime.stage.engine.claim({ worker: 'w-gone', lanes, limit: 1, leaseMs: secondMs })
    runtime.clock.freeze(2 * secondMs)
    await runtime.start([handle(work, () => 1)])
    await runtime.reaches(lost.id, 'completed')
    const job = { job: waiting, payload: {} }
    await runtime.millrace.schedules.put('often', { ...job, every: '1m', tenant: 'acme' })
    expect(await take(runtime, follower, 3)).toMatchObject([
      { event: 'cancelled', id, tenant: 'acme', data: { reason: 'no need' } },
      { event: 'rescued', id: lost.id, tenant: 'beta', data: { worker: 'w-gone', deaths: 1, now: 'queued' } },
      { event: 'schedule-fired', id: expect.any(String), type: 'waiting', tenant: 'acme' },
    ])
  })

  it('shows what the worker of another process does, within ten seconds of the first look', async () => {
    const runtime = await openRuntime(subject)
    const elsewhere = await runtime.elsewhere()
    await runtime.start([handle(work, () => 1)], {}, elsewhere)
    const follower = await follow(runtime, { events: ['completed'] })
    await runtime.clock.advance(10 * secondMs)
    const { id } = await runtime.millrace.enqueue(work, {})
    expect(await take(runtime, follower, 1)).toMatchObject([{ event: 'completed', id }])
  })

  it('shows what a process without a worker enqueues, the first job included', async () => {
    const runtime = await openRuntime(subject)
    const elsewhere = await runtime.elsewhere()
    const follower = await follow(runtime)
    const ids: string[] = []
    for (let n = 0; n < 3; n++) ids.push((await elsewhere.enqueue(work, { n })).id)
    expect(await take(runtime, follower, 3)).toMatchObject(ids.map(id => ({ event: 'enqueued', id })))
    await elsewhere.close()
  })

  it('shows all that a process enqueues while it still asks whether anybody watches', async () => {
    const runtime = await openRuntime(subject)
    const follower = await follow(runtime)
    const engine = await runtime.stage.another()
    const answered = gate()
    const feedWatched = (): Promise<number> => answered.promise.then(() => engine.feedWatched())
    const slow = createMillrace({ engine: override(engine, { feedWatched }), clock: runtime.clock })
    const ids: string[] = []
    for (let n = 0; n < 3; n++) ids.push((await slow.enqueue(work, { n })).id)
    answered.resolve()
    expect(await take(runtime, follower, 3)).toMatchObject(ids.map(id => ({ event: 'enqueued', id })))
    await slow.close()
  })

  it('believes the later of two looks, though the earlier is answered last', async () => {
    const runtime = await openRuntime(subject)
    const follower = await follow(runtime)
    const engine = await runtime.stage.another()
    const late = gate()
    let looks = 0
    const feedWatched = (): Promise<number> =>
      looks++ === 0 ? late.promise.then(() => 0) : engine.feedWatched()
    const slow = createMillrace({ engine: override(engine, { feedWatched }), clock: runtime.clock })
    const first = await slow.enqueue(work, {})
    slow.feed.look()
    await runtime.clock.eventually(async () => slow.events.heard('enqueued'))
    late.resolve()
    const second = await slow.enqueue(work, {})
    const shown = await take(runtime, follower, 2)
    expect(shown).toMatchObject([first, second].map(({ id }) => ({ event: 'enqueued', id })))
    await slow.close()
  })

  it('shows who comes back with the last seq everything, while 2,000 jobs run', async () => {
    const runtime = await openRuntime(subject)
    const elsewhere = await runtime.elsewhere()
    await runtime.start([handle(work, () => 1)], { concurrency: 20 }, elsewhere)
    let follower = await follow(runtime, { events: ['completed'] })
    await runtime.clock.advance(10 * secondMs)
    const ids = await enqueueMany(runtime.millrace, work, 2_000)
    const completed: FeedItem[] = []
    while (completed.length < 2_000) {
      const many = Math.min(130, 2_000 - completed.length)
      completed.push(...(await take(runtime, follower, many)))
      follower.end()
      // Away for a moment, in which the jobs go on.
      await runtime.clock.advance(20)
      follower = await follow(runtime, { events: ['completed'], after: completed.at(-1)?.seq as number })
    }
    expect(new Set(completed.map(item => (item as FeedEntry).id))).toEqual(new Set(ids))
    expect(names(completed)).not.toContain('gap')
  })

  it('keeps tenants apart', async () => {
    const runtime = await openRuntime(subject)
    await runtime.start([handle(work, () => 1)])
    const [acme, beta] = [
      await follow(runtime, { tenant: 'acme' }),
      await follow(runtime, { tenant: 'beta', events: ['enqueued', 'completed'] }),
    ]
    const ids: Record<string, string> = {}
    for (const tenant of ['acme', 'other', 'beta'])
      ids[tenant] = (await runtime.millrace.enqueue(work, {}, { tenant })).id
    const seen = (items: FeedItem[]): unknown[] =>
      items.map(item => [item.event, (item as FeedEntry).id]).toSorted()
    expect(seen(await take(runtime, acme, 3))).toEqual([
      ['completed', ids['acme']],
      ['enqueued', ids['acme']],
      ['started', ids['acme']],
    ])
    expect(seen(await take(runtime, beta, 2))).toEqual([
      ['completed', ids['beta']],
      ['enqueued', ids['beta']],
    ])
    const page = await runtime.millrace.feed.read({ tenant: 'beta' })
    expect(new Set(page.entries.map(entry => entry.id))).toEqual(new Set([ids['beta']]))
  })

  it('is read page by page, by type and event, with a place to go on from', async () => {
    const runtime = await openRuntime(subject)
    const other = plainJob({ type: 'other' })
    await runtime.start([handle(work, () => 1), handle(other, () => 1)])
    const follower = await follow(runtime, { events: ['completed'] })
    await runtime.millrace.enqueue(other, {})
    const ids = await enqueueMany(runtime.millrace, work, 5)
    await take(runtime, follower, 6)
    const { feed } = runtime.millrace
    const seen: FeedEntry[] = []
    for (let after: number | undefined; ; ) {
      const page = await feed.read({
        types: ['work'],
        events: ['completed'],
        limit: 2,
        ...(after === undefined ? {} : { after }),
      })
      expect(page.gap).toBe(false)
      expect(page.entries.length).toBeLessThanOrEqual(2)
      seen.push(...page.entries)
      if (page.last === after) break
      after = page.last
    }
    expect(seen.map(entry => entry.id).toSorted()).toEqual(ids.toSorted())
    await expect(feed.read({ after: -1 })).rejects.toMatchObject({ code: 'invalid-argument' })
    await expect(feed.read({ limit: 0 })).rejects.toMatchObject({ code: 'invalid-argument' })
    const events = ['nothing'] as never
    await expect(feed.read({ events })).rejects.toMatchObject({ code: 'invalid-argument' })
    expect(() => feed.follow({ events })).toThrow(expect.objectContaining({ code: 'invalid-argument' }))
  })

  describe('a gap', () => {
    it('is told to who asks for what is not kept any more', async () => {
      const runtime = await openRuntime(subject)
      const follower = await follow(runtime)
      await enqueueMany(runtime.millrace, work, 3)
      const [first] = await take(runtime, follower, 3)
      follower.end()
      runtime.clock.freeze(feedKept.ageMs + minuteMs)
      await runtime.stage.engine.pruneFeed(100)
      const after = first?.seq as number
      expect(await runtime.millrace.feed.read({ after })).toEqual({ entries: [], gap: true, last: after + 2 })
      expect((await runtime.millrace.feed.read({ after: after + 2 })).gap).toBe(false)
      const back = await follow(runtime, { after })
      const { id } = await runtime.millrace.enqueue(work, {})
      expect(await take(runtime, back, 2)).toMatchObject([
        { event: 'gap', seq: after + 2 },
        { event: 'enqueued', id },
      ])
    })

    it('is told to who asks from a place that this store never gave', async () => {
      const runtime = await openRuntime(subject)
      const follower = await follow(runtime)
      await enqueueMany(runtime.millrace, work, 1)
      const [entry] = await take(runtime, follower, 1)
      const last = entry?.seq as number
      for (const after of [last + 1, Number.MAX_SAFE_INTEGER])
        expect(await runtime.millrace.feed.read({ after })).toEqual({ entries: [], gap: true, last })
      const lost = await follow(runtime, { after: last + 5 })
      const old = await follow(runtime, { after: 7 })
      // What is written before it is told belongs to what may be missing.
      expect(await take(runtime, lost, 1)).toEqual([{ event: 'gap', seq: last }])
      const { id } = await runtime.millrace.enqueue(work, {})
      expect(await take(runtime, lost, 1)).toMatchObject([{ event: 'enqueued', id }])
      expect(names(await take(runtime, old, 3))).toEqual(['gap', 'enqueued', 'enqueued'])
    })

    it('is told to a slow follower in place of what it did not take, and then it goes on', async () => {
      const runtime = await openRuntime(subject)
      const slow = await follow(runtime)
      const quick = await follow(runtime)
      const taking = taken(runtime, quick, item => (item as FeedEntry).data['n'] === 'last')
      const entry = { event: 'progress', id: null, type: 'work', queue: 'q', tenant: '', agoMs: 0 } as const
      for (let n = 0; n < 5; n++) {
        const batch = Array.from({ length: 500 }, () => ({ ...entry, data: {} }))
        await runtime.stage.engine.appendFeed(runtime.stage.newId(), batch)
      }
      await runtime.stage.engine.appendFeed(runtime.stage.newId(), [{ ...entry, data: { n: 'last' } }])
      expect(await taking).toHaveLength(2_501)
      const items = await taken(runtime, slow, item => (item as FeedEntry).data?.['n'] === 'last')
      expect(items.length).toBeLessThanOrEqual(1_001)
      expect(items[0]?.event).toBe('gap')
      expect(names(items).filter(name => name === 'gap')).toHaveLength(1)
      const seqs = items.map(item => item.seq)
      expect(seqs).toEqual(seqs.map((_, index) => (seqs[0] as number) + index))
    })
  })

  it('ends with its signal, with a loop that is left, and when the application closes', async () => {
    const runtime = await openRuntime(subject)
    const stop = new AbortController()
    const [one, two] = [await follow(runtime, { signal: stop.signal }), await follow(runtime)]
    const ended = one.next()
    stop.abort()
    expect(await ended).toEqual({ done: true, value: undefined })
    expect(await runtime.millrace.feed.follow({ signal: stop.signal }).next()).toMatchObject({ done: true })
    await runtime.millrace.enqueue(work, {})
    for await (const item of two) {
      expect(item.event).toBe('enqueued')
      break
    }
    expect(await two.next()).toMatchObject({ done: true })
    const three = await follow(runtime)
    const last = three.next()
    await runtime.clock.until(runtime.millrace.close())
    expect(await last).toMatchObject({ done: true })
  })

  it.each<[string, (feed: Millrace['feed']) => Follower]>([
    ['whose signal has fired before', feed => feed.follow({ signal: AbortSignal.abort() })],
    [
      'whose signal fires while the store is being opened',
      feed => {
        const stop = new AbortController()
        const follower = feed.follow({ signal: stop.signal })
        stop.abort()
        return follower
      },
    ],
    [
      'that is left while the store is being opened',
      feed => {
        const follower = feed.follow()
        follower.end()
        return follower
      },
    ],
  ])('begins nothing for one %s', async (_which, leave) => {
    const { calls, between } = counted()
    const runtime = await openRuntime(subject, { between })
    const follower = leave(runtime.millrace.feed)
    await runtime.clock.until(follower.started)
    expect(await follower.next()).toMatchObject({ done: true })
    await runtime.clock.advance(5 * minuteMs)
    expect(calls).toEqual({ appendFeed: 0, readFeed: 0, feedWatched: 0, watchFeed: 0 })
  })

  it('goes on for who stays when another leaves while the store is being opened', async () => {
    const runtime = await openRuntime(subject)
    const leaving = runtime.millrace.feed.follow()
    const staying = runtime.millrace.feed.follow()
    onTestFinished(staying.end)
    leaving.end()
    await runtime.clock.until(staying.started)
    const { id } = await runtime.millrace.enqueue(work, {})
    expect(await take(runtime, staying, 1)).toMatchObject([{ event: 'enqueued', id }])
  })

  it('says why it could not be begun', async () => {
    const { millrace } = await openRuntime(subject)
    await millrace.close()
    await expect(millrace.feed.follow().next()).rejects.toMatchObject({ code: 'closed' })
  })
}
