import { type Fault, QueueError } from '../engine/errors.ts'
import { jobStates } from '../job/state.ts'
import { bundleFormat, bundleVersion, type ReplayBundle } from './bundle.ts'

type Check = (value: unknown) => string | null
interface Shape {
  [member: string]: Check | Shape
}

const text: Check = value => (typeof value === 'string' ? null : 'must be text')
const textOrNull: Check = value => (value === null ? null : text(value))
const number: Check = value => (Number.isFinite(value) ? null : 'must be a number')
const numberOrNull: Check = value => (value === null ? null : number(value))
const anything: Check = value => (value === undefined ? 'is missing' : null)
const list: Check = value => (Array.isArray(value) ? null : 'must be a list')
const oneOf =
  (...names: readonly string[]): Check =>
  value =>
    names.includes(value as string) ? null : `must be one of ${names.join(', ')}`
const errorOrNull: Check = value => {
  if (value === null) return null
  const { name, message, fingerprint, stack } = (value ?? {}) as Record<string, unknown>
  const isError = [name, message, fingerprint].every(each => typeof each === 'string')
  return isError && textOrNull(stack) === null ? null : 'must be an error or null'
}

const bundle: Shape = {
  exportedAt: text,
  versions: { millrace: text, node: text, engine: text, schema: number },
  job: {
    id: text,
    type: text,
    queue: text,
    tenant: text,
    priority: number,
    state: oneOf(...jobStates),
    payload: anything,
    result: anything,
    error: errorOrNull,
    cancelReason: textOrNull,
    attempt: number,
    maxAttempts: number,
    epoch: number,
    createdAt: number,
    flow: textOrNull,
    origin: textOrNull,
  },
  attempts: list,
  steps: list,
  signals: list,
  dependencies: list,
  logs: list,
}

const items: Record<string, Shape> = {
  attempts: { attempt: number, epoch: number, outcome: text, error: errorOrNull },
  steps: {
    name: text,
    ordinal: number,
    kind: oneOf('run', 'sleep', 'signal', 'job'),
    state: oneOf('completed', 'failed', 'caught', 'waiting'),
    error: errorOrNull,
    attempt: number,
    startedAt: number,
    endedAt: numberOrNull,
  },
  signals: { name: text, payload: anything, at: number },
  dependencies: {
    id: text,
    name: text,
    type: text,
    state: oneOf(...jobStates),
    result: anything,
    error: errorOrNull,
  },
  logs: { attempt: number, level: text, message: text, at: number },
}

/**
 * Checks a value that should be a bundle. Throws `version-mismatch` for one of another format or version, and
 * `invalid-argument` with each fault and its path for one that is damaged.
 */
export function readBundle(value: unknown): ReplayBundle {
  const { format, version } = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >
  if (format !== bundleFormat)
    throw new QueueError(
      'version-mismatch',
      `this is not a replay bundle: its format is ${shown(format)}, not ${shown(bundleFormat)}; make one with exportBundle`,
    )
  if (version !== bundleVersion)
    throw new QueueError(
      'version-mismatch',
      `this replay bundle is of version ${shown(version)}, and this millrace reads version ${bundleVersion}; ${advice(version)}`,
    )
  const faults = faultsOf(value, bundle, [])
  if (faults.length === 0)
    for (const [name, shape] of Object.entries(items))
      for (const [index, item] of ((value as Record<string, unknown>)[name] as unknown[]).entries())
        faults.push(...faultsOf(item, shape, [name, index]))
  if (faults.length === 0) return value as ReplayBundle
  const told = faults.slice(0, 5).map(fault => `${fault.path.join('.')} ${fault.message}`)
  const more = faults.length > told.length ? ` (and ${faults.length - told.length} more)` : ''
  throw new QueueError('invalid-argument', `the replay bundle is damaged: ${told.join('; ')}${more}`, {
    faults,
  })
}

function faultsOf(value: unknown, shape: Shape, path: (string | number)[]): Fault[] {
  if (typeof value !== 'object' || value === null) return [{ path, message: 'must be an object' }]
  return Object.entries(shape).flatMap(([name, check]) => {
    const member = (value as Record<string, unknown>)[name]
    const here = [...path, name]
    if (typeof check !== 'function') return faultsOf(member, check, here)
    const message = check(member)
    return message === null ? [] : [{ path: here, message }]
  })
}

function shown(value: unknown): string {
  return value === undefined ? 'missing' : (JSON.stringify(value) ?? String(value)).slice(0, 80)
}

function advice(version: unknown): string {
  return typeof version === 'number' && version > bundleVersion
    ? 'replay it with the millrace that exported it, or a newer one'
    : 'export the job again'
}
