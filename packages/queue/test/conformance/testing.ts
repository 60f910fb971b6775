import { describe, expect, it, onTestFinished } from 'vitest'
import {
  createTestMillrace,
  fixed,
  type Handler,
  handle,
  sleep,
  type TestMillrace,
  type TestOptions,
} from '../../src/index.ts'
import { enqueueMany, plainJob } from './runtime-stage.ts'
import { dayMs, hourMs, minuteMs, secondMs } from './samples.ts'

/** What applications test with. It brings its own store, so it is the same over every engine. */
export function testingCases(): void {
  it('runs what is due when it is told to', async () => {
    const work = plainJob()
    const t = await open([handle(work, ({ payload }) => payload.n * 2)])
    const { id } = await t.millrace.enqueue(work, { n: 21 })
    await t.drain()
    expect(await t.millrace.get(id)).toMatchObject({ state: 'completed', result: 42 })
  })

  it('stands still until it is told to move on', async () => {
    const work = plainJob()
    const t = await open([handle(work, () => 1)])
    const from = t.now()
    const { id } = await t.millrace.enqueue(work, {}, { delay: '1h' })
    await t.drain()
    expect(t.now()).toBe(from)
    expect((await t.millrace.get(id))?.state).toBe('queued')
    await t.advance('59m')
    expect((await t.millrace.get(id))?.state).toBe('queued')
    await t.advance('1m')
    expect((await t.millrace.get(id))?.state).toBe('completed')
    expect(t.now()).toBe(from + hourMs)
  })

  it('goes through retries in virtual time, each at its instant', async () => {
    const work = plainJob({ backoff: fixed(10 * minuteMs), maxAttempts: 3 })
    const startedAt: number[] = []
    const t = await open([
      handle(work, () => {
        startedAt.push(t.now())
        throw new Error('no')
      }),
    ])
    const from = t.now()
    const { id } = await t.millrace.enqueue(work, {})
    await t.advance('1h')
    expect(startedAt).toEqual([from, from + 10 * minuteMs, from + 20 * minuteMs])
    expect((await t.millrace.get(id))?.state).toBe('dead')
  })

  it('gives handlers the time they wait for', async () => {
    const work = plainJob({ timeoutMs: null })
    const t = await open([handle(work, () => sleep(t.millrace.clock, 2 * hourMs))])
    const { id } = await t.millrace.enqueue(work, {})
    await t.advance('1h')
    expect((await t.millrace.get(id))?.state).toBe('running')
    await t.advance('1h')
    expect((await t.millrace.get(id))?.state).toBe('completed')
  })

  it('lets timeouts pass like all time', async () => {
    const work = plainJob({ timeoutMs: 5 * minuteMs, maxAttempts: 1 })
    const t = await open([handle(work, ({ signal }) => sleep(t.millrace.clock, hourMs, signal))])
    const { id } = await t.millrace.enqueue(work, {})
    await t.advance('4m')
    expect((await t.millrace.get(id))?.state).toBe('running')
    await t.advance('2m')
    expect((await t.millrace.get(id))?.state).toBe('dead')
  })

  it('fires schedules at their instants', async () => {
    const work = plainJob()
    const at: string[] = []
    const t = await open([handle(work, () => void at.push(new Date(t.now()).toISOString()))], {
      startAt: Date.UTC(2026, 2, 8, 5),
    })
    await t.millrace.schedules.put('nightly', {
      job: work,
      payload: {},
      cron: '30 2 * * *',
      timeZone: 'America/New_York',
    })
    await t.advance('4h')
    expect(at.map(each => each.slice(0, 16))).toEqual(['2026-03-08T07:00'])
  })

  it('answers results', async () => {
    const work = plainJob()
    const t = await open([handle(work, ({ payload }) => payload.n)])
    const { id } = await t.millrace.enqueue(work, { n: 5 })
    const result = t.millrace.result(id)
    await t.drain()
    expect(await result).toBe(5)
  })

  it('drains what jobs enqueue', async () => {
    const work = plainJob()
    const t = await open([
      handle(work, async ({ payload }) => {
        if (payload.n > 0) await t.millrace.enqueue(work, { n: payload.n - 1 })
      }),
    ])
    await t.millrace.enqueue(work, { n: 9 })
    await t.drain()
    expect((await t.millrace.stats()).total).toMatchObject({ completed: 10, ready: 0, running: 0 })
  })

  it('drains hundreds', async () => {
    const work = plainJob()
    const t = await open([handle(work, () => 1)])
    await enqueueMany(t.millrace, work, 500)
    await t.drain()
    expect((await t.millrace.stats()).total.completed).toBe(500)
  })

  it('begins when it is told', async () => {
    const t = await open([], { startAt: new Date('2030-06-01T00:00:00Z') })
    expect(t.now()).toBe(Date.UTC(2030, 5, 1))
  })

  it('gives each its own store', async () => {
    const work = plainJob()
    const [one, two] = [await open([handle(work, () => 1)]), await open([handle(work, () => 1)])]
    await one.millrace.enqueue(work, {})
    await two.drain()
    expect((await two.millrace.stats()).total.completed).toBe(0)
    expect((await one.millrace.stats()).total.ready).toBe(1)
  })

  it('cancels a running job in virtual time', async () => {
    const work = plainJob()
    const t = await open([handle(work, ({ signal }) => sleep(t.millrace.clock, dayMs, signal))])
    const { id } = await t.millrace.enqueue(work, {})
    await t.advance('1s')
    await t.millrace.cancel(id)
    await t.advance(2 * secondMs)
    expect((await t.millrace.get(id))?.state).toBe('cancelled')
  })

  it('shows what happens, counts it and keeps who did what, in virtual time', async () => {
    const work = plainJob({ timeoutMs: null })
    const t = await open([handle(work, () => sleep(t.millrace.clock, 30 * minuteMs))])
    const from = t.now()
    const follower = t.millrace.feed.follow()
    await follower.started
    const { id } = await t.millrace.enqueue(work, {}, { tenant: 'acme', delay: '1h' })
    await t.advance('2h')
    const items = [await follower.next(), await follower.next(), await follower.next()]
    expect(items.map(({ value }) => value)).toMatchObject([
      { event: 'enqueued', id, tenant: 'acme', at: from },
      { event: 'started', id, at: from + hourMs },
      { event: 'completed', id, at: from + 1.5 * hourMs },
    ])
    const [line] = await t.millrace.series({ from, until: from + 2 * hourMs, stepMs: hourMs })
    expect(line?.points).toMatchObject([{ completed: 0 }, { completed: 1, run: { mean: 30 * minuteMs } }])
    await t.millrace.audit.record({ principal: 'ada', role: 'admin', action: 'look', target: 'job' })
    expect((await t.millrace.audit.list()).entries).toMatchObject([{ principal: 'ada', at: t.now() }])
  })

  describe('is closed', () => {
    it('while handlers run', async () => {
      const work = plainJob()
      const t = createTestMillrace([handle(work, () => new Promise(() => {}))])
      await t.millrace.enqueue(work, {})
      await t.advance('1s')
      await t.close()
      await expect(t.millrace.enqueue(work, {})).rejects.toMatchObject({ code: 'closed' })
    })

    it('before anything was done with it', async () => {
      const t = createTestMillrace([])
      await t.close()
    })

    it('by await using', async () => {
      const work = plainJob()
      let left: TestMillrace | undefined
      {
        await using t = createTestMillrace([handle(work, () => 1)])
        left = t
        await t.millrace.enqueue(work, {})
        await t.drain()
      }
      await expect(left.millrace.enqueue(work, {})).rejects.toMatchObject({ code: 'closed' })
    })
  })
}

async function open(handlers: readonly Handler[], options: TestOptions = {}): Promise<TestMillrace> {
  const t = createTestMillrace(handlers, options)
  onTestFinished(() => t.close())
  return t
}
