import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Backoff, backoffMs, backoffWaits, defaultBackoff, exponential, fixed } from './backoff.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const longestWaitMs = 366 * dayMs
const waits = (backoff: Backoff, attempts: number[], random = 0.5): number[] =>
  attempts.map(attempt => backoff(attempt, new Error('any'), random))

describe('exponential', () => {
  it('doubles from 2 s by default: exactly 2ⁿ seconds, without jitter', () => {
    expect(waits(exponential(), [1, 2, 3, 4, 10])).toEqual([2_000, 4_000, 8_000, 16_000, 1_024_000])
  })

  it('starts at firstMs and grows by factor', () => {
    expect(waits(exponential({ firstMs: 100, factor: 3 }), [1, 2, 3, 4])).toEqual([100, 300, 900, 2_700])
  })

  it('never waits longer than maxMs, a day by default', () => {
    expect(waits(exponential({ firstMs: 100, maxMs: 250 }), [1, 2, 3, 9_999])).toEqual([100, 200, 250, 250])
    expect(waits(exponential(), [9_999])).toEqual([dayMs])
  })

  it('stays the same with a factor of 1', () => {
    expect(waits(exponential({ firstMs: 70, factor: 1 }), [1, 2, 9_999])).toEqual([70, 70, 70])
  })

  it('full jitter waits anywhere between nothing and the reckoned wait', () => {
    const backoff = exponential({ firstMs: 1_000, maxMs: 4_000, jitter: 'full' })
    expect(waits(backoff, [1, 2, 3, 4], 0)).toEqual([0, 0, 0, 0])
    expect(waits(backoff, [1, 2, 3, 4], 0.25)).toEqual([250, 500, 1_000, 1_000])
  })

  it('a first wait of nothing is no wait at any attempt', () => {
    expect(waits(exponential({ firstMs: 0 }), [1, 2, 1_025, 10_000])).toEqual([0, 0, 0, 0])
  })

  it.each([
    ['firstMs', { firstMs: -1 }],
    ['factor', { factor: -2 }],
    ['maxMs', { maxMs: Number.NaN }],
  ])('a %s that is no number of at least 0 is refused by name', (name, options) => {
    expect(() => exponential(options)).toThrow(new RegExp(`^exponential: ${name} must be a number`))
  })
})

describe('fixed', () => {
  it('waits the same after each attempt', () => {
    expect(waits(fixed(5_000), [1, 2, 100])).toEqual([5_000, 5_000, 5_000])
  })

  it('full jitter waits anywhere up to it', () => {
    expect(waits(fixed(5_000, { jitter: 'full' }), [1, 2], 0.1)).toEqual([500, 500])
  })

  it('a wait that is no number of at least 0 is refused', () => {
    expect(() => fixed(-1)).toThrow(/^fixed: waitMs must be a number of at least 0, not -1/)
    expect(() => fixed(Number.NaN)).toThrow(RangeError)
  })
})

it('the default backoff grows from 1 s to an hour, with full jitter', () => {
  expect(waits(defaultBackoff, [1, 2, 3, 20], 0.5)).toEqual([500, 1_000, 2_000, hourMs / 2])
})

describe('backoffMs', () => {
  const ask = (backoff: Backoff): number => backoffMs(backoff, 2, new Error('any'), 0.5)
  const fallback = 1_000

  it('hands the attempt, the error and the random number over', () => {
    const error = new Error('this one')
    const heard: unknown[] = []
    backoffMs((...values) => heard.push(...values), 7, error, 0.25)
    expect(heard).toEqual([7, error, 0.25])
  })

  it.each<[string, Backoff, number]>([
    ['throws', () => fail(), fallback],
    ['answers NaN', () => Number.NaN, fallback],
    ['answers Infinity', () => Number.POSITIVE_INFINITY, fallback],
    ['answers minus Infinity', () => Number.NEGATIVE_INFINITY, fallback],
    ['answers nothing', () => undefined as never, fallback],
    ['answers text', () => '5000' as never, fallback],
    ['answers a BigInt', () => 5n as never, fallback],
    ['answers a negative number', () => -5_000, 0],
    ['answers a huge number', () => Number.MAX_VALUE, longestWaitMs],
    ['answers a fraction', () => 10.6, 11],
  ])('a custom backoff that %s costs no retry', (_what, backoff, waitMs) => {
    expect(ask(backoff)).toBe(waitMs)
  })

  it('is a whole number from 0 to 366 days, whatever a backoff answers', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.double(), fc.anything()),
        fc.integer({ min: 1, max: 10_000 }),
        (answer, attempt) => {
          const waitMs = backoffMs(() => answer as number, attempt, null, 0.999)
          expect(Number.isInteger(waitMs) && waitMs >= 0 && waitMs <= longestWaitMs).toBe(true)
        },
      ),
    )
  })

  it('is a whole number from 0 to 366 days for every exponential and every attempt', () => {
    const ms = fc.oneof(fc.nat(), fc.double({ min: 0, noNaN: true }), fc.constant(Number.POSITIVE_INFINITY))
    const options = fc.record({
      firstMs: ms,
      factor: fc.double({ min: 0, max: 100, noNaN: true }),
      maxMs: ms,
    })
    fc.assert(
      fc.property(options, fc.integer({ min: 1, max: 10_000 }), (each, attempt) => {
        const waitMs = backoffMs(exponential(each), attempt, null, 0.5)
        expect(Number.isInteger(waitMs) && waitMs >= 0 && waitMs <= longestWaitMs).toBe(true)
      }),
    )
  })
})

function fail(): never {
  throw new Error('the backoff itself is broken')
}

describe('the waits of a backoff', () => {
  it('are told from the shortest to the longest that its jitter allows', () => {
    expect(backoffWaits(exponential({ firstMs: 1_000, jitter: 'full' }), 2)).toEqual([
      { attempt: 1, leastMs: 0, mostMs: 1_000 },
      { attempt: 2, leastMs: 0, mostMs: 2_000 },
    ])
    expect(backoffWaits(fixed(500), 1)).toEqual([{ attempt: 1, leastMs: 500, mostMs: 500 }])
  })

  it('are those that a job would get where a custom one throws', () => {
    const broken = (): number => {
      throw new Error('broken')
    }
    expect(backoffWaits(broken, 1)).toEqual([{ attempt: 1, leastMs: 0, mostMs: 1_000 }])
  })
})
