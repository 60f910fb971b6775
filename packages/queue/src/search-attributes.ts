import type { AnyJob } from './definition.ts'
import { QueueError } from './engine/errors.ts'

/** In units of UTF-16, as `text.length` counts. */
const longestValue = 200
const filteredAtMost = 16

/**
 * The attributes of a job with this payload, as the schema has made it; null when it has none. Throws `invalid-payload` for a
 * value that can't be stored, or when a function throws; the fault's path is `searchAttributes`, then the name.
 */
export function readAttributes(definition: AnyJob, payload: unknown): Record<string, string> | null {
  const found: [string, string][] = []
  for (const [name, read] of Object.entries(definition.searchAttributes)) {
    let value: unknown
    try {
      value = read(payload)
    } catch (error) {
      throw refused(definition, name, 'its function threw', error)
    }
    if (value === null || value === undefined) continue
    const text = typeof value === 'string' ? value : plain(value)
    const fault = text === null ? `is ${kindOf(value)}, not text, a number or a boolean` : textFault(text)
    if (fault !== null) throw refused(definition, name, fault)
    found.push([name, text as string])
  }
  return found.length === 0 ? null : Object.fromEntries(found)
}

/** Throws `invalid-argument` for a filter that no attribute could match, or no database can be asked. */
export function checkAttributeFilter(attributes: Record<string, string> | undefined): void {
  if (attributes === undefined) return
  const refuse = (message: string): never => {
    throw new QueueError('invalid-argument', message)
  }
  if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes))
    refuse(`filter.attributes must be an object of names and texts, not ${kindOf(attributes)}`)
  const named = Object.entries(attributes)
  if (named.length > filteredAtMost)
    refuse(`filter.attributes names ${named.length} attributes; it may name ${filteredAtMost}`)
  for (const [name, value] of named) {
    const what = `filter.attributes.${name.slice(0, 128)}`
    if (textFault(name) !== null) refuse(`${what} ${textFault(name)}`)
    if (typeof value !== 'string')
      refuse(`${what} must be text, not ${kindOf(value)}; numbers and booleans are found by String(value)`)
    const fault = textFault(value)
    if (fault !== null) refuse(`${what} ${fault}`)
  }
}

function plain(value: unknown): string | null {
  return typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
    ? String(value)
    : null
}

function textFault(text: string): string | null {
  if (text.length > longestValue)
    return `is ${text.length} characters long; an attribute may have ${longestValue}`
  if (text.includes('\0') || !text.isWellFormed())
    return 'holds characters that a database can not store (NUL or half a surrogate pair)'
  return null
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'number') return String(value)
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`
}

function refused({ type }: AnyJob, name: string, fault: string, cause?: unknown): QueueError {
  return new QueueError(
    'invalid-payload',
    `payload of ${type} is refused: searchAttributes.${name}: ${fault}`,
    {
      faults: [{ path: ['searchAttributes', name], message: fault }],
      ...(cause === undefined ? {} : { cause }),
    },
  )
}
