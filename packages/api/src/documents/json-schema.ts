import type { Schema } from 'millrace'
import { z } from 'zod'

/** A schema as others can read it. */
export interface ToldSchema {
  vendor: string
  /** JSON Schema, draft 2020-12; null when the vendor's schemas can't tell it. */
  jsonSchema: Record<string, unknown> | null
  /** Why there is none. */
  note: string | null
}

/** The Standard JSON Schema extension of a Standard Schema. */
interface Telling {
  jsonSchema?: Partial<
    Record<Side, (options: { target: string; libraryOptions?: Record<string, unknown> }) => unknown>
  >
}

/** What goes in, before defaults and transformations; or what comes out, after them. */
export type Side = 'input' | 'output'

const target = 'draft-2020-12'
/** More is no form, and would be sent with every list of types. */
const longestText = 256 * 2 ** 10
const known: Record<Side, WeakMap<Schema, ToldSchema>> = { input: new WeakMap(), output: new WeakMap() }

/** The schema as JSON Schema. Never throws: one schema that can't be told must not hide the others. */
export function tellSchema(schema: Schema, side: Side): ToldSchema {
  const before = known[side].get(schema)
  if (before) return before
  const told = tell(schema, side)
  known[side].set(schema, told)
  return told
}

function tell(schema: Schema, side: Side): ToldSchema {
  let vendor = 'unknown'
  try {
    const standard = schema['~standard']
    vendor = String(standard.vendor)
    const convert = (standard as Telling).jsonSchema?.[side]
    const isZod = schema instanceof z.ZodType
    if (typeof convert !== 'function' && !isZod)
      return { vendor, jsonSchema: null, note: `${vendor} does not tell its schemas as JSON Schema` }
    const written =
      typeof convert === 'function'
        ? // What JSON can't say (a date, a bigint) is left open, so that the rest of the form is there.
          convert({ target, ...(vendor === 'zod' ? { libraryOptions: { unrepresentable: 'any' } } : {}) })
        : z.toJSONSchema(schema as unknown as z.ZodType, { io: side, unrepresentable: 'any' })
    return { vendor, jsonSchema: plain(written), note: null }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { vendor, jsonSchema: null, note: `it can not be told: ${reason.slice(0, 500)}` }
  }
}

/** What a vendor answers is foreign: it must be JSON, an object, and of a size that can be sent. */
function plain(written: unknown): Record<string, unknown> {
  const text = JSON.stringify(written)
  if (text === undefined || text.length > longestText)
    throw new Error(`its JSON Schema is more than ${longestText} characters, or none`)
  const read = JSON.parse(text) as unknown
  if (typeof read !== 'object' || read === null || Array.isArray(read))
    throw new Error('its JSON Schema is not an object')
  return read as Record<string, unknown>
}
