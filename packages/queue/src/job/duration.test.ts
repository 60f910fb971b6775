import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDuration } from './duration.ts'

describe('a duration', () => {
  it.each([
    ['500ms', 500],
    ['90s', 90_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['7d', 604_800_000],
    ['2w', 1_209_600_000],
    ['1.5h', 5_400_000],
    ['0s', 0],
    ['1d1h1m1s1ms', 90_061_001],
    ['1m5ms', 60_005],
    ['30m1h', 5_400_000],
    ['1s1s', 2_000],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it('takes a number as milliseconds', () => {
    expect([0, 1, 0.5, 86_400_000].map(parseDuration)).toEqual([0, 1, 0.5, 86_400_000])
  })

  it('is the sum of its parts', () => {
    const part = fc.tuple(fc.nat(10_000), fc.constantFrom('ms', 's', 'm', 'h', 'd', 'w'))
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), parts => {
        const texts = parts.map(([amount, unit]) => `${amount}${unit}`)
        const sum = texts.map(parseDuration).reduce((a, b) => a + b)
        expect(parseDuration(texts.join(''))).toBe(sum)
      }),
    )
  })

  it.each([
    ['nothing', ''],
    ['a number without a unit', '90'],
    ['a unit without a number', 's'],
    ['an unknown unit', '3y'],
    ['upper case', '1H'],
    ['spaces', '1h 30m'],
    ['a sign', '-1h'],
    ['a bare fraction', '.5h'],
    ['an exponent', '1e3s'],
    ['more digits than a number holds', `${'9'.repeat(400)}s`],
    ['a negative number', -1],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['null', null as never],
    ['undefined', undefined as never],
    ['a list', ['1h'] as never],
  ])('%s is refused with what is understood', (_what, duration) => {
    expect(() => parseDuration(duration)).toThrow(RangeError)
    expect(() => parseDuration(duration)).toThrow(
      /is not a duration: give milliseconds, or text like '500ms'/,
    )
  })

  it('answers long nonsense as fast as short', () => {
    expect(() => parseDuration(`${'1'.repeat(100_000)}x`)).toThrow(RangeError)
    expect(() => parseDuration(`${'1s'.repeat(50_000)}!`)).toThrow(RangeError)
  })
})
