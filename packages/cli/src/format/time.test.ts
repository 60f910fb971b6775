import { describe, expect, it } from 'vitest'
import { formatAgo, formatDuration, formatStopwatch, formatUtc } from './time.ts'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

describe('formatDuration', () => {
  it.each([
    [-5, '0 ms'],
    [0, '0 ms'],
    [850, '850 ms'],
    [4_240, '4.2 s'],
    [9_960, '10 s'],
    [59_400, '59 s'],
    [59_600, '1 min'],
    [72 * second, '1 min 12 s'],
    [hour, '1 h'],
    [3 * hour + 5 * minute, '3 h 5 min'],
    [52 * hour, '2 d 4 h'],
    [365 * day, '365 d'],
  ])('of %d is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })
})

describe('formatAgo', () => {
  it.each([
    [0, 'just now'],
    [999, 'just now'],
    [12 * second, '12 s ago'],
    [3 * minute + 59 * second, '3 min ago'],
    [2 * hour, '2 h ago'],
    [5 * day, '5 d ago'],
    [-5 * minute, 'in 5 min'],
  ])('%d ms before now is %s', (ms, text) => {
    expect(formatAgo(day * 100 - ms, day * 100)).toBe(text)
  })
})

describe('formatStopwatch', () => {
  it.each([
    [0, '0:00'],
    [7_900, '0:07'],
    [12 * minute + 34 * second, '12:34'],
    [hour + 2 * minute + 3 * second, '1:02:03'],
  ])('of %d is %s', (ms, text) => {
    expect(formatStopwatch(ms)).toBe(text)
  })
})

it('formatUtc names the second and the zone', () => {
  expect(formatUtc(Date.UTC(2026, 10, 23, 14, 0, 5, 999))).toBe('2026-11-23 14:00:05Z')
})
