import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { type AttributeValue, defineJob } from './definition.ts'
import { QueueError } from './engine/errors.ts'
import { newJob } from './enqueue.ts'
import { checkAttributeFilter } from './search-attributes.ts'

const payload = z.object({ site: z.string().default('main'), pages: z.int().optional() })
const id = '01900000-0000-7000-8000-000000000001'

function refusalOf(act: () => unknown): QueueError {
  try {
    act()
  } catch (error) {
    if (error instanceof QueueError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

/** What a job stores when its only attribute answers this. */
const stored = (value: unknown): Record<string, string> | undefined => {
  const job = defineJob({ type: 'CRAWL', payload, searchAttributes: { site: () => value as AttributeValue } })
  return newJob(id, job, {}, {}).attributes
}

describe('search attributes', () => {
  it('are read from the payload as the handler sees it, with its types', () => {
    const job = defineJob({
      type: 'CRAWL',
      payload,
      searchAttributes: { site: crawl => crawl.site.toUpperCase(), large: crawl => (crawl.pages ?? 0) > 100 },
    })
    expect(newJob(id, job, { pages: 200 }, {}).attributes).toEqual({ site: 'MAIN', large: 'true' })
    // @ts-expect-error the payload has no such member
    defineJob({ type: 'CRAWL', payload, searchAttributes: { other: crawl => crawl.other } })
    // @ts-expect-error an object is no value
    defineJob({ type: 'CRAWL', payload, searchAttributes: { whole: crawl => crawl } })
  })

  it.each<[unknown, string]>([
    ['text', 'text'],
    ['', ''],
    ['x'.repeat(200), 'x'.repeat(200)],
    [7, '7'],
    [-0, '0'],
    [1e21, '1e+21'],
    [false, 'false'],
  ])('keep %j as text', (value, text) => {
    expect(stored(value)).toEqual({ site: text })
  })

  it.each([null, undefined])('leave out %s, and with it the whole when nothing else is there', value => {
    const job = defineJob({ type: 'CRAWL', payload, searchAttributes: { site: () => value, page: () => 1 } })
    expect(newJob(id, job, {}, {}).attributes).toEqual({ page: '1' })
    expect(stored(value)).toBeUndefined()
  })

  it('are none for a definition that declares none', () => {
    expect(newJob(id, defineJob({ type: 'CRAWL', payload }), {}, {})).not.toHaveProperty('attributes')
  })

  it.each<[string, unknown, string]>([
    ['text that is too long', 'x'.repeat(201), 'is 201 characters long; an attribute may have 200'],
    ['NUL', '\0', 'holds characters that a database can not store'],
    ['half a surrogate pair', '\ud800', 'holds characters that a database can not store'],
    ['an object', {}, 'is a value of type object'],
    ['an array', [], 'is an array'],
    ['no number', Number.NaN, 'is NaN'],
    ['a number without end', Number.POSITIVE_INFINITY, 'is Infinity'],
    ['a bigint', 1n, 'is a value of type bigint'],
    ['a promise', Promise.resolve('x'), 'is a value of type object'],
  ])('refuse %s, by name', (_what, value, message) => {
    const refusal = refusalOf(() => stored(value))
    expect(refusal.code).toBe('invalid-payload')
    expect(refusal.message).toContain(`payload of CRAWL is refused: searchAttributes.site: ${message}`)
    expect(refusal.faults).toMatchObject([{ path: ['searchAttributes', 'site'] }])
  })

  it('refuse a payload that a function throws for, with what it threw', () => {
    const fault = new TypeError('no site')
    const job = defineJob({
      type: 'CRAWL',
      payload,
      searchAttributes: {
        site: () => {
          throw fault
        },
      },
    })
    const refusal = refusalOf(() => newJob(id, job, {}, {}))
    expect(refusal).toMatchObject({ code: 'invalid-payload', cause: fault })
  })

  it('do not tell two enqueues with one key apart', () => {
    const hash = (site: string) =>
      newJob(
        id,
        defineJob({ type: 'CRAWL', payload, searchAttributes: { site: () => site } }),
        {},
        { idempotencyKey: 'k' },
      ).idempotency?.bodyHash
    expect(hash('a')).toBe(hash('b'))
  })

  it.each<[string, object]>([
    ['a name that is none', { 'the site': () => '' }],
    ['a name that is too long', { ['x'.repeat(129)]: () => '' }],
    ['what is no function', { site: 'site' }],
    ['seventeen', Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`a${n}`, () => '']))],
  ])('refuse %s when they are declared', (_what, searchAttributes) => {
    const define = () => defineJob({ type: 'CRAWL', payload, searchAttributes: searchAttributes as never })
    expect(refusalOf(define).code).toBe('invalid-argument')
  })

  it('may be asked for by any name and text that could be stored', () => {
    expect(() => checkAttributeFilter({ site: '', 'no such name': 'x'.repeat(200) })).not.toThrow()
    expect(() => checkAttributeFilter(undefined)).not.toThrow()
    expect(refusalOf(() => checkAttributeFilter({ site: 7 as never })).message).toBe(
      'filter.attributes.site must be text, not 7; numbers and booleans are found by String(value)',
    )
  })
})
