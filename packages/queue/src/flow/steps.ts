import type { AnyJob, PayloadInput, ResultOutput, Schema } from '../definition.ts'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { EnqueueOptions } from '../enqueue.ts'
import type { Duration } from '../job/duration.ts'
import type { SignalDefinition } from './signal.ts'

export interface StepContext {
  /** The same each time this step of this job is run, and no other's: an idempotency key for other systems. */
  readonly key: string
  readonly signal: AbortSignal
}

export interface WaitForSignalOptions {
  /** How long at most. Then `timeout` is thrown, now and in every later attempt. Default: without limit. */
  timeoutMs?: number
  /** The step's name, where a handler waits for a signal of the same name more than once. Default: the signal's. */
  as?: string
}

export interface EnqueueAndWaitOptions
  extends Pick<EnqueueOptions, 'queue' | 'priority' | 'maxAttempts' | 'tenant' | 'delay' | 'runAt'> {
  /** How long at most. Then `timeout` is thrown; the child goes on. Default: without limit. */
  timeoutMs?: number
}

/**
 * The durable parts of a handler. A handler that is run again, after a failure, a crash or a wait, goes through the same
 * steps in the same order; those that have completed answer from the store and are not run again. Names are unique in
 * their job. What stands between steps runs each time, and must lead to the same steps.
 *
 * `sleep`, `sleepUntil`, `waitForSignal` and `enqueueAndWait` end the attempt, without spending it, and free the worker.
 * The handler is left where it is: nothing after the call runs in that attempt, no `catch` and no `finally` either. It is
 * run again when what it waits for has come, and the call answers then. They can not stand within a step.
 */
export interface Steps {
  /**
   * Runs `work` until it has completed once, and answers its result as it looks after a round trip through JSON. Its
   * record is durable before this resolves. An error ends the attempt and the next one runs the step again; an error that
   * the handler catches stands, and is thrown again at this place by later attempts (as an `Error` of the same name).
   *
   * Throws `invalid-argument` for a name used twice, `invalid-result` for a result that can not be stored (it is not run
   * again: it has happened), `steps-changed` when the handler has other steps than when the job began.
   */
  run<T>(name: string, work: (context: StepContext) => T | Promise<T>): Promise<T>
  sleep(name: string, duration: Duration): Promise<void>
  sleepUntil(name: string, at: Date | number): Promise<void>
  /** Answers what the signal carries. One that came before is there at once. Each is taken by one step. */
  waitForSignal<Payload extends Schema>(
    signal: SignalDefinition<Payload>,
    options?: WaitForSignalOptions,
  ): Promise<StandardSchemaV1.InferOutput<Payload>>
  waitForSignal<T = unknown>(signal: string, options?: WaitForSignalOptions): Promise<T>
  /**
   * Enqueues a job once, as a child in this job's flow, and answers its result. Throws `job-dead` or `job-cancelled` when
   * it ended so. When this job is cancelled while it waits, so is the child.
   */
  enqueueAndWait<Job extends AnyJob>(
    name: string,
    job: Job,
    payload: PayloadInput<Job>,
    options?: EnqueueAndWaitOptions,
  ): Promise<ResultOutput<Job>>
}
