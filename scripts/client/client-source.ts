import type { JsonSchema, OpenApiDocument, Operation } from '@millrace/api'
import { type Call, callsOf, callType, callValue } from './call-source.ts'
import { comment, members, membersOf, typeOf } from './schema-type.ts'

const head = '// Made of the HTTP contract by `npm run client`. Do not edit.'

/**
 * The files of the client's `src/contract`, by name: the contract's OpenAPI document as TypeScript, with what only the
 * operations themselves tell.
 */
export function clientSource(
  document: OpenApiDocument,
  operations: readonly Operation[],
): Record<string, string> {
  const { schemas } = document.components
  const all = callsOf(document, operations)
  const calls = all.filter(({ streams }) => !streams)
  const stream = all.find(({ streams }) => streams)
  return {
    'schemas.ts': `${head}\n\n${Object.entries(schemas)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, schema]) => declaration(name, schema))
      .join('\n\n')}\n`,
    'calls.ts': callsFile(calls, stream, Object.keys(schemas)),
    'operations.ts': operationsFile(calls),
  }
}

function declaration(name: string, schema: JsonSchema): string {
  const about = comment(schema.description ? [schema.description] : [], '')
  const isPlainObject = schema.type === 'object' && schema.properties !== undefined
  const text = isPlainObject
    ? `export interface ${name} ${members(membersOf(schema, '  '))}`
    : `export type ${name} = ${typeOf(schema)}`
  return [...about, text].join('\n')
}

function callsFile(calls: Call[], stream: Call | undefined, names: string[]): string {
  const query = stream?.takes.find(({ name }) => name === 'query')?.type.replaceAll(/^ {4}/gm, '')
  const body = [
    '/** What each operation takes, and what it answers by status. */',
    `export interface Calls {\n${calls.map(callType).join('\n')}\n}`,
    '',
    '/** What the lists are of that are read page by page. */',
    `export interface Items {\n${calls
      .flatMap(({ id, items }) => (items ? [`  ${id}: ${items.type}`] : []))
      .join('\n')}\n}`,
    '',
    '/** Which events to hear of. */',
    `export type EventQuery = ${query ?? 'Record<string, string | number | boolean | readonly string[] | undefined>'}`,
  ].join('\n')
  const used = names.filter(name => new RegExp(`[^\\w'\`]${name}\\b(?!['\`?:])`).test(withoutComments(body)))
  const imports = used
    .toSorted()
    .map(name => `  ${name},`)
    .join('\n')
  return `${head}\n\nimport type {\n${imports}\n} from './schemas.ts'\n\n${body}\n`
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*\*[\s\S]*?\*\//g, '')
}

function operationsFile(calls: Call[]): string {
  return `${head}

import type { Calls } from './calls.ts'

/** How an operation is sent. */
export interface Operation {
  readonly method: string
  /** With \`{name}\` for each parameter. */
  readonly path: string
  /** The statuses of its answers; all others are refusals. */
  readonly replies: readonly number[]
  /** The header of each argument that is sent as one. */
  readonly headers?: Readonly<Record<string, string>>
  /** Of a page of a list: the member that holds the items. */
  readonly items?: string
  /** It takes as long as it is asked to. */
  readonly lasting?: true
  /** It does something although it is a GET. */
  readonly changes?: true
}

export const operations: Readonly<Record<keyof Calls, Operation>> = {
${calls.map(callValue).join('\n')}
}
`
}
