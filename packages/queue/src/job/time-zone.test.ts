import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecurrenceError } from './recurrence-error.ts'
import { timeZone } from './time-zone.ts'

const HOUR_MS = 3_600_000
const allZones = Intl.supportedValuesOf('timeZone')

function change(name: string, iso: string) {
  const at = Date.parse(iso)
  const before = timeZone(name).spanAt(at - 1_000)
  const span = timeZone(name).spanAt(at)
  return [before.untilAt === at, span.fromAt === at, before.offsetMs / HOUR_MS, span.offsetMs / HOUR_MS]
}

describe('a time zone', () => {
  it.each([
    ['America/New_York', '2026-03-08T07:00:00Z', -5, -4],
    ['America/New_York', '2026-11-01T06:00:00Z', -4, -5],
    ['Australia/Lord_Howe', '2026-04-04T15:00:00Z', 11, 10.5],
    ['Australia/Lord_Howe', '2026-10-03T15:30:00Z', 10.5, 11],
    ['Africa/Cairo', '2026-04-23T22:00:00Z', 2, 3],
    ['Asia/Beirut', '2026-03-28T22:00:00Z', 2, 3],
    ['Pacific/Apia', '2011-12-30T10:00:00Z', -10, 14],
    ['Africa/Casablanca', '2026-02-15T02:00:00Z', 1, 0],
    ['America/Noronha', '2000-10-08T02:00:00Z', -2, -1],
    ['America/Noronha', '2000-10-15T01:00:00Z', -1, -2],
    ['Pacific/Chatham', '2026-09-26T14:00:00Z', 12.75, 13.75],
  ])('%s changes its offset at %s to the second', (name, iso, before, after) => {
    expect(change(name, iso)).toEqual([true, true, before, after])
  })

  it('joins its spans without hole or overlap, also over New Year', () => {
    const zone = timeZone('America/Sao_Paulo')
    for (let at = Date.UTC(2000, 5); at < Date.UTC(2030, 5); ) {
      const span = zone.spanAt(at)
      const next = zone.spanAt(span.untilAt)
      expect(next.fromAt).toBeLessThanOrEqual(span.untilAt)
      if (next.fromAt === span.untilAt) expect(next.offsetBeforeMs).toBe(span.offsetMs)
      else expect(next.offsetMs).toBe(span.offsetMs)
      at = span.untilAt
    }
  })

  it('agrees with the wall clock that Intl shows, in every zone', () => {
    const instant = fc.integer({ min: Date.UTC(1970, 0) / 1000, max: Date.UTC(2050, 0) / 1000 })
    fc.assert(
      fc.property(fc.constantFrom(...allZones), instant, (name, second) => {
        const at = second * 1_000
        const shown = new Date(at).toLocaleString('sv-SE', { timeZone: name })
        const reading = new Date(at + timeZone(name).spanAt(at).offsetMs).toISOString()
        expect(reading.slice(0, 19).replace('T', ' ')).toBe(shown)
      }),
      { numRuns: 150 },
    )
  })

  it('takes names in any case, fixed offsets, and UTC', () => {
    const at = Date.UTC(2026, 6)
    expect(timeZone('europe/PARIS').spanAt(at).offsetMs).toBe(2 * HOUR_MS)
    expect(timeZone('Europe/Paris').name).toBe('Europe/Paris')
    expect(timeZone('+05:45').spanAt(at).offsetMs).toBe(5.75 * HOUR_MS)
    expect(timeZone('UTC').spanAt(at).offsetMs).toBe(0)
    expect(timeZone('Etc/UTC').spanAt(at).offsetMs).toBe(0)
  })

  it.each(['Mars/Olympus', '', ' UTC', 'Europe/Paris\0', 'GMT+25'])('refuses the unknown zone %j', name => {
    expect(() => timeZone(name)).toThrow(RecurrenceError)
    expect(() => timeZone(name)).toThrow(/is not known here: write an IANA name such as "Europe\/Paris"/)
  })
})
