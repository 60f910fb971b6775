import type { EnqueueBatchItem, EnqueueRequest, Enqueued } from './contract/schemas.ts'

/** What is read of a Standard Schema: its types. So nothing needs to be imported for it. */
interface SchemaLike {
  readonly '~standard': {
    readonly types?: { readonly input: unknown; readonly output: unknown } | undefined
  }
}

/** What is read of a job's definition, such as `defineJob` of millrace makes it. */
export interface JobLike {
  readonly type: string
  readonly payload: SchemaLike
  readonly result?: SchemaLike | undefined
}

/** Any type, with any payload: what a client knows that is made without definitions. */
export interface AnyJobs {
  any: JobLike
}

/** The definitions in an object, a module or a list; what else is in there is left out. */
type JobIn<Jobs> = Extract<Jobs extends readonly (infer Job)[] ? Job : Jobs[keyof Jobs], JobLike>

export type JobType<Jobs> = JobIn<Jobs>['type']

/** The definitions that a type can be of: one, or any where any type will do. */
type Of<Jobs, Type> = CanBe<JobIn<Jobs>, Type>
type CanBe<Job, Type> = Job extends JobLike ? (Type extends Job['type'] ? Job : never) : never
type Input<Schema> = Schema extends { readonly '~standard': { readonly types?: infer Types } }
  ? NonNullable<Types> extends { readonly input: infer In }
    ? In
    : unknown
  : unknown
type Output<Schema> = Schema extends { readonly '~standard': { readonly types?: infer Types } }
  ? NonNullable<Types> extends { readonly output: infer Out }
    ? Out
    : unknown
  : unknown

export type PayloadOf<Jobs, Type> = Input<Of<Jobs, Type>['payload']>
export type ResultOf<Jobs, Type> = Output<NonNullable<Of<Jobs, Type>['result']>>

/** The body of `enqueueJob` for a job of that type. */
export type EnqueueBody<Jobs, Type> = Omit<EnqueueRequest, 'type' | 'payload'> & {
  type: Type
  payload: PayloadOf<Jobs, Type>
}

/** One of the jobs of `enqueueJobs`. */
export type BatchItem<Jobs> = {
  [Type in JobType<Jobs>]: Omit<EnqueueBatchItem, 'type' | 'payload'> & {
    type: Type
    payload: PayloadOf<Jobs, Type>
  }
}[JobType<Jobs>]

declare const result: unique symbol

/** An enqueued job; `waitForResult` knows from it what the job's result is. */
export type EnqueuedJob<Result> = Enqueued & { readonly [result]?: Result }
