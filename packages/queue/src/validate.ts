import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { AnyJob, Schema } from './definition.ts'
import { type Fault, QueueError } from './engine/errors.ts'
import { encodeJson, JsonFault } from './job/json.ts'

type AnySchema = Schema

/**
 * Checks a payload as the handler will meet it, that is after a round trip through JSON, and answers the JSON to store and
 * what the handler will be given. The input is stored, not the schema's output: defaults and transformations are applied when the job runs.
 */
export function encodePayload(definition: AnyJob, payload: unknown): { json: string; value: unknown } {
  const json = encode('invalid-payload', `payload of ${definition.type}`, payload)
  const bytes = Buffer.byteLength(json)
  if (bytes > definition.maxPayloadBytes)
    throw new QueueError(
      'payload-too-large',
      `payload of ${definition.type} is ${bytes} bytes of JSON, more than ${definition.maxPayloadBytes}; store the data elsewhere and enqueue a reference to it`,
    )
  return { json, value: decodePayload(definition, json) }
}

/** Reads and checks a stored payload. Throws `invalid-payload`. */
export function decodePayload(definition: AnyJob, json: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    throw new QueueError('invalid-payload', `payload of ${definition.type} is not JSON`, { cause: error })
  }
  return validate('invalid-payload', `payload of ${definition.type}`, definition.payload, value)
}

/** Checks what a handler returned and answers the JSON to store. Throws `invalid-result`. */
export function encodeResult(definition: AnyJob, result: unknown): string | null {
  const checked = definition.result
    ? validate('invalid-result', `result of ${definition.type}`, definition.result, result)
    : result
  if (checked === undefined) return null
  return encode('invalid-result', `result of ${definition.type}`, checked)
}

function encode(code: 'invalid-payload' | 'invalid-result', what: string, value: unknown): string {
  try {
    return encodeJson(value)
  } catch (error) {
    if (!(error instanceof JsonFault))
      throw new QueueError(code, `${what} can not be written as JSON`, { cause: error })
    throw refused(code, what, [{ path: error.path, message: error.message }])
  }
}

export function validate(
  code: 'invalid-payload' | 'invalid-result',
  what: string,
  schema: AnySchema,
  value: unknown,
): unknown {
  const checked = check(code, what, schema, value)
  if (checked instanceof Promise) {
    // Zod answers a promise for a plain check too when that throws; unheard, it would end the process.
    checked.catch(() => {})
    throw new QueueError(
      'invalid-argument',
      `the schema for the ${what} is asynchronous, or one of its checks throws; use one that answers at once`,
    )
  }
  if (!checked.issues) return checked.value
  throw refused(code, what, checked.issues.map(readIssue))
}

function check(code: 'invalid-payload' | 'invalid-result', what: string, schema: AnySchema, value: unknown) {
  try {
    return schema['~standard'].validate(value)
  } catch (error) {
    throw new QueueError(code, `${what} is refused: a check of its schema threw`, { cause: error })
  }
}

function readIssue(issue: StandardSchemaV1.Issue): Fault {
  const path = (issue.path ?? []).map(step => (typeof step === 'object' ? step.key : step))
  return { path: path.map(key => (typeof key === 'symbol' ? String(key) : key)), message: issue.message }
}

function refused(code: 'invalid-payload' | 'invalid-result', what: string, faults: Fault[]): QueueError {
  const shown = faults
    .slice(0, 5)
    .map(fault => `${fault.path.length ? fault.path.join('.') : '(whole)'}: ${fault.message}`)
  const more = faults.length > shown.length ? ` (and ${faults.length - shown.length} more)` : ''
  return new QueueError(code, `${what} is refused: ${shown.join('; ')}${more}`, { faults })
}
