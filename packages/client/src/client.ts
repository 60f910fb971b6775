import type { Calls, Items } from './contract/calls.ts'
import type { EnqueueBatchRequest, EnqueueBatchResult } from './contract/schemas.ts'
import type { EventOptions, MillraceEvent } from './events.ts'
import type { AnyJobs, BatchItem, EnqueueBody, EnqueuedJob, JobType, ResultOf } from './jobs.ts'
import type { CallOptions } from './options.ts'
import type { WaitOptions } from './wait-for-result.ts'

type Id = keyof Calls

/** The argument of an operation; it can be left out where nothing in it must be there. */
type Arguments<Of extends Id> = object extends Calls[Of]['takes']
  ? [call?: Calls[Of]['takes'] & CallOptions]
  : [call: Calls[Of]['takes'] & CallOptions]

type Replies<Of extends Id> = Calls[Of]['replies']

/** An answer as it came: what it is tells its status. */
export type Reply<Of extends Id> = {
  [Status in keyof Replies<Of>]: { status: Status; body: Replies<Of>[Status]; headers: Headers }
}[keyof Replies<Of>]

/** Each operation, answering the body. */
export type Methods = {
  [Of in Id]: (...call: Arguments<Of>) => Promise<Replies<Of>[keyof Replies<Of>]>
}

/** Each operation, answering status, body and headers. */
export type ReplyMethods = {
  [Of in Id]: (...call: Arguments<Of>) => Promise<Reply<Of>>
}

/** Each list, item by item over all of its pages. */
export type ItemMethods = {
  [Of in keyof Items]: (...call: Arguments<Of>) => AsyncGenerator<Items[Of], void, void>
}

/** What knows of the application's own jobs. */
export interface JobMethods<Jobs> {
  /**
   * Enqueues a job; durable when it answers. With an `idempotencyKey` it is tried again where no answer came, and enqueues
   * nothing more. `POST /api/v1/jobs`. Throws invalid-payload with the faults' paths, unknown-type, payload-too-large,
   * idempotency-conflict, queue-full, and what every call does.
   */
  enqueueJob<const Type extends JobType<Jobs>>(
    call: Omit<Calls['enqueueJob']['takes'], 'body'> & { body: EnqueueBody<Jobs, Type> } & CallOptions,
  ): Promise<EnqueuedJob<ResultOf<Jobs, Type>>>
  /**
   * Enqueues up to 1,000 jobs, each with its own answer, in their order. It is tried again where no answer came if each has an
   * `idempotencyKey`. `POST /api/v1/jobs/batch`.
   */
  enqueueJobs(
    call: {
      body: Omit<EnqueueBatchRequest, 'jobs'> & { jobs: readonly BatchItem<Jobs>[] }
    } & CallOptions,
  ): Promise<EnqueueBatchResult>
  /**
   * Waits until a job has finished, and answers its result; of what `enqueueJob` has answered, the result's type is known.
   * Throws job-dead (its `cause` is the job's error), job-cancelled, not-found, and timed-out when the time is up.
   */
  waitForResult<Result = unknown>(job: string | EnqueuedJob<Result>, options?: WaitOptions): Promise<Result>
}

/** The HTTP API as typed calls. */
export type Client<Jobs = AnyJobs> = Omit<Methods, 'enqueueJob' | 'enqueueJobs'> &
  JobMethods<Jobs> & {
    /** The same operations, with status and headers: what a body is follows from its status. */
    readonly replies: ReplyMethods
    /** `for await (const job of client.each.listJobs({ query }))`: a page at a time is asked for, when it is needed. */
    readonly each: ItemMethods
    /** Events as they happen, through lost connections. Ends when the loop is left; the signal's reason is thrown. */
    events(options?: EventOptions): AsyncGenerator<MillraceEvent, void, void>
  }
