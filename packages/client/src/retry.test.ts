import { describe, expect, it } from 'vitest'
import { retryAfterMs } from './problem.ts'
import { waitMsAfter } from './retry.ts'

describe('the wait before another try', () => {
  it.each([
    [1, 250],
    [2, 500],
    [3, 1_000],
    [20, 10_000],
  ])('is, after failure %i, up to %i ms', (failures, most) => {
    expect(waitMsAfter(failures, null, 0)).toBe(0)
    expect(waitMsAfter(failures, null, 1)).toBe(most)
  })

  it('is never less than the server says', () => {
    expect(waitMsAfter(1, 5_000, 0)).toBe(5_000)
  })
})

describe('Retry-After', () => {
  const now = Date.parse('2026-11-23T14:00:00Z')
  it.each([
    ['7', 7_000],
    ['Mon, 23 Nov 2026 14:00:30 GMT', 30_000],
    ['Mon, 23 Nov 2026 13:00:00 GMT', 0],
    ['soon', null],
    [null, null],
  ])('%s is %s ms', (header, ms) => {
    expect(retryAfterMs(header, now)).toBe(ms)
  })
})
