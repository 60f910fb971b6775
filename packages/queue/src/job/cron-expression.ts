import { CronPattern } from 'croner'
import { nextCivilMatch } from './civil-time.ts'
import type { CivilRule } from './civil-time.ts'
import { RecurrenceError } from './recurrence-error.ts'

const MAX_EXPRESSION_LENGTH = 1_000

const FIELDS = [
  { name: 'second', takes: '0-59' },
  { name: 'minute', takes: '0-59' },
  { name: 'hour', takes: '0-23' },
  { name: 'day-of-month', takes: '1-31, "L" (last day), "LW" (last working day) or "15W"' },
  { name: 'month', takes: '1-12 or JAN-DEC' },
  { name: 'day-of-week', takes: '0-7 or SUN-SAT (0 and 7 are Sunday), "5L" (last Friday) or "5#2"' },
] as const

const NICKNAMES = '@hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually'

/**
 * Reads a cron expression: five fields (minute, hour, day of month, month, day of week), or six with the
 * second first, or a nickname such as `@daily`.
 *
 * Each field takes numbers, lists, rising ranges, steps over `*` or over a range, and `?` for `*`; months
 * and weekdays take English names. A day field is restricted unless it is exactly `*`; if both are, a date
 * that matches either is a match, and `+` before the day of week asks for both instead.
 *
 * @throws RecurrenceError `expression` for what cannot be read, `never` for a date that no calendar has.
 */
export function parseCron(expression: string): CivilRule {
  const quoted = JSON.stringify(expression.slice(0, 100))
  if (expression.length > MAX_EXPRESSION_LENGTH) {
    throw new RecurrenceError(
      'expression',
      `cron expression ${quoted}… is too long: write at most 1,000 characters`,
    )
  }
  const pattern = parsePattern(expression, quoted)
  const rule = toCivilRule(pattern)
  // The calendar repeats itself, weekdays included, every 400 years.
  if (nextCivilMatch(rule, Date.UTC(2000, 0, 1), Date.UTC(2400, 0, 1)) === undefined) {
    throw new RecurrenceError(
      'never',
      `cron expression ${quoted} never comes due: no year has such a date, change its day-of-month or month field`,
    )
  }
  return rule
}

function parsePattern(expression: string, quoted: string): CronPattern {
  try {
    return new CronPattern(expression, undefined, { mode: '5-or-6-parts' })
  } catch (cause) {
    throw new RecurrenceError('expression', explain(expression.trim().split(/\s+/), quoted), { cause })
  }
}

function explain(texts: string[], quoted: string): string {
  if (texts[0]?.startsWith('@')) {
    return `cron expression ${quoted} is not known: the nicknames are ${NICKNAMES}`
  }
  if (texts.length !== 5 && texts.length !== 6) {
    return (
      `cron expression ${quoted} has the wrong number of fields: write five ` +
      '(minute, hour, day of month, month, day of week), or six with the second first'
    )
  }
  const fields = FIELDS.slice(-texts.length)
  const index = texts.findIndex((_, at) => !readsAlone(texts, at))
  const field = fields[index]
  if (field === undefined) return `cron expression ${quoted} cannot be read`
  return (
    `the ${field.name} field ${JSON.stringify(texts[index]?.slice(0, 100))} of cron expression ${quoted} ` +
    `is not valid: it takes ${field.takes}, ` +
    'as a number, a list "1,3", a rising range "1-5" or a step "*/2" or "1-5/2"'
  )
}

function readsAlone(texts: string[], at: number): boolean {
  try {
    new CronPattern(texts.map((text, index) => (index === at ? text : '*')).join(' '))
    return true
  } catch {
    return false
  }
}

function toCivilRule(pattern: CronPattern): CivilRule {
  // A nickname has been replaced by its expression here.
  const [minuteText = '', hourText = ''] = pattern.pattern.trim().split(/\s+/).slice(-5)
  return {
    seconds: indexesSet(pattern.second, 0),
    minutes: indexesSet(pattern.minute, 0),
    hours: indexesSet(pattern.hour, 0),
    months: new Set(indexesSet(pattern.month, 1)),
    daysOfMonth: new Set(indexesSet(pattern.day, 1)),
    nearestWorkingDays: indexesSet(pattern.nearestWeekdays, 1),
    lastDayOfMonth: pattern.lastDayOfMonth,
    lastWorkingDay: pattern.lastWeekday,
    weekdays: pattern.dayOfWeek.slice(0, 7),
    days: dayRule(pattern),
    fixedTime: !/[*?/]/.test(minuteText + hourText),
  }
}

function dayRule({ starDOM, starDOW, useAndLogic }: CronPattern): CivilRule['days'] {
  if (starDOM && starDOW) return 'every'
  if (starDOW) return 'of-month'
  if (starDOM) return 'of-week'
  return useAndLogic ? 'both' : 'either'
}

function indexesSet(flags: readonly number[], first: number): number[] {
  return flags.flatMap((flag, index) => (flag === 0 ? [] : [index + first]))
}
