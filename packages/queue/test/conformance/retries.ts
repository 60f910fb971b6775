import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  type Backoff,
  defineJob,
  exponential,
  fixed,
  handle,
  NonRetryableError,
  type Random,
  RetryAfterError,
} from '../../src/index.ts'
import { openRuntime, plainJob, type Runtime } from './runtime-stage.ts'
import { hourMs, minuteMs, secondMs } from './samples.ts'
import type { EngineSubject } from './stage.ts'

export function retryCases(subject: EngineSubject): void {
  describe('a failed attempt is repeated', () => {
    it.each<[string, Backoff, number[]]>([
      ['after the same wait each time', fixed(5 * secondMs), [5, 5, 5]],
      ['after 2ⁿ seconds', exponential({ firstMs: 2_000 }), [2, 4, 8]],
      ['after a wait that grows by its factor', exponential({ firstMs: 1_000, factor: 10 }), [1, 10, 100]],
      [
        'after a wait that never passes its bound',
        exponential({ firstMs: 30_000, maxMs: 60_000 }),
        [30, 60, 60],
      ],
      ['after what a function of the attempt says', attempt => attempt * 7_000, [7, 14, 21]],
    ])('%s', async (_what, backoff, expectedS) => {
      const runtime = await openRuntime(subject)
      const startedAt = await startsOf(runtime, { backoff, maxAttempts: 4 }, () => {
        throw new Error('no')
      })
      const waitsMs = startedAt.slice(1).map((at, index) => at - (startedAt[index] as number))
      expect(waitsMs).toHaveLength(3)
      for (const [index, waitMs] of waitsMs.entries()) {
        expect(waitMs).toBeGreaterThanOrEqual((expectedS[index] as number) * secondMs)
        expect(waitMs).toBeLessThan((expectedS[index] as number) * secondMs + 100)
      }
    })

    it('after a wait that jitter draws from the given randomness', async () => {
      const random: Random = { number: () => 0.25, fill: bytes => void crypto.getRandomValues(bytes) }
      const runtime = await openRuntime(subject, { random })
      const backoff = exponential({ firstMs: 8_000, jitter: 'full' })
      const [first, second] = await startsOf(runtime, { backoff, maxAttempts: 2 }, () => {
        throw new Error('no')
      })
      expect((second as number) - (first as number)).toBeGreaterThanOrEqual(2_000)
      expect((second as number) - (first as number)).toBeLessThan(2_100)
    })

    it('after what a function of the error says', async () => {
      const runtime = await openRuntime(subject)
      const backoff: Backoff = (_attempt, error) => (error instanceof RangeError ? minuteMs : 0)
      const [first, second] = await startsOf(runtime, { backoff, maxAttempts: 2 }, () => {
        throw new RangeError('no')
      })
      expect((second as number) - (first as number)).toBeGreaterThanOrEqual(minuteMs)
    })

    it.each<[string, Backoff]>([
      ['throws', () => raise(new Error('a broken backoff'))],
      ['answers nonsense', () => Number.NaN],
      ['answers a negative wait', () => -1],
    ])('even if its backoff %s', async (_what, backoff) => {
      const runtime = await openRuntime(subject)
      const starts = await startsOf(runtime, { backoff, maxAttempts: 2 }, () => raise(new Error('no')))
      expect(starts).toHaveLength(2)
    })

    it('after what a RetryAfterError says, whatever the backoff', async () => {
      const runtime = await openRuntime(subject)
      const [first, second] = await startsOf(runtime, { backoff: fixed(hourMs), maxAttempts: 2 }, () => {
        throw new RetryAfterError(12_000, 'slow down')
      })
      expect((second as number) - (first as number)).toBeGreaterThanOrEqual(12_000)
      expect((second as number) - (first as number)).toBeLessThan(12_100)
    })

    it('until one succeeds', async () => {
      const runtime = await openRuntime(subject)
      const work = plainJob({ backoff: fixed(secondMs), maxAttempts: 5 })
      await runtime.start([
        handle(work, ({ job }) => (job.attempt < 3 ? raise(new Error('not yet')) : 'done')),
      ])
      const { id } = await runtime.millrace.enqueue(work, {})
      expect(await runtime.clock.until(runtime.millrace.result(id))).toBe('done')
      expect(await runtime.job(id)).toMatchObject({ state: 'completed', attempt: 3 })
      const outcomes = (await runtime.millrace.attempts(id)).map(each => each.outcome)
      expect(outcomes).toEqual(['failed', 'failed', 'completed'])
    })
  })

  it('a job is dead after its last attempt, with the history of all', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ backoff: fixed(secondMs), maxAttempts: 3 })
    const worker = await runtime.start([
      handle(work, ({ job }) => raise(new TypeError(`account 4711 is closed, says attempt ${job.attempt}`))),
    ])
    const { id } = await runtime.millrace.enqueue(work, {})
    await runtime.reaches(id, 'dead')
    expect(await runtime.job(id)).toMatchObject({ attempt: 3, lastError: { name: 'TypeError' } })
    const attempts = await runtime.millrace.attempts(id)
    expect(attempts.map(each => each.attempt)).toEqual([1, 2, 3])
    for (const each of attempts) {
      expect(each).toMatchObject({ worker: worker.id, outcome: 'failed' })
      expect(each.error?.message).toBe(`account 4711 is closed, says attempt ${each.attempt}`)
      expect(each.error?.stack).toContain('retries.ts')
      expect(each.endedAt).toBeGreaterThanOrEqual(each.startedAt as number)
    }
    expect(new Set(attempts.map(each => each.error?.fingerprint)).size).toBe(1)
  })

  it('maxAttempts given at enqueue wins', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ backoff: fixed(0), maxAttempts: 9 })
    await runtime.start([handle(work, () => raise(new Error('no')))])
    const { id } = await runtime.millrace.enqueue(work, {}, { maxAttempts: 1 })
    await runtime.reaches(id, 'dead')
    expect(await runtime.millrace.attempts(id)).toHaveLength(1)
  })

  it('a NonRetryableError is the end at once', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ backoff: fixed(0), maxAttempts: 9 })
    await runtime.start([handle(work, () => raise(new NonRetryableError('the customer is gone')))])
    const { id } = await runtime.millrace.enqueue(work, {})
    await runtime.reaches(id, 'dead')
    expect(await runtime.job(id)).toMatchObject({
      attempt: 1,
      lastError: { message: 'the customer is gone' },
    })
  })

  it('a snooze runs the job again later and spends no attempt, however often', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ maxAttempts: 1 })
    const seen: [attempt: number, at: number][] = []
    await runtime.start([
      handle(work, ({ job, snooze }) => {
        seen.push([job.attempt, runtime.clock.now()])
        if (seen.length < 4) return snooze(10 * secondMs, 'not ready')
        return 'done'
      }),
    ])
    const { id } = await runtime.millrace.enqueue(work, {})
    expect(await runtime.clock.until(runtime.millrace.result(id))).toBe('done')
    expect(seen.map(([attempt]) => attempt)).toEqual([1, 1, 1, 1])
    const waitsMs = seen.slice(1).map(([, at], index) => at - (seen[index]?.[1] ?? 0))
    for (const waitMs of waitsMs) expect(waitMs).toBeGreaterThanOrEqual(10 * secondMs)
  })

  describe('whatever is thrown, the attempt fails and is recorded', () => {
    const odd = new Error('odd')
    Object.defineProperty(odd, 'message', { get: () => raise(new Error('even its message throws')) })
    const circular: Record<string, unknown> = { name: 'circle' }
    circular['self'] = circular
    it.each<[string, () => unknown]>([
      ['undefined', () => undefined],
      ['null', () => null],
      ['a text', () => 'just text'],
      ['a number', () => 42],
      ['a symbol', () => Symbol('odd')],
      ['a BigInt', () => 10n],
      ['a plain object', () => ({ status: 503 })],
      ['a circular object', () => circular],
      ['an object without a prototype', () => Object.create(null)],
      ['an error whose message throws', () => odd],
      ['an error that holds NUL and half a surrogate pair', () => new Error('nul \0 and half \ud800')],
      ['an error with a message of a megabyte', () => new Error('x'.repeat(2 ** 20))],
      ['a promise', () => Promise.resolve(1)],
    ])('%s', async (_what, make) => {
      const runtime = await openRuntime(subject)
      const work = plainJob({ backoff: fixed(0), maxAttempts: 2 })
      await runtime.start([
        handle(work, async ({ job }) => {
          if (job.attempt === 1) throw make()
          return 'done'
        }),
      ])
      const { id } = await runtime.millrace.enqueue(work, {})
      expect(await runtime.clock.until(runtime.millrace.result(id))).toBe('done')
      const [first] = await runtime.millrace.attempts(id)
      expect(first).toMatchObject({
        outcome: 'failed',
        error: { name: expect.any(String), message: expect.any(String) },
      })
      expect(first?.error?.message.length).toBeLessThanOrEqual(5_000)
    })
  })

  describe('a result that can not be stored fails its attempt alone', () => {
    const circular: Record<string, unknown> = {}
    circular['self'] = circular
    it.each<[string, unknown, string]>([
      ['circular', circular, 'self'],
      ['a BigInt', { deep: [1n] }, 'deep.0'],
      ['NaN', { n: Number.NaN }, 'n'],
      ['a function', { f: () => 1 }, 'f'],
      ['text with NUL', { text: 'a\0b' }, 'text'],
      ['text with half a surrogate pair', { text: '\ud800' }, 'text'],
    ])('%s', async (_what, value, path) => {
      const runtime = await openRuntime(subject)
      const work = plainJob({ backoff: fixed(0), maxAttempts: 1 })
      await runtime.start([handle(work, ({ payload }) => (payload.n === 1 ? value : 'fine'))])
      const before = await runtime.millrace.enqueue(work, { n: 0 })
      const bad = await runtime.millrace.enqueue(work, { n: 1 })
      const after = await runtime.millrace.enqueue(work, { n: 2 })
      await runtime.reaches(bad.id, 'dead')
      await runtime.allReach([before.id, after.id], 'completed')
      const { lastError } = await runtime.job(bad.id)
      expect(lastError?.message).toContain('result')
      expect(lastError?.message).toContain(path)
    })

    it('of another shape than was defined', async () => {
      const runtime = await openRuntime(subject)
      const work = defineJob({
        type: 'sum',
        payload: z.object({}),
        result: z.object({ total: z.number() }),
        maxAttempts: 1,
      })
      await runtime.start([handle(work, () => ({ total: 'many' }) as unknown as { total: number })])
      const { id } = await runtime.millrace.enqueue(work, {})
      await runtime.reaches(id, 'dead')
      expect((await runtime.job(id)).lastError?.message).toContain('total')
    })
  })

  it('a handler that returns nothing completes its job with a result of null', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    await runtime.start([handle(work, () => {})])
    const { id } = await runtime.millrace.enqueue(work, {})
    expect(await runtime.clock.until(runtime.millrace.result(id))).toBeNull()
  })
}

function raise(error: unknown): never {
  throw error
}

/** Runs one job to its end and answers when each of its attempts started. */
async function startsOf(
  runtime: Runtime,
  options: { backoff: Backoff; maxAttempts: number },
  run: () => never,
) {
  const work = plainJob(options)
  const startedAt: number[] = []
  await runtime.start([
    handle(work, () => {
      startedAt.push(runtime.clock.now())
      return run()
    }),
  ])
  const { id } = await runtime.millrace.enqueue(work, {})
  await runtime.reaches(id, 'dead', 3 * hourMs)
  return startedAt
}
