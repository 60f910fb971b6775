import type { Outcome } from '../job/decide.ts'
import type { RetentionRule } from '../job/retention.ts'
import type { AuditStore } from './audit.ts'
import type { FeedStore } from './feed.ts'
import type {
  DependencyRecord,
  EnqueueFlowAnswer,
  ExtendAnswer,
  FlowFilter,
  FlowNodeRecord,
  FlowRecord,
  NewFlow,
  NewNode,
} from './flow.ts'
import type { Hint } from './hint.ts'
import type {
  AttemptRecord,
  Counts,
  JobFilter,
  JobPage,
  JobRecord,
  Lane,
  LogLine,
  LogRecord,
  Progress,
  QueueRecord,
  WorkerRecord,
} from './records.ts'
import type { SeriesStore } from './series.ts'
import type { NewSignal, SignalAnswer, SignalRecord, StepRecord, StepWrite } from './step.ts'
import type {
  PutScheduleAnswer,
  ScheduleRecord,
  ScheduleSettings,
  Tick,
  TickAnswer,
  TickRecord,
} from './schedule.ts'

export type * from './records.ts'
export type * from './schedule.ts'

export type { Hint }

/**
 * The contract that every engine keeps. An engine stores jobs and moves them between states; it decides nothing about
 * policy, knows no handler, and never logs. Calls come in batches, each item gets its own answer, and nothing is atomic
 * across items unless a `tx` is given. Every mutation can be repeated after a lost reply without changing anything more.
 *
 * Durations go in as durations; only the user's `runAt` is an instant. The engine's own clock decides what is due and
 * which lease has ended.
 */
export interface Engine extends FeedStore, SeriesStore, AuditStore {
  readonly capabilities: Capabilities
  /** Opens the store, bringing it to this version's schema unless `migrate` is false. Idempotent. */
  open(options?: { migrate?: boolean }): Promise<void>
  health(): Promise<Health>
  /** Finishes what was handed over, then lets go of the store. Idempotent. */
  close(): Promise<void>

  /** Durable when it resolves; with a `tx`, durable when the caller commits. */
  enqueue(jobs: NewJob[], options?: { tx?: unknown }): Promise<EnqueueAnswer[]>

  /**
   * Takes up to `limit` due jobs of the lanes, lowest priority number first, then in order of arrival. Where a job stands
   * that had to wait for its time, or came back, is the engine's choice, but never behind one that arrived after it fell
   * due.
   */
  claim(request: ClaimRequest): Promise<ClaimAnswer>
  /**
   * Ends attempts. Refused (`lease-lost`) for a lease that has ended, even if nobody has rescued the job yet.
   *
   * A `wait` stores its step as `waiting` and frees the worker; the attempt is not spent. The job is `queued` with its
   * `runAt` at the time when it stops waiting, or `blocked` when it waits without limit; it is queued for now when the
   * signal is there already (one of its name that no step has taken), when a signal of that name comes, or when the child
   * has ended, however it ended. A cancel that was asked for meanwhile is obeyed instead.
   */
  settle(worker: string, settlements: Settlement[]): Promise<SettleAnswer[]>
  /** Extends all of the worker's leases. Registers the worker when it is new. */
  heartbeat(beat: Heartbeat): Promise<HeartbeatAnswer>
  /** Which of these running jobs somebody wants cancelled. A cheap read, asked once a second. */
  cancelRequests(worker: string, leases: Lease[]): Promise<string[]>
  /** Writes progress, log lines and steps of running attempts, fenced like a settle. Durable when it resolves. */
  report(worker: string, reports: Report[]): Promise<('ok' | 'lease-lost')[]>
  /** The worker has settled or released everything: forget it. What it still holds is rescued at once. */
  retire(worker: string): Promise<void>
  /** Ends the leases of workers that stopped beating: back to the queue, or dead. */
  rescue(request: { maxDeaths: number; limit: number }): Promise<RescuedJob[]>
  /**
   * Runs `work` and completes the job in one transaction; on any other answer than `settled`, and when `work` throws,
   * nothing of either is kept. Needs `capabilities.transactions`. Only where the database is asked over a network may
   * `work` wait for something.
   */
  completeIn(
    worker: string,
    lease: Lease,
    work: (tx: unknown) => Completion | Promise<Completion>,
  ): Promise<SettleAnswer>

  cancel(ids: string[], reason: string): Promise<CancelAnswer[]>
  reschedule(changes: Reschedule[]): Promise<('changed' | 'not-queued' | 'not-found')[]>
  /**
   * Finished jobs back to the queue: same id and payload, attempts and deaths counted afresh. The steps of a job that was
   * dead or cancelled stand, unless `forgetSteps`; those of a completed one are forgotten. Signals not taken stay.
   *
   * In a flow, the jobs that were skipped come back too, as far as nothing bad is left above them: all skipped jobs of
   * the flow but those that depend, directly or through other skipped ones, on a job that is cancelled, or dead without
   * `continue`, and is not itself coming back; and the child of a cancelled job stays with it. One that was skipped before
   * it had begun keeps a `runAt` that lies ahead; all others are due at once. A job that comes back is blocked by those of
   * its dependencies that have not ended, these included, and runs all the same when they ended badly; jobs that are
   * blocked by dependencies wait anew for one that comes back. The flow runs again, and is no longer cancelled.
   */
  redrive(
    ids: string[],
    options?: { forgetSteps?: boolean },
  ): Promise<('redriven' | 'not-finished' | 'not-found')[]>
  /** `in-flow`: it belongs to a flow that has not finished. */
  remove(ids: string[]): Promise<('removed' | 'running' | 'in-flow' | 'not-found')[]>

  /** Stores a flow, its jobs and their edges, all or nothing. Jobs that wait for nothing are queued at once. */
  enqueueFlow(flow: NewFlow, options?: { tx?: unknown }): Promise<EnqueueFlowAnswer>
  /**
   * Adds jobs to the flow of a running job (made, with the job's own id and type as id and name, where there is none).
   * What depends on that job waits for the new ones as well.
   */
  extendFlow(worker: string, lease: Lease, nodes: NewNode[]): Promise<ExtendAnswer>
  flow(id: string): Promise<FlowRecord | null>
  /** A page of the flow's jobs, in the order in which they were added. */
  flowNodes(
    id: string,
    page: { cursor?: string; limit: number },
  ): Promise<{ nodes: FlowNodeRecord[]; cursor: string | null }>
  /** Newest first. */
  flows(
    filter: FlowFilter,
    page: { cursor?: string; limit: number },
  ): Promise<{ flows: FlowRecord[]; cursor: string | null }>
  /** Cancels all that waits, and asks what runs to stop (`requested`). */
  cancelFlow(id: string, reason: string): Promise<CancelAnswer>
  /** Redrives all its dead and cancelled jobs together. `not-finished`: there is none. */
  redriveFlow(id: string): Promise<'redriven' | 'not-finished' | 'not-found'>
  /** What a job waited for, in the order in which it was added, with results. Not those of `enqueueAndWait`. */
  dependencies(id: string): Promise<DependencyRecord[]>

  /** By ordinal. */
  steps(id: string): Promise<StepRecord[]>
  /** Wakes the job when it waits for a signal of this name. */
  signal(signal: NewSignal): Promise<SignalAnswer>
  /** Those that no step has taken, the oldest first. */
  signals(id: string): Promise<SignalRecord[]>
  /** The job that an idempotency key stands for. */
  findByKey(tenant: string, key: string): Promise<string | null>

  configureQueue(queue: string, settings: QueueSettings): Promise<void>
  queues(): Promise<QueueRecord[]>
  workers(): Promise<WorkerRecord[]>

  get(ids: string[]): Promise<(JobRecord | null)[]>
  attempts(id: string): Promise<AttemptRecord[]>
  logs(id: string, options?: { attempt?: number; limit?: number }): Promise<LogRecord[]>
  /** Newest first: live jobs by arrival, then finished ones by their end; with `attributes`, by id. A page may be short. */
  list(filter: JobFilter, page: { cursor?: string; limit: number }): Promise<JobPage>
  counts(): Promise<Counts>
  /** When the next job that waits for its time falls due, in whatever queue; null when none does. May lie in the past. */
  nextDueAt(): Promise<number | null>

  /** With `within`, only a schedule whose jobs are of that tenant is changed, in one step with the look at it; else `taken`. */
  putSchedule(schedule: ScheduleSettings, within?: string): Promise<PutScheduleAnswer>
  /** With `within`, a schedule of another tenant is as good as absent. */
  removeSchedule(name: string, within?: string): Promise<boolean>
  pauseSchedule(name: string, paused: boolean, within?: string): Promise<boolean>
  /** A schedule whose next instant can't be computed is disabled with the reason, alone. */
  disableSchedule(name: string, reason: string): Promise<void>
  schedules(): Promise<ScheduleRecord[]>
  /** Records a tick, moves the cursor and enqueues the tick's job, all or nothing, once however many schedulers run. */
  fireTick(tick: Tick): Promise<TickAnswer>
  ticks(schedule: string, options: { limit: number }): Promise<TickRecord[]>

  /**
   * Deletes up to `limit` finished jobs that the rules no longer keep, and as much of the feed, the series and the audit log.
   * Answers how many jobs, and whether more waits.
   */
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
  /** The job that this one was redriven from with another payload. */
  origin?: string | null
  /** What it can be found by, name and value; stored with the job, and gone with it. A duplicate stores none. */
  attributes?: Record<string, string>
}

export type EnqueueAnswer =
  | { outcome: 'enqueued'; id: string }
  | { outcome: 'duplicate'; id: string }
  | { outcome: 'idempotency-conflict'; id: string }
  | { outcome: 'queue-full'; queued: number; limit: number }

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
  /** Which flow the job belongs to, as far as its worker knows. Saves the engine a look; the engine's own word counts. */
  flow?: string | null
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
  flow: string | null
}

export interface ClaimAnswer {
  jobs: ClaimedJob[]
  /** Milliseconds until the next job of these lanes falls due; null when none waits, or none that is due within a minute. */
  nextDueInMs: number | null
}

export interface Settlement {
  lease: Lease
  outcome: Outcome
  /** How long the handler ran. The engine reckons `startedAt` from it, so a worker's clock does not matter. */
  ranMs: number
  /**
   * For a `wait` of the kind `job`: the job that is waited for. Stored with the policy `continue` in the waiting job's
   * flow (made as by `extendFlow` where there is none), in the transaction that ends the attempt. Its name there is the
   * waiting job's and the step's, `crawl/analyze`, because many jobs of one flow may come to the same step; where that is
   * taken, `#2` and so on is added. A step that has a child already keeps it, and nothing is stored; given or not, the job
   * waits for that one, and is queued for now when it has ended.
   */
  child?: NewJob
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
  /** What the worker claims, so that people can be told when nobody knows a type. */
  lanes?: Lane[]
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
  steps?: StepWrite[]
}

export interface RescuedJob {
  id: string
  type: string
  queue: string
  tenant: string
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
  /** Moves it there. */
  queue?: string
}

export interface QueueSettings {
  paused?: boolean
  /** Enqueue answers `queue-full` above this many queued jobs; null lifts the bound. */
  maxQueued?: number | null
}
