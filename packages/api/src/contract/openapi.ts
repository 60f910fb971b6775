import { z } from 'zod'
import { type ProblemCode, problemKinds, problemSchema } from '../problem.ts'
import { isRepeated, isSeveral } from './fields.ts'
import type {
  Content,
  JsonSchema,
  OpenApiDocument,
  OpenApiOperation,
  OpenApiParameter,
  OpenApiResponse,
} from './openapi-document.ts'
import type { Operation, Reply } from './operation.ts'
import { may, roles } from './permission.ts'

const everywhere: ProblemCode[] = [
  'invalid-argument',
  'internal',
  'corrupt',
  'unavailable',
  'closed',
  'timeout',
]
const ofKnown: ProblemCode[] = ['unauthorized', 'not-configured', 'forbidden', 'rate-limited']
const ofBodies: ProblemCode[] = ['malformed-body', 'unsupported-media-type', 'payload-too-large']
const ofChanges: ProblemCode[] = ['read-only', 'disk-full', 'version-mismatch']

const description = `Durable background jobs. Every refusal is a problem document (RFC 9457) with a stable \`code\`, the paths of
what is wrong, and how to mend it. Lists are paged by an opaque \`cursor\`. Instants go out as ISO 8601 in UTC and come in as
that or as milliseconds since 1970.`

/** The contract as an OpenAPI 3.1 document. Schemas with a name stand once, under `components`. */
export function openApi(operations: readonly Operation[], version: string): OpenApiDocument {
  const components: Record<string, JsonSchema> = {}
  const schema: MakeSchema = (of, io) => jsonSchema(of, io, components)
  const paths: OpenApiDocument['paths'] = {}
  for (const each of operations) (paths[each.path] ??= {})[each.method] = describe(each, schema)
  const problem = schema(problemSchema, 'output')
  return {
    openapi: '3.1.0',
    info: { title: 'Millrace', version, description, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: '/' }],
    tags: [...new Set(operations.map(each => each.tag))].map(name => ({ name })),
    paths,
    components: {
      schemas: components,
      responses: Object.fromEntries(
        statuses().map(status => [`Problem${status}`, problemReply(status, problem)]),
      ),
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'A token of the staff, the cron secret, or a JWT',
        },
        key: { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'The key of the job processor' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'millrace_session',
          description: "A browser's session",
        },
      },
    },
  }
}

type MakeSchema = (of: z.ZodType, io: 'input' | 'output') => JsonSchema

function describe(operation: Operation, schema: MakeSchema): OpenApiOperation {
  const { id, summary, description, tag, permission, body, bodyOptional } = operation
  const open = permission === 'public'
  return {
    operationId: id,
    summary,
    ...(description ? { description } : {}),
    tags: [tag],
    ...(open ? { security: [] } : { security: [{ bearer: [] }, { key: [] }, { session: [] }] }),
    ...(open ? {} : { 'x-roles': roles.filter(role => may(role, permission)) }),
    parameters: [
      ...parameters('path', operation.params, schema),
      ...parameters('query', operation.query, schema),
      ...Object.entries(operation.headers ?? {}).map(([name, header]) => ({
        name,
        in: 'header' as const,
        required: false,
        description: header.description,
        schema: schema(header.schema, 'input'),
      })),
    ],
    ...(body
      ? {
          requestBody: {
            required: !bodyOptional,
            content: { 'application/json': { schema: schema(body, 'input') } },
          },
        }
      : {}),
    responses: { ...replies(operation, schema), ...problems(operation) },
  }
}

function replies({ replies, conditional }: Operation, schema: MakeSchema): OpenApiOperation['responses'] {
  const described = Object.entries(replies).map(
    ([status, reply]: [string, Reply]): [string, OpenApiResponse] => [
      status,
      { description: reply.description, ...contentOf(reply, schema) },
    ],
  )
  if (conditional) described.push(['304', { description: 'As the ETag of If-None-Match says' }])
  return Object.fromEntries(described)
}

function contentOf({ schema, contentType }: Reply, make: MakeSchema): { content?: Content } {
  if (schema) return { content: { [contentType ?? 'application/json']: { schema: make(schema, 'output') } } }
  return contentType ? { content: { [contentType]: { schema: { type: 'string' } } } } : {}
}

/** The problems that an operation can answer, by status, with the codes of each. */
function problems(operation: Operation): OpenApiOperation['responses'] {
  const { permission, method, problems = [], replies } = operation
  const codes = new Set<ProblemCode>([
    ...everywhere,
    ...(permission === 'public' ? [] : ofKnown),
    ...(method === 'get' ? [] : [...ofBodies, ...ofChanges]),
    ...problems,
  ])
  const byStatus = Map.groupBy(codes, code => problemKinds[code].status)
  return Object.fromEntries(
    [...byStatus]
      .filter(([status]) => !(status in replies))
      .toSorted(([a], [b]) => a - b)
      .map(([status, codes]) => [
        String(status),
        { $ref: `#/components/responses/Problem${status}`, description: codes.toSorted().join(', ') },
      ]),
  )
}

function statuses(): number[] {
  return [...new Set(Object.values(problemKinds).map(kind => kind.status))].sort((a, b) => a - b)
}

function problemReply(status: number, schema: JsonSchema): OpenApiResponse {
  const codes = Object.entries(problemKinds).filter(([, kind]) => kind.status === status)
  return {
    description: codes.map(([code, { title }]) => `\`${code}\`: ${title}`).join('. '),
    ...(status === 429 || status === 503
      ? { headers: { 'Retry-After': { description: 'Seconds', schema: { type: 'integer' } } } }
      : {}),
    content: { 'application/problem+json': { schema } },
  }
}

function parameters(
  where: 'path' | 'query',
  of: z.ZodType | undefined,
  make: MakeSchema,
): OpenApiParameter[] {
  if (!(of instanceof z.ZodObject)) return []
  return Object.entries(of.shape as Record<string, z.ZodType>).map(([name, field]) => {
    const { description, ...schema } = make(field, 'input')
    return {
      name,
      in: where,
      required: where === 'path',
      ...(description ? { description } : {}),
      ...(isSeveral(field) || isRepeated(field) ? { style: 'form' as const, explode: true } : {}),
      schema,
    }
  })
}

/** The JSON Schema of a Zod schema; what has a name is put under `components` and referred to. */
function jsonSchema(
  of: z.ZodType,
  io: 'input' | 'output',
  components: Record<string, JsonSchema>,
): JsonSchema {
  const { $schema: _, $defs = {}, ...schema } = z.toJSONSchema(of, { io, unrepresentable: 'any' })
  for (const [name, definition] of Object.entries($defs)) components[name] = rehomed(definition).schema
  const { id, schema: own } = rehomed(schema)
  if (id === undefined) return own
  components[id] = own
  return { $ref: `#/components/schemas/${id}` }
}

/** A schema by itself, whose references lead into `components`, and its name. */
function rehomed(of: z.core.JSONSchema.BaseSchema): { id: string | undefined; schema: JsonSchema } {
  const { id, ...schema } = redirected(of) as JsonSchema & { id?: string }
  return { id, schema }
}

/** What points into the schema's own definitions points into `components`. */
function redirected(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redirected)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      key === '$ref' && typeof member === 'string'
        ? member.replace('#/$defs/', '#/components/schemas/')
        : redirected(member),
    ]),
  )
}
