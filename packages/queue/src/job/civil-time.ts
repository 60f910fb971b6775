/**
 * Wall-clock times that recur. A wall-clock reading is written as the epoch milliseconds at which UTC
 * shows it, so that its arithmetic knows no clock changes.
 */
export interface CivilRule {
  /** 0-59, ascending, at least one; likewise `minutes` and `hours`. */
  readonly seconds: readonly number[]
  readonly minutes: readonly number[]
  readonly hours: readonly number[]
  /** 1-12. */
  readonly months: ReadonlySet<number>
  /** 1-31. */
  readonly daysOfMonth: ReadonlySet<number>
  /** Days of the month (1-31) that stand for the working day nearest to them in the same month. */
  readonly nearestWorkingDays: readonly number[]
  readonly lastDayOfMonth: boolean
  readonly lastWorkingDay: boolean
  /** By weekday from Sunday: bit n-1 is its nth in the month, bit 5 its last. */
  readonly weekdays: readonly number[]
  /** How days of the month and weekdays combine. */
  readonly days: 'every' | 'of-month' | 'of-week' | 'either' | 'both'
  /** Whether minute and hour are written without wildcard and step: times of day, not a cadence. */
  readonly fixedTime: boolean
}

interface CivilDate {
  readonly month: number
  readonly day: number
  readonly weekday: number
  readonly daysInMonth: number
}

const SECOND_MS = 1_000
const DAY_MS = 86_400_000
const LAST_IN_MONTH = 1 << 5

/** The first reading in `[from, until)` that the rule names; both are whole seconds. */
export function nextCivilMatch(rule: CivilRule, from: number, until: number): number | undefined {
  let dayNumber = Math.floor(from / DAY_MS)
  let fromSecond = (from - dayNumber * DAY_MS) / SECOND_MS
  while (dayNumber * DAY_MS < until) {
    const date = civilDate(dayNumber)
    if (rule.months.has(date.month)) {
      const second = matchesDay(rule, date) ? nextSecondOfDay(rule, fromSecond) : undefined
      if (second !== undefined) {
        const match = dayNumber * DAY_MS + second * SECOND_MS
        return match < until ? match : undefined
      }
      dayNumber += 1
    } else {
      dayNumber += date.daysInMonth - date.day + 1
    }
    fromSecond = 0
  }
  return undefined
}

function nextSecondOfDay({ hours, minutes, seconds }: CivilRule, from: number): number | undefined {
  for (const hour of hours) {
    if ((hour + 1) * 3_600 <= from) continue
    for (const minute of minutes) {
      if (hour * 3_600 + (minute + 1) * 60 <= from) continue
      for (const second of seconds) {
        const found = hour * 3_600 + minute * 60 + second
        if (found >= from) return found
      }
    }
  }
  return undefined
}

function matchesDay(rule: CivilRule, date: CivilDate): boolean {
  switch (rule.days) {
    case 'every':
      return true
    case 'of-month':
      return matchesDayOfMonth(rule, date)
    case 'of-week':
      return matchesWeekday(rule, date)
    case 'either':
      return matchesDayOfMonth(rule, date) || matchesWeekday(rule, date)
    case 'both':
      return matchesDayOfMonth(rule, date) && matchesWeekday(rule, date)
  }
}

function matchesDayOfMonth(rule: CivilRule, date: CivilDate): boolean {
  return (
    rule.daysOfMonth.has(date.day) ||
    (rule.lastDayOfMonth && date.day === date.daysInMonth) ||
    (rule.lastWorkingDay && date.day === nearestWorkingDay(date.daysInMonth, date)) ||
    rule.nearestWorkingDays.some(day => date.day === nearestWorkingDay(day, date))
  )
}

function matchesWeekday(rule: CivilRule, { weekday, day, daysInMonth }: CivilDate): boolean {
  const which = rule.weekdays[weekday] ?? 0
  const nth = 1 << Math.floor((day - 1) / 7)
  return (which & nth) !== 0 || ((which & LAST_IN_MONTH) !== 0 && day + 7 > daysInMonth)
}

/** The working day nearest to `target` without leaving the month of `date`. */
function nearestWorkingDay(target: number, date: CivilDate): number | undefined {
  if (target > date.daysInMonth) return undefined
  const weekday = (((date.weekday + target - date.day) % 7) + 7) % 7
  if (weekday === 6) return target === 1 ? target + 2 : target - 1
  if (weekday === 0) return target === date.daysInMonth ? target - 2 : target + 1
  return target
}

function civilDate(dayNumber: number): CivilDate {
  const date = new Date(dayNumber * DAY_MS)
  const month = date.getUTCMonth() + 1
  return {
    month,
    day: date.getUTCDate(),
    weekday: date.getUTCDay(),
    daysInMonth: daysInMonth(date.getUTCFullYear(), month),
  }
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}
