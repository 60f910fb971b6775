/** JSON text for a schema of the OpenAPI document: mostly what it asks for, now and then what it does not. */

import fc from 'fast-check'
import { contract, type JsonSchema, pointedAt } from '../contract-document.ts'
import { hostileJson } from './hostile.ts'

interface Schema {
  $ref?: string
  type?: string | string[]
  enum?: unknown[]
  const?: unknown
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  format?: string
  properties?: Record<string, JsonSchema>
  required?: string[]
  items?: JsonSchema
  minItems?: number
  maxItems?: number
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
}

/** What stands for an id that is in the store; put in when the request is sent, so that requests stay plain values. */
export const idMark = '@id'

/** Values that mean something here, by the name of the property. */
const meant: Readonly<Record<string, readonly string[]>> = {
  type: ['"ECHO"', '"ANY"', '"HOLD"', '"FAIL"'],
  site: ['"s1"'],
  payload: ['{"text":"x"}', '{"message":"x"}', '{}', '[1,"a",null,{"b":{"c":[]}}]'],
  queue: ['"fast"', '"default"'],
  cron: ['"0 7 * * *"', '"*/5 * * * * *"', '"0 0 30 2 *"'],
  timeZone: ['"UTC"', '"Europe/Paris"', '"Nowhere/Land"'],
  delay: ['"1h"', '0', '3600000'],
  every: ['"1h"', '60000'],
  runAt: ['"2999-01-01T00:00:00Z"', '1764000000000'],
  from: ['"2020-01-01T00:00:00Z"', '0'],
  until: ['"2999-01-01T00:00:00Z"'],
  where: ['["site=s1"]', '["site=s1","site=s2"]', '["nothing=1"]'],
  text: ['"x"', '"order"', '"look for"'],
  look: ['5', '200'],
  event: ['"completed"', '"enqueued"'],
  fingerprint: ['"@fingerprint"'],
  misfire: ['"skip"', '"fire-once"'],
  by: ['"type"', '"queue"'],
  stepMinutes: ['60', '1440'],
  tenant: ['"acme"'],
  token: ['"admin-of-the-fuzz"', '"x"', '"a.b.c"'],
}

const instants = [
  '"2026-11-23T14:00:00Z"',
  '"2999-01-01T00:00:00+02:00"',
  '"1970-01-01T00:00:00Z"',
  '"1969-12-31T23:59:59.999Z"',
  '"0000-01-01T00:00:00Z"',
  '"9999-12-31T23:59:59.999999999Z"',
  '"9999-12-31T23:59:59-23:59"',
  '"2026-11-23T24:00:00Z"',
  '"2026-12-31T23:59:60Z"',
  '"2026-02-29T00:00:00Z"',
]
/** The year 9999 begins to end, JavaScript's dates end, and one millisecond later. */
const latest = [253_402_300_799_999, 253_402_300_800_000, 8_640_000_000_000_000, 8_640_000_000_000_001]
const durations = ['"1h"', '"0s"', '"36500d"', '"99999999999d"', '"1.5h"', '"1h1h"', '"-1s"', '"1e3s"']

/** Of a body, or of a parameter with this name. */
export function jsonText(schema: JsonSchema, name = ''): fc.Arbitrary<string> {
  return faulty(member(name, schema), 60)
}

/** The arbitrary itself, once in so many times something hostile instead. */
function faulty(arbitrary: fc.Arbitrary<string>, times: number): fc.Arbitrary<string> {
  return fc.oneof({ arbitrary, weight: times }, { arbitrary: fc.constantFrom(...hostileJson), weight: 1 })
}

function asked(schema: Schema): fc.Arbitrary<string> {
  const { $ref, oneOf, anyOf = oneOf, enum: names, const: only } = schema
  if ($ref) return asked(pointedAt($ref) as Schema)
  if (only !== undefined) return fc.constant(JSON.stringify(only))
  if (names) return fc.constantFrom(...names.map(name => JSON.stringify(name)))
  if (anyOf) return fc.oneof(...anyOf.map(each => asked(each as Schema)))
  const { type } = schema
  if (Array.isArray(type)) return fc.oneof(...type.map(each => asked({ ...schema, type: each })))
  if (type === 'object') return object(schema)
  if (type === 'array') return list(schema)
  if (type === 'string') return text(schema)
  if (type === 'integer' || type === 'number') return number(schema)
  if (type === 'boolean') return fc.constantFrom('true', 'false')
  return fc.oneof(fc.constantFrom(...(meant.payload ?? [])), fc.json({ maxDepth: 2 }))
}

function object({ properties = {}, required = [] }: Schema): fc.Arbitrary<string> {
  const members = Object.entries(properties).map(([name, schema]) => {
    const named = faulty(member(name, schema), 80).map(json => `${JSON.stringify(name)}:${json}`)
    return sometimes(named, required.includes(name) ? 60 : 1, required.includes(name) ? 1 : 2)
  })
  const strangers = ['"__proto__":{"a":1}', '"constructor":1', '"extra":null', '"":0', '"toString":"x"']
  return fc
    .tuple(sometimes(fc.constantFrom(...strangers), 1, 20), ...members)
    .map(parts => `{${parts.filter(part => part !== '').join(',')}}`)
}

function member(name: string, schema: JsonSchema): fc.Arbitrary<string> {
  const usual = Object.hasOwn(meant, name) ? meant[name] : undefined
  const any = asked(schema as Schema)
  return usual ? fc.oneof({ arbitrary: fc.constantFrom(...usual), weight: 4 }, any) : any
}

function sometimes(member: fc.Arbitrary<string>, present: number, absent: number): fc.Arbitrary<string> {
  return fc.oneof({ arbitrary: fc.constant(''), weight: absent }, { arbitrary: member, weight: present })
}

function list({ items = {}, minItems = 0, maxItems = 5 }: Schema): fc.Arbitrary<string> {
  return fc
    .array(faulty(asked(items as Schema), 40), {
      minLength: minItems,
      maxLength: Math.max(minItems, Math.min(maxItems, 4)),
    })
    .map(parts => `[${parts.join(',')}]`)
}

function text({ format, minLength = 0, maxLength = 40 }: Schema): fc.Arbitrary<string> {
  if (format === 'uuid') {
    const unknown = fc.uuid().map(id => JSON.stringify(id))
    return fc.oneof({ arbitrary: fc.constant(`"${idMark}"`), weight: 3 }, unknown)
  }
  if (format === 'date-time') return fc.constantFrom(...instants)
  const size = { minLength, maxLength: Math.min(maxLength, 40) }
  return fc.oneof(
    fc.constantFrom('"x"', '"ECHO"', '"acme"', ...durations),
    fc.string(size).map(value => JSON.stringify(value)),
    fc.string({ ...size, unit: 'binary' }).map(value => JSON.stringify(value)),
    fc.constantFrom(maxLength, maxLength + 1).map(length => JSON.stringify('x'.repeat(length))),
  )
}

function number({ type, minimum = -1_000, maximum }: Schema): fc.Arbitrary<string> {
  const most = maximum ?? 1_000
  const edges = [minimum, most, minimum - 1, most + 1]
  const far = maximum === undefined ? [0, 2 ** 31, 2 ** 53 - 1, ...latest, 1e21] : []
  const broken = type === 'number' ? [0.5, 1e-9] : []
  return fc
    .oneof(
      {
        arbitrary: fc.integer({ min: Math.ceil(minimum), max: Math.floor(Math.min(most, 2 ** 53 - 1)) }),
        weight: 2,
      },
      { arbitrary: fc.constantFrom(...edges, ...far, ...broken), weight: 1 },
    )
    .map(String)
}

/** The schema of the JSON that an operation's body has, or null. */
export function bodySchema(path: string, method: string): JsonSchema | null {
  return contract.paths[path]?.[method]?.requestBody?.content['application/json']?.schema ?? null
}
