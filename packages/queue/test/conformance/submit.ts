import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createMillrace, defineJob, type EnqueueOptions } from '../../src/index.ts'
import { openRuntime, plainJob } from './runtime-stage.ts'
import { hourMs } from './samples.ts'
import type { EngineSubject } from './stage.ts'

const anything = defineJob({ type: 'anything', payload: z.unknown() })

/** What an application's enqueue accepts, refuses and answers. */
export function submitCases(subject: EngineSubject): void {
  it('stores the payload as it was given; defaults come when the job runs', async () => {
    const { millrace } = await openRuntime(subject)
    const { id, duplicate } = await millrace.enqueue(plainJob(), {})
    expect(duplicate).toBe(false)
    expect(await millrace.get(id)).toMatchObject({
      payload: {},
      state: 'queued',
      shown: 'queued',
      type: 'work',
    })
  })

  it('takes queue, priority, attempts, tenant and time from its options, else from the definition', async () => {
    const { millrace, clock } = await openRuntime(subject)
    const work = plainJob({ queue: 'slow', priority: 7, maxAttempts: 4 })
    const plain = await millrace.enqueue(work, {})
    expect(await millrace.get(plain.id)).toMatchObject({
      queue: 'slow',
      priority: 7,
      maxAttempts: 4,
      tenant: '',
    })
    const runAt = new Date(clock.now() + hourMs)
    const own = { queue: 'fast', priority: 1, maxAttempts: 9, tenant: 'acme', runAt }
    const { id } = await millrace.enqueue(work, {}, own)
    expect(await millrace.get(id)).toMatchObject({ ...own, runAt: runAt.getTime(), shown: 'scheduled' })
  })

  it('answers the first job to the same key and payload, whatever the order of its members', async () => {
    const { millrace } = await openRuntime(subject)
    const first = await millrace.enqueue(anything, { a: 1, b: { c: 2, d: 3 } }, { idempotencyKey: 'k' })
    const again = await millrace.enqueue(anything, { b: { d: 3, c: 2 }, a: 1 }, { idempotencyKey: 'k' })
    expect(again).toEqual({ id: first.id, duplicate: true })
  })

  it('throws idempotency-conflict for the same key with another payload or type', async () => {
    const { millrace } = await openRuntime(subject)
    await millrace.enqueue(anything, { a: 1 }, { idempotencyKey: 'k' })
    const conflict = { code: 'idempotency-conflict' }
    await expect(millrace.enqueue(anything, { a: 2 }, { idempotencyKey: 'k' })).rejects.toMatchObject(
      conflict,
    )
    await expect(millrace.enqueue(plainJob(), {}, { idempotencyKey: 'k' })).rejects.toMatchObject(conflict)
  })

  it('throws queue-full with a time to come back', async () => {
    const { stage } = await openRuntime(subject)
    const millrace = createMillrace({
      engine: stage.engine,
      clock: stage.clock,
      queues: { default: { maxQueued: 1 } },
    })
    await millrace.enqueue(anything, 1)
    const refused = millrace.enqueue(anything, 2)
    await expect(refused).rejects.toMatchObject({ code: 'queue-full', retryAfterMs: expect.any(Number) })
  })

  it('throws unknown-type for a name that is not registered, and names those that are', async () => {
    const { stage } = await openRuntime(subject)
    const millrace = createMillrace({ engine: stage.engine, clock: stage.clock, jobs: [anything] })
    await expect(millrace.enqueueByType('nothing', {})).rejects.toMatchObject({
      code: 'unknown-type',
      message: expect.stringContaining('anything'),
    })
    await expect(millrace.enqueueByType('constructor', {})).rejects.toMatchObject({ code: 'unknown-type' })
    expect(await millrace.enqueueByType('anything', { n: 1 })).toMatchObject({ duplicate: false })
  })

  it('stores many of a type in one go, or none when one payload is wrong', async () => {
    const { millrace } = await openRuntime(subject)
    const jobs = await millrace.enqueueMany(plainJob(), [
      { payload: { n: 1 } },
      { payload: { n: 2 }, options: { priority: 1 } },
    ])
    expect(new Set(jobs.map(job => job.id)).size).toBe(2)
    const wrong = [{ payload: { n: 1 } }, { payload: { n: 'two' as unknown as number } }]
    await expect(millrace.enqueueMany(plainJob(), wrong)).rejects.toMatchObject({ code: 'invalid-payload' })
    expect((await millrace.stats()).total.ready).toBe(2)
    expect(await millrace.enqueueMany(plainJob(), [])).toEqual([])
  })

  it('gives ids that sort by the order of enqueues', async () => {
    const { millrace } = await openRuntime(subject)
    const ids: string[] = []
    for (let n = 0; n < 50; n++) ids.push((await millrace.enqueue(plainJob(), { n })).id)
    expect(ids).toEqual(ids.toSorted())
  })

  describe('refuses a payload', () => {
    const circular: Record<string, unknown> = { list: [] }
    ;(circular['list'] as unknown[]).push({ back: circular })
    it.each<[string, unknown, (string | number)[]]>([
      ['that is circular', circular, ['list', 0, 'back']],
      ['with a BigInt', { deep: { n: 1n } }, ['deep', 'n']],
      ['with NaN', { n: Number.NaN }, ['n']],
      ['with Infinity', [1, Number.POSITIVE_INFINITY], [1]],
      ['with a function', { f: () => 1 }, ['f']],
      ['with a symbol', { s: Symbol('s') }, ['s']],
      ['with undefined in a list', { list: [1, undefined] }, ['list', 1]],
      ['with NUL in a text', { text: 'a\0b' }, ['text']],
      ['with NUL in a name', { 'a\0b': 1 }, ['a\0b']],
      ['with half a surrogate pair', { texts: ['fine', 'half \udc00'] }, ['texts', 1]],
      ['with a member named __proto__', JSON.parse('{"a":{"__proto__":{"admin":true}}}'), ['a', '__proto__']],
      ['that is nothing at all', undefined, []],
    ])('%s, and says where', async (_what, payload, path) => {
      const { millrace } = await openRuntime(subject)
      await expect(millrace.enqueue(anything, payload)).rejects.toMatchObject({
        name: 'QueueError',
        code: 'invalid-payload',
        faults: [{ path, message: expect.any(String) }],
      })
      expect((await millrace.stats()).total.ready).toBe(0)
    })

    it('that does not fit its schema, with the path of each fault', async () => {
      const { millrace } = await openRuntime(subject)
      const crawl = defineJob({
        type: 'crawl',
        payload: z.object({ url: z.url(), pages: z.array(z.object({ depth: z.int() })) }),
      })
      const refused = millrace.enqueue(crawl, { url: 'nowhere', pages: [{ depth: 1 }, { depth: 1.5 }] })
      await expect(refused).rejects.toMatchObject({
        code: 'invalid-payload',
        faults: [
          expect.objectContaining({ path: ['url'] }),
          expect.objectContaining({ path: ['pages', 1, 'depth'] }),
        ],
      })
    })

    it('that is over its limit by a byte, and takes one that is at it', async () => {
      const { millrace } = await openRuntime(subject)
      const [fits, tooLarge] = [2 ** 20 - 2, 2 ** 20 - 1].map(length => 'x'.repeat(length))
      const { id } = await millrace.enqueue(anything, fits)
      expect((await millrace.get(id))?.payload).toBe(fits)
      await expect(millrace.enqueue(anything, tooLarge)).rejects.toMatchObject({ code: 'payload-too-large' })
    })

    it('by bytes, not by characters', async () => {
      const { millrace } = await openRuntime(subject)
      const small = defineJob({ type: 'small', payload: z.string(), maxPayloadBytes: 10 })
      await expect(millrace.enqueue(small, 'ЖЖЖЖЖ')).rejects.toMatchObject({ code: 'payload-too-large' })
      await millrace.enqueue(small, 'ЖЖЖЖ')
    })
  })

  it.each([Number.MAX_SAFE_INTEGER, -0, 1e-7, 1e21, 0.1 + 0.2, Number.MIN_VALUE])(
    'keeps the number %d',
    async n => {
      const { millrace } = await openRuntime(subject)
      const { id } = await millrace.enqueue(anything, { n })
      expect((await millrace.get(id))?.payload).toEqual({ n: n === 0 ? 0 : n })
    },
  )

  describe('refuses the option', () => {
    it.each<[string, EnqueueOptions]>([
      ['priority 0', { priority: 0 }],
      ['priority 11', { priority: 11 }],
      ['priority 2.5', { priority: 2.5 }],
      ['maxAttempts 0', { maxAttempts: 0 }],
      ['a queue with a space in its name', { queue: 'the queue' }],
      ['an empty queue name', { queue: '' }],
      ['an empty key', { idempotencyKey: '' }],
      ['a key with NUL', { idempotencyKey: 'a\0b' }],
      ['a key with half a surrogate pair', { idempotencyKey: '\ud800' }],
      ['a key without end', { idempotencyKey: 'k'.repeat(5_000) }],
      ['a tenant with NUL', { tenant: '\0' }],
      ['an invalid date', { runAt: new Date(Number.NaN) }],
      ['a runAt beyond all dates', { runAt: 1e300 }],
      ['a delay that is none', { delay: 'soon' }],
      ['a negative delay', { delay: -1 }],
      ['a tx that is none', { tx: {} }],
    ])('%s', async (_what, options) => {
      const { millrace } = await openRuntime(subject)
      const code =
        subject.capabilities.transactions || options.tx === undefined ? 'invalid-argument' : 'unsupported'
      await expect(millrace.enqueue(anything, {}, options)).rejects.toMatchObject({
        name: 'QueueError',
        code,
      })
      expect((await millrace.stats()).total.ready).toBe(0)
    })
  })

  it('opens the store by itself, once, however many ask at the same time', async () => {
    const { stage } = await openRuntime(subject)
    const engine = await stage.another()
    const millrace = createMillrace({ engine, clock: stage.clock })
    const jobs = await Promise.all(Array.from({ length: 20 }, () => millrace.enqueue(anything, 1)))
    expect(new Set(jobs.map(job => job.id)).size).toBe(20)
    expect((await millrace.stats()).total.ready).toBe(20)
  })

  it('refuses a page size that can not be meant, and a cursor that is not ours', async () => {
    const { millrace } = await openRuntime(subject)
    const refused = { code: 'invalid-argument' }
    for (const limit of [0, -1, 1.5, 100_000, Number.NaN])
      await expect(millrace.list({}, { limit })).rejects.toMatchObject(refused)
    await expect(millrace.list({}, { cursor: 'nonsense' })).rejects.toMatchObject(refused)
  })
}
