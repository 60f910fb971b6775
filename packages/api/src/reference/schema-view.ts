import { type Child, type Html, html, joined, prose } from './html.ts'
import type { JsonSchema } from '../contract/openapi-document.ts'

/** What a value is, on one line; names lead to where they are described. */
export function typeOf(schema: JsonSchema): Html {
  return html`<span class="type">${typeParts(schema)}</span>`
}

function typeParts(schema: JsonSchema): Child {
  const { $ref, enum: values, anyOf, oneOf, allOf, type, items } = schema
  if ($ref !== undefined) return reference($ref)
  if (schema.const !== undefined) return literal(schema.const)
  if (values) return joined(values.map(literal), ' | ')
  const either = anyOf ?? oneOf
  if (either) return joined(either.map(typeParts), ' | ')
  if (allOf) return joined(allOf.map(typeParts), ' & ')
  if (type === 'array') return html`list of ${items ? typeParts(items) : 'anything'}`
  if (type === 'object') return isMap(schema) ? mapParts(schema) : objectParts(schema)
  if (type === undefined) return 'any JSON value'
  return [[type].flat().join(' | '), detail(schema)]
}

function reference($ref: string): Html {
  const name = $ref.slice($ref.lastIndexOf('/') + 1)
  return html`<a href="#schema-${name}">${name}</a>`
}

function literal(value: unknown): Html {
  return html`<code>${JSON.stringify(value)}</code>`
}

function isMap({ properties, additionalProperties }: JsonSchema): boolean {
  return properties === undefined && typeof additionalProperties === 'object'
}

function mapParts({ additionalProperties }: JsonSchema): Html {
  return html`object of names to ${typeParts(additionalProperties as JsonSchema)}`
}

/** By the names of its members, so that those of a union are told apart. */
function objectParts({ properties = {}, required = [] }: JsonSchema): Child {
  const names = Object.entries(properties).map(([name, { const: value }]) =>
    value === undefined ? `${name}${required.includes(name) ? '' : '?'}` : [name, ': ', literal(value)],
  )
  return names.length === 0 || names.length > 6 ? 'object' : ['{ ', joined(names, ', '), ' }']
}

/** Whole numbers that only say that they are safe say nothing. */
function detail({ format, minimum, maximum }: JsonSchema): string {
  const least = minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER ? minimum : null
  const most = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? maximum : null
  const range =
    least !== null && most !== null
      ? `${least} to ${most}`
      : least !== null && least !== 0
        ? `at least ${least}`
        : most !== null
          ? `at most ${most}`
          : ''
  const said = [format, range].filter(Boolean).join(', ')
  return said ? ` (${said})` : ''
}

/** Finds a schema by what a `$ref` says. */
export type Lookup = ($ref: string) => JsonSchema | undefined

/** A schema in full: its members, one a row, with those of inner objects below them; of a union, one after the other. */
export function schemaView(schema: JsonSchema, lookup?: Lookup): Html {
  const shapes = shapesOf(schema)
  if (shapes.length === 0) return html`<p>${typeOf(schema)}</p>`
  return html`${shapes.map((shape, index) => [
    index > 0 && html`<p class="or">or</p>`,
    html`<ul class="members">
      ${Object.entries(shape.properties ?? {}).map(([name, member]) =>
        memberView(name, member, { isRequired: shape.required?.includes(name) ?? false, lookup }),
      )}
    </ul>`,
  ])}`
}

interface MemberOptions {
  isRequired: boolean
  /** Members with a name of their own are shown too, but not theirs in turn. */
  lookup: Lookup | undefined
}

function memberView(name: string, member: JsonSchema, { isRequired, lookup }: MemberOptions): Html {
  const inner = (member.$ref !== undefined && lookup?.(member.$ref)) || member
  const isDeep = shapesOf(inner).length > 0
  return html`<li>
    <code class="name">${name}</code> ${typeOf(member)}
    ${isRequired && html`<span class="required">required</span>`}
    ${member.default !== undefined && html`<span class="default">default ${literal(member.default)}</span>`}
    ${member.description && html`<span class="about">${prose(member.description)}</span>`}
    ${isDeep && html`<details><summary>members of ${name}</summary>${schemaView(inner)}</details>`}
  </li>`
}

/** The objects with members that a value can be, or be a list of. */
function shapesOf(schema: JsonSchema): JsonSchema[] {
  if (schema.properties && Object.keys(schema.properties).length > 0) return [schema]
  const inner = schema.anyOf ?? schema.oneOf ?? (schema.items ? [schema.items] : [])
  return inner.flatMap(shapesOf)
}
