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
    ['9999-12-31T23:59:59.999Z', 253_402_300_799_999],
    ['0000-01-01T00:00:00Z', -62_167_219_200_000],
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
    '253402300800000',
    '9999-12-31T23:59:59-00:01',
    '0000-01-01T00:00:00+00:01',
  ])('refuses %j', text => {
    expect(parseInstant(text)).toBeNull()
  })

  it.each([-1, 1.5, Number.NaN, 253_402_300_800_000])('refuses %d', value => {
    expect(parseInstant(value)).toBeNull()
  })

  it('reads back what formatInstant writes', () => {
    expect(parseInstant(formatInstant(1_764_000_000_123))).toBe(1_764_000_000_123)
  })
})
