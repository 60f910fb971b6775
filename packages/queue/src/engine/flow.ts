import type { JobError } from '../job/error.ts'
import type { JobState } from '../job/state.ts'
import type { NewJob } from './contract.ts'

/**
 * Flows, as engines keep them: jobs that wait for others. Every job belongs to at most one flow, and every edge stays
 * within it, so whoever changes a flow's jobs together locks the flow first and then its jobs.
 *
 * A job that waits for others is `blocked`. Its `waits` is the number of its dependencies that have not ended; the end
 * of each counts it down, and at 0 the job is queued (or scheduled, when its `runAt` lies ahead). That costs the same
 * whatever the flow's size. When a job ends otherwise than by completing:
 *
 * - `cancelled`, by whomever: the jobs that depend on it are skipped;
 * - `dead` with the policy `continue`: they run all the same;
 * - `dead` with `skip`: they are skipped, and the rest of the flow goes on;
 * - `dead` with `fail`: the flow has failed. Its waiting jobs are skipped, its running ones are asked to stop.
 *
 * *Skipped* is `cancelled` with a reason that says which job it was for, and is passed on to what depends on it.
 * A job that waits for a child of its own (`wait` of the kind `job`) is different: it goes on however the child ended, and
 * when it ends before the child, by a cancel, the child is cancelled too, as skipped.
 *
 * All of this happens in the transaction that ends the job (`capabilities.flows: 'transactional'`).
 */
export type FailurePolicy = 'fail' | 'skip' | 'continue'

export interface NewNode {
  /** Unique in its flow. */
  name: string
  /** Without an idempotency key: in a flow the name is the key. */
  job: NewJob
  /** Ids of jobs of the same flow. */
  after: string[]
  onFailure: FailurePolicy
}

export interface NewFlow {
  /** UUIDv7, made by the caller: repeating an enqueue with the same id changes nothing. */
  id: string
  name: string
  tenant: string
  idempotency: { key: string; bodyHash: string } | null
  /** At least one. The caller has checked that names are unique and that there is no cycle. */
  nodes: NewNode[]
}

/** All of it, or nothing. */
export type EnqueueFlowAnswer =
  | { outcome: 'enqueued'; id: string }
  | { outcome: 'duplicate'; id: string }
  | { outcome: 'idempotency-conflict'; id: string }
  | { outcome: 'queue-full'; queue: string; queued: number; limit: number }

/**
 * What became of jobs that a running job adds to its flow: all of them, or nothing.
 *
 * `enqueued`: `ids[i]` is the i-th node's job; one whose name the flow has already is that earlier job when its type is
 * the same, whoever added it, so an attempt may repeat what the one before did. `name-taken`: it is of another type.
 * `unknown`: an `after` names no job of this flow, or one that itself waits for the job that adds (a cycle).
 */
export type ExtendAnswer =
  | { outcome: 'enqueued'; flow: string; ids: string[] }
  | { outcome: 'lease-lost' }
  | { outcome: 'name-taken'; name: string }
  | { outcome: 'unknown'; id: string }
  | { outcome: 'queue-full'; queue: string; queued: number; limit: number }
  /** The flow has failed or was cancelled. */
  | { outcome: 'over' }

export const flowStates = ['running', 'completed', 'failed', 'cancelled'] as const
/** `failed`: a job died under the policy `fail`. `cancelled`: a person, or a handler, cancelled one that then ended so. */
export type FlowState = (typeof flowStates)[number]

export interface FlowRecord {
  id: string
  name: string
  tenant: string
  /** `running` until every job has ended; then the worst of what happened. */
  state: FlowState
  total: number
  completed: number
  /** Skipped ones included. */
  cancelled: number
  dead: number
  createdAt: number
  /** When its last job ended. */
  finishedAt: number | null
  cancelReason: string | null
}

export interface FlowNodeRecord {
  id: string
  name: string
  type: string
  queue: string
  state: JobState
  onFailure: FailurePolicy
  /** Ended because of another's end, not for its own sake. */
  skipped: boolean
  attempt: number
  /** How many of those that it waits for have not ended. */
  waits: number
  after: string[]
  createdAt: number
  startedAt: number | null
  finishedAt: number | null
}

export interface FlowFilter {
  states?: FlowState[]
  name?: string
  tenant?: string
}

/** One of the jobs that a job waited for. */
export interface DependencyRecord {
  id: string
  name: string
  type: string
  state: JobState
  resultJson: string | null
  lastError: JobError | null
}
