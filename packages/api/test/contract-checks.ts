/** Holds answers against the OpenAPI document, by a JSON Schema validator that shares no code with the server. */

import addFormats from 'ajv-formats'
import type { ProblemDocument } from '@millrace/api'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { contract, type JsonSchema, pointedAt, type ReplyDocument } from './contract-document.ts'

/** What came back of a request. */
export interface Seen {
  status: number
  headers: Headers
  body: string
}

/** Each says why an answer breaks the contract; null when it keeps it. */
export interface Check {
  /** Of an operation: its status, its media type, its body. */
  answer(operationId: string, seen: Seen): string | null
  /** Of any address: a refusal is a problem document. */
  problem(seen: Seen): string | null
}

const root = 'https://millrace.test/openapi.json'

interface Listed {
  /** Null for what is not JSON. */
  validate: ValidateFunction | null
  /** The codes that a problem of this status may have. */
  codes: string[]
}

/**
 * Compiles every schema of the document, strictly, and answers what checks by them. Objects of answers are closed in the
 * document, so a field that is sent but not documented breaks the contract, too.
 */
export function contractChecks(): Check {
  const ajv = new Ajv2020({ strict: true, strictTypes: false, allowUnionTypes: true })
  addFormats.default(ajv)
  ajv.addSchema({ $id: root, $defs: located(contract.components.schemas) })
  const operations = new Map<string, Map<string, Listed>>()
  for (const [path, methods] of Object.entries(contract.paths))
    for (const [method, { operationId, responses }] of Object.entries(methods)) {
      const listed = Object.entries(responses).flatMap(([status, reply]) =>
        contents(reply).map(([type, schema]): [string, Listed] => [
          `${status} ${type}`,
          {
            validate: type.includes('json') ? compile(ajv, schema, `${method} ${path} ${status}`) : null,
            codes: reply.description?.split(', ') ?? [],
          },
        ]),
      )
      operations.set(operationId, new Map(listed))
    }
  const problem = { validate: compile(ajv, { $ref: '#/components/schemas/Problem' }, 'problems'), codes: [] }
  return {
    answer: (operationId, seen) => judge(operations.get(operationId), seen),
    problem: seen => (seen.status < 400 ? null : judgeKind(problem, seen)),
  }
}

/** By media type; '' where there is no body. */
function contents(reply: ReplyDocument): [string, JsonSchema][] {
  const whole = reply.$ref ? (pointedAt(reply.$ref) as ReplyDocument) : reply
  const described = Object.entries(whole.content ?? {})
  if (described.length === 0) return [['', {}]]
  return described.map(([type, { schema }]) => [type.split(';')[0] ?? '', schema])
}

function compile(ajv: Ajv2020, schema: JsonSchema, what: string): ValidateFunction {
  try {
    return ajv.compile(located(schema) as JsonSchema)
  } catch (error) {
    throw new Error(`the schema of ${what} can not be compiled`, { cause: error })
  }
}

function located(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(located)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      key === '$ref' && typeof member === 'string'
        ? member.replace('#/components/schemas/', `${root}#/$defs/`)
        : located(member),
    ]),
  )
}

function judge(listed: Map<string, Listed> | undefined, seen: Seen): string | null {
  const { status, headers, body } = seen
  const type = mediaType(headers)
  const found = listed?.get(`${status} ${type}`)
  if (!found) return `the contract lists no ${status} of type ${JSON.stringify(type)}: ${body.slice(0, 600)}`
  if (found.validate) return judgeKind(found, seen)
  return type === '' && body !== '' ? `${status} has a body: ${body.slice(0, 600)}` : null
}

function judgeKind({ validate, codes }: Listed, { status, headers, body }: Seen): string | null {
  const value = parsed(body)
  if (validate?.(value) === false)
    return `${status} does not match its schema: ${faults(validate)} in ${body.slice(0, 600)}`
  return mediaType(headers) === 'application/problem+json'
    ? judgeProblem(value as ProblemDocument, status, codes)
    : null
}

function judgeProblem({ code, status, type }: ProblemDocument, seen: number, codes: string[]): string | null {
  if (codes.length > 0 && !codes.includes(code))
    return `the contract lists no ${code} for ${seen}, only ${codes.join(', ')}`
  if (status !== seen) return `it says status ${status} and is ${seen}`
  return type === `/problems/${code}` ? null : `its type is ${type}`
}

function mediaType(headers: Headers): string {
  return (headers.get('content-type') ?? '').split(';')[0] ?? ''
}

/** Text that is not JSON matches no schema: every answer in JSON is an object. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function faults({ errors }: ValidateFunction): string {
  return (errors ?? [])
    .map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`)
    .join('; ')
}
