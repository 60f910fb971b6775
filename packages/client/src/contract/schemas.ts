// Made of the HTTP contract by `npm run client`. Do not edit.

export interface Attempt {
  attempt: number
  epoch: number
  worker: string | null
  startedAt: string | null
  endedAt: string | null
  outcome: 'running' | 'completed' | 'failed' | 'snoozed' | 'waited' | 'cancelled' | 'worker-lost'
  error: JobError | null
}

/** Who changed what */
export interface AuditEntry {
  id: string
  /** ISO 8601 in UTC, with milliseconds */
  at: string
  /** Who */
  principal: string
  role: string
  /** The operation */
  action: string
  /** What was changed: `job 0198…`, `queue mail` */
  target: string
  /** Any JSON value */
  before: unknown
  /** Any JSON value */
  after: unknown
  /** Any JSON value */
  request: unknown
}

export interface AuditPage {
  entries: AuditEntry[]
  cursor: string | null
}

export type BulkAction = {
  do: 'cancel'
  reason?: string
} | {
  do: 'retry'
  forgetSteps?: boolean
} | {
  do: 'remove'
} | {
  do: 'move'
  queue: string
} | {
  do: 'reprioritise'
  priority: number
}

/** As for listing jobs; state, type and queue are lists */
export interface BulkFilter {
  state?: ('queued' | 'blocked' | 'running' | 'completed' | 'cancelled' | 'dead')[]
  type?: string[]
  queue?: string[]
  tenant?: string
  /** Of the last error */
  fingerprint?: string
  /** A search attribute and its value, `site=s1`; all of them, when there are several */
  where?: string[]
  /** Bounds the creation of live jobs and the end of finished ones; inclusive */
  from?: string | number
  /** Exclusive */
  until?: string | number
}

/** What a bulk action would do; nothing was changed */
export interface BulkPlan {
  dryRun: true
  /** How many jobs it would take now */
  count: number
  /** False: there are more, only so many were counted */
  exact: boolean
  /** The first ten */
  sample: JobSummary[]
  /** Which of the filter's states the action takes */
  states: ('queued' | 'blocked' | 'running' | 'completed' | 'cancelled' | 'dead')[]
  /** Jobs that match but are in a state that the action can not take */
  refused: Record<string, number>
}

export interface BulkRequest {
  action: BulkAction
  filter: BulkFilter
  /** Must be true for a filter that names nothing */
  everything?: boolean
  dryRun?: boolean
}

/** What a bulk action did */
export interface BulkResult {
  dryRun: false
  /** False: the time was up. The same request does the rest */
  complete: boolean
  /** What to do when it is not complete */
  hint: string | null
  /** Jobs that were looked at */
  done: number
  changed: number
  skipped: number
  failed: number
  /** Why jobs were skipped, and how many */
  skippedBy: Record<string, number>
  /** The first ten */
  failures: {
    id: string
    message: string
  }[]
}

export interface CancelOutcome {
  id: string
  outcome: 'cancelled' | 'requested' | 'already-finished'
}

export interface CancelRequest {
  reason?: string
}

/** Dead jobs that died of the same fault */
export interface DeadGroup {
  type: string
  fingerprint: string
  count: number
  queues: string[]
  error: {
    name: string
    message: string
  }
  /** ISO 8601 in UTC, with milliseconds */
  firstAt: string
  /** ISO 8601 in UTC, with milliseconds */
  lastAt: string
  ids: string[]
}

export interface DeadGroups {
  groups: DeadGroup[]
  /** How many dead jobs were looked at, the newest first */
  looked: number
  /** False: there are older ones */
  complete: boolean
}

/** What one drain did, and what is left in the whole store */
export interface DrainReport {
  /** Attempts that have ended, whatever their end; not those that were released */
  processed: number
  completed: number
  retried: number
  dead: number
  snoozed: number
  waiting: number
  cancelled: number
  /** Given back because the time was up; no attempt is spent */
  released: number
  rescued: number
  /** Ticks of schedules */
  ticks: number
  pruned: number
  endedBy: 'empty' | 'max-jobs' | 'budget' | 'stopped'
  pending: PendingCounts
  tookMs: number
}

/** What there is to do */
export interface DrainState {
  pending: PendingCounts
  byQueue: Record<string, PendingCounts>
  byType: Record<string, PendingCounts>
  /** When the next job that waits for its time falls due; null when none does */
  nextDueAt: string | null
  /** When the next schedule fires */
  nextTickAt: string | null
}

export interface EditJobRequest {
  /** ISO 8601 with its offset, or milliseconds since 1970 */
  runAt?: string | number
  priority?: number
  queue?: string
}

export interface EditQueueRequest {
  paused?: boolean
  /** Enqueue answers queue-full above this many; null lifts the bound */
  maxQueued?: number | null
}

export interface EnqueueBatchItem {
  type: string
  /** Any JSON value that the job type accepts */
  payload: unknown
  queue?: string
  /** 1 runs before 10 */
  priority?: number
  maxAttempts?: number
  /** ISO 8601 with its offset, or milliseconds since 1970 */
  runAt?: string | number
  /** Milliseconds, or text like '90s', '1h30m' */
  delay?: string | number
  tenant?: string
  idempotencyKey?: string
}

export interface EnqueueBatchRequest {
  jobs: EnqueueBatchItem[]
}

export interface EnqueueBatchResult {
  enqueued: number
  refused: number
  results: (Enqueued | Refused)[]
}

export interface EnqueueRequest {
  type: string
  /** Any JSON value that the job type accepts */
  payload: unknown
  queue?: string
  /** 1 runs before 10 */
  priority?: number
  maxAttempts?: number
  /** ISO 8601 with its offset, or milliseconds since 1970 */
  runAt?: string | number
  /** Milliseconds, or text like '90s', '1h30m' */
  delay?: string | number
  tenant?: string
}

export interface Enqueued {
  id: string
  /** The idempotency key was known: this is the earlier job */
  duplicate: boolean
}

/** Something that happened to a job, in whatever process */
export interface Event {
  /** Its place; also the id of the event in a stream */
  seq: number
  /** ISO 8601 in UTC, with milliseconds */
  at: string
  event: 'enqueued' | 'started' | 'progress' | 'completed' | 'retrying' | 'dead' | 'snoozed' | 'waiting' | 'released' | 'cancelled' | 'rescued' | 'schedule-fired' | 'missed'
  /** The job */
  id: string | null
  type: string
  queue: string
  tenant: string | null
  /** What else the event says */
  data: Record<string, unknown>
}

export interface EventPage {
  events: Event[]
  /** Hand it back as `after` for what comes next */
  last: number
  /** Some may be missing before these: read anew what you show */
  gap: boolean
}

export interface Flow {
  id: string
  name: string
  /** Null when the flow belongs to nobody in particular */
  tenant: string | null
  /** running until every job has ended; then the worst of what happened */
  state: 'running' | 'completed' | 'failed' | 'cancelled'
  total: number
  completed: number
  cancelled: number
  dead: number
  /** ISO 8601 in UTC, with milliseconds */
  createdAt: string
  finishedAt: string | null
  cancelReason: string | null
}

/** A job in its flow */
export interface FlowNode {
  id: string
  name: string
  type: string
  queue: string
  state: 'queued' | 'blocked' | 'running' | 'completed' | 'cancelled' | 'dead'
  onFailure: string
  skipped: boolean
  attempt: number
  /** How many of those that it waits for have not ended */
  waits: number
  after: string[]
  /** ISO 8601 in UTC, with milliseconds */
  createdAt: string
  startedAt: string | null
  finishedAt: string | null
}

export interface FlowNodePage {
  nodes: FlowNode[]
  cursor: string | null
}

export interface FlowPage {
  flows: Flow[]
  cursor: string | null
}

export interface Health {
  ok: boolean
  engine: string
  /** durable: an acknowledged write survives a power cut */
  durability: 'durable' | 'relaxed'
  schemaVersion: number
  /** Only for the admin: they can name paths */
  notes?: string[]
}

/** A job with its payload, result, attempts and logs */
export interface Job {
  id: string
  type: string
  queue: string
  /** Null when the job belongs to nobody in particular */
  tenant: string | null
  state: 'queued' | 'blocked' | 'running' | 'completed' | 'cancelled' | 'dead'
  /** As people say it: a queued job that is not due is scheduled, one that has failed before is retrying */
  shown: 'queued' | 'blocked' | 'running' | 'completed' | 'cancelled' | 'dead' | 'scheduled' | 'retrying'
  priority: number
  attempt: number
  maxAttempts: number
  /** How often its worker died under it */
  deaths: number
  redrives: number
  /** ISO 8601 in UTC, with milliseconds */
  createdAt: string
  /** ISO 8601 in UTC, with milliseconds */
  runAt: string
  startedAt: string | null
  finishedAt: string | null
  worker: string | null
  leaseExpiresAt: string | null
  idempotencyKey: string | null
  cancelReason: string | null
  lastError: JobError | null
  progress: Progress | null
  /** What it can be found by, as its definition says */
  attributes: Record<string, string>
  /** The flow that it is part of */
  flow: string | null
  /** The job that this one was redriven from with another payload */
  origin: string | null
  /** Any JSON value */
  payload: unknown
  /** Any JSON value */
  result: unknown
  attempts: Attempt[]
  logs: LogLine[]
}

/** An attempt's error, as plain bounded text */
export interface JobError {
  name: string
  message: string
  stack: string | null
  /** The same for the same fault, whatever ids its message holds */
  fingerprint: string
}

export interface JobPage {
  jobs: JobSummary[]
  /** Hand it back for the next page; null on the last */
  cursor: string | null
}

export interface JobResult {
  id: string
  state: 'completed' | 'cancelled' | 'dead'
  /** Any JSON value */
  result: unknown
  /** Of a dead job */
  error: JobError | null
  cancelReason: string | null
  finishedAt: string | null
}

/** A job in a list, without payload and result */
export interface JobSummary {
  id: string
  type: string
  queue: string
  /** Null when the job belongs to nobody in particular */
  tenant: string | null
  state: 'queued' | 'blocked' | 'running' | 'completed' | 'cancelled' | 'dead'
  /** As people say it: a queued job that is not due is scheduled, one that has failed before is retrying */
  shown: 'queued' | 'blocked' | 'running' | 'completed' | 'cancelled' | 'dead' | 'scheduled' | 'retrying'
  priority: number
  attempt: number
  maxAttempts: number
  /** How often its worker died under it */
  deaths: number
  redrives: number
  /** ISO 8601 in UTC, with milliseconds */
  createdAt: string
  /** ISO 8601 in UTC, with milliseconds */
  runAt: string
  startedAt: string | null
  finishedAt: string | null
  worker: string | null
  leaseExpiresAt: string | null
  idempotencyKey: string | null
  cancelReason: string | null
  lastError: JobError | null
  progress: Progress | null
  /** What it can be found by, as its definition says */
  attributes: Record<string, string>
  /** The flow that it is part of */
  flow: string | null
  /** The job that this one was redriven from with another payload */
  origin: string | null
}

/** A job type that this server knows, with its policy and its schemas */
export interface JobType {
  type: string
  /** Names that it had before */
  aliases: string[]
  queue: string
  priority: number
  maxAttempts: number
  /** Of one attempt; null: no limit */
  timeoutMs: number | null
  maxPayloadBytes: number
  /** How long it waits after each failed attempt, ten at most */
  backoff: {
    attempt: number
    leastMs: number
    mostMs: number
  }[]
  retention: {
    completed: RetentionLimit
    cancelled: RetentionLimit
    dead: RetentionLimit
  }
  /** What enqueue takes */
  payload: ToldSchema
  /** What result answers; null when the type has no schema for it */
  result: ToldSchema | null
}

export interface JobTypes {
  types: JobType[]
}

export interface JobUnfinished {
  id: string
  state: 'queued' | 'blocked' | 'running' | 'completed' | 'cancelled' | 'dead'
}

/** Milliseconds; null when there is nothing to tell. The mean is exact, percentiles are off by less than a factor of two */
export interface Latency {
  mean: number | null
  p50: number | null
  p95: number | null
  p99: number | null
}

export interface LogLine {
  attempt: number
  level: string
  message: string
  /** Any JSON value */
  data: unknown
  /** ISO 8601 in UTC, with milliseconds */
  at: string
}

export interface LoginRequest {
  token: string
}

export interface NotReady {
  ready: false
  reason: string
}

/** Jobs that have not finished */
export interface PendingCounts {
  ready: number
  delayed: number
  blocked: number
  running: number
}

export interface PreviewRequest {
  /** Five or six fields. This or every */
  cron?: string
  /** IANA name for cron. Default UTC */
  timeZone?: string
  /** Elapsed time: milliseconds, or text like '1h30m' */
  every?: string | number
  /** Default now */
  after?: string | number
  count?: number
}

/** An RFC 9457 problem document */
export interface Problem {
  /** Resolves, against this server, to a page that explains the code */
  type: string
  title: string
  status: number
  /** What is wrong here, and how to mend it */
  detail: string
  code: 'invalid-argument' | 'malformed-body' | 'unauthorized' | 'not-configured' | 'forbidden' | 'not-found' | 'route-not-found' | 'method-not-allowed' | 'conflict' | 'idempotency-conflict' | 'lease-lost' | 'steps-changed' | 'job-dead' | 'job-cancelled' | 'payload-too-large' | 'unsupported-media-type' | 'invalid-payload' | 'unknown-type' | 'unsupported' | 'rate-limited' | 'queue-full' | 'invalid-result' | 'corrupt' | 'internal' | 'closed' | 'unavailable' | 'read-only' | 'disk-full' | 'version-mismatch' | 'timeout'
  /** The path that was asked */
  instance: string
  faults: {
    path: (string | number)[]
    message: string
  }[]
}

export interface Progress {
  percent: number
  message: string | null
  /** Any JSON value */
  data: unknown
}

export interface PutScheduleRequest {
  type: string
  /** Any JSON value that the job type accepts */
  payload: unknown
  /** Five or six fields. This or every */
  cron?: string
  /** IANA name for cron. Default UTC */
  timeZone?: string
  /** Elapsed time: milliseconds, or text like '1h30m' */
  every?: string | number
  /** What becomes of ticks that nobody was there for. Default fire-once */
  misfire?: 'skip' | 'fire-once' | {
    catchUp: number
  }
  /** skip: no new job while the last tick's job is unfinished. Default allow */
  overlap?: 'allow' | 'skip'
  queue?: string
  /** 1 runs before 10 */
  priority?: number
  maxAttempts?: number
  tenant?: string
}

export interface PutScheduleResult {
  outcome: 'created' | 'changed' | 'unchanged'
  schedule: Schedule
}

/** A queue with its settings and its jobs, from maintained counters */
export interface Queue {
  queue: string
  /** Nobody claims from it, in any process */
  paused: boolean
  /** It takes no more queued jobs than this; null: no bound */
  maxQueued: number | null
  counts: StateCounts
}

export interface Queues {
  queues: Queue[]
}

export interface Ready {
  ready: true
}

/** What a redrive would do; nothing was changed */
export interface RedrivePlan {
  dryRun: true
  count: number
  /** False: there are more, only so many were counted */
  exact: boolean
  types: Record<string, number>
  /** How many jobs each batch would redrive, the canary first */
  batches: number[]
}

export interface RedriveRequest {
  type?: string
  queue?: string
  tenant?: string
  /** How many go first. Default 5 */
  canary?: number
  /** How many times larger each further batch is. Default 4 */
  factor?: number
  /** How many may die again before it stops. Default 0 */
  maxFailures?: number
  dryRun?: boolean
}

/** What a redrive did */
export interface RedriveResult {
  dryRun: false
  /** False: the time was up. The same request does the rest */
  complete: boolean
  /** What to do when it is not complete */
  hint: string | null
  /** canary, ramp: too many died again, in the first or a later batch. aborted: the time was up */
  stoppedAt: 'done' | 'canary' | 'ramp' | 'aborted'
  /** How many were dead of this cause when it began */
  total: number
  redriven: number
  completed: number
  /** Redriven, and dead again */
  died: number
  /** Redriven, then cancelled or removed by somebody */
  ended: number
  /** No longer dead when their turn came */
  skipped: number
  /** Redriven and not finished yet: they go on */
  running: number
  batch: number
  /** As dead as before */
  left: number
}

export interface Refused {
  code: string
  detail: string
  faults: {
    path: (string | number)[]
    message: string
  }[]
}

/** Whichever is reached first ends it; null: no bound */
export interface RetentionLimit {
  maxAgeMs: number | null
  maxCount: number | null
}

export interface RetryFlowOutcome {
  id: string
  outcome: 'redriven'
}

export interface RetryOutcome {
  id: string
  outcome: 'redriven'
}

export interface RetryRequest {
  forgetSteps?: boolean
  payload?: unknown
}

/** A recurring job */
export interface Schedule {
  name: string
  rule: {
    cron: string
    timeZone: string
  } | {
    /** Milliseconds of elapsed time */
    everyMs: number
  }
  /** What becomes of ticks that nobody was there for */
  misfire: 'skip' | 'fire-once' | {
    catchUp: number
  }
  overlap: 'allow' | 'skip'
  job: {
    type: string
    queue: string
    tenant: string | null
    priority: number
    maxAttempts: number
    /** Any JSON value */
    payload: unknown
  }
  /** The last tick that was dealt with */
  cursorAt: string | null
  /** ISO 8601 in UTC, with milliseconds */
  nextAt: string
  /** Its ticks pass without a job */
  paused: boolean
  /** Why its next tick can not be computed; putting it anew mends it */
  disabledReason: string | null
  lastJobId: string | null
  /** ISO 8601 in UTC, with milliseconds */
  createdAt: string
}

/** When a rule comes due */
export interface ScheduledRun {
  /** ISO 8601 in UTC, with milliseconds */
  at: string
  /** What the wall clock of the rule's zone shows, without an offset */
  local: string
  /** Of that zone from UTC then: +02:00 */
  offset: string
  /** gap: the time that the rule names is skipped that day, and it runs when the clock has jumped. overlap: the clock shows this time twice */
  clockChange: 'gap' | 'overlap' | null
  /** Of a gap: the time that is skipped */
  skipped: string | null
}

export interface ScheduledRuns {
  runs: ScheduledRun[]
}

export interface Schedules {
  schedules: Schedule[]
}

export interface SearchResult {
  jobs: JobSummary[]
  /** How many jobs were looked at this time */
  looked: number
  /** Every job was looked at */
  complete: boolean
  /** Everything newer has been looked at */
  lookedBackTo: string | null
  cursor: string | null
}

export interface Series {
  lines: SeriesLine[]
}

/** Throughput, failures and latency, point by point, zeros included */
export interface SeriesLine {
  /** The type or queue; null for the line of all */
  name: string | null
  points: {
    /** ISO 8601 in UTC, with milliseconds */
    at: string
    completed: number
    /** Attempts */
    failed: number
    dead: number
    cancelled: number
    wait: Latency
    run: Latency
  }[]
}

/** Who asks, and what they may do */
export interface Session {
  name: string
  role: 'viewer' | 'operator' | 'admin' | 'user' | 'processor' | 'cron'
  /** Whose jobs are seen; null: all */
  tenant: string | null
  permissions: ('jobs:read' | 'jobs:enqueue' | 'jobs:change' | 'jobs:remove' | 'jobs:bulk' | 'queues:read' | 'queues:change' | 'types:read' | 'schedules:read' | 'schedules:run' | 'schedules:change' | 'workers:read' | 'stats:read' | 'metrics:read' | 'events:read' | 'audit:read' | 'drain' | 'drain:read' | 'modules:read' | 'modules:change' | 'session')[]
  /** Sent back as x-csrf-token with every change; null when it is not a browser's session */
  csrfToken: string | null
  expiresAt: string | null
}

export interface SignalOutcome {
  id: string
  name: string
  outcome: 'delivered'
}

export interface SignalRequest {
  name: string
  payload?: unknown
}

export interface Signals {
  signals: {
    name: string
    /** Any JSON value */
    payload: unknown
    /** ISO 8601 in UTC, with milliseconds */
    sentAt: string
  }[]
}

/** Jobs by what a worker would do with them */
export interface StateCounts {
  ready: number
  delayed: number
  blocked: number
  running: number
  completed: number
  cancelled: number
  dead: number
}

/** From maintained counters: the cost does not depend on the number of jobs */
export interface Stats {
  total: StateCounts
  byType: Record<string, StateCounts>
  byQueue: Record<string, StateCounts>
  last24h: {
    completed: number
    failedAttempts: number
    dead: number
    cancelled: number
  }
}

/** A memoized part of a job's handler */
export interface Step {
  ordinal: number
  name: string
  kind: string
  state: string
  /** Any JSON value */
  result: unknown
  error: JobError | null
  attempt: number
  epoch: number
  /** ISO 8601 in UTC, with milliseconds */
  startedAt: string
  endedAt: string | null
  /** When it stops waiting, at the latest */
  wakeAt: string | null
  due: boolean
  signal: string | null
  childId: string | null
}

export interface Steps {
  steps: Step[]
}

/** One tick of a schedule, and what became of it */
export interface Tick {
  /** ISO 8601 in UTC, with milliseconds */
  scheduledAt: string
  outcome: 'fired' | 'skipped' | 'coalesced' | 'skipped-overlap'
  /** Null when no job was enqueued, or the queue was full */
  jobId: string | null
  /** ISO 8601 in UTC, with milliseconds */
  recordedAt: string
}

export interface Ticks {
  ticks: Tick[]
}

export interface ToldSchema {
  /** The library that the schema is written with */
  vendor: string
  /** Draft 2020-12; null when the vendor can not tell it */
  jsonSchema: Record<string, unknown> | null
  /** Why there is none; left out: nobody asked for it */
  note: string | null
}

/** The one thing that keeps a job from running now */
export interface Why {
  id: string
  state: 'queued' | 'blocked' | 'running' | 'completed' | 'cancelled' | 'dead'
  cause: 'finished' | 'running' | 'not-due' | 'paused-queue' | 'no-worker' | 'unknown-type' | 'blocked' | 'waiting-signal' | 'waiting-job' | 'sleeping' | 'queue-position'
  /** For people: one sentence that needs no other */
  sentence: string
  /** What each cause comes with */
  details: Record<string, unknown>
}

/** A worker whose lease holds, and what it runs */
export interface Worker {
  worker: string
  /** Its host and process */
  label: string
  /** ISO 8601 in UTC, with milliseconds */
  startedAt: string
  /** When it was last heard of */
  beatAt: string
  /** When its jobs are given to others, unless it is heard of before */
  expiresAt: string
  /** What it claims; null when it has not said */
  lanes: {
    queue: string
    types: string[]
  }[] | null
  running: {
    id: string
    type: string
    queue: string
    attempt: number
    startedAt: string | null
  }[]
}

export interface Workers {
  workers: Worker[]
  /** False: more jobs run than were looked at, so that some are missing */
  allRunning: boolean
}
