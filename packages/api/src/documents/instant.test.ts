import { describe, expect, it } from 'vitest'
import { formatInstant, parseInstant } from './instant.ts'

describe('parseInstant', () => {
  it.each([
    ['2026-11-23T14:00:00Z', Date.UTC(2026, 10, 23, 14)],
    ['2026-11-23T14:00Z', Date.UTC(2026, 10, 23, 14)],
    ['2026-11-23T14:00:00.250+01:00', Date.UTC(2026, 10, 23, 13, 0, 0, 250)],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['0', 0],
    ['1764000000000', 1_764_000_000_000],
    [1_764_000_000_000, 1_764_000_000_000],
  ])('reads %s', (text, ms) => {
    expect(parseInstant(text)).toBe(ms)
  })

  it.each([
    '2026-11-23T14:00:00',
    '2026-11-23',
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-11-23T25:00:00Z',
    'tomorrow',
    '',
    '-1',
    '99999999999999999',
  ])('refuses %j', text => {
    expect(parseInstant(text)).toBeNull()
  })

  it.each([-1, 1.5, Number.NaN, 8.65e15])('refuses %d', value => {
    expect(parseInstant(value)).toBeNull()
  })

  it('reads back what formatInstant writes', () => {
    expect(parseInstant(formatInstant(1_764_000_000_123))).toBe(1_764_000_000_123)
  })
})
