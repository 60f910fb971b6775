import type { StandardSchemaV1 } from '@standard-schema/spec'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { defineJob, type Schema } from './definition.ts'
import { QueueError } from './engine/errors.ts'
import { decodePayload, encodePayload, encodeResult } from './validate.ts'

const anything = z.unknown()
const job = (payload: Schema, maxPayloadBytes?: number) =>
  defineJob({ type: 'JOB', payload, ...(maxPayloadBytes === undefined ? {} : { maxPayloadBytes }) })
const jobWith = (result: Schema) => defineJob({ type: 'JOB', payload: anything, result })

/** A schema that finds these issues in everything. */
function finding(...issues: StandardSchemaV1.Issue[]): Schema {
  return { '~standard': { version: 1, vendor: 'test', validate: () => ({ issues }) } }
}

function refusalOf(act: () => unknown): QueueError {
  try {
    act()
  } catch (error) {
    if (error instanceof QueueError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('a payload', () => {
  it('is checked as the handler will meet it: after a round trip through JSON', () => {
    const met: unknown[] = []
    const spy = z.unknown().refine(value => met.push(value))
    encodePayload(job(spy), { at: new Date(0), gone: undefined, list: [new Date(1)] })
    expect(met).toEqual([{ at: '1970-01-01T00:00:00.000Z', list: ['1970-01-01T00:00:00.001Z'] }])
  })

  it('that a schema would only take as a live object is refused', () => {
    const refusal = refusalOf(() => encodePayload(job(z.object({ at: z.date() })), { at: new Date(0) }))
    expect(refusal).toMatchObject({ code: 'invalid-payload', faults: [{ path: ['at'] }] })
    expect(encodePayload(job(z.object({ at: z.coerce.date() })), { at: new Date(0) }).json).toBe(
      '{"at":"1970-01-01T00:00:00.000Z"}',
    )
  })

  it.each<[string, unknown, (string | number)[], RegExp]>([
    [
      'a BigInt',
      { sums: [1n] },
      ['sums', 0],
      /^payload of JOB is refused: sums\.0: a bigint has no JSON form$/,
    ],
    ['NUL', { a: '\0' }, ['a'], /a: holds a NUL character/],
    ['a __proto__ key', JSON.parse('{"__proto__":1}'), ['__proto__'], /__proto__: a key must not be named/],
    ['undefined as the whole', undefined, [], /^payload of JOB is refused: \(whole\): is undefined/],
  ])('that holds %s is refused before its schema is asked', (_what, payload, path, says) => {
    const refusal = refusalOf(() => encodePayload(job(finding({ message: 'never asked' })), payload))
    expect(refusal.code).toBe('invalid-payload')
    expect(refusal.faults.map(fault => fault.path)).toEqual([path])
    expect(refusal.message).toMatch(says)
  })

  it('whose toJSON throws is refused with that as the cause', () => {
    const cause = new Error('not now')
    const toJSON = (): never => {
      throw cause
    }
    const refusal = refusalOf(() => encodePayload(job(anything), { a: { toJSON } }))
    expect(refusal).toMatchObject({ code: 'invalid-payload', cause })
    expect(refusal.message).toBe('payload of JOB can not be written as JSON')
  })

  it('may be as large as maxPayloadBytes, counted in bytes of JSON', () => {
    expect(encodePayload(job(anything, 10), 'ÄÖÜß').json).toBe('"ÄÖÜß"')
    const refusal = refusalOf(() => encodePayload(job(anything, 9), 'ÄÖÜß'))
    expect(refusal.code).toBe('payload-too-large')
    expect(refusal.message).toMatch(
      /^payload of JOB is 10 bytes of JSON, more than 9; store the data elsewhere/,
    )
  })

  it('of a mebibyte fits by default, and one byte more does not', () => {
    const text = 'x'.repeat(2 ** 20 - 2)
    expect(encodePayload(job(anything), text).json).toHaveLength(2 ** 20)
    expect(refusalOf(() => encodePayload(job(anything), `${text}x`)).code).toBe('payload-too-large')
  })
})

describe('a stored payload', () => {
  it('is read with the schema’s defaults', () => {
    const defaults = job(z.object({ a: z.int(), b: z.string().default('b') }))
    expect(decodePayload(defaults, '{"a":1}')).toEqual({ a: 1, b: 'b' })
  })

  it.each([
    ['is no JSON', '{"a":', /^payload of JOB is not JSON$/],
    ['its schema no longer takes', '{"a":"one"}', /^payload of JOB is refused: a: /],
  ])('that %s is refused', (_what, json, says) => {
    const refusal = refusalOf(() => decodePayload(job(z.object({ a: z.int() })), json))
    expect(refusal.code).toBe('invalid-payload')
    expect(refusal.message).toMatch(says)
  })
})

describe('a result', () => {
  it('without a schema is whatever has a JSON form', () => {
    const free = defineJob({ type: 'JOB', payload: anything })
    expect(encodeResult(free, { pages: 3 })).toBe('{"pages":3}')
    expect(encodeResult(free, null)).toBe('null')
    expect(encodeResult(free, undefined)).toBeNull()
  })

  it('is stored as its schema gives it back', () => {
    const schema = z.object({ pages: z.int(), issues: z.int().default(0) })
    expect(encodeResult(jobWith(schema), { pages: 3, extra: 'dropped' })).toBe('{"pages":3,"issues":0}')
  })

  it.each<[string, unknown, (string | number)[]]>([
    ['of another type', { pages: 'three' }, ['pages']],
    ['of nothing', undefined, []],
  ])('%s is refused with its path', (_what, result, path) => {
    const refusal = refusalOf(() => encodeResult(jobWith(z.object({ pages: z.int() })), result))
    expect(refusal.code).toBe('invalid-result')
    expect(refusal.faults.map(fault => fault.path)).toEqual([path])
    expect(refusal.message).toMatch(/^result of JOB is refused: /)
  })

  it.each<[string, () => unknown]>([
    ['a BigInt', () => ({ a: 1n })],
    ['a circle', circle],
    ['half a surrogate pair', () => ({ a: '\ud800' })],
    ['a function', () => ({ a: circle })],
  ])('that holds %s is refused with its path', (_what, result) => {
    const refusal = refusalOf(() => encodeResult(jobWith(anything), result()))
    expect(refusal.code).toBe('invalid-result')
    expect(refusal.faults.map(fault => fault.path)).toEqual([['a']])
  })

  it('with an asynchronous schema is refused', () => {
    const asynchronous = v.pipeAsync(
      v.number(),
      v.checkAsync(async () => true),
    )
    const refusal = refusalOf(() => encodeResult(jobWith(asynchronous), 1))
    expect(refusal.code).toBe('invalid-argument')
    expect(refusal.message).toMatch(/^the schema for the result of JOB is asynchronous/)
  })
})

describe('faults', () => {
  it.each<[string, Schema]>([
    ['zod', z.object({ pages: z.array(z.object({ url: z.string() })) })],
    ['valibot', v.object({ pages: v.array(v.object({ url: v.string() })) })],
  ])('of %s tell their path through lists and objects', (_vendor, schema) => {
    const refusal = refusalOf(() => encodePayload(job(schema), { pages: [{ url: 'a' }, { url: 7 }] }))
    expect(refusal.faults.map(fault => fault.path)).toEqual([['pages', 1, 'url']])
    expect(refusal.message).toContain('pages.1.url: ')
  })

  it('are read from every form of path that the standard knows', () => {
    const path = ['a', 0, { key: 'b' }, { key: 1 }, Symbol('s')]
    const refusal = refusalOf(() =>
      encodePayload(job(finding({ message: 'no', path }, { message: 'never' })), 1),
    )
    expect(refusal.faults).toEqual([
      { path: ['a', 0, 'b', 1, 'Symbol(s)'], message: 'no' },
      { path: [], message: 'never' },
    ])
    expect(refusal.message).toBe('payload of JOB is refused: a.0.b.1.Symbol(s): no; (whole): never')
  })

  it('are all kept, and the first five are shown', () => {
    const issues = [1, 2, 3, 4, 5, 6, 7].map(n => ({ message: `fault ${n}`, path: [n] }))
    const refusal = refusalOf(() => encodePayload(job(finding(...issues)), 1))
    expect(refusal.faults).toHaveLength(7)
    expect(refusal.message).toMatch(/: 1: fault 1; .*; 5: fault 5 \(and 2 more\)$/)
  })
})

function circle(): unknown {
  const value: Record<string, unknown> = {}
  value.a = value
  return value
}
