import type { AnyJob, PayloadInput, PayloadOutput, ResultInput, ResultOutput } from './definition.ts'
import type { FailurePolicy } from './engine/flow.ts'
import type { EnqueueOptions, JobId } from './enqueue.ts'
import type { Dependencies } from './flow/dependencies.ts'
import type { Steps } from './flow/steps.ts'

/** The job that a handler works on. */
export interface RunningJob {
  readonly id: string
  readonly type: string
  readonly queue: string
  readonly tenant: string
  readonly priority: number
  /** The first attempt is 1. */
  readonly attempt: number
  readonly maxAttempts: number
  /** Rises with each claim. Send it along with writes to other systems, so that they can refuse a stale one. */
  readonly epoch: number
  readonly createdAt: number
}

/** Writes a structured line into the attempt's log. At most 1,000 lines an attempt are kept. */
export interface AttemptLog {
  debug(message: string, data?: unknown): void
  info(message: string, data?: unknown): void
  warn(message: string, data?: unknown): void
  error(message: string, data?: unknown): void
}

export interface ChildOptions
  extends Pick<EnqueueOptions, 'queue' | 'priority' | 'maxAttempts' | 'tenant' | 'delay' | 'runAt'> {
  /** Ids of jobs of this flow that have to end first: this job's own, or what `add` has answered. Default: none. */
  after?: string | readonly string[]
  /** Default `fail`. */
  onFailure?: FailurePolicy
}

/** The flow that a job belongs to. */
export interface FlowContext {
  /** Null while it belongs to none. */
  readonly id: string | null
  /**
   * Adds a job to the flow, which is made where there is none. What waits for this job waits for the new one too. A name
   * that the flow has already, of the same type, answers the job that is there: an attempt may repeat what the one before
   * has done. Throws `conflict`, `queue-full` or `lease-lost`.
   */
  add<Job extends AnyJob>(
    name: string,
    job: Job,
    payload: PayloadInput<Job>,
    options?: ChildOptions,
  ): Promise<JobId<ResultOutput<Job>>>
}

/** What a handler works with. */
export interface HandlerContext<Payload = unknown, Result = unknown> {
  readonly payload: Payload
  readonly job: RunningJob
  /** Fires on timeout, cancel, shutdown's deadline, and before the lease ends. Its reason is a `QueueError`. */
  readonly signal: AbortSignal
  readonly log: AttemptLog
  /** Parts of the handler that are run once, however often it is; and waiting without holding the worker. */
  readonly step: Steps
  readonly flow: FlowContext
  /** What the jobs that this one waited for have left. */
  readonly dependencies: Dependencies
  /** Percent from 0 to 100. Calls are gathered: the last of a short while is written. */
  progress(percent: number, message?: string, data?: unknown): void
  /** Ends this attempt and runs the job again after `inMs`, without spending the attempt: `return snooze(…)`. */
  snooze(inMs: number, reason?: string): never
  /**
   * Commits the handler's own writes and the job's completion together (SQL engines). `work` gets the engine's
   * transaction handle: on SQLite a `DatabaseSync`, and `work` must not wait; on Postgres the `pg` client that the
   * transaction is open on. A lost lease rolls both back and throws `lease-lost`.
   */
  complete(work: (tx: unknown) => Result | Promise<Result>): Promise<Result>
}

export type HandlerFunction<Payload, Result> = (
  context: HandlerContext<Payload, Result>,
) => Result | Promise<Result>

/** A definition with the function that does its work. */
export interface Handler {
  readonly job: AnyJob
  readonly run: HandlerFunction<unknown, unknown>
}

/** Binds a function to a definition. The payload's and result's types follow from the definition. */
export function handle<Job extends AnyJob>(
  job: Job,
  run: HandlerFunction<PayloadOutput<Job>, ResultInput<Job>>,
): Handler {
  return { job, run: run as HandlerFunction<unknown, unknown> }
}
