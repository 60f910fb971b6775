import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, decodeForeignJson, JsonFault } from './json.ts'

function faultOf(text: string): JsonFault {
  try {
    decodeForeignJson(text)
  } catch (error) {
    if (error instanceof JsonFault) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('JSON from outside', () => {
  it.each([
    ['2^53 + 1', '9007199254740993'],
    ['−2^53 − 1', '-9007199254740993'],
    ['twenty digits', '12345678901234567890'],
    ['a hundred digits', '1'.repeat(100)],
  ])('%s is refused: it would lose digits', (_what, number) => {
    for (const text of [`{"a":${number}}`, `{"a":[${number}]}`, `{"b":{"a": ${number} }}`, number])
      expect(() => decodeForeignJson(text)).toThrow(JsonFault)
    const fault = faultOf(`{"a":1,"sum":${number}}`)
    expect(fault.path).toEqual(['sum'])
    expect(fault.message).toContain(number)
    expect(fault.message).toMatch(/send it as a string/)
  })

  it.each([
    ['a number beyond all', '1e400'],
    ['a number below all', '-1e400'],
    ['three hundred digits and ten', '9'.repeat(310)],
  ])('%s is refused: it would become Infinity', (_what, number) => {
    expect(() => decodeForeignJson(`{"a":${number}}`)).toThrow(JsonFault)
  })

  it.each([
    ['2^53 − 1', '9007199254740991', 9007199254740991],
    ['−(2^53 − 1)', '-9007199254740991', -9007199254740991],
    ['a large exponent', '1e300', 1e300],
    ['a fraction', '0.1', 0.1],
    ['nothing', '0', 0],
    ['an integer written as a fraction', '1.0', 1],
  ])('%s is fine', (_what, text, number) => {
    expect(decodeForeignJson(`[${text}]`)).toEqual([number])
  })

  it('text that looks like a number too large is text', () => {
    expect(decodeForeignJson('{"id":"9007199254740993"}')).toEqual({ id: '9007199254740993' })
  })

  it('a key named like a number too large is a key', () => {
    expect(decodeForeignJson('{"9007199254740993":1}')).toEqual({ '9007199254740993': 1 })
  })

  it.each([
    ['at the top', '{"__proto__":{"admin":true}}'],
    ['deeper', '{"a":[{"__proto__":null}]}'],
    ['written with escapes', '{"\\u005f_proto__":1}'],
  ])('a key named __proto__ is refused %s', (_what, text) => {
    const fault = faultOf(text)
    expect(fault.message).toMatch(/must not be named __proto__/)
    expect(fault.path.at(-1)).toBe('__proto__')
  })

  it('what is no JSON throws the parser’s SyntaxError', () => {
    for (const text of ['', '{', '{"a":}', 'undefined', "{'a':1}", '[1,]', '{"a":1}x'])
      expect(() => decodeForeignJson(text)).toThrow(SyntaxError)
  })

  it('whatever JSON.parse reads and nothing bends is read the same', () => {
    const value = fc.jsonValue({ maxDepth: 5 }).filter(each => !JSON.stringify(each).includes('__proto__'))
    fc.assert(
      fc.property(value, each => {
        const text = JSON.stringify(each)
        if (/\d{16}/.test(text)) return
        expect(decodeForeignJson(text)).toEqual(JSON.parse(text))
      }),
    )
  })

  it('an integer is read exactly or refused', () => {
    const integer = fc.oneof(
      fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
      fc.bigInt({ min: 2n ** 53n - 9n, max: 2n ** 53n + 9n }),
    )
    fc.assert(
      fc.property(integer, each => {
        let value: unknown
        try {
          value = decodeForeignJson(`${each}`)
        } catch (error) {
          expect(error).toBeInstanceOf(JsonFault)
          return
        }
        expect(BigInt(value as number)).toBe(each)
      }),
    )
  })
})

/** The same value with the members of all its objects in another order. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled)
  if (value === null || typeof value !== 'object') return value
  const members = Object.entries(value).map(([name, member]): [string, unknown] => [name, shuffled(member)])
  return Object.fromEntries(members.reverse())
}

describe('the canonical form', () => {
  it.each([
    ['spaces and the order of members', '{ "b": 1, "a": [1, 2] }', '{"a":[1,2],"b":1}'],
    ['the order in inner objects', '{"x":[{"b":1,"a":2}]}', '{"x":[{"a":2,"b":1}]}'],
    ['how a number is written', '[1.0, 1e2, 0.10]', '[1,100,0.1]'],
    ['how text is escaped', '"\\u0061\\/"', '"a/"'],
  ])('does not depend on %s', (_what, json, canonical) => {
    expect(canonicalJson(json)).toBe(canonical)
  })

  it.each([
    ['the order of a list', '[1,2]', '[2,1]'],
    ['null and absence', '{"a":null}', '{}'],
    ['a number and its text', '1', '"1"'],
    ['a list and an object', '["a"]', '{"0":"a"}'],
    ['upper and lower case', '{"a":1}', '{"A":1}'],
  ])('tells %s apart', (_what, a, b) => {
    expect(canonicalJson(a)).not.toBe(canonicalJson(b))
  })

  it('is the same for every order of the members, means the same, and is its own canonical form', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), value => {
        const json = JSON.stringify(value)
        const canonical = canonicalJson(json)
        expect(canonicalJson(JSON.stringify(shuffled(value)))).toBe(canonical)
        expect(JSON.parse(canonical)).toEqual(JSON.parse(json))
        expect(canonicalJson(canonical)).toBe(canonical)
      }),
    )
  })
})
