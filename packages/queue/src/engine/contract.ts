import type { Outcome } from '../job/decide.ts'
import type { JobError } from '../job/error.ts'
import type { RecurrenceRule } from '../job/recurrence-rule.ts'
import type { RetentionRule } from '../job/retention.ts'
import type { JobState } from '../job/state.ts'

/**
 * The contract that every engine keeps. An engine stores jobs and moves them between states; it decides nothing about
 * policy, knows no handler, and never logs. Calls come in batches, each item gets its own answer, and nothing is atomic
 * across items unless a `tx` is given. Every mutation can be repeated after a lost reply without changing anything more.
 *
 * Durations go in as durations; only the user's `runAt` is an instant. The engine's own clock decides what is due and
 * which lease has ended.
 */
export interface Engine {
  readonly capabilities: Capabilities
  /** Opens the store, bringing it to this version's schema unless `migrate` is false. Idempotent. */
  open(options?: { migrate?: boolean }): Promise<void>
  health(): Promise<Health>
  /** Finishes what was handed over, then lets go of the store. Idempotent. */
  close(): Promise<void>

  /** Durable when it resolves; with a `tx`, durable when the caller commits. */
  enqueue(jobs: NewJob[], options?: { tx?: unknown }): Promise<EnqueueAnswer[]>

  /** Takes up to `limit` due jobs of the lanes, lowest priority number first, then in order of arrival. */
  claim(request: ClaimRequest): Promise<ClaimAnswer>
  /** Ends attempts. Refused (`lease-lost`) for a lease that has ended, even if nobody has rescued the job yet. */
  settle(worker: string, settlements: Settlement[]): Promise<SettleAnswer[]>
  /** Extends all of the worker's leases. Registers the worker when it is new. */
  heartbeat(beat: Heartbeat): Promise<HeartbeatAnswer>
  /** Which of these running jobs somebody wants cancelled. A cheap read, asked once a second. */
  cancelRequests(worker: string, leases: Lease[]): Promise<string[]>
  /** Writes progress and log lines of running attempts, fenced like a settle. */
  report(worker: string, reports: Report[]): Promise<('ok' | 'lease-lost')[]>
  /** The worker has settled or released everything: forget it. What it still holds is rescued at once. */
  retire(worker: string): Promise<void>
  /** Ends the leases of workers that stopped beating: back to the queue, or dead. */
  rescue(request: { maxDeaths: number; limit: number }): Promise<RescuedJob[]>
  /**
   * Runs `work` and completes the job in one transaction; on any other answer than `settled`, and when `work` throws,
   * nothing of either is kept. Needs `capabilities.transactions`.
   */
  completeIn(worker: string, lease: Lease, work: (tx: unknown) => Completion): Promise<SettleAnswer>

  cancel(ids: string[], reason: string): Promise<CancelAnswer[]>
  reschedule(changes: Reschedule[]): Promise<('changed' | 'not-queued' | 'not-found')[]>
  redrive(ids: string[]): Promise<('redriven' | 'not-finished' | 'not-found')[]>
  remove(ids: string[]): Promise<('removed' | 'running' | 'not-found')[]>

  configureQueue(queue: string, settings: QueueSettings): Promise<void>
  queues(): Promise<QueueRecord[]>
  workers(): Promise<WorkerRecord[]>

  get(ids: string[]): Promise<(JobRecord | null)[]>
  attempts(id: string): Promise<AttemptRecord[]>
  logs(id: string, options?: { attempt?: number; limit?: number }): Promise<LogRecord[]>
  /** Newest first: live jobs by arrival, then finished ones by when they finished. */
  list(filter: JobFilter, page: { cursor?: string; limit: number }): Promise<JobPage>
  counts(): Promise<Counts>

  putSchedule(schedule: ScheduleSettings): Promise<'created' | 'changed' | 'unchanged'>
  removeSchedule(name: string): Promise<boolean>
  pauseSchedule(name: string, paused: boolean): Promise<boolean>
  /** A schedule whose next instant can't be computed is disabled with the reason, alone. */
  disableSchedule(name: string, reason: string): Promise<void>
  schedules(): Promise<ScheduleRecord[]>
  /** Records a tick, moves the cursor and enqueues the tick's job, all or nothing, once however many schedulers run. */
  fireTick(tick: Tick): Promise<TickAnswer>
  ticks(schedule: string, options: { limit: number }): Promise<TickRecord[]>

  /** Deletes up to `limit` finished jobs that the rules no longer keep. Answers how many, and whether more wait. */
  prune(request: { rules: RetentionRule[]; limit: number }): Promise<{ removed: number; more: boolean }>

  /** Wake-ups. A hint may be lost, late or false: polling is the truth. Returns the way to stop. */
  subscribe(listener: (hint: Hint) => void): () => void
}

export interface Capabilities {
  /** A caller's own transaction, and `complete(tx => …)`. */
  transactions: boolean
  /** Whose clock decides: the machine's, or the database's. */
  clock: 'process' | 'database'
  claimByType: boolean
  attemptHistory: boolean
  retention: 'by-type' | 'by-queue'
  flows: 'transactional' | 'swept' | 'none'
  concurrencyKeys: boolean
  finders: boolean
  /** Whether tests may drive the engine by a virtual clock. */
  virtualTime: boolean
}

export interface Health {
  ok: boolean
  engine: string
  /** `durable`: an acknowledged write survives a power cut. */
  durability: 'durable' | 'relaxed'
  schemaVersion: number
  /** Why `ok` is false, or what a person should know. */
  notes: string[]
}

export interface NewJob {
  /** UUIDv7, made by the caller: repeating an enqueue with the same id changes nothing. */
  id: string
  type: string
  queue: string
  /** '' when the job belongs to nobody in particular. */
  tenant: string
  priority: number
  payloadJson: string
  /** Wait before the job is due. Ignored when `runAt` is given. */
  delayMs: number
  runAt: number | null
  maxAttempts: number
  idempotency: { key: string; bodyHash: string } | null
}

export type EnqueueAnswer =
  | { outcome: 'enqueued'; id: string }
  | { outcome: 'duplicate'; id: string }
  | { outcome: 'idempotency-conflict'; id: string }
  | { outcome: 'queue-full'; queued: number; limit: number }

export interface Lane {
  queue: string
  types: string[]
}

export interface ClaimRequest {
  worker: string
  lanes: Lane[]
  limit: number
  leaseMs: number
}

/** The right to end one attempt. A plain value: `(id, epoch)` fences on SQL engines, `token` where the engine needs it. */
export interface Lease {
  id: string
  epoch: number
  /** Opaque; only the engine that made it reads it. */
  token: string
}

export interface ClaimedJob extends Lease {
  type: string
  queue: string
  tenant: string
  priority: number
  payloadJson: string
  /** The first attempt is 1. */
  attempt: number
  maxAttempts: number
  /** How often this job's worker died under it. */
  deaths: number
  createdAt: number
  runAt: number
}

export interface ClaimAnswer {
  jobs: ClaimedJob[]
  /** Milliseconds until the next job of these lanes falls due; null when none waits. */
  nextDueInMs: number | null
}

export interface Settlement {
  lease: Lease
  outcome: Outcome
  /** How long the handler ran. The engine reckons `startedAt` from it, so a worker's clock does not matter. */
  ranMs: number
}

export interface Completion {
  resultJson: string | null
  ranMs: number
}

/** `already-settled`: this very lease has ended the job before, so a repeated call is safe. */
export type SettleAnswer = 'settled' | 'already-settled' | 'lease-lost' | 'gone'

export interface Heartbeat {
  worker: string
  /** What people see: host, process id. */
  label: string
  leases: Lease[]
  leaseMs: number
}

export interface HeartbeatAnswer {
  /** Ids whose lease has ended or was taken. */
  lost: string[]
  cancelRequested: string[]
  serverNow: number
}

export interface Report {
  lease: Lease
  progress?: Progress
  logLines?: LogLine[]
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

export interface RescuedJob {
  id: string
  type: string
  queue: string
  worker: string
  attempt: number
  deaths: number
  now: 'queued' | 'dead' | 'cancelled'
}

export type CancelAnswer = 'cancelled' | 'requested' | 'already-finished' | 'not-found'

export interface Reschedule {
  id: string
  runAt?: number
  priority?: number
}

export interface QueueSettings {
  paused?: boolean
  /** Enqueue answers `queue-full` above this many queued jobs; null lifts the bound. */
  maxQueued?: number | null
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
}

export interface AttemptRecord {
  attempt: number
  epoch: number
  worker: string | null
  startedAt: number | null
  endedAt: number | null
  outcome: 'running' | 'completed' | 'failed' | 'snoozed' | 'cancelled' | 'worker-lost'
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

export type MisfirePolicy = { kind: 'skip' } | { kind: 'fire-once' } | { kind: 'catch-up'; max: number }
/** `skip`: a tick is skipped while the job of the tick before it is not finished. */
export type OverlapPolicy = 'allow' | 'skip'

export interface ScheduleSettings {
  name: string
  rule: RecurrenceRule
  misfire: MisfirePolicy
  overlap: OverlapPolicy
  job: {
    type: string
    queue: string
    tenant: string
    priority: number
    maxAttempts: number
    payloadJson: string
  }
  /** The first instant to fire, computed by the caller from the rule. Used when new, or when the rule has changed. */
  firstAt: number
}

export interface ScheduleRecord extends Omit<ScheduleSettings, 'firstAt'> {
  /** The last instant that was dealt with; null before the first. */
  cursorAt: number | null
  nextAt: number
  paused: boolean
  disabledReason: string | null
  lastJobId: string | null
  createdAt: number
}

export interface Tick {
  schedule: string
  scheduledAt: number
  /** The `nextAt` that the caller computed from; a scheduler that was overtaken changes nothing. */
  expectedNextAt: number
  nextAt: number
  outcome: 'fire' | 'skip' | 'coalesce'
  job: NewJob | null
}

/** `skipped-overlap`: recorded, but the job of the tick before still lives. */
export type TickAnswer = 'recorded' | 'skipped-overlap' | 'already' | 'cursor-moved'

export interface TickRecord {
  schedule: string
  scheduledAt: number
  outcome: 'fired' | 'skipped' | 'coalesced' | 'skipped-overlap'
  jobId: string | null
  recordedAt: number
}

export type Hint =
  /** Jobs may be ready. */
  | { kind: 'ready'; queue: string | null }
  /** Somebody asked to cancel running jobs. */
  | { kind: 'cancel' }
  /** Jobs may have finished. `ids` is null when another process did it. */
  | { kind: 'settled'; ids: ReadonlySet<string> | null }
