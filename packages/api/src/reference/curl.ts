import type {
  JsonSchema,
  OpenApiDocument,
  OpenApiOperation,
  OpenApiParameter,
} from '../contract/openapi-document.ts'

const samples: Record<string, string> = {
  id: '01900000-0000-7000-8000-000000000000',
  queue: 'default',
  type: 'GREET',
  name: 'mornings',
  fingerprint: '0123456789abcdef',
}

/** A call that can be pasted into a shell where MILLRACE is the server's address and TOKEN a token. */
export function curlOf(
  method: string,
  path: string,
  operation: OpenApiOperation,
  document: OpenApiDocument,
): string {
  const address = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => samples[name] ?? name)
  const body = operation.requestBody?.content['application/json']?.schema
  const key = operation.parameters.find(isIdempotencyKey)
  const lines = [
    `curl ${method === 'get' ? '' : `-X ${method.toUpperCase()} `}"$MILLRACE${address}"`,
    ...(operation['x-roles'] ? ['-H "Authorization: Bearer $TOKEN"'] : []),
    ...(key ? ["-H 'Idempotency-Key: order-17'"] : []),
    ...(body
      ? ["-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(exampleOf(body, document)))}`]
      : []),
  ]
  return lines.join(' \\\n  ')
}

function isIdempotencyKey(parameter: OpenApiParameter): boolean {
  return parameter.in === 'header' && parameter.name.toLowerCase() === 'idempotency-key'
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** The schema's own example, or the least that it takes. */
function exampleOf(schema: JsonSchema, document: OpenApiDocument, depth = 0): unknown {
  if (schema.examples?.[0] !== undefined) return schema.examples[0]
  if (depth > 6) return {}
  const inner = (of: JsonSchema): unknown => exampleOf(of, document, depth + 1)
  if (schema.$ref !== undefined) {
    const named = document.components.schemas[schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)]
    return named ? inner(named) : {}
  }
  if (schema.const !== undefined) return schema.const
  if (schema.default !== undefined) return schema.default
  if (schema.enum) return schema.enum[0]
  const first = (schema.anyOf ?? schema.oneOf)?.[0]
  if (first) return inner(first)
  const type = [schema.type].flat()[0]
  if (type === 'array') return schema.items ? [inner(schema.items)] : []
  if (type === 'object') {
    const { properties = {}, required = [] } = schema
    return Object.fromEntries(required.map(name => [name, properties[name] ? inner(properties[name]) : null]))
  }
  if (type === 'integer' || type === 'number') return Math.max(1, schema.minimum ?? 1)
  if (type === 'boolean') return true
  return type === 'string' ? '…' : {}
}
