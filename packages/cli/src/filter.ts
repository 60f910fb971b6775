import type { Command } from 'commander'
import { type JobFilter, type JobState, jobStates, parseDuration } from 'millrace'
import { parseInstant } from '@millrace/api/documents'
import { UsageError } from './errors.ts'

/** The flags by which commands choose jobs. */
export interface FilterFlags {
  state?: string[]
  type?: string[]
  queue?: string[]
  tenant?: string
  fingerprint?: string
  where?: string[]
  from?: string
  until?: string
}

export function withFilter(command: Command): Command {
  return command
    .option('--state <state...>', 'queued, blocked, running, completed, cancelled or dead')
    .option('--type <type...>', 'of these types')
    .option('--queue <queue...>', 'of these queues')
    .option('--tenant <tenant>', 'of this tenant')
    .option('--fingerprint <fingerprint>', 'whose last error has it; see dead')
    .option(
      '--where <name=value...>',
      'whose search attribute has this value; all of them, when there are several',
    )
    .option('--from <when>', 'since: 2026-11-23T14:00:00Z, or how long ago, such as 24h')
    .option('--until <when>', 'before; written like --from')
}

export function readFilter(flags: FilterFlags, now: number): JobFilter {
  const { state, type, queue, tenant, fingerprint, where, from, until } = flags
  return {
    ...(state ? { states: split(state).map(readState) } : {}),
    ...(type ? { types: split(type) } : {}),
    ...(queue ? { queues: split(queue) } : {}),
    ...(tenant === undefined ? {} : { tenant }),
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(where ? { attributes: readWhere(where) } : {}),
    ...(from === undefined ? {} : { from: readWhen('--from', from, now) }),
    ...(until === undefined ? {} : { until: readWhen('--until', until, now) }),
  }
}

/** A value may hold commas and further equals signs. */
function readWhere(conditions: readonly string[]): Record<string, string> {
  const attributes = new Map<string, string>()
  for (const condition of conditions) {
    const at = condition.indexOf('=')
    if (at < 1)
      throw new UsageError(`--where must be a name, = and a value, such as site=s1, not '${condition}'`)
    const name = condition.slice(0, at)
    const value = condition.slice(at + 1)
    if (attributes.has(name) && attributes.get(name) !== value)
      throw new UsageError(`--where names ${name} twice; a job has one value of each`)
    attributes.set(name, value)
  }
  return Object.fromEntries(attributes)
}

export function split(values: readonly string[]): string[] {
  return values.flatMap(value => value.split(','))
}

function readState(text: string): JobState {
  const state = jobStates.find(known => known === text)
  if (state) return state
  throw new UsageError(`--state must be of ${jobStates.join(', ')}, not '${text}'`)
}

function readWhen(what: string, text: string, now: number): number {
  const at = parseInstant(text)
  if (at !== null) return at
  try {
    return now - parseDuration(text)
  } catch {
    throw new UsageError(
      `${what} must be an instant such as 2026-11-23T14:00:00Z, or how long ago, such as 24h, not '${text}'`,
    )
  }
}
