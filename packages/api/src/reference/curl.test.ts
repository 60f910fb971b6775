import { describe, expect, it } from 'vitest'
import { curlOf } from './curl.ts'
import type { JsonSchema, OpenApiDocument, OpenApiOperation } from '../contract/openapi-document.ts'

const schemas: Record<string, JsonSchema> = {
  Named: { type: 'object', properties: { text: { const: "it's" } }, required: ['text'] },
  Endless: { $ref: '#/components/schemas/Endless' },
}
const document = { components: { schemas, securitySchemes: {} } } as unknown as OpenApiDocument

function call(schema: JsonSchema | null, more: Partial<OpenApiOperation> = {}): string {
  const operation: OpenApiOperation = {
    operationId: 'x',
    summary: '',
    tags: [],
    security: [],
    parameters: [],
    responses: {},
    ...(schema ? { requestBody: { required: true, content: { 'application/json': { schema } } } } : {}),
    ...more,
  }
  return curlOf('post', '/jobs/{id}', operation, document)
}

describe('a call', () => {
  it('names a token only where one is needed, and a key where one is taken', () => {
    expect(call(null)).toBe('curl -X POST "$MILLRACE/jobs/01900000-0000-7000-8000-000000000000"')
    const key = { name: 'Idempotency-Key', in: 'header' as const, required: false, schema: {} }
    const lines = call(null, { 'x-roles': ['admin'], parameters: [key] }).split(' \\\n  ')
    expect(lines.slice(1)).toEqual(['-H "Authorization: Bearer $TOKEN"', "-H 'Idempotency-Key: order-17'"])
  })

  it.each<[string, JsonSchema]>([
    [`'{"text":"it'\\''s"}'`, { $ref: '#/components/schemas/Named' }],
    [`'{"a":1}'`, { examples: [{ a: 1 }], type: 'object' }],
    [`'[true]'`, { type: 'array', items: { type: 'boolean' } }],
    [`'3'`, { type: 'integer', minimum: 3 }],
    [`'"first"'`, { anyOf: [{ enum: ['first', 'second'] }, {}] }],
    [`'{}'`, { $ref: '#/components/schemas/Endless' }],
  ])('has the body %s', (body, schema) => {
    expect(call(schema).endsWith(`-d ${body}`)).toBe(true)
  })
})
