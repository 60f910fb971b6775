import type { OpenApiDocument, OpenApiOperation, Operation } from '@millrace/api'
import { comment, literal, type Member, members, membersOf, typeOf } from './schema-type.ts'

/** One operation as the client knows it. */
export interface Call {
  id: string
  method: string
  path: string
  documentation: string[]
  takes: Member[]
  /** The header of each argument that is sent as one. */
  headers: Record<string, string>
  replies: { status: number; type: string; isJson: boolean }[]
  /** Of a list that is read page by page: the member that holds the items, and their type. */
  items: { member: string; type: string } | null
  /** Answered by a stream of events, which is read in another way. */
  streams: boolean
  /** What the contract marks, of what matters to how it is sent. */
  marks: Mark[]
}

const marks = ['lasting', 'changes'] as const
type Mark = (typeof marks)[number]

/** What the client has besides the operations. */
const taken = new Set(['replies', 'each', 'events', 'waitForResult'])

export function callsOf(document: OpenApiDocument, operations: readonly Operation[]): Call[] {
  const marksById = new Map(operations.map(each => [each.id, marks.filter(mark => each[mark])]))
  const calls = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...callOf(document, path, method, operation),
      marks: marksById.get(operation.operationId) ?? [],
    })),
  )
  const clash = calls.find(({ id, streams }) => taken.has(id) && !streams)
  if (clash) throw new Error(`the operation ${clash.id} has the name of something else in the client`)
  // The contract has no order that holds wherever it is loaded.
  return calls.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

function callOf(
  document: OpenApiDocument,
  path: string,
  method: string,
  operation: OpenApiOperation,
): Omit<Call, 'marks'> {
  const { parameters, operationId: id } = operation
  const headers = Object.fromEntries(
    parameters.filter(each => each.in === 'header').map(({ name }) => [camelCase(name), name]),
  )
  return {
    id,
    method: method.toUpperCase(),
    path,
    documentation: documentationOf(path, method, operation),
    takes: takesOf(operation),
    headers,
    replies: repliesOf(operation),
    items: itemsOf(document, operation),
    streams: Object.values(operation.responses).some(each => each.content?.['text/event-stream']),
  }
}

function takesOf({ parameters, requestBody }: OpenApiOperation): Member[] {
  const memberOf = ({ name, required, description, schema }: OpenApiOperation['parameters'][0]): Member => ({
    name,
    type: typeOf(schema),
    optional: !required,
    description,
  })
  const inQuery = parameters.filter(each => each.in === 'query').map(memberOf)
  const inHeaders = parameters.filter(each => each.in === 'header').map(memberOf)
  const takes = parameters.filter(each => each.in === 'path').map(memberOf)
  if (inQuery.length > 0)
    takes.push({
      name: 'query',
      type: members(inQuery, '      '),
      optional: inQuery.every(each => each.optional),
    })
  if (requestBody) {
    const type = typeOf(requestBody.content['application/json']?.schema ?? {}, '      ')
    takes.push({ name: 'body', type, optional: !requestBody.required })
  }
  return [...takes, ...inHeaders.map(each => ({ ...each, name: camelCase(each.name) }))]
}

/** Refusals are problems, which are thrown; 304 is for caches. */
function repliesOf({ responses }: OpenApiOperation): Call['replies'] {
  return Object.entries(responses)
    .filter(([status, { $ref }]) => $ref === undefined && status !== '304')
    .map(([status, { content }]) => {
      if (!content) return { status: Number(status), type: 'undefined', isJson: false }
      const json = content['application/json']
      return {
        status: Number(status),
        type: json ? typeOf(json.schema, '      ') : 'string',
        isJson: json !== undefined,
      }
    })
}

function itemsOf(document: OpenApiDocument, { parameters, responses }: OpenApiOperation): Call['items'] {
  if (!parameters.some(({ name }) => name === 'cursor')) return null
  const schema = responses['200']?.content?.['application/json']?.schema ?? {}
  const page = schema.$ref ? document.components.schemas[typeOf(schema)] : schema
  const lists = membersOf(page ?? {}, '').filter(({ type }) => type.endsWith('[]'))
  if (lists.length !== 1) return null
  const [list] = lists as [Member]
  return { member: list.name, type: list.type.slice(0, -2).replace(/^\((.*)\)$/s, '$1') }
}

function documentationOf(path: string, method: string, operation: OpenApiOperation): string[] {
  const { summary, description, responses } = operation
  const roles = operation['x-roles']
  const codes = Object.values(responses).flatMap(each => (each.$ref ? each.description.split(', ') : []))
  return [
    summary,
    ...(description ? [description] : []),
    '',
    `\`${method.toUpperCase()} ${path}\`, ${roles ? `for ${roles.join(', ')}` : 'for everybody'}.`,
    `Throws ${codes.toSorted().join(', ')}.`,
  ]
}

/** `Idempotency-Key` → `idempotencyKey` */
function camelCase(name: string): string {
  return name.toLowerCase().replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
}

/** The entry of `Calls`. */
export function callType({ id, documentation, takes, replies }: Call): string {
  const answers = replies.map(({ status, type }) => ({ name: String(status), type, optional: false }))
  const lines = answers.map(({ name, type }) => `      ${name}: ${type}`)
  return [
    ...comment(documentation, '  '),
    `  ${id}: {`,
    `    takes: ${members(takes, '    ')}`,
    '    replies: {',
    ...lines,
    '    }',
    '  }',
  ].join('\n')
}

/** The entry of `operations`. */
export function callValue({ id, method, path, headers, replies, items, marks }: Call): string {
  const named = Object.entries(headers).map(([name, header]) => `${name}: ${literal(header)}`)
  return [
    `  ${id}: {`,
    `    method: ${literal(method)},`,
    `    path: ${literal(path)},`,
    `    replies: [${replies.map(each => each.status).join(', ')}],`,
    ...(named.length > 0 ? [`    headers: { ${named.join(', ')} },`] : []),
    ...(items ? [`    items: ${literal(items.member)},`] : []),
    ...marks.map(mark => `    ${mark}: true,`),
    '  },',
  ].join('\n')
}
