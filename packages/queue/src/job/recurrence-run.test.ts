import { describe, expect, it } from 'vitest'
import { parseRecurrence } from './recurrence.ts'
import { upcomingRuns } from './recurrence-run.ts'
import type { RecurrenceRule } from './recurrence-rule.ts'

const hourMs = 3_600_000

function runs(rule: RecurrenceRule, from: string, count: number) {
  return upcomingRuns(parseRecurrence(rule), Date.parse(from), count)
}

function changes(cron: string, timeZone: string, from: string, count: number) {
  return runs({ cron, timeZone }, from, count).map(each => [each.local, each.clockChange, each.skipped])
}

describe('a run', () => {
  it('tells what the wall clock shows, and how far it is from UTC', () => {
    expect(runs({ cron: '0 7 * * *', timeZone: 'Europe/Paris' }, '2026-03-28T00:00Z', 2)).toEqual([
      { at: Date.parse('2026-03-28T06:00Z'), local: '2026-03-28T07:00:00', offsetMs: hourMs, ...unchanged },
      {
        at: Date.parse('2026-03-29T05:00Z'),
        local: '2026-03-29T07:00:00',
        offsetMs: 2 * hourMs,
        ...unchanged,
      },
    ])
  })

  it('of an interval is told in UTC, through any clock change', () => {
    expect(runs({ everyMs: hourMs }, '2026-03-29T01:00Z', 2)).toEqual([
      { at: Date.parse('2026-03-29T01:00Z'), local: '2026-03-29T01:00:00', offsetMs: 0, ...unchanged },
      { at: Date.parse('2026-03-29T02:00Z'), local: '2026-03-29T02:00:00', offsetMs: 0, ...unchanged },
    ])
  })

  it('at the instant that was asked from is one of them', () => {
    expect(changes('0 7 * * *', 'UTC', '2026-01-01T07:00Z', 1)).toEqual([['2026-01-01T07:00:00', null, null]])
  })
})

const unchanged = { clockChange: null, skipped: null }

describe('a gap', () => {
  it('marks the time of day that it moves, with the time that is skipped', () => {
    expect(changes('30 2 * * *', 'Europe/Paris', '2026-03-28T12:00Z', 2)).toEqual([
      ['2026-03-29T03:00:00', 'gap', '2026-03-29T02:30:00'],
      ['2026-03-30T02:30:00', null, null],
    ])
  })

  it('does not mark the time of day at which the clock arrives', () => {
    expect(changes('0 3 * * *', 'Europe/Paris', '2026-03-28T12:00Z', 1)).toEqual([
      ['2026-03-29T03:00:00', null, null],
    ])
  })

  it('does not mark a cadence, which is not moved by it', () => {
    expect(changes('0 * * * *', 'Europe/Paris', '2026-03-29T00:00Z', 2)).toEqual([
      ['2026-03-29T01:00:00', null, null],
      ['2026-03-29T03:00:00', null, null],
    ])
  })
})

describe('an overlap', () => {
  it('marks the one run of a time of day that the clock shows twice', () => {
    expect(changes('30 2 * * *', 'Europe/Paris', '2026-10-24T12:00Z', 2)).toEqual([
      ['2026-10-25T02:30:00', 'overlap', null],
      ['2026-10-26T02:30:00', null, null],
    ])
  })

  it('marks both runs of a cadence, and none beside them', () => {
    expect(changes('*/30 * * * *', 'Europe/Paris', '2026-10-24T23:30Z', 6)).toEqual([
      ['2026-10-25T01:30:00', null, null],
      ['2026-10-25T02:00:00', 'overlap', null],
      ['2026-10-25T02:30:00', 'overlap', null],
      ['2026-10-25T02:00:00', 'overlap', null],
      ['2026-10-25T02:30:00', 'overlap', null],
      ['2026-10-25T03:00:00', null, null],
    ])
  })

  it('is told in a zone that changes by half an hour', () => {
    expect(changes('45 1 * * *', 'Australia/Lord_Howe', '2026-04-04T00:00Z', 1)).toEqual([
      ['2026-04-05T01:45:00', 'overlap', null],
    ])
  })
})

describe('a rule that comes true once in decades', () => {
  it('is looked for no further than fifty years', () => {
    const locals = runs({ cron: '0 0 29 2 +1', timeZone: 'UTC' }, '2026-01-01T00:00Z', 100).map(
      each => each.local,
    )
    expect(locals).toEqual(['2044-02-29T00:00:00', '2072-02-29T00:00:00'])
  })
})
