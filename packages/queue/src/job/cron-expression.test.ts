import { Cron } from 'croner'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextCivilMatch } from './civil-time.ts'
import { parseCron } from './cron-expression.ts'
import { RecurrenceError } from './recurrence-error.ts'

function dates(expression: string, from: string, count: number): string[] {
  const rule = parseCron(expression)
  const found: string[] = []
  for (let at = Date.parse(from); found.length < count; at += 1_000) {
    at = nextCivilMatch(rule, at, Infinity) ?? Number.NaN
    found.push(new Date(at).toISOString().slice(0, 16))
  }
  return found
}

function fault(expression: string): RecurrenceError {
  try {
    parseCron(expression)
  } catch (error) {
    if (error instanceof RecurrenceError) return error
    throw error
  }
  throw new Error(`${expression} was accepted`)
}

describe('a cron expression', () => {
  it.each([
    ['*/20 * * * *', ['2026-01-01T00:00', '2026-01-01T00:20', '2026-01-01T00:40']],
    ['5,10-12 9 * * *', ['2026-01-01T09:05', '2026-01-01T09:10', '2026-01-01T09:11']],
    ['0 8-18/5 * * *', ['2026-01-01T08:00', '2026-01-01T13:00', '2026-01-01T18:00']],
    ['0 0 1 JAN,jul *', ['2026-01-01T00:00', '2026-07-01T00:00', '2027-01-01T00:00']],
    ['0 0 * * MON-WED', ['2026-01-05T00:00', '2026-01-06T00:00', '2026-01-07T00:00']],
    ['0 0 * * 7', ['2026-01-04T00:00', '2026-01-11T00:00', '2026-01-18T00:00']],
    ['0 0 * * 0', ['2026-01-04T00:00', '2026-01-11T00:00', '2026-01-18T00:00']],
    ['0 0 L * *', ['2026-01-31T00:00', '2026-02-28T00:00', '2026-03-31T00:00']],
    ['0 0 L 2 *', ['2026-02-28T00:00', '2027-02-28T00:00', '2028-02-29T00:00']],
    ['0 0 LW * *', ['2026-01-30T00:00', '2026-02-27T00:00', '2026-03-31T00:00']],
    ['0 0 1W * *', ['2026-01-01T00:00', '2026-02-02T00:00', '2026-03-02T00:00']],
    ['0 0 15W 8,11 *', ['2026-08-14T00:00', '2026-11-16T00:00', '2027-08-16T00:00']],
    ['0 0 31W * *', ['2026-01-30T00:00', '2026-03-31T00:00', '2026-05-29T00:00']],
    ['0 0 * * 5#2', ['2026-01-09T00:00', '2026-02-13T00:00', '2026-03-13T00:00']],
    ['0 0 * * FRI#5', ['2026-01-30T00:00', '2026-05-29T00:00', '2026-07-31T00:00']],
    ['0 0 * * 5L', ['2026-01-30T00:00', '2026-02-27T00:00', '2026-03-27T00:00']],
    ['0 0 29 2 *', ['2028-02-29T00:00', '2032-02-29T00:00', '2036-02-29T00:00']],
    ['0 0 29 2 +MON', ['2044-02-29T00:00', '2072-02-29T00:00', '2112-02-29T00:00']],
    ['  0   0 1 1 ?  ', ['2026-01-01T00:00', '2027-01-01T00:00', '2028-01-01T00:00']],
    ['@yearly', ['2026-01-01T00:00', '2027-01-01T00:00', '2028-01-01T00:00']],
    ['@monthly', ['2026-01-01T00:00', '2026-02-01T00:00', '2026-03-01T00:00']],
    ['@weekly', ['2026-01-04T00:00', '2026-01-11T00:00', '2026-01-18T00:00']],
    ['@Daily', ['2026-01-01T00:00', '2026-01-02T00:00', '2026-01-03T00:00']],
    ['@hourly', ['2026-01-01T00:00', '2026-01-01T01:00', '2026-01-01T02:00']],
  ])('%s names its dates', (expression, expected) => {
    expect(dates(expression, '2026-01-01T00:00:00Z', 3)).toEqual(expected)
  })

  it('names seconds in a sixth field that comes first', () => {
    const rule = parseCron('15,45 0 0 * * *')
    expect(nextCivilMatch(rule, 0, Infinity)).toBe(15_000)
    expect(nextCivilMatch(rule, 16_000, Infinity)).toBe(45_000)
    expect(nextCivilMatch(rule, 46_000, 86_400_000)).toBeUndefined()
  })

  it('matches either day field when both are restricted, and both after a plus', () => {
    expect(dates('0 0 13 * FRI', '2026-01-01T00:00:00Z', 4)).toEqual([
      '2026-01-02T00:00',
      '2026-01-09T00:00',
      '2026-01-13T00:00',
      '2026-01-16T00:00',
    ])
    expect(dates('0 0 13 * +FRI', '2026-01-01T00:00:00Z', 2)).toEqual([
      '2026-02-13T00:00',
      '2026-03-13T00:00',
    ])
  })

  it.each([
    ['30 2 * * *', true],
    ['0,30 2,3 * * *', true],
    ['0 9-17 * * *', true],
    ['*/10 30 2 * * *', true],
    ['@daily', true],
    ['@hourly', false],
    ['*/30 * * * *', false],
    ['30 * * * *', false],
    ['0 */2 * * *', false],
    ['0 0-22/2 * * *', false],
    ['* 2 * * *', false],
    ['? 2 * * *', false],
  ])('%s is a time of day: %s', (expression, fixedTime) => {
    expect(parseCron(expression).fixedTime).toBe(fixedTime)
  })

  it('agrees with croner away from clock changes', () => {
    const number = (min: number, max: number) => fc.integer({ min, max }).map(String)
    const field = (min: number, max: number) =>
      fc.oneof(
        fc.constant('*'),
        number(min, max),
        fc.integer({ min: 2, max: max - min }).map(step => `*/${step}`),
        fc.array(number(min, max), { minLength: 2, maxLength: 4 }).map(list => list.join()),
        fc.tuple(fc.integer({ min, max }), fc.integer({ min, max })).map(pair => {
          return `${Math.min(...pair)}-${Math.max(...pair)}`
        }),
      )
    const day = fc.oneof(
      { weight: 3, arbitrary: field(1, 28) },
      fc.constantFrom('L', 'LW', '1W', '15W', '28W'),
    )
    const weekday = fc.oneof(
      { weight: 3, arbitrary: field(0, 6) },
      fc.constantFrom('5L', '1#1', '3#5', '+2-4'),
    )
    const expression = fc
      .tuple(field(0, 59), field(0, 59), field(0, 23), day, field(1, 12), weekday)
      .map(fields => fields.join(' '))
    const start = fc.integer({ min: 0, max: Date.UTC(2040, 0) / 1_000 }).map(second => second * 1_000)
    fc.assert(
      fc.property(expression, start, (text, from) => {
        const expected = new Cron(text, { paused: true, timezone: 'UTC' }).nextRun(new Date(from))
        expect(nextCivilMatch(parseCron(text), from + 1_000, Infinity)).toBe(expected?.getTime())
      }),
      { numRuns: 300 },
    )
  })
})

describe('a cron expression that cannot be', () => {
  it.each([
    ['60 * * * *', 'the minute field "60"', '0-59'],
    ['0 24 * * *', 'the hour field "24"', '0-23'],
    ['0 22-2 * * *', 'the hour field "22-2"', 'a rising range'],
    ['5/15 * * * *', 'the minute field "5/15"', 'a step "*/2" or "1-5/2"'],
    ['*/0 * * * *', 'the minute field "*/0"', 'a step'],
    ['60 0 0 * * *', 'the second field "60"', '0-59'],
    ['0 0 0 * *', 'the day-of-month field "0"', '1-31'],
    ['0 0 32 * *', 'the day-of-month field "32"', '1-31'],
    ['0 0 L-3 * *', 'the day-of-month field "L-3"', '"L" (last day)'],
    ['0 0 * 13 *', 'the month field "13"', 'JAN-DEC'],
    ['0 0 * FOO *', 'the month field "FOO"', 'JAN-DEC'],
    ['0 0 * * 8', 'the day-of-week field "8"', 'SUN-SAT'],
    ['0 0 * * MONDAY', 'the day-of-week field "MONDAY"', 'SUN-SAT'],
    ['0 0 * * 5#6', 'the day-of-week field "5#6"', '"5#2"'],
    ['1,,2 * * * *', 'the minute field "1,,2"', 'a list'],
    ['-1 * * * *', 'the minute field "-1"', '0-59'],
    ['1.5 * * * *', 'the minute field "1.5"', '0-59'],
    ['', 'wrong number of fields', 'five (minute, hour'],
    ['* * * *', 'wrong number of fields', 'or six with the second first'],
    ['0 0 0 1 1 * 2030', 'wrong number of fields', 'five'],
    ['@fortnightly', '"@fortnightly" is not known', '@weekly'],
    ['@reboot', '"@reboot" is not known', '@daily'],
  ])('%s is refused with what, where and how to mend', (expression, where, mend) => {
    const error = fault(expression)
    expect(error.fault).toBe('expression')
    expect(error.message).toContain(where)
    expect(error.message).toContain(mend)
  })

  it.each(['0 0 30 2 *', '0 0 31 2,4,6,9,11 *', '0 0 31W 11 *', '0 0 1-7 * +MON#2'])(
    '%s names no date and is refused',
    expression => {
      expect(fault(expression)).toMatchObject({
        fault: 'never',
        message: expect.stringMatching(/never comes due/),
      })
    },
  )

  it('is refused when it is very long, without repeating it all', () => {
    const { message } = fault('*,'.repeat(1_000_000))
    expect(message).toContain('write at most 1,000 characters')
    expect(message.length).toBeLessThan(300)
  })

  it('accepts a rare date that some year has', () => {
    expect(() => parseCron('0 0 29 2 +MON')).not.toThrow()
    expect(() => parseCron('0 0 30 2 MON')).not.toThrow()
  })
})
