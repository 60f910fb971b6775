import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeJson, JsonFault } from './json.ts'

type Path = (string | number)[]

function faultOf(value: unknown): JsonFault {
  try {
    encodeJson(value)
  } catch (error) {
    if (error instanceof JsonFault) return error
    throw error
  }
  throw new Error('nothing was refused')
}

/** A value whose innermost list stands `steps` steps below the whole. */
function nested(steps: number): unknown {
  let value: unknown = []
  for (let step = 0; step < steps; step++) value = [value]
  return value
}

const circularObject: Record<string, unknown> = { name: 'a' }
circularObject.self = circularObject
const circularList: unknown[] = [1]
circularList.push({ list: circularList })
const circularToJson = { toJSON: (): unknown => ({ self: circularToJson }) }
const indirect: Record<string, unknown> = {}
indirect.child = { toJSON: () => ({ parent: indirect }) }

describe('what has no JSON form', () => {
  it.each<[string, unknown, Path, RegExp]>([
    ['a function', { a: { b: () => 1 } }, ['a', 'b'], /a function has no JSON form/],
    ['a class', { a: class {} }, ['a'], /a function has no JSON form/],
    ['a symbol', [Symbol('s')], [0], /a symbol has no JSON form/],
    ['a BigInt', { sum: 10n }, ['sum'], /a bigint has no JSON form/],
    ['NaN', { a: [1, Number.NaN] }, ['a', 1], /NaN has no JSON form/],
    ['Infinity', { a: Number.POSITIVE_INFINITY }, ['a'], /Infinity has no JSON form/],
    ['minus Infinity', { a: Number.NEGATIVE_INFINITY }, ['a'], /-Infinity has no JSON form/],
    ['undefined in a list', { a: [1, undefined] }, ['a', 1], /is undefined, .* use null/],
    ['a hole in a list', { a: Array(2) }, ['a', 0], /is undefined/],
    ['NaN under an empty name', { '': Number.NaN }, [''], /NaN/],
    ['NaN under names that look like paths', { 'a.b': { '0': Number.NaN } }, ['a.b', '0'], /NaN/],
    ['NaN that a toJSON answers', { at: { toJSON: () => Number.NaN } }, ['at'], /NaN/],
    [
      'NaN inside what a toJSON answers',
      { at: { toJSON: () => ({ x: [Number.NaN] }) } },
      ['at', 'x', 0],
      /NaN/,
    ],
    ['NaN inside what the whole’s toJSON answers', { toJSON: () => ({ x: Number.NaN }) }, ['x'], /NaN/],
  ])('%s is refused with its path', (_what, value, path, says) => {
    const fault = faultOf(value)
    expect(fault.path).toEqual(path)
    expect(fault.message).toMatch(says)
    expect(fault.name).toBe('JsonFault')
  })

  it.each([
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a BigInt', 1n],
    ['NaN', Number.NaN],
  ])('%s as the whole is refused with an empty path', (_what, value) => {
    expect(faultOf(value).path).toEqual([])
  })

  it('NaN is refused where JSON.stringify would meet it, beside a toJSON that it would not call', () => {
    // JSON.stringify calls toJSON once, not upon what it answered.
    const value = { toJSON: () => ({ n: Number.NaN, toJSON: () => 1 }) }
    expect(() => encodeJson({ value })).toThrow(JsonFault)
  })
})

describe('circular references', () => {
  it.each<[string, unknown, Path]>([
    ['an object in itself', circularObject, ['self']],
    ['a list in itself', circularList, [1, 'list']],
    ['an object in another', { outer: circularObject }, ['outer', 'self']],
    ['what the whole’s toJSON answers holds the whole', circularToJson, ['self']],
    ['what a toJSON answers holds its owner', { a: circularToJson }, ['a', 'self']],
    ['what a toJSON answers holds an ancestor', indirect, ['child', 'parent']],
  ])('%s: refused with the path where the circle closes', (_what, value, path) => {
    const fault = faultOf(value)
    expect(fault.message).toBe('is circular')
    expect(fault.path).toEqual(path)
  })

  it('the same value in two places is no circle', () => {
    const shared = { n: 1 }
    expect(encodeJson({ a: shared, b: [shared, shared] })).toBe('{"a":{"n":1},"b":[{"n":1},{"n":1}]}')
  })

  it('a toJSON that answers ever new objects with a toJSON ends', () => {
    const endless = (): unknown => ({ n: 1, toJSON: endless })
    expect(() => encodeJson({ a: { toJSON: endless } })).toThrow(JsonFault)
  })
})

describe('depth', () => {
  it('200 steps are stored', () => {
    expect(encodeJson(nested(200))).toBe('['.repeat(201) + ']'.repeat(201))
  })

  it('201 steps are refused with the path there', () => {
    const fault = faultOf(nested(201))
    expect(fault.message).toMatch(/deeper than 200 levels/)
    expect(fault.path).toEqual(Array(201).fill(0))
  })

  it('100,000 steps are refused like 201', () => {
    expect(faultOf(nested(100_000)).path).toHaveLength(201)
  })

  it('is counted anew in each branch', () => {
    expect(() => encodeJson({ a: nested(199), b: nested(199), c: [nested(198), nested(198)] })).not.toThrow()
  })
})

describe('text that a database can not hold', () => {
  it.each<[string, unknown, Path, RegExp]>([
    ['NUL', { a: ['ok', 'x\0y'] }, ['a', 1], /NUL/],
    ['NUL as the whole', '\0', [], /NUL/],
    ['NUL after a backslash', { a: '\\\0' }, ['a'], /NUL/],
    ['NUL after other escapes', { a: '\n"\0' }, ['a'], /NUL/],
    ['NUL in a key', { a: { 'k\0': 1 } }, ['a', 'k\0'], /NUL/],
    ['a high surrogate alone', { a: '\ud83d' }, ['a'], /half of a surrogate pair/],
    ['a low surrogate alone', { a: [['\udc00 x']] }, ['a', 0, 0], /half of a surrogate pair/],
    ['a pair the wrong way round', { a: '\udc00\ud83d' }, ['a'], /half of a surrogate pair/],
    ['a lone surrogate in a key', { '\ud800': 1 }, ['\ud800'], /half of a surrogate pair/],
    ['NUL that a toJSON answers', { a: { toJSON: () => ['\0'] } }, ['a', 0], /NUL/],
  ])('%s is refused with its path', (_what, value, path, says) => {
    const fault = faultOf(value)
    expect(fault.path).toEqual(path)
    expect(fault.message).toMatch(says)
  })

  it.each([
    ['a backslash, u and four digits', String.raw`\u0000`],
    ['the same for half a pair', String.raw`\ud800 and \uDFFF`],
    ['two backslashes before it', String.raw`\\u0000`],
    ['many backslashes before it', String.raw`${'\\'.repeat(7)}u0000`],
    ['u0000 alone', 'u0000 ud800'],
    ['a whole pair', '👩‍👩‍👧‍👦 𝒳'],
    ['other control characters', '\u0001\u0008\n\u001f\u007f'],
    ['line and paragraph separators, a byte order mark', '\u2028\u2029\ufeff'],
  ])('%s is ordinary text', (_what, text) => {
    const json = encodeJson({ [text]: text })
    expect(JSON.parse(json)).toEqual({ [text]: text })
  })

  it('is refused exactly when it holds NUL or half a pair, as value and as key', () => {
    const unit = fc.oneof(
      fc.constantFrom('\\', 'u', '0', 'd', '8', '"', '\0', '\ud800', '\udc00'),
      fc.integer({ min: 0, max: 0xffff }).map(code => String.fromCharCode(code)),
    )
    const text = fc.array(unit, { maxLength: 12 }).map(units => units.join(''))
    fc.assert(
      fc.property(text, each => {
        const fits = !each.includes('\0') && each.isWellFormed()
        for (const value of [each, [each], { [`k${each}`]: 1 }])
          if (fits) expect(encodeJson(value)).toBe(JSON.stringify(value))
          else expect(() => encodeJson(value)).toThrow(JsonFault)
      }),
      { numRuns: 500 },
    )
  })
})

describe('keys', () => {
  it.each<[string, unknown, Path]>([
    ['at the top', JSON.parse('{"__proto__":{"admin":true}}'), ['__proto__']],
    ['deeper', JSON.parse('{"a":[{"__proto__":1}]}'), ['a', 0, '__proto__']],
    ['with undefined', Object.fromEntries([['__proto__', undefined]]), ['__proto__']],
    ['from a toJSON', { a: { toJSON: () => JSON.parse('{"__proto__":1}') as unknown } }, ['a', '__proto__']],
  ])('one named __proto__ is refused %s', (_what, value, path) => {
    const fault = faultOf(value)
    expect(fault.message).toMatch(/must not be named __proto__/)
    expect(fault.path).toEqual(path)
  })

  it('others that every object inherits are ordinary', () => {
    const value = { constructor: 1, prototype: 2, toString: 3, hasOwnProperty: 4 }
    expect(JSON.parse(encodeJson(value))).toEqual(value)
  })
})

describe('what JSON.stringify does is honoured', () => {
  it('a Date becomes its ISO text', () => {
    expect(encodeJson({ at: new Date(0) })).toBe('{"at":"1970-01-01T00:00:00.000Z"}')
    expect(encodeJson(new Date(0))).toBe('"1970-01-01T00:00:00.000Z"')
  })

  it('a URL and a class with toJSON become what they answer', () => {
    class Money {
      toJSON(): unknown {
        return { amount: '1.50', currency: 'EUR' }
      }
    }
    const value = { url: new URL('https://example.com/a'), price: new Money() }
    expect(encodeJson(value)).toBe(
      '{"url":"https://example.com/a","price":{"amount":"1.50","currency":"EUR"}}',
    )
  })

  it('a toJSON that answers its own object is no circle', () => {
    class Plain {
      n = 1
      toJSON(): this {
        return this
      }
    }
    expect(encodeJson({ a: new Plain() })).toBe('{"a":{"n":1}}')
  })

  it('undefined properties are left out', () => {
    expect(encodeJson({ a: undefined, b: 1, c: { d: undefined } })).toBe('{"b":1,"c":{}}')
  })

  it('what a toJSON throws comes through', () => {
    const toJSON = (): never => {
      throw new TypeError('not now')
    }
    expect(() => encodeJson({ a: { toJSON } })).toThrow(new TypeError('not now'))
  })

  it('every JSON value goes in as JSON.stringify writes it, and comes back the same', () => {
    const value = fc.jsonValue({ maxDepth: 5 }).filter(each => !JSON.stringify(each).includes('__proto__'))
    fc.assert(
      fc.property(value, each => {
        const json = encodeJson(each)
        expect(json).toBe(JSON.stringify(each))
        expect(encodeJson(JSON.parse(json))).toBe(json)
      }),
      { numRuns: 300 },
    )
  })
})
