import { readdirSync, readFileSync } from 'node:fs'
import { openApi, operations, version } from '@millrace/api'
import { describe, expect, it } from 'vitest'
import { clientSource } from './client-source.ts'
import { typeOf } from './schema-type.ts'

const folder = new URL('../../packages/client/src/contract/', import.meta.url)

describe("the client's source", () => {
  const made = clientSource(openApi(operations, version), operations)

  it.each(Object.keys(made))('%s is what `npm run client` makes of the contract', name => {
    expect(readFileSync(new URL(name, folder), 'utf8')).toBe(made[name])
  })

  it('holds nothing else', () => {
    expect(readdirSync(folder).toSorted()).toEqual(Object.keys(made).toSorted())
  })
})

describe('the type of a schema', () => {
  it.each([
    [{ type: 'integer', minimum: 0 }, 'number'],
    [{ type: ['string', 'null'] }, 'string | null'],
    [{ enum: ['a', "it's"] }, "'a' | 'it\\'s'"],
    [{ const: true }, 'true'],
    [{ type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'null' }] } }, '(string | null)[]'],
    [{ type: 'object', additionalProperties: { type: 'boolean' } }, 'Record<string, boolean>'],
    [{ $ref: '#/components/schemas/Job' }, 'Job'],
    [{}, 'unknown'],
    [{ type: 'object', properties: { 'a-b': { type: 'string' } } }, "{\n  'a-b'?: string\n}"],
  ])('of %j is %s', (schema, type) => {
    expect(typeOf(schema)).toBe(type)
  })

  it('is refused where none is known', () => {
    expect(() => typeOf({ type: 'date' })).toThrow('no TypeScript type')
    expect(() => typeOf({ $ref: 'https://example.com/schema' })).toThrow('leads outside')
  })
})
