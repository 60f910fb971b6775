import { checkName, checkPriority } from '../definition.ts'
import type { JobFilter, JobRecord } from '../engine/contract.ts'
import { QueueError } from '../engine/errors.ts'
import { checkAttributeFilter } from '../search-attributes.ts'
import { type JobState, jobStates } from '../job/state.ts'

/** What is done to every job that matches. */
export type BulkAction =
  | { do: 'cancel'; reason?: string }
  /** Redrives: the same ids and payloads, attempts counted afresh. */
  | { do: 'retry'; forgetSteps?: boolean }
  | { do: 'remove' }
  /** To another queue. */
  | { do: 'move'; queue: string }
  | { do: 'reprioritise'; priority: number }

export interface BulkTarget {
  /** Must be true for a filter that names nothing. */
  everything?: boolean
}

interface Rule {
  /** The states it can act on. */
  takes: readonly JobState[]
  /** Those that it acts on when the filter names none. */
  usual: readonly JobState[]
}

const rules: Record<BulkAction['do'], Rule> = {
  cancel: { takes: ['queued', 'blocked', 'running'], usual: ['queued', 'blocked', 'running'] },
  retry: { takes: ['completed', 'cancelled', 'dead'], usual: ['dead'] },
  remove: {
    takes: ['queued', 'blocked', 'completed', 'cancelled', 'dead'],
    usual: ['queued', 'blocked', 'completed', 'cancelled', 'dead'],
  },
  move: { takes: ['queued'], usual: ['queued'] },
  reprioritise: { takes: ['queued'], usual: ['queued'] },
}

/** Answers that say that something was done, or asked for. */
export const changes = new Set(['cancelled', 'requested', 'redriven', 'removed', 'changed'])

/** Nothing to do for it. This also keeps a job that the walk meets again, in its new queue, from counting twice. */
export function isThere(action: BulkAction, job: JobRecord): boolean {
  if (action.do === 'move') return job.queue === action.queue
  return action.do === 'reprioritise' && job.priority === action.priority
}

/** The states that the action takes of the filter's. Throws `invalid-argument`. */
export function statesTaken(action: BulkAction, filter: JobFilter, { everything }: BulkTarget): JobState[] {
  const rule = Object.hasOwn(rules, action.do) ? rules[action.do] : undefined
  if (rule === undefined)
    throw new QueueError(
      'invalid-argument',
      `${JSON.stringify(action.do)} is not a bulk action; there are ${Object.keys(rules).join(', ')}`,
    )
  if (action.do === 'move') checkName('queue', action.queue)
  if (action.do === 'reprioritise') checkPriority(action.priority)
  checkAttributeFilter(filter.attributes)
  if (everything !== true && isEmpty(filter))
    throw new QueueError(
      'invalid-argument',
      `the filter names nothing, so ${action.do} would take every job; name something, or say everything: true`,
    )
  const unknown = filter.states?.find(state => !jobStates.includes(state))
  if (unknown !== undefined)
    throw new QueueError('invalid-argument', `${JSON.stringify(unknown)} is not a state of a job`)
  const states = filter.states?.filter(state => rule.takes.includes(state)) ?? [...rule.usual]
  if (states.length === 0)
    throw new QueueError(
      'invalid-argument',
      `${action.do} takes only jobs that are ${rule.takes.join(', ')}, not ${filter.states?.join(', ') || 'none'}`,
    )
  return states
}

/** Attributes that name none are as good as no filter. */
export function isEmpty({ attributes, ...filter }: JobFilter): boolean {
  return (
    Object.keys(attributes ?? {}).length === 0 && Object.values(filter).every(value => value === undefined)
  )
}
