import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MisfirePolicy, ScheduleRecord, Tick } from '../engine/contract.ts'
import { nextAfter, parseRecurrence } from '../job/recurrence.ts'
import type { RecurrenceRule } from '../job/recurrence-rule.ts'
import { planTicks } from './scheduler.ts'

const secondMs = 1_000
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const noon = Date.UTC(2026, 0, 15, 12)
const everySecond: RecurrenceRule = { everyMs: secondMs }
const minutely: RecurrenceRule = { cron: '* * * * *' }
const hourly: RecurrenceRule = { cron: '0 * * * *' }

function schedule(
  rule: RecurrenceRule,
  nextAt: number,
  changes: Partial<ScheduleRecord> = {},
): ScheduleRecord {
  return {
    name: 'report',
    rule,
    misfire: { kind: 'fire-once' },
    overlap: 'allow',
    job: { type: 'REPORT', queue: 'default', tenant: '', priority: 5, maxAttempts: 3, payloadJson: '{}' },
    cursorAt: null,
    nextAt,
    paused: false,
    disabledReason: null,
    lastJobId: null,
    createdAt: 0,
    ...changes,
  }
}

function plan(
  rule: RecurrenceRule,
  since: { nextAt: number; now: number },
  changes: Partial<ScheduleRecord> = {},
): Tick[] {
  return planTicks(schedule(rule, since.nextAt, changes), parseRecurrence(rule), since.now)
}

const outcomes = (ticks: Tick[]): string[] => ticks.map(tick => tick.outcome)
const fired = (ticks: Tick[]): number => ticks.filter(tick => tick.outcome === 'fire').length

/** What an engine relies on: each tick starts where the one before ended, and the last leads beyond now. */
function expectChain(ticks: Tick[], rule: RecurrenceRule, since: { nextAt: number; now: number }): void {
  const recurrence = parseRecurrence(rule)
  expect(ticks[0]?.expectedNextAt).toBe(since.nextAt)
  ticks.forEach((tick, index) => {
    expect(tick.scheduledAt).toBeLessThanOrEqual(since.now)
    expect(tick.scheduledAt).toBeGreaterThanOrEqual(since.nextAt)
    expect(nextAfter(recurrence, tick.scheduledAt - 1)).toBe(tick.scheduledAt)
    expect(tick.nextAt).toBeGreaterThan(tick.scheduledAt)
    const next = ticks[index + 1]
    if (next) expect([next.expectedNextAt, next.scheduledAt]).toEqual([tick.nextAt, tick.nextAt])
  })
  const latest = ticks.at(-1)
  expect(latest?.nextAt).toBe(nextAfter(recurrence, since.now))
}

describe('a tick on time', () => {
  it('fires, and leads to the next', () => {
    expect(plan(hourly, { nextAt: noon, now: noon })).toEqual([
      {
        schedule: 'report',
        scheduledAt: noon,
        expectedNextAt: noon,
        nextAt: noon + hourMs,
        outcome: 'fire',
        job: null,
      },
    ])
  })

  it.each<MisfirePolicy>([{ kind: 'skip' }, { kind: 'fire-once' }, { kind: 'catch-up', max: 1 }])(
    'fires under $kind up to a minute late',
    misfire => {
      for (const late of [0, 1, minuteMs])
        expect(outcomes(plan(hourly, { nextAt: noon, now: noon + late }, { misfire }))).toEqual(['fire'])
    },
  )

  it.each<[MisfirePolicy, string]>([
    [{ kind: 'skip' }, 'skip'],
    [{ kind: 'fire-once' }, 'fire'],
    [{ kind: 'catch-up', max: 1 }, 'fire'],
  ])('that is more than a minute late was missed: under $kind it is %s', (misfire, outcome) => {
    expect(outcomes(plan(hourly, { nextAt: noon, now: noon + minuteMs + 1 }, { misfire }))).toEqual([outcome])
  })

  it('is none before its instant', () => {
    expect(plan(hourly, { nextAt: noon, now: noon - 1 })).toEqual([])
  })
})

describe('several ticks that were missed', () => {
  const since = { nextAt: noon, now: noon + 3 * hourMs + 10 * minuteMs }

  it.each<[string, MisfirePolicy, string[]]>([
    ['skip', { kind: 'skip' }, ['skip', 'skip', 'skip', 'skip']],
    ['fire-once', { kind: 'fire-once' }, ['coalesce', 'coalesce', 'coalesce', 'fire']],
    ['catch-up of 1', { kind: 'catch-up', max: 1 }, ['coalesce', 'coalesce', 'coalesce', 'fire']],
    ['catch-up of 3', { kind: 'catch-up', max: 3 }, ['coalesce', 'fire', 'fire', 'fire']],
    ['catch-up of more than were', { kind: 'catch-up', max: 9 }, ['fire', 'fire', 'fire', 'fire']],
  ])('under %s', (_what, misfire, expected) => {
    const ticks = plan(hourly, since, { misfire })
    expect(outcomes(ticks)).toEqual(expected)
    expectChain(ticks, hourly, since)
  })

  it('under skip still fires the latest when that one is on time', () => {
    const late = { nextAt: noon, now: noon + 2 * hourMs + 30_000 }
    expect(outcomes(plan(hourly, late, { misfire: { kind: 'skip' } }))).toEqual(['skip', 'skip', 'fire'])
  })

  it.each<MisfirePolicy>([{ kind: 'skip' }, { kind: 'fire-once' }, { kind: 'catch-up', max: 9 }])(
    'of a paused schedule are all skipped, under $kind too',
    misfire => {
      const ticks = plan(hourly, { ...since, now: noon + 3 * hourMs }, { misfire, paused: true })
      expect(outcomes(ticks)).toEqual(['skip', 'skip', 'skip', 'skip'])
      expectChain(ticks, hourly, { ...since, now: noon + 3 * hourMs })
    },
  )
})

describe('a very long absence', () => {
  const year = { nextAt: noon, now: noon + 365 * dayMs + 123 }

  it.each<[string, RecurrenceRule]>([
    ['every second', everySecond],
    ['every minute by cron', minutely],
    ['every second by cron', { cron: '* * * * * *' }],
    ['every millisecond', { everyMs: 1 }],
    ['every minute of New York', { cron: '* * * * *', timeZone: 'America/New_York' }],
    ['each second of January', { cron: '* * * * 1 *' }],
  ])('of a schedule for %s is bounded, and ends with the latest tick', (_what, rule) => {
    const first = { ...year, nextAt: nextAfter(parseRecurrence(rule), noon - 1) }
    const ticks = plan(rule, first)
    expect(ticks.length).toBeGreaterThan(0)
    expect(ticks.length).toBeLessThanOrEqual(1_000)
    expect(ticks.map(tick => tick.outcome).lastIndexOf('fire')).toBe(ticks.length - 1)
    expectChain(ticks, rule, first)
  })

  it('of a rare schedule plans each of its ticks', () => {
    const yearly: RecurrenceRule = { cron: '0 0 29 2 *' }
    const since = { nextAt: Date.UTC(2004, 1, 29), now: Date.UTC(2025, 0, 1) }
    const ticks = plan(yearly, since)
    expect(ticks.map(tick => new Date(tick.scheduledAt).getUTCFullYear())).toEqual([
      2004, 2008, 2012, 2016, 2020, 2024,
    ])
    expectChain(ticks, yearly, since)
  })

  it.each<[string, RecurrenceRule]>([
    ['every second', everySecond],
    ['every minute by cron', minutely],
    ['every ten milliseconds', { everyMs: 10 }],
  ])('of a schedule for %s is caught up with as far as the policy says', (_what, rule) => {
    for (const max of [1, 10, 700, 1_000])
      expect(fired(plan(rule, year, { misfire: { kind: 'catch-up', max } }))).toBe(max)
  })

  it('is caught up with although the ticks are crowded into its beginning', () => {
    const january: RecurrenceRule = { cron: '* * * * 1 *' }
    const since = { nextAt: Date.UTC(2026, 0, 1), now: Date.UTC(2026, 2, 1) }
    const ticks = plan(january, since, { misfire: { kind: 'catch-up', max: 10 } })
    expect(fired(ticks)).toBe(10)
    expect(ticks.at(-1)?.scheduledAt).toBe(Date.UTC(2026, 1, 1) - secondMs)
  })
})

it('for any interval, absence and policy: bounded, chained, ascending, the latest present', () => {
  const misfire = fc.oneof(
    fc.constant<MisfirePolicy>({ kind: 'skip' }),
    fc.constant<MisfirePolicy>({ kind: 'fire-once' }),
    fc.integer({ min: 1, max: 1_000 }).map((max): MisfirePolicy => ({ kind: 'catch-up', max })),
  )
  const everyMs = fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 40 * dayMs }))
  const absentMs = fc.oneof(
    fc.integer({ min: 0, max: 2 * hourMs }),
    fc.integer({ min: 0, max: 3_650 * dayMs }),
  )
  fc.assert(
    fc.property(everyMs, absentMs, misfire, fc.boolean(), (every, absent, policy, paused) => {
      const rule: RecurrenceRule = { everyMs: every }
      const nextAt = nextAfter(parseRecurrence(rule), noon)
      const since = { nextAt, now: nextAt + absent }
      const ticks = plan(rule, since, { misfire: policy, paused })
      expect(ticks.length).toBeLessThanOrEqual(1_000)
      expectChain(ticks, rule, since)
      const most = policy.kind === 'catch-up' ? policy.max : 1
      expect(fired(ticks)).toBeLessThanOrEqual(paused ? 0 : most)
    }),
    { numRuns: 60 },
  )
})

it('a rule with no tick ahead throws, so that its schedule alone is disabled', () => {
  const rule: RecurrenceRule = { everyMs: 300_000_000_000_000, anchorAt: noon }
  expect(() => plan(rule, { nextAt: noon, now: noon })).toThrow(/no tick follows/)
})
