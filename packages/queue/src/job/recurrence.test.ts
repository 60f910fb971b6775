import { describe, expect, it } from 'vitest'
import { RecurrenceError } from './recurrence-error.ts'
import { nextAfter, parseRecurrence, ticksBetween, upcoming } from './recurrence.ts'
import type { RecurrenceRule } from './recurrence-rule.ts'

const MINUTE_MS = 60_000

function ticks(cron: string, timeZone: string, after: string, count: number): string[] {
  return upcoming(parseRecurrence({ cron, timeZone }), Date.parse(after), count).map(iso)
}

function iso(at: number): string {
  return new Date(at).toISOString().replace(':00.000Z', 'Z')
}

describe('a time of day in a gap', () => {
  it('fires once at the first instant after the gap, then at its time again', () => {
    expect(ticks('30 2 * * *', 'America/New_York', '2026-03-07T12:00Z', 2)).toEqual([
      '2026-03-08T07:00Z',
      '2026-03-09T06:30Z',
    ])
  })

  it('fires once for all times that one gap skips', () => {
    expect(ticks('0,15,45 2,3 * * *', 'America/New_York', '2026-03-08T06:59Z', 3)).toEqual([
      '2026-03-08T07:00Z',
      '2026-03-08T07:15Z',
      '2026-03-08T07:45Z',
    ])
    expect(ticks('*/10 30 2 * * *', 'America/New_York', '2026-03-08T06:59Z', 2)).toEqual([
      '2026-03-08T07:00Z',
      '2026-03-09T06:30Z',
    ])
  })

  it.each([
    ['Africa/Cairo', '2026-04-23T00:00Z', ['2026-04-23T22:00Z', '2026-04-24T21:00Z']],
    ['Asia/Beirut', '2026-03-28T00:00Z', ['2026-03-28T22:00Z', '2026-03-29T21:00Z']],
    ['America/Santiago', '2026-09-05T05:00Z', ['2026-09-06T04:00Z', '2026-09-07T03:00Z']],
  ])('fires at the end of the gap at midnight in %s', (zone, after, expected) => {
    expect(ticks('0 0 * * *', zone, after, 2)).toEqual(expected)
  })

  it('keeps the date that it was written for', () => {
    expect(ticks('0 0 24 4 *', 'Africa/Cairo', '2026-01-01T00:00Z', 1)).toEqual(['2026-04-23T22:00Z'])
    expect(ticks('30 2 8 3 *', 'America/New_York', '2026-01-01T00:00Z', 1)).toEqual(['2026-03-08T07:00Z'])
  })

  it('fires after the half-hour gap of Lord Howe', () => {
    expect(ticks('15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T00:00Z', 2)).toEqual([
      '2026-10-03T15:30Z',
      '2026-10-04T15:15Z',
    ])
  })

  it('fires once for the day that Apia skipped', () => {
    expect(ticks('0 9 * * *', 'Pacific/Apia', '2011-12-29T00:00Z', 3)).toEqual([
      '2011-12-29T19:00Z',
      '2011-12-30T10:00Z',
      '2011-12-30T19:00Z',
    ])
    expect(ticks('0 0 * * *', 'Pacific/Apia', '2011-12-29T00:00Z', 3)).toEqual([
      '2011-12-29T10:00Z',
      '2011-12-30T10:00Z',
      '2011-12-31T10:00Z',
    ])
  })
})

describe('a time of day that occurs twice', () => {
  it('fires at its first occurrence only', () => {
    expect(ticks('30 1 * * *', 'America/New_York', '2026-10-31T12:00Z', 2)).toEqual([
      '2026-11-01T05:30Z',
      '2026-11-02T06:30Z',
    ])
  })

  it('does not fire when asked between the two occurrences', () => {
    expect(ticks('30 1 * * *', 'America/New_York', '2026-11-01T05:45Z', 1)).toEqual(['2026-11-02T06:30Z'])
    expect(ticks('30 1 * * *', 'America/New_York', '2026-11-01T06:10Z', 1)).toEqual(['2026-11-02T06:30Z'])
  })

  it('fires once where midnight is repeated', () => {
    expect(ticks('30 23 * * *', 'Asia/Beirut', '2026-10-24T00:00Z', 2)).toEqual([
      '2026-10-24T20:30Z',
      '2026-10-25T21:30Z',
    ])
  })

  it('fires once where a whole day is repeated', () => {
    // Kwajalein crossed the date line eastwards in 1969 and had 30 September twice.
    expect(ticks('0 9 * * *', 'Pacific/Kwajalein', '1969-09-28T23:00Z', 3)).toEqual([
      '1969-09-29T22:00Z',
      '1969-10-01T21:00Z',
      '1969-10-02T21:00Z',
    ])
  })

  it('fires once where the repetition lasts past New Year', () => {
    // At the end of 1883 São Tomé went from 0:26:56 east to 0:36:45 west.
    expect(ticks('30 23 * * *', 'Africa/Sao_Tome', '1883-12-31T00:00Z', 2)).toEqual([
      '1883-12-31T23:03:04.000Z',
      '1884-01-02T00:06:45.000Z',
    ])
  })
})

describe('a cadence', () => {
  it.each([
    ['America/New_York', '2026-03-08T04:00Z'],
    ['America/New_York', '2026-11-01T03:00Z'],
    ['Australia/Lord_Howe', '2026-04-04T12:00Z'],
    ['Australia/Lord_Howe', '2026-10-03T12:00Z'],
    ['Pacific/Chatham', '2026-09-26T12:00Z'],
    ['Africa/Cairo', '2026-04-23T20:00Z'],
    ['Pacific/Apia', '2011-12-30T08:00Z'],
  ])('of half an hour keeps 30 real minutes in %s around %s', (timeZone, after) => {
    const found = upcoming(parseRecurrence({ cron: '*/30 * * * *', timeZone }), Date.parse(after), 14)
    for (const [index, at] of found.entries()) {
      expect(at - (found[index - 1] ?? at - 30 * MINUTE_MS)).toBe(30 * MINUTE_MS)
    }
  })

  it('of an hour keeps one real hour through a change by an hour', () => {
    expect(ticks('30 * * * *', 'America/New_York', '2026-03-08T06:00Z', 3)).toEqual([
      '2026-03-08T06:30Z',
      '2026-03-08T07:30Z',
      '2026-03-08T08:30Z',
    ])
    expect(ticks('0 * * * *', 'America/New_York', '2026-11-01T04:30Z', 3)).toEqual([
      '2026-11-01T05:00Z',
      '2026-11-01T06:00Z',
      '2026-11-01T07:00Z',
    ])
  })

  it('fires in both passes of a repeated hour, and not in a gap', () => {
    expect(ticks('15 1-23/2 * * *', 'America/New_York', '2026-11-01T04:30Z', 3)).toEqual([
      '2026-11-01T05:15Z',
      '2026-11-01T06:15Z',
      '2026-11-01T08:15Z',
    ])
    expect(ticks('0 */2 * * *', 'America/New_York', '2026-03-08T04:30Z', 2)).toEqual([
      '2026-03-08T05:00Z',
      '2026-03-08T08:00Z',
    ])
  })

  it('of whole hours follows the wall clock of Lord Howe', () => {
    expect(ticks('0 * * * *', 'Australia/Lord_Howe', '2026-10-03T14:00Z', 3)).toEqual([
      '2026-10-03T14:30Z',
      '2026-10-03T16:00Z',
      '2026-10-03T17:00Z',
    ])
  })
})

describe('an interval', () => {
  it('counts elapsed time from its anchor, in both directions', () => {
    const rule = parseRecurrence({ everyMs: 1_000, anchorAt: 250 })
    expect(nextAfter(rule, 0)).toBe(250)
    expect(nextAfter(rule, 250)).toBe(1_250)
    expect(nextAfter(rule, 1_249)).toBe(1_250)
    expect(nextAfter(rule, -10_000)).toBe(-9_750)
  })

  it('counts from the epoch by default', () => {
    const now = Date.UTC(2026, 0, 1, 12, 7)
    expect(nextAfter(parseRecurrence({ everyMs: 15 * MINUTE_MS }), now)).toBe(Date.UTC(2026, 0, 1, 12, 15))
  })

  it('skips no tick when the clock reads fractions of a millisecond', () => {
    const rule = parseRecurrence({ everyMs: 10 })
    expect(nextAfter(rule, 1_789_999_999_999.75)).toBe(1_790_000_000_000)
    expect(nextAfter(rule, 1_790_000_000_000.25)).toBe(1_790_000_000_010)
  })
})

describe('looking ahead', () => {
  const daily = parseRecurrence({ cron: '0 9 * * *' })
  const monday = Date.UTC(2026, 0, 5, 9)
  const dayMs = 24 * 60 * MINUTE_MS

  it('defaults to UTC', () => {
    expect(nextAfter(daily, monday - 1)).toBe(monday)
  })

  it('excludes where it starts and includes where it ends', () => {
    expect(ticksBetween(daily, monday, monday + 2 * dayMs, 10)).toEqual([monday + dayMs, monday + 2 * dayMs])
    expect(ticksBetween(daily, monday, monday + dayMs - 1, 10)).toEqual([])
    expect(ticksBetween(daily, monday, monday, 10)).toEqual([])
  })

  it('gives the earliest ticks when there are more than asked for', () => {
    expect(ticksBetween(daily, monday, monday + 99 * dayMs, 2)).toEqual([monday + dayMs, monday + 2 * dayMs])
    expect(upcoming(daily, monday, 0)).toEqual([])
  })
})

describe('a rule that cannot be computed', () => {
  it.each([
    [{}, 'rule', /either "cron" or "everyMs"/],
    [null, 'rule', /either "cron" or "everyMs"/],
    [{ cron: '@daily', everyMs: 1 }, 'rule', /write one of the two/],
    [{ cron: '@daily', anchorAt: 0 }, 'rule', /remove it/],
    [{ everyMs: 1, timeZone: 'UTC' }, 'rule', /remove "timeZone"/],
    [{ cron: 5 }, 'expression', /"cron" is not text/],
    [{ cron: 'whenever' }, 'expression', /wrong number of fields/],
    [{ cron: '0 0 30 2 *' }, 'never', /never comes due/],
    [{ cron: '@daily', timeZone: 'Mars/Olympus' }, 'time-zone', /"Mars\/Olympus" is not known/],
    [{ cron: '@daily', timeZone: 2 }, 'time-zone', /"timeZone" is not text/],
    [{ everyMs: 0 }, 'interval', /at least 1/],
    [{ everyMs: 0.5 }, 'interval', /whole number/],
    [{ everyMs: '1000' }, 'interval', /whole number/],
    [{ everyMs: Infinity }, 'interval', /"everyMs" is Infinity/],
    [{ everyMs: 1_000, anchorAt: Number.NaN }, 'interval', /"anchorAt" is NaN/],
  ])('%j is refused as %s', (rule, fault, message) => {
    const parse = () => parseRecurrence(rule as RecurrenceRule)
    expect(parse).toThrow(RecurrenceError)
    expect(parse).toThrow(expect.objectContaining({ name: 'RecurrenceError', fault }))
    expect(parse).toThrow(message)
  })

  it.each([Number.NaN, Infinity, -Infinity, 8.64e15, -8.64e15])('refuses to look after %s', after => {
    for (const rule of [
      { cron: '@daily' },
      { cron: '@daily', timeZone: 'Asia/Tokyo' },
      { everyMs: 60_000 },
    ]) {
      expect(() => nextAfter(parseRecurrence(rule), after)).toThrow(
        expect.objectContaining({ name: 'RecurrenceError', fault: 'instant' }),
      )
    }
  })

  it('says so when no tick is left before the year 10000', () => {
    const lastDays = Date.parse('9999-12-29T12:00:00Z')
    for (const rule of [
      { cron: '0 0 1 6 *' },
      { cron: '0 0 1 6 *', timeZone: 'Asia/Tokyo' },
      { everyMs: 1e12 },
    ]) {
      expect(() => nextAfter(parseRecurrence(rule), lastDays)).toThrow(
        expect.objectContaining({ name: 'RecurrenceError', fault: 'never' }),
      )
    }
  })

  it('computes in the first and in distant centuries', () => {
    const rule = parseRecurrence({ cron: '30 2 * * *', timeZone: 'Europe/Paris' })
    for (const year of ['0001-06-01', '0099-12-31', '1500-01-01', '9998-12-31']) {
      const at = Date.parse(`${year}T12:00:00Z`)
      expect(nextAfter(rule, at) - at).toBeGreaterThan(0)
      expect(nextAfter(rule, at) - at).toBeLessThan(24 * 60 * MINUTE_MS)
    }
  })
})
