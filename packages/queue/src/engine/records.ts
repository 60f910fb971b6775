import type { JobError } from '../job/error.ts'
import type { JobState } from '../job/state.ts'

// What a store tells of what it holds. Instants are epoch milliseconds.

export interface Lane {
  queue: string
  types: string[]
}

export interface Progress {
  /** 0 to 100. */
  percent: number
  message: string | null
  dataJson: string | null
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface LogLine {
  level: LogLevel
  message: string
  dataJson: string | null
  at: number
}

export interface QueueRecord {
  queue: string
  paused: boolean
  maxQueued: number | null
}

export interface WorkerRecord {
  worker: string
  label: string
  startedAt: number
  beatAt: number
  expiresAt: number
  /** Null when the worker has not said. */
  lanes: Lane[] | null
}

export interface JobRecord {
  id: string
  type: string
  queue: string
  tenant: string
  state: JobState
  priority: number
  payloadJson: string
  resultJson: string | null
  attempt: number
  maxAttempts: number
  epoch: number
  deaths: number
  redrives: number
  createdAt: number
  runAt: number
  startedAt: number | null
  finishedAt: number | null
  /** The worker that holds it, or that ended it. */
  worker: string | null
  leaseExpiresAt: number | null
  idempotencyKey: string | null
  cancelReason: string | null
  lastError: JobError | null
  progress: Progress | null
  flow: string | null
  /** The job that this one was redriven from with another payload. */
  origin: string | null
  attributes: Record<string, string>
}

export interface AttemptRecord {
  attempt: number
  epoch: number
  worker: string | null
  startedAt: number | null
  endedAt: number | null
  /** `waited`: it ended in a step that sleeps, or waits for a signal or a job. */
  outcome: 'running' | 'completed' | 'failed' | 'snoozed' | 'waited' | 'cancelled' | 'worker-lost'
  error: JobError | null
}

export interface LogRecord extends LogLine {
  attempt: number
  epoch: number
}

export interface JobFilter {
  states?: JobState[]
  types?: string[]
  queues?: string[]
  tenant?: string
  /** Of the last error. */
  fingerprint?: string
  /** Each of these attributes, with this very value. None: no matter which. */
  attributes?: Record<string, string>
  /** Bounds on when the job was created (live) or finished (finished); milliseconds, inclusive and exclusive. */
  from?: number
  until?: number
}

export interface JobPage {
  jobs: JobRecord[]
  /** Hand it back for the next page; null on the last. Opaque. */
  cursor: string | null
}

/** Jobs by what a worker would do with them. `queued` is the sum of the first two. */
export interface StateCounts {
  ready: number
  delayed: number
  blocked: number
  running: number
  completed: number
  cancelled: number
  dead: number
}

export interface Counts {
  total: StateCounts
  byType: Record<string, StateCounts>
  byQueue: Record<string, StateCounts>
  /** Of the last 24 hours, to the resolution that the engine keeps. */
  last24h: { completed: number; failedAttempts: number; dead: number; cancelled: number }
}
