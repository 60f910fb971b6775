import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bucketOf, seriesBuckets } from '../engine/series.ts'
import { quantile } from './quantile.ts'

function histogram(durations: readonly number[]): Uint32Array {
  const counts = new Uint32Array(seriesBuckets)
  for (const ms of durations) counts[bucketOf(ms)] = (counts[bucketOf(ms)] as number) + 1
  return counts
}

describe('a bucket', () => {
  it.each([
    [0, 0],
    [0.99, 0],
    [1, 1],
    [2, 2],
    [3.5, 2],
    [4, 3],
    [1_024, 11],
    [2 ** 22 - 1, 22],
    [2 ** 22, 23],
    [2 ** 40, 23],
    [Number.MAX_SAFE_INTEGER, 23],
  ])('of %d ms is the one with the number %d', (ms, bucket) => {
    expect(bucketOf(ms)).toBe(bucket)
  })
})

describe('an estimated percentile', () => {
  it('is off by less than a factor of two', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 4_000_000 }), { minLength: 1, maxLength: 200 }),
        fc.constantFrom(0.5, 0.95, 0.99),
        (durations, q) => {
          const sorted = durations.toSorted((a, b) => a - b)
          const exact = sorted[Math.ceil(q * sorted.length) - 1] as number
          const estimate = quantile(histogram(durations), durations.length, q)
          expect(estimate).toBeLessThanOrEqual(exact * 2)
          expect(estimate).toBeGreaterThanOrEqual(exact / 2)
        },
      ),
    )
  })

  it('lies evenly within its bucket', () => {
    expect(quantile(histogram([8, 9, 10, 11, 12, 13, 14, 15]), 8, 0.5)).toBe(12)
  })
})
