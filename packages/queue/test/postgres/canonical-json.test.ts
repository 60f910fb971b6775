import fc from 'fast-check'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { canonicalJson } from '../../src/job/json.ts'
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { connect, createStore } from './database.ts'

let server: PostgresServer
let client: pg.Client

beforeAll(async () => {
  server = await startPostgres()
  client = await connect(await createStore(server, 'app'))
  await client.query('SET search_path = millrace')
})
afterAll(async () => {
  await client.end()
  await server.stop('immediate')
})

async function inSql(texts: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ canonical: string }>(
    'SELECT canonical_json(t::json, 0) AS canonical FROM unnest($1::text[]) WITH ORDINALITY AS u (t, n) ORDER BY n',
    [texts],
  )
  return rows.map(row => row.canonical)
}

async function expectSame(texts: readonly string[]): Promise<void> {
  expect(await inSql(texts)).toEqual(texts.map(canonicalJson))
}

describe('the canonical form in SQL is that of TypeScript', () => {
  it.each([
    ['numbers that are whole', ['1.0', '1e3', '1E+3', '-0', '-0.0', '100e-2', '0e999999999999', ' 12\n']],
    [
      'numbers that need an exponent',
      ['1e21', '1e22', '123e-9', '0.000001', '0.0000001', '-1.5e300', '5e-324'],
    ],
    ['numbers too small', ['1e-400', '-1e-99999999', '2.4703282292062327e-324', '2.4703282292062328e-324']],
    ['the largest', ['1.7976931348623157e308', '9007199254740991', '-9007199254740991']],
    // Postgres writes no decimal that lies midway between two doubles, even when it is the shortest.
    ['numbers midway between doubles', ['1e23', '-7.25e21', '18014398509481992.0', '4.046028847072146e16']],
    ['escapes', ['"\\u0061\\/\\u00e9\\ud83d\\ude00\\u2028\\u007f\\u0001\\u001F\\b\\f\\n\\r\\t\\"\\\\"']],
    ['names in the order of UTF-16', ['{"\ue000":1,"😀":2,"\uffff":3,"é":4,"z":5,"a\ue000":6,"a😀":7}']],
    ['the last code points', ['{"\u{10ffff}":1,"\u{10fffe}":2,"\u{10fffe}b":3,"\u{10ffff}a":4,"\ufffd":5}']],
    ['names that are indexes', ['{"b":1,"10":2,"9":3,"01":4,"-1":5,"1.5":6,"":7,"a":8}']],
    ['the last index', ['{"4294967295":1,"4294967294":2,"4294967296":3,"10000000000":4}']],
    ['names that come twice', ['{"a":1,"b":2,"a":{"c":3,"c":[4]}}']],
    ['what is empty', ['{}', '[ ]', '""', 'null', ' true ', '[{},[],[[]]]']],
  ])('for %s', async (_what, texts) => {
    await expectSame(texts)
  })

  it('for whatever JSON there is', async () => {
    const some = fc.array(fc.json({ maxDepth: 5, stringUnit: 'binary' }), { minLength: 50, maxLength: 50 })
    const storable = (text: string): boolean =>
      text.isWellFormed() && !/\\u(0000|d[89a-f])|__proto__|(?<![.\d])\d{16}/i.test(text)
    await fc.assert(
      fc.asyncProperty(some, texts => expectSame(texts.filter(storable))),
      { numRuns: 20 },
    )
  })

  it('for doubles of every size', async () => {
    const double = new Float64Array(1)
    const bits = new BigUint64Array(double.buffer)
    const texts: string[] = []
    for (let exponent = 0n; exponent < 2047n; exponent += 1n)
      for (const off of [-1n, 0n, 1n]) {
        bits[0] = BigInt.asUintN(64, (exponent << 52n) + off)
        const value = double[0] as number
        if (Number.isFinite(value)) texts.push(value.toExponential())
      }
    for (let power = -330; power < 309; power++)
      for (const digits of ['1', '-9', '2.5']) texts.push(`${digits}e${power}`)
    await expectSame(texts.filter(text => Number.isFinite(Number(text))))
  })

  it('for random doubles', async () => {
    const some = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), {
      minLength: 200,
      maxLength: 200,
    })
    await fc.assert(
      fc.asyncProperty(some, numbers => expectSame(numbers.map(number => number.toExponential()))),
      { numRuns: 10 },
    )
  })
})
