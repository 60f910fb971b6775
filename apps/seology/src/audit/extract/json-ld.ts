/** JSON-LD blocks: do they parse, and does every node say what it is? */

import type { JsonLdFact } from '../facts.ts'
import { snippet } from './walk.ts'

/** Judges one `application/ld+json` block. */
export function readJsonLd(source: string): JsonLdFact {
  let value: unknown
  try {
    value = JSON.parse(source)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return {
      types: [],
      problem: 'unparsable',
      message: snippet(message, 200),
      snippet: snippet(source.trim()),
    }
  }
  const types: string[] = []
  const untyped = topNodes(value).find(node => !collectType(node, types))
  if (untyped === undefined) return { types }
  return { types, problem: 'no-type', snippet: snippet(JSON.stringify(untyped) ?? 'null') }
}

/** The block itself, its array items, or the children of its `@graph`. */
function topNodes(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flatMap(topNodes)
  if (isObject(value) && '@graph' in value && !('@type' in value)) return [value['@graph']].flat()
  return [value]
}

/** False for a node without a type; a bare reference (`@id` alone) needs none. */
function collectType(node: unknown, types: string[]): boolean {
  if (!isObject(node)) return false
  const names = [node['@type']].flat().filter(name => typeof name === 'string' && name !== '')
  types.push(...(names as string[]))
  if (names.length > 0) return true
  return '@id' in node && Object.keys(node).every(name => name.startsWith('@'))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
