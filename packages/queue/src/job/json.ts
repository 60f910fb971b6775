/** What can't go into a job, and where in the value it stands. */
export class JsonFault extends Error {
  readonly path: (string | number)[]
  constructor(path: (string | number)[], message: string) {
    super(message)
    this.name = 'JsonFault'
    this.path = path
  }
}

const deepest = 200
// JSON.stringify escapes lone surrogates as \udxxx and NUL as \u0000; a literal backslash before it is doubled.
const unstorable = /(?:^|[^\\])(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/i

/**
 * A value as JSON text that every engine can store and give back unchanged, or a `JsonFault`. Refused: what JSON drops
 * or bends silently (functions, symbols, BigInt, Map, Set, NaN, infinities, invalid dates, `undefined` in arrays), circular references, text
 * that a database can't hold (NUL, lone surrogates), and `__proto__` keys. `undefined` properties are left out, and
 * `toJSON` is honoured, as JSON.stringify does.
 */
export function encodeJson(value: unknown): string {
  check(value, null, [], null)
  const text = JSON.stringify(value)
  if (text === undefined) throw new JsonFault([], 'is not a JSON value')
  if (unstorable.test(text)) checkText(JSON.parse(text), [])
  return text
}

interface Ancestor {
  value: object
  up: Ancestor | null
}

/** The member's name or place; null for the whole. */
type Key = string | number | null

function check(value: unknown, key: Key, path: (string | number)[], up: Ancestor | null): void {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return
    case 'number':
      if (!Number.isFinite(value)) throw new JsonFault(at(path, key), `${value} has no JSON form`)
      return
    case 'object':
      if (value === null) return
      return checkObject(value, key, path, up)
    case 'undefined':
      throw new JsonFault(at(path, key), 'is undefined, which has no JSON form; use null')
    default:
      throw new JsonFault(at(path, key), `a ${typeof value} has no JSON form`)
  }
}

function checkObject(value: object, key: Key, path: (string | number)[], up: Ancestor | null): void {
  let here = enter(value, key, path, up)
  if (path.length + (key === null ? 0 : 1) > deepest)
    throw new JsonFault(at(path, key), `is nested deeper than ${deepest} levels`)
  if (value instanceof Map || value instanceof Set)
    throw new JsonFault(
      at(path, key),
      `a ${value.constructor.name} has no JSON form; use an object or an array`,
    )
  if (value instanceof Date && Number.isNaN(value.getTime()))
    throw new JsonFault(at(path, key), 'an invalid Date has no JSON form')
  let members = value
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') {
    const json: unknown = (value as { toJSON(): unknown }).toJSON()
    if (typeof json !== 'object' || json === null) return check(json, key, path, here)
    // JSON.stringify asks once, and takes the answer as it is.
    if (json !== value) here = enter(json, key, path, here)
    members = json
  }
  if (key !== null) path.push(key)
  if (Array.isArray(members)) {
    for (let index = 0; index < members.length; index++) check(members[index], index, path, here)
  } else {
    for (const name of Object.keys(members)) {
      if (name === '__proto__') throw new JsonFault([...path, name], 'a key must not be named __proto__')
      const member = (members as Record<string, unknown>)[name]
      if (member !== undefined) check(member, name, path, here)
    }
  }
  if (key !== null) path.pop()
}

function enter(value: object, key: Key, path: (string | number)[], up: Ancestor | null): Ancestor {
  for (let ancestor = up; ancestor; ancestor = ancestor.up)
    if (ancestor.value === value) throw new JsonFault(at(path, key), 'is circular')
  return { value, up }
}

function checkText(value: unknown, path: (string | number)[]): void {
  if (typeof value === 'string') {
    if (value.includes('\0'))
      throw new JsonFault(path, 'holds a NUL character, which a database can not store')
    if (!value.isWellFormed())
      throw new JsonFault(path, 'holds half of a surrogate pair, which is not valid text')
  } else if (Array.isArray(value)) {
    value.forEach((member, index) => checkText(member, [...path, index]))
  } else if (value !== null && typeof value === 'object') {
    for (const [name, member] of Object.entries(value)) {
      checkText(name, [...path, name])
      checkText(member, [...path, name])
    }
  }
}

function at(path: (string | number)[], key: Key): (string | number)[] {
  return key === null ? [...path] : [...path, key]
}

/** The same value always gives the same text: members in the order of their names. For comparing, not for storing. */
export function canonicalJson(json: string): string {
  return JSON.stringify(sorted(JSON.parse(json)))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member)]))
}

/** What a text that JavaScript would bend holds somewhere: that name, spelt in whatever way, or a number of such a form. */
const maybeBent = /__proto__|\\u|\d{16}|\d[eE]/

/**
 * Parses JSON from outside. Refuses what JavaScript would bend silently: integers that a double can't hold, and
 * `__proto__` keys. Throws `JsonFault` (with the path where known) or the parser's SyntaxError.
 */
export function decodeForeignJson(text: string): unknown {
  // Looking at each value costs several times what parsing does.
  if (!maybeBent.test(text)) return JSON.parse(text)
  const bent: JsonFault[] = []
  const revive = (name: string, value: unknown, context?: { source?: string }): unknown => {
    if (name === '__proto__') bent.push(new JsonFault([name], 'a key must not be named __proto__'))
    const source = context?.source
    if (typeof value === 'number' && !Number.isFinite(value))
      bent.push(new JsonFault([name], `${source ?? 'the number'} is larger than a number can be`))
    else if (typeof value === 'number' && source && /^-?\d+$/.test(source) && !Number.isSafeInteger(value))
      bent.push(new JsonFault([name], `${source} is beyond 2^53 and would lose digits; send it as a string`))
    return value
  }
  const value: unknown = JSON.parse(text, revive as (name: string, value: unknown) => unknown)
  if (bent[0]) throw bent[0]
  return value
}
