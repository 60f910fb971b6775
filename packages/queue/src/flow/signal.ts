import type { Schema } from '../definition.ts'
import { QueueError } from '../engine/errors.ts'
import { encodeJson, JsonFault } from '../job/json.ts'
import { validate } from '../validate.ts'
import { checkLabel } from './label.ts'

/** A signal as a value, for those who send it and those who wait for it alike. */
export interface SignalDefinition<Payload extends Schema = Schema> {
  readonly signal: string
  readonly payload: Payload
}

/** A signal by its definition, or by its bare name, when its payload is checked by nobody. */
export type SignalName = string | SignalDefinition

const maxSignalBytes = 2 ** 20

/** Defines a signal: its name, unique within a job, and what it carries. */
export function defineSignal<Payload extends Schema>(
  name: string,
  payload: Payload,
): SignalDefinition<Payload> {
  return Object.freeze({ signal: checkLabel('signal', name), payload })
}

export function signalName(signal: SignalName): string {
  return checkLabel('signal', typeof signal === 'string' ? signal : signal.signal)
}

/** Checks and encodes what a signal carries. Throws `invalid-payload` or `payload-too-large`. */
export function encodeSignal(signal: SignalName, payload: unknown): string {
  const what = `payload of the signal ${signalName(signal)}`
  let json: string
  try {
    json = encodeJson(payload ?? null)
  } catch (error) {
    const faults = error instanceof JsonFault ? [{ path: error.path, message: error.message }] : []
    throw new QueueError(
      'invalid-payload',
      `${what} can not be written as JSON: ${(error as Error).message}`,
      {
        faults,
        cause: error,
      },
    )
  }
  const bytes = Buffer.byteLength(json)
  if (bytes > maxSignalBytes)
    throw new QueueError(
      'payload-too-large',
      `${what} is ${bytes} bytes of JSON, more than ${maxSignalBytes}; store the data elsewhere and send a reference to it`,
    )
  readSignal(signal, json)
  return json
}

/** What arrives. Sent by somebody who did not have the definition, it may be wrong: throws `invalid-payload` then. */
export function readSignal(signal: SignalName, json: string): unknown {
  const value: unknown = JSON.parse(json)
  if (typeof signal === 'string') return value
  return validate('invalid-payload', `payload of the signal ${signal.signal}`, signal.payload, value)
}
