/** Requests made from the contract, as plain values that shrink to something readable. */

import { type Operation, operations } from '@millrace/api'
import fc from 'fast-check'
import { contract, type ParameterDocument } from '../contract-document.ts'
import { hostileAuthorizations, hostileCursors, hostileHeaders, hostileJson, hostileText } from './hostile.ts'
import { bodySchema, idMark, jsonText } from './json-text.ts'
import { sensible } from './sensible.ts'

export interface FuzzRequest {
  /** Null when the address or the method is nobody's in particular. */
  operation: string | null
  method: string
  /** Path and query. `@id` stands for one that is in the store; `pick` says which. */
  target: string
  pick: number
  headers: readonly (readonly [string, string])[]
  body: string | null
}

export const callers = [
  'admin',
  'operator',
  'viewer',
  'owner',
  'stranger',
  'tenantAdmin',
  'cron',
  'nobody',
  'processor',
  'cronByKey',
] as const
/** Stands for a caller's credentials, which are put in when the request is sent. */
export const callerMark = '@caller:'
const byKey: readonly string[] = ['processor', 'cronByKey']

const methods = ['HEAD', 'OPTIONS', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'get', 'X']

/** Of a path: what names something that exists, by what the resource's segments hold. */
const named: Readonly<Record<string, readonly string[]>> = {
  queues: ['fast', 'default', 'spare'],
  types: ['ECHO', 'ANY'],
  schedules: ['mornings', 'often', 'fuzzed'],
  'dead-letters': ['@fingerprint', 'nope'],
}

/** Those of queries that say how long or how much to work. Nobody waits here as long as a caller may ask to. */
const bounded: readonly string[] = ['waitMs', 'maxJobs', 'budgetMs']

// Made once: each is a large tree, and they are drawn from by the ten thousand.
const wellAddressed = fc.oneof(...operations.map(known))
export const fuzzRequest: fc.Arbitrary<FuzzRequest> = fc.oneof(
  { arbitrary: wellAddressed, weight: 9 },
  { arbitrary: wellAddressed.chain(astray), weight: 1 },
)

function known(operation: Operation): fc.Arbitrary<FuzzRequest> {
  const { id, method, path } = operation
  const document = contract.paths[path]?.[method]
  const inQuery = document?.parameters.filter(each => each.in === 'query') ?? []
  return fc.record({
    operation: fc.constant(id),
    method: fc.constant(method.toUpperCase()),
    target: fc
      .tuple(pathOf(path, method), queryOf(inQuery))
      .map(([path, query]) => (query ? `${path}?${query}` : path)),
    pick: fc.nat(1_000),
    headers: fc
      .tuple(headersOf(method !== 'get'), documented(document?.parameters ?? []))
      .map(each => each.flat()),
    body: bodyOf(operation),
  })
}

/** The same request, sent to where it does not belong. */
function astray(request: FuzzRequest): fc.Arbitrary<FuzzRequest> {
  const { target } = request
  const targets = [
    `/${target}`,
    target.replace('/', '//'),
    target.replace('/api', '/%61pi'),
    target.replace('/v1', '/v1/./'),
    target.replace('/v1/', '/v1/%2e%2e/v1/'),
    target.replace(/(\?|$)/, '/$1'),
    target.replace(/(\?|$)/, '%00$1'),
    target.replace(/(\?|$)/, ';x=1$1'),
    target.toUpperCase(),
    target.replace(/(\?|$)/, `/${'x'.repeat(3_000)}$1`),
    `${target}${'?'.repeat(3)}`,
    `${target}#x`,
    '/',
    '/problems',
    '/problems/nope',
    '/problems/__proto__',
    '/openapi.json',
    '/sample/x',
    '/api/v1',
    '/%',
    '/%ff',
  ]
  return fc
    .record({
      target: fc.oneof(fc.constantFrom(...targets), fc.constant(target)),
      method: fc.oneof(fc.constant(request.method), fc.constantFrom(...methods)),
    })
    .map(changed => ({ ...request, ...changed, operation: null }))
}

function pathOf(path: string, method: string): fc.Arbitrary<string> {
  const values = path
    .split('/')
    .map(segment => (segment.startsWith('{') ? valueOf(path, method) : fc.constant(segment)))
  return fc.tuple(...values).map(segments => segments.join('/'))
}

function valueOf(path: string, method: string): fc.Arbitrary<string> {
  const resource = path.split('/')[3] ?? ''
  // What is put more often goes more often, so that there is something to ask about.
  const removed = ['fuzzed', 'fuzzed', 'mornings', 'often']
  const names = resource === 'schedules' && method === 'delete' ? removed : named[resource]
  const usual = names ? fc.constantFrom(...names) : fc.constant(idMark)
  // An empty one, or one with a slash, is another address.
  const odd = fc.constantFrom(
    ...hostileText.filter(text => text !== '' && text !== '.' && text !== '..' && text !== '%2e%2e'),
  )
  return fc.oneof(
    { arbitrary: usual, weight: 12 },
    { arbitrary: fc.uuid(), weight: 1 },
    { arbitrary: odd, weight: 2 },
  )
}

function queryOf(parameters: readonly ParameterDocument[]): fc.Arbitrary<string> {
  const pairs = parameters.map(parameter => {
    const pair = parameterOf(parameter).map(value => `${parameter.name}=${value}`)
    const [present, absent] = parameter.required ? [20, 1] : [1, 2]
    return fc.oneof({ arbitrary: pair, weight: present }, { arbitrary: fc.constant(''), weight: absent })
  })
  const strangers = [
    '__proto__=1',
    'constructor=1',
    'x',
    '=',
    '&&',
    '%=1',
    '%00=1',
    'limit=1&limit=2',
    'a[b]=c',
  ]
  const stranger = fc.oneof(
    { arbitrary: fc.constant(''), weight: 20 },
    { arbitrary: fc.constantFrom(...strangers), weight: 1 },
  )
  return fc.tuple(stranger, ...pairs).map(parts => parts.filter(part => part !== '').join('&'))
}

function parameterOf({ name, schema }: ParameterDocument): fc.Arbitrary<string> {
  const hostile = fc.constantFrom(...hostileText, ...(name === 'cursor' ? hostileCursors : []))
  if (name === 'cursor') return fc.oneof({ arbitrary: fc.constant('@cursor'), weight: 3 }, hostile)
  const quick = bounded.includes(name) ? { ...schema, maximum: 5 } : schema
  const usual = jsonText(quick, name).map(json => encodeURIComponent(plain(json)))
  return fc.oneof({ arbitrary: usual, weight: 10 }, { arbitrary: hostile, weight: 1 })
}

/** A string without its quotes, a list with commas: as it stands in a query. */
function plain(json: string): string {
  try {
    const value: unknown = JSON.parse(json)
    return (Array.isArray(value) ? value.join(',') : String(value)).toWellFormed()
  } catch {
    return json.toWellFormed()
  }
}

function headersOf(hasBody: boolean): fc.Arbitrary<FuzzRequest['headers']> {
  const authorization = fc
    .oneof(
      { arbitrary: fc.constant('admin'), weight: 30 },
      { arbitrary: fc.constantFrom(...callers), weight: 12 },
    )
    .map(name => [[byKey.includes(name) ? 'x-api-key' : 'authorization', `${callerMark}${name}`]] as const)
  const trick = fc.constantFrom(...hostileAuthorizations).map(value => [['authorization', value]] as const)
  const type = [['content-type', 'application/json']] as const
  return fc
    .tuple(
      fc.oneof({ arbitrary: authorization, weight: 14 }, { arbitrary: trick, weight: 1 }),
      fc.oneof(
        { arbitrary: fc.constant([]), weight: 3 },
        {
          arbitrary: fc.array(fc.constantFrom(...hostileHeaders), { minLength: 1, maxLength: 3 }),
          weight: 1,
        },
      ),
    )
    .map(([who, others]) => {
      const named = new Set(others.map(([name]) => name))
      return [...who, ...(hasBody && !named.has('content-type') ? type : []), ...others]
    })
}

/** Headers that the operation itself takes. The same few values, so that a key is met again. */
function documented(parameters: readonly ParameterDocument[]): fc.Arbitrary<FuzzRequest['headers']> {
  const names = parameters.filter(each => each.in === 'header').map(each => each.name)
  if (names.length === 0) return fc.constant([])
  const header = fc.tuple(fc.constantFrom(...names), fc.constantFrom('one', 'two', '3'))
  return fc.option(header, { freq: 1, nil: null }).map(said => (said ? [said] : []))
}

function bodyOf({ id, path, method }: Operation): fc.Arbitrary<string | null> {
  if (method === 'get') return fc.constant(null)
  const schema = bodySchema(path, method)
  const usual: fc.Arbitrary<string | null> = schema ? jsonText(schema) : fc.constantFrom(null, '{}')
  const works = sensible[id]
  return fc.oneof(
    { arbitrary: usual, weight: 10 },
    { arbitrary: works ? fc.constantFrom(...works) : usual, weight: 7 },
    { arbitrary: fc.constantFrom(null, '', ...hostileJson), weight: 3 },
  )
}
