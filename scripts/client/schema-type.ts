import type { JsonSchema } from '@millrace/api'

/** One member of an object type. */
export interface Member {
  name: string
  type: string
  optional: boolean
  description?: string | undefined
}

const plainTypes: Record<string, string> = {
  string: 'string',
  number: 'number',
  integer: 'number',
  boolean: 'boolean',
  null: 'null',
}
const step = '  '

/** The TypeScript type of a schema. Throws for what it can't say, so that no schema is turned into a wrong type. */
export function typeOf(schema: JsonSchema, indent = ''): string {
  if (schema.$ref !== undefined) return nameOf(schema.$ref)
  if (schema.const !== undefined) return literal(schema.const)
  if (schema.enum) return union(schema.enum.map(literal))
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return union(choices.map(each => typeOf(each, indent)))
  if (schema.allOf) return schema.allOf.map(each => inParentheses(typeOf(each, indent))).join(' & ')
  if (Array.isArray(schema.type)) return union(schema.type.map(type => typeOf({ ...schema, type }, indent)))
  if (schema.type === 'array') return arrayOf(schema, indent)
  if (schema.type === 'object') return objectOf(schema, indent)
  if (schema.type === undefined) return 'unknown'
  const plain = plainTypes[schema.type]
  if (plain === undefined) throw new Error(`no TypeScript type is known for ${JSON.stringify(schema)}`)
  return plain
}

/** `#/components/schemas/Job` → `Job` */
function nameOf(ref: string): string {
  const name = /^#\/components\/schemas\/(\w+)$/.exec(ref)?.[1]
  if (name === undefined) throw new Error(`the reference ${ref} leads outside the schemas`)
  return name
}

export function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value.replaceAll(/['\\]/g, '\\$&')}'` : JSON.stringify(value)
}

function union(types: string[]): string {
  return [...new Set(types)].join(' | ')
}

function inParentheses(type: string): string {
  return type.includes(' ') && !type.startsWith('{') ? `(${type})` : type
}

function arrayOf({ items = {}, prefixItems }: JsonSchema, indent: string): string {
  if (prefixItems) return `[${prefixItems.map(each => typeOf(each, indent)).join(', ')}]`
  return `${inParentheses(typeOf(items, indent))}[]`
}

function objectOf(schema: JsonSchema, indent: string): string {
  const { properties, additionalProperties: rest } = schema
  if (properties) return members(membersOf(schema, indent + step), indent)
  return `Record<string, ${typeof rest === 'object' ? typeOf(rest, indent) : 'unknown'}>`
}

export function membersOf({ properties = {}, required = [] }: JsonSchema, indent: string): Member[] {
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    type: typeOf(schema, indent),
    optional: !required.includes(name),
    description: schema.description,
  }))
}

/** An object type over several lines; `{}` without members. */
export function members(all: Member[], indent = ''): string {
  const inner = indent + step
  const lines = all.flatMap(({ name, type, optional, description }) => [
    ...comment(description ? [description] : [], inner),
    `${inner}${/^[A-Za-z_]\w*$/.test(name) ? name : literal(name)}${optional ? '?' : ''}: ${type}`,
  ])
  return lines.length === 0 ? '{}' : `{\n${lines.join('\n')}\n${indent}}`
}

/** A doc comment of these paragraphs, as lines. */
export function comment(paragraphs: string[], indent: string): string[] {
  const safe = paragraphs.map(each => each.replaceAll('*/', '*\\/'))
  if (safe.length === 0) return []
  if (safe.length === 1) return [`${indent}/** ${safe[0]} */`]
  return [`${indent}/**`, ...safe.map(each => `${indent} * ${each}`.trimEnd()), `${indent} */`]
}
