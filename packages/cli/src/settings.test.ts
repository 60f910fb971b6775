import { describe, expect, it } from 'vitest'
import { UsageError } from './errors.ts'
import { readDrainBudget, readDuration, readSettings, readWholeNumber, shownUrl } from './settings.ts'

describe('readSettings', () => {
  it('has defaults for everything', () => {
    expect(readSettings({}, {})).toEqual({
      url: 'file:.millrace/millrace.db',
      host: '127.0.0.1',
      port: 3000,
      adminToken: null,
      tokenFile: '.millrace/admin-token',
      config: null,
    })
  })

  it('reads the environment, an empty variable counting as none', () => {
    const env = { MILLRACE_URL: 'file:x.db', PORT: '0', HOST: '::1', ADMIN_TOKEN: 'secret' }
    expect(readSettings({}, env)).toMatchObject({
      url: 'file:x.db',
      port: 0,
      host: '::1',
      adminToken: 'secret',
    })
    expect(readSettings({}, { PORT: '', ADMIN_TOKEN: '' })).toEqual(readSettings({}, {}))
  })

  it('lets a flag win over the environment', () => {
    const env = { MILLRACE_URL: 'file:x.db', PORT: '1', HOST: 'a' }
    const flags = { url: 'file:y.db', port: '2', host: 'b', config: 'c.ts' }
    expect(readSettings(flags, env)).toMatchObject({ url: 'file:y.db', port: 2, host: 'b', config: 'c.ts' })
  })

  it.each(['abc', '65536', '-1', '3000.5', '0x10', ' 3000'])('refuses the port %j', PORT => {
    expect(() => readSettings({}, { PORT })).toThrow(UsageError)
  })

  it.each(['with space', 'umläut', 'line\nbreak'])('refuses the token %j', ADMIN_TOKEN => {
    expect(() => readSettings({}, { ADMIN_TOKEN })).toThrow(/ADMIN_TOKEN/)
  })
})

describe('shownUrl', () => {
  it.each([
    ['postgres://app:secret@db.test:5432/app', 'postgres://app:***@db.test:5432/app'],
    ['postgres:///app?user=app&password=secret&schema=x', 'postgres:///app?user=app&password=***&schema=x'],
    ['redis://:secret@cache.test', 'redis://:***@cache.test'],
    ['postgres://app@db.test/app', 'postgres://app@db.test/app'],
    ['file:.millrace/millrace.db', 'file:.millrace/millrace.db'],
  ])('of %s is %s', (url, shown) => {
    expect(shownUrl(url)).toBe(shown)
  })
})

describe('readWholeNumber', () => {
  it('reads a number within its bounds, or none', () => {
    expect(readWholeNumber('--limit', '7', 1, 10)).toBe(7)
    expect(readWholeNumber('--limit', undefined, 1, 10)).toBeUndefined()
  })

  it.each(['0', '11', '1.5', 'x', ''])('refuses %j', text => {
    expect(() => readWholeNumber('--limit', text, 1, 10)).toThrow(
      '--limit must be a whole number from 1 to 10',
    )
  })
})

describe('readDuration', () => {
  it.each([
    ['50s', 50_000],
    ['1h30m', 5_400_000],
    ['50000', 50_000],
  ])('reads %j', (text, ms) => {
    expect(readDuration('--budget', text)).toBe(ms)
  })

  it.each(['', 'long', '-1', '1.5', '5 s'])('refuses %j', text => {
    expect(() => readDuration('--budget', text)).toThrow(
      `--budget: '${text}' is not a duration: give milliseconds, or text like`,
    )
  })
})

describe('readDrainBudget', () => {
  it('reads the flag, or else the variable, an empty one counting as none', () => {
    expect(readDrainBudget(undefined, {})).toBeUndefined()
    expect(readDrainBudget(undefined, { MILLRACE_DRAIN_BUDGET: '' })).toBeUndefined()
    expect(readDrainBudget(undefined, { MILLRACE_DRAIN_BUDGET: '50s' })).toBe(50_000)
    expect(readDrainBudget('1m', { MILLRACE_DRAIN_BUDGET: '50s' })).toBe(60_000)
  })

  it.each(['0s', '25h', '0.5ms'])('refuses %j, naming what holds it', text => {
    const rest = `must be whole milliseconds from 1ms to 24h, such as 50s, not '${text}'`
    expect(() => readDrainBudget(text, {})).toThrow(`--drain-budget ${rest}`)
    expect(() => readDrainBudget(undefined, { MILLRACE_DRAIN_BUDGET: text })).toThrow(
      `MILLRACE_DRAIN_BUDGET ${rest}`,
    )
  })
})
