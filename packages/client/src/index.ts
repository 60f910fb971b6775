export type { Client, ItemMethods, JobMethods, Methods, Reply, ReplyMethods } from './client.ts'
export type { Calls, EventQuery, Items } from './contract/calls.ts'
export type * from './contract/schemas.ts'
export { createClient } from './create-client.ts'
export type { EventOptions, MillraceEvent } from './events.ts'
export type { AnyJobs, EnqueuedJob, JobLike } from './jobs.ts'
export type { CallOptions, ClientOptions, Secret } from './options.ts'
export {
  type ClientCode,
  type Fault,
  isMillraceProblem,
  MillraceProblem,
  type ProblemCode,
} from './problem.ts'
export type { WaitOptions } from './wait-for-result.ts'
