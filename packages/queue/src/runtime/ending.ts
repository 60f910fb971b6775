import type { ClaimedJob } from '../engine/contract.ts'
import { QueueError } from '../engine/errors.ts'
import type { Events } from '../events.ts'
import { describeError } from '../job/attempt-error.ts'
import type { Ending, Outcome } from '../job/decide.ts'
import { type Attempt, Snooze, type StopReason } from './attempt.ts'

const codeOf = {
  timeout: 'timeout',
  cancelled: 'job-cancelled',
  'lease-lost': 'lease-lost',
  shutdown: 'closed',
} as const

/** Why an attempt is stopped, as its signal's reason. */
export function stopError(reason: StopReason, message: string): QueueError {
  return new QueueError(codeOf[reason], message)
}

/** What events say of an attempt. */
export function refOf(job: ClaimedJob, worker: string) {
  const { id, type, queue, tenant, attempt } = job
  return { id, type, queue, tenant, attempt, worker }
}

/** How an attempt that threw has ended. Why it was stopped says more than what it threw then. */
export function endingOf(attempt: Attempt, thrown: unknown): Ending {
  const { stopped } = attempt
  if (stopped?.reason === 'cancelled') return { kind: 'cancelled', reason: stopped.error.message }
  if (stopped?.reason === 'shutdown') return { kind: 'released' }
  if (stopped?.reason === 'timeout' || stopped?.reason === 'lease-lost')
    return { kind: 'threw', thrown: stopped.error, error: describeError(stopped.error) }
  if (attempt.memory?.suspended) return { kind: 'waits', wait: attempt.memory.suspended.wait }
  if (thrown instanceof Snooze) return { kind: 'snoozed', inMs: thrown.inMs, reason: thrown.reason }
  return { kind: 'threw', thrown, error: describeError(thrown) }
}

/**
 * Whether a handler that ended so has got over a step that failed last. One that was cut short has not: the step failed
 * because of that, and is run again.
 */
export function gotOver(ending: Ending): boolean {
  return ending.kind === 'returned' || ending.kind === 'snoozed' || ending.kind === 'waits'
}

/** Tells in this process what became of an attempt. */
export function tell(events: Events, ref: ReturnType<typeof refOf>, outcome: Outcome, ranMs: number): void {
  switch (outcome.kind) {
    case 'complete':
      if (events.heard('completed')) events.emit('completed', { ...ref, ranMs })
      return
    case 'retry':
      return events.emit('retrying', { ...ref, ranMs, inMs: outcome.inMs, error: outcome.error })
    case 'dead':
      return events.emit('dead', { ...ref, ranMs, error: outcome.error })
    case 'snooze':
      return events.emit('snoozed', { ...ref, inMs: outcome.inMs, reason: outcome.reason })
    case 'wait':
      return events.emit('waiting', { ...ref, step: outcome.wait.step.name, on: outcome.wait.step.kind })
    case 'release':
      return events.emit('released', ref)
    case 'cancelled':
      return events.emit('cancelled', {
        id: ref.id,
        type: ref.type,
        queue: ref.queue,
        tenant: ref.tenant,
        reason: outcome.reason,
      })
  }
}
