import { describe, expect, it } from 'vitest'
import { createTrapGuard, type TrapLimits } from './traps.ts'

const now = Date.UTC(2026, 10, 23)
const guardOf = (limits: Partial<TrapLimits> = {}, pageBudget = 100) =>
  createTrapGuard({ now, pageBudget, limits })
const check = (path: string, depth = 1) =>
  guardOf().check({ fetchUrl: `https://ex.com${path}`, depth, parentUrl: null })
const url = (path: string) => `https://ex.com${path}`

describe('a URL by itself', () => {
  it.each([
    [`/${'x'.repeat(2_048)}`, 'url-too-long'],
    ['/1a/2a/3a/4a/5a/6a/7a/8a/9a/10a/11a/12a/13a', 'path-too-deep'],
    ['/a/x/a/y/a', 'repeated-segment'],
    ['/a/b/a/b', 'repeated-pair'],
    ['/?a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8&i=9', 'too-many-params'],
    ['/?a=1&a=2&a=3', 'repeated-param'],
    ['/logout', 'unsafe-action'],
    ['/user/sign-out.php', 'unsafe-action'],
    ['/?add-to-cart=12', 'unsafe-action'],
    ['/item/3?action=delete', 'unsafe-action'],
    ['/events/2029/01/', 'calendar'],
    ['/events/2020-01-05', 'calendar'],
    ['/events?date=2031-02-01', 'calendar'],
    ['/events?year=2031&month=2', 'calendar'],
    ['/list?page=501', 'pagination'],
    ['/list/page/501/', 'pagination'],
  ])('%s is a trap: %s', (path, reason) => expect(check(path)).toBe(reason))

  it.each([
    '/',
    '/a/b/c/d',
    '/shop/11/11/11',
    '/p/9999',
    '/?p=1234',
    '/2015/06/how-to-delete-an-account',
    '/events/2027/01/',
    '/?a=1&a=2',
    '/list?page=500',
    '/products/20291201',
    '/delete-account-help',
  ])('%s is none', path => expect(check(path)).toBeNull())

  it('depth is limited', () => {
    expect(check('/a', 20)).toBeNull()
    expect(check('/a', 21)).toBe('crawl-too-deep')
  })
})

describe('a pattern', () => {
  const product = (n: number) => url(`/p/${n}`)
  const candidate = { fetchUrl: product(9_999), depth: 1, parentUrl: null }

  it('is quarantined when its pages bring hardly a new text', () => {
    const guard = guardOf()
    const answers = Array.from({ length: 50 }, (_, n) =>
      guard.record({ fetchUrl: product(n), parentUrl: null, contentHash: `${n % 4}` }),
    )
    expect(answers.slice(0, 49).every(answer => answer === null)).toBe(true)
    expect(answers[49]).toMatchObject({ pattern: 'https://ex.com/p/{n}', fetched: 50, novel: 4 })
    expect(guard.quarantined()[0]?.samples).toHaveLength(5)
    expect(guard.check(candidate)).toBe('quarantined')
    expect(guard.check({ ...candidate, fetchUrl: url('/q/1') })).toBeNull()
  })

  it('stays free when its texts are new, or when it has none', () => {
    const guard = guardOf()
    for (let n = 0; n < 80; n++) {
      guard.record({ fetchUrl: product(n), parentUrl: null, contentHash: n % 10 === 0 ? `${n}` : 'same' })
      guard.record({ fetchUrl: url(`/file/${n}.pdf`), parentUrl: null, contentHash: null })
    }
    expect(guard.quarantined()).toEqual([])
    expect(guard.check(candidate)).toBeNull()
  })

  it('takes at most its share of a large budget, and any of a small one', () => {
    const [large, small] = [guardOf({}, 500), guardOf({}, 499)]
    for (let n = 0; n < 100; n++)
      for (const guard of [large, small])
        guard.record({ fetchUrl: product(n), parentUrl: null, contentHash: `${n}` })
    expect(large.check(candidate)).toBe('pattern-cap')
    expect(small.check(candidate)).toBeNull()
  })

  it('is judged alike by a guard rebuilt from the stored pages', () => {
    const records = Array.from({ length: 60 }, (_, n) => ({
      fetchUrl: product(n),
      parentUrl: null,
      contentHash: 'same',
    }))
    const [first, resumed] = [guardOf(), guardOf()]
    for (const record of records) first.record(record)
    for (const record of records) resumed.record(record)
    expect(resumed.quarantined()).toEqual(first.quarantined())
  })
})

describe('a chain of pages', () => {
  it('ends when a calendar leads on and on', () => {
    const guard = guardOf({ calendarYears: 100 })
    const day = (n: number) => url(`/cal/${2026 + Math.floor(n / 12)}/${(n % 12) + 1}`)
    let followed = 0
    for (let n = 1; n < 60; n++) {
      if (guard.check({ fetchUrl: day(n), depth: 1, parentUrl: day(n - 1) }) !== null) break
      guard.record({ fetchUrl: day(n), parentUrl: day(n - 1), contentHash: `${n}` })
      followed = n
    }
    expect(followed).toBe(24)
  })

  it('ends when each path is longer and the text the same', () => {
    const guard = guardOf()
    const path = (n: number) => url(`/${Array.from({ length: n }, (_, i) => `x${i}`).join('/')}`)
    const record = (n: number, contentHash: string) =>
      guard.record({ fetchUrl: path(n), parentUrl: n === 1 ? null : path(n - 1), contentHash })
    for (let n = 1; n <= 4; n++) record(n, 'same')
    expect(guard.check({ fetchUrl: path(5), depth: 1, parentUrl: path(4) })).toBe('growing-path')
    expect(guard.check({ fetchUrl: url('/other'), depth: 1, parentUrl: path(4) })).toBeNull()
    record(4, 'new')
    expect(guard.check({ fetchUrl: path(5), depth: 1, parentUrl: path(4) })).toBeNull()
  })

  it('ends when each redirect adds a parameter', () => {
    const guard = guardOf()
    const hops = [1, 2, 3].map(n => ({
      url: url(`/r?${'a=1&'.repeat(n - 1)}`),
      status: 302,
      location: url(`/r?${'a=1&'.repeat(n)}`),
    }))
    guard.record({ fetchUrl: url('/r'), parentUrl: null, contentHash: null, hops })
    expect(guard.check({ fetchUrl: url('/r?b=1'), depth: 1, parentUrl: null })).toBe('growing-redirect')
  })
})
