import type { AnyJob, PayloadOutput, ResultInput } from './definition.ts'

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

/** What a handler works with. */
export interface HandlerContext<Payload = unknown, Result = unknown> {
  readonly payload: Payload
  readonly job: RunningJob
  /** Fires on timeout, cancel, shutdown's deadline, and before the lease ends. Its reason is a `QueueError`. */
  readonly signal: AbortSignal
  readonly log: AttemptLog
  /** Percent from 0 to 100. Calls are gathered: the last of a short while is written. */
  progress(percent: number, message?: string, data?: unknown): void
  /** Ends this attempt and runs the job again after `inMs`, without spending the attempt: `return snooze(…)`. */
  snooze(inMs: number, reason?: string): never
  /**
   * Commits the handler's own writes and the job's completion together (SQL engines). `work` gets the engine's
   * transaction handle; on SQLite it must not wait. A lost lease rolls both back and throws `lease-lost`.
   */
  complete(work: (tx: unknown) => Result): Promise<Result>
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
