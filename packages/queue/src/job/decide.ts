import { backoffMs, type Backoff, boundedWaitMs } from './backoff.ts'
import type { JobError } from './error.ts'
import type { Wait } from './wait.ts'

/** Thrown by a handler: another attempt can't help. The job is dead at once. */
export class NonRetryableError extends Error {
  override name = 'NonRetryableError'
}

/** Thrown by a handler: try again, but not before `retryAfterMs`. Spends an attempt like any failure. */
export class RetryAfterError extends Error {
  override name = 'RetryAfterError'
  readonly retryAfterMs: number
  constructor(retryAfterMs: number, message = 'retry later', options?: ErrorOptions) {
    super(message, options)
    this.retryAfterMs = retryAfterMs
  }
}

/** How one attempt ended, before anybody decides what follows from it. */
export type Ending =
  | { kind: 'returned'; resultJson: string | null }
  | { kind: 'threw'; thrown: unknown; error: JobError }
  | { kind: 'snoozed'; inMs: number; reason: string }
  | { kind: 'waits'; wait: Wait }
  | { kind: 'cancelled'; reason: string }
  | { kind: 'released' }

/** What an engine is told to do with the job when an attempt has ended. */
export type Outcome =
  | { kind: 'complete'; resultJson: string | null }
  | { kind: 'retry'; inMs: number; error: JobError }
  | { kind: 'dead'; error: JobError }
  | { kind: 'snooze'; inMs: number; reason: string }
  /** Frees the worker until what the step waits for has come. Costs no attempt. */
  | { kind: 'wait'; wait: Wait }
  /** Given back untouched: a shutdown, a buffer that was not needed. Costs no attempt. */
  | { kind: 'release' }
  | { kind: 'cancelled'; reason: string }

/** What follows from an attempt's end. Pure. */
export function decide(
  ending: Ending,
  policy: { attempt: number; maxAttempts: number; backoff: Backoff; random: number },
): Outcome {
  switch (ending.kind) {
    case 'returned':
      return { kind: 'complete', resultJson: ending.resultJson }
    case 'snoozed':
      return { kind: 'snooze', inMs: boundedWaitMs(ending.inMs), reason: ending.reason }
    case 'waits':
      return { kind: 'wait', wait: ending.wait }
    case 'cancelled':
      return { kind: 'cancelled', reason: ending.reason }
    case 'released':
      return { kind: 'release' }
    case 'threw': {
      const { thrown, error } = ending
      if (thrown instanceof NonRetryableError || policy.attempt >= policy.maxAttempts)
        return { kind: 'dead', error }
      const inMs =
        thrown instanceof RetryAfterError && thrown.retryAfterMs >= 0
          ? boundedWaitMs(thrown.retryAfterMs)
          : backoffMs(policy.backoff, policy.attempt, thrown, policy.random)
      return { kind: 'retry', inMs, error }
    }
  }
}
