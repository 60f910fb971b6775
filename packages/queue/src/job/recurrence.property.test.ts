import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextAfter, parseRecurrence, ticksBetween, upcoming } from './recurrence.ts'
import { timeZone } from './time-zone.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const allZones = Intl.supportedValuesOf('timeZone')

interface Field {
  text: string
  accepts(value: number): boolean
  any: boolean
}

/** Any way to write a field that needs no parser to know what it accepts. */
function field(min: number, max: number): fc.Arbitrary<Field> {
  const value = fc.integer({ min, max })
  return fc.oneof(
    fc.constant({ text: '*', accepts: () => true, any: true }),
    value.map(only => ({ text: `${only}`, accepts: (v: number) => v === only, any: false })),
    fc.integer({ min: 2, max: Math.min(20, max - min) }).map(step => {
      return { text: `*/${step}`, accepts: (v: number) => (v - min) % step === 0, any: false }
    }),
    fc.array(value, { minLength: 2, maxLength: 3 }).map(list => {
      return { text: list.join(), accepts: (v: number) => list.includes(v), any: false }
    }),
    fc.tuple(value, value).map(pair => {
      const [low, high] = [Math.min(...pair), Math.max(...pair)]
      return { text: `${low}-${high}`, accepts: (v: number) => v >= low && v <= high, any: false }
    }),
  )
}

const star = fc.constant<Field>({ text: '*', accepts: () => true, any: true })
const rule = fc
  .record({
    minute: field(0, 59),
    hour: field(0, 23),
    day: fc.oneof(star, field(1, 28)),
    month: fc.oneof(star, field(1, 12)),
    weekday: fc.oneof(star, field(0, 6)),
  })
  .map(({ minute, hour, day, month, weekday }) => ({
    cron: [minute, hour, day, month, weekday].map(each => each.text).join(' '),
    fixedTime: !/[*/]/.test(minute.text + hour.text),
    accepts(reading: number): boolean {
      const date = new Date(reading)
      const [onDay, onWeekday] = [day.accepts(date.getUTCDate()), weekday.accepts(date.getUTCDay())]
      const onDate = day.any || weekday.any ? onDay && onWeekday : onDay || onWeekday
      return (
        minute.accepts(date.getUTCMinutes()) &&
        hour.accepts(date.getUTCHours()) &&
        month.accepts(date.getUTCMonth() + 1) &&
        onDate
      )
    },
  }))
const zone = fc.constantFrom(...allZones)
const minuteAt = fc
  .integer({ min: Date.UTC(1995, 0) / MINUTE_MS, max: Date.UTC(2045, 0) / MINUTE_MS })
  .map(minute => minute * MINUTE_MS)

/** What the wall clock shows in each minute from `fromAt`, by Intl alone. */
function readings(timeZone: string, fromAt: number, minutes: number): number[] {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
  return Array.from({ length: minutes }, (_, index) => {
    return Date.parse(`${format.format(fromAt + index * MINUTE_MS).replace(' ', 'T')}Z`)
  })
}

describe('the next tick', () => {
  it('is later than the instant asked about, and ticks increase strictly', () => {
    fc.assert(
      fc.property(rule, zone, minuteAt, fc.integer({ min: 0, max: 59_999 }), ({ cron }, timeZone, at, ms) => {
        const found = upcoming(parseRecurrence({ cron, timeZone }), at + ms, 5)
        expect(found[0]).toBeGreaterThan(at + ms)
        expect(found).toEqual([...new Set(found)].sort((a, b) => a - b))
        expect(found.every(each => each % 1_000 === 0)).toBe(true)
      }),
      { numRuns: 400 },
    )
  })

  it('is the same from wherever before it one asks', () => {
    fc.assert(
      fc.property(
        rule,
        zone,
        minuteAt,
        fc.double({ min: 0, max: 1, noNaN: true }),
        ({ cron }, timeZone, at, part) => {
          const recurrence = parseRecurrence({ cron, timeZone })
          const next = nextAfter(recurrence, at)
          expect(nextAfter(recurrence, at + Math.floor((next - 1 - at) * part))).toBe(next)
        },
      ),
      { numRuns: 400 },
    )
  })

  it('of an interval is the next whole multiple from the anchor', () => {
    const instant = fc.integer({ min: -1e13, max: 1e14 })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e11 }), instant, instant, (everyMs, anchorAt, after) => {
        const next = nextAfter(parseRecurrence({ everyMs, anchorAt }), after)
        expect(next > after && next - after <= everyMs).toBe(true)
        expect(Math.abs((next - anchorAt) % everyMs)).toBe(0)
      }),
      { numRuns: 500 },
    )
  })
})

describe('a minute-by-minute scan of the wall clock finds the same ticks', { timeout: 60_000 }, () => {
  it('in any zone while its clock runs evenly', () => {
    fc.assert(
      fc.property(rule, zone, minuteAt, ({ cron, accepts }, name, fromAt) => {
        const span = timeZone(name).spanAt(fromAt)
        const untilAt = fromAt + 2 * DAY_MS
        fc.pre(untilAt < span.untilAt && fromAt - DAY_MS > span.fromAt)
        const offsetMs = (readings(name, fromAt, 1)[0] ?? Number.NaN) - fromAt
        const expected: number[] = []
        for (let at = fromAt + MINUTE_MS; at <= untilAt; at += MINUTE_MS) {
          if (accepts(at + offsetMs)) expected.push(at)
        }
        expect(ticksBetween(parseRecurrence({ cron, timeZone: name }), fromAt, untilAt, 10_000)).toEqual(
          expected,
        )
      }),
      { numRuns: 100 },
    )
  })

  it.each([
    ['America/New_York', '2026-03-08T07:00Z'],
    ['America/New_York', '2026-11-01T06:00Z'],
    ['Australia/Lord_Howe', '2026-04-04T15:00Z'],
    ['Australia/Lord_Howe', '2026-10-03T15:30Z'],
    ['Africa/Cairo', '2026-04-23T22:00Z'],
    ['Africa/Cairo', '2026-10-29T21:00Z'],
    ['Asia/Beirut', '2026-03-28T22:00Z'],
    ['Asia/Beirut', '2026-10-24T21:00Z'],
    ['Antarctica/Troll', '2026-03-29T01:00Z'],
    ['Pacific/Chatham', '2026-04-04T14:00Z'],
    ['America/Nuuk', '2026-03-29T01:00Z'],
    ['Asia/Pyongyang', '2018-05-04T15:00Z'],
    ['Pacific/Apia', '2011-12-30T10:00Z'],
    ['Pacific/Kwajalein', '1993-08-21T12:00Z'],
    ['Pacific/Kwajalein', '1969-09-30T13:00Z'],
  ])('in %s through the change at %s', (name, iso) => {
    const changeAt = Date.parse(iso)
    const fromAt = changeAt - 2 * DAY_MS
    const shown = readings(name, fromAt, 4 * 24 * 60)
    fc.assert(
      fc.property(rule, ({ cron, fixedTime, accepts }) => {
        const expected: number[] = []
        let furthest = shown[0] ?? Number.NaN
        for (const [index, reading] of shown.entries()) {
          let due = fixedTime || index === 0 ? false : accepts(reading)
          for (; furthest < reading; ) {
            furthest += MINUTE_MS
            due ||= fixedTime && accepts(furthest)
          }
          if (due) expected.push(fromAt + index * MINUTE_MS)
        }
        const untilAt = fromAt + (shown.length - 1) * MINUTE_MS
        expect(ticksBetween(parseRecurrence({ cron, timeZone: name }), fromAt, untilAt, 10_000)).toEqual(
          expected,
        )
      }),
      { numRuns: 40 },
    )
  })
})

describe('every IANA zone from 2024 to 2040', { timeout: 60_000 }, () => {
  const startAt = Date.UTC(2024, 0)
  const endAt = Date.UTC(2040, 0)
  const days = (endAt - startAt) / DAY_MS

  it.each(['30 2 * * *', '0 0 * * *'])('steps forward by %s, once every civil day', cron => {
    const stuck = allZones.filter(timeZone => {
      const recurrence = parseRecurrence({ cron, timeZone })
      let count = 0
      for (let at = startAt; ; count++) {
        const next = nextAfter(recurrence, at)
        if (next >= endAt) break
        if (count > 0 && (next - at < 21 * HOUR_MS || next - at > 27 * HOUR_MS)) return true
        at = next
      }
      return Math.abs(count - days) > 1
    })
    expect(stuck).toEqual([])
  })

  it('keeps 30 real minutes by */30 through every clock change and on every first of a month', () => {
    const uneven = allZones.filter(name => {
      const recurrence = parseRecurrence({ cron: '*/30 * * * *', timeZone: name })
      const starts: number[] = []
      for (let month = 0; month < 16 * 12; month++) starts.push(Date.UTC(2024, month))
      for (let at = startAt; at < endAt; at = timeZone(name).spanAt(at).untilAt) starts.push(at - 2 * HOUR_MS)
      return starts.some(start => {
        const found = upcoming(recurrence, start, 8)
        return found.some((at, index) => index > 0 && at - (found[index - 1] ?? 0) !== 30 * MINUTE_MS)
      })
    })
    expect(uneven).toEqual([])
  })
})
