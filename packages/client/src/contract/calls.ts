// Made of the HTTP contract by `npm run client`. Do not edit.

import type {
  AuditEntry,
  AuditPage,
  BulkPlan,
  BulkRequest,
  BulkResult,
  CancelOutcome,
  CancelRequest,
  DeadGroups,
  DrainReport,
  DrainState,
  EditJobRequest,
  EditQueueRequest,
  EnqueueBatchRequest,
  EnqueueBatchResult,
  EnqueueRequest,
  Enqueued,
  EventPage,
  Flow,
  FlowNode,
  FlowNodePage,
  FlowPage,
  Health,
  Job,
  JobPage,
  JobResult,
  JobSummary,
  JobType,
  JobTypes,
  JobUnfinished,
  LoginRequest,
  NotReady,
  PreviewRequest,
  PutScheduleRequest,
  PutScheduleResult,
  Queue,
  Queues,
  Ready,
  RedrivePlan,
  RedriveRequest,
  RedriveResult,
  RetryFlowOutcome,
  RetryOutcome,
  RetryRequest,
  Schedule,
  ScheduledRuns,
  Schedules,
  SearchResult,
  Series,
  Session,
  SignalOutcome,
  SignalRequest,
  Signals,
  Stats,
  Steps,
  Ticks,
  Why,
  Workers,
} from './schemas.ts'

/** What each operation takes, and what it answers by status. */
export interface Calls {
  /**
   * Act on all jobs that match a filter.
   * Without `dryRun: false` it only tells what it would do. A run works for some twenty seconds; when `complete` is false, the same request does the rest. To remove jobs, whoever asks must be allowed to delete one.
   *
   * `POST /api/v1/jobs/bulk`, for operator, admin.
   * Throws closed, corrupt, disk-full, forbidden, internal, invalid-argument, malformed-body, not-configured, payload-too-large, rate-limited, read-only, timeout, unauthorized, unavailable, unsupported-media-type, version-mismatch.
   */
  bulkJobs: {
    takes: {
      body: BulkRequest
    }
    replies: {
      200: BulkPlan | BulkResult
    }
  }
  /**
   * Cancel all jobs of a flow that have not finished.
   *
   * `POST /api/v1/flows/{id}/cancel`, for operator, admin, user.
   * Throws closed, corrupt, disk-full, forbidden, internal, invalid-argument, malformed-body, not-configured, not-found, payload-too-large, rate-limited, read-only, timeout, unauthorized, unavailable, unsupported-media-type, version-mismatch.
   */
  cancelFlow: {
    takes: {
      id: string
      body?: CancelRequest
    }
    replies: {
      200: CancelOutcome
      202: CancelOutcome
    }
  }
  /**
   * Cancel a job.
   * A waiting job is cancelled at once, a running one is asked to stop, a finished one stays as it is.
   *
   * `POST /api/v1/jobs/{id}/cancel`, for operator, admin, user.
   * Throws closed, corrupt, disk-full, forbidden, internal, invalid-argument, malformed-body, not-configured, not-found, payload-too-large, rate-limited, read-only, timeout, unauthorized, unavailable, unsupported-media-type, version-mismatch.
   */
  cancelJob: {
    takes: {
      id: string
      body?: CancelRequest
    }
    replies: {
      200: CancelOutcome
      202: CancelOutcome
    }
  }
  /**
   * The same, at an address for crons.
   *
   * `POST /api/cron/drain`, for admin, processor, cron.
   * Throws closed, corrupt, disk-full, forbidden, internal, invalid-argument, malformed-body, not-configured, payload-too-large, rate-limited, read-only, timeout, unauthorized, unavailable, unsupported, unsupported-media-type, version-mismatch.
   */
  cronDrain: {
    takes: {
      query?: {
        /** Jobs that it starts. Default: as the server says, 10 */
        maxJobs?: number
        /** How long it works. Default, and the most: as the server says, 50,000 */
        budgetMs?: number
      }
    }
    replies: {
      200: DrainReport
    }
  }
  /**
   * The same by GET, because that is all that some platforms' crons can send.
   *
   * `GET /api/cron/drain`, for admin, processor, cron.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, rate-limited, timeout, unauthorized, unavailable, unsupported.
   */
  cronDrainByGet: {
    takes: {
      query?: {
        /** Jobs that it starts. Default: as the server says, 10 */
        maxJobs?: number
        /** How long it works. Default, and the most: as the server says, 50,000 */
        budgetMs?: number
      }
    }
    replies: {
      200: DrainReport
    }
  }
  /**
   * Work within this request: due schedules, dead workers’ jobs, what is due, what retention no longer keeps.
   * Bounded by jobs and by time. Two at once work side by side; no job is run by two.
   *
   * `POST /api/v1/drain`, for admin, processor, cron.
   * Throws closed, corrupt, disk-full, forbidden, internal, invalid-argument, malformed-body, not-configured, payload-too-large, rate-limited, read-only, timeout, unauthorized, unavailable, unsupported, unsupported-media-type, version-mismatch.
   */
  drain: {
    takes: {
      query?: {
        /** Jobs that it starts. Default: as the server says, 10 */
        maxJobs?: number
        /** How long it works. Default, and the most: as the server says, 50,000 */
        budgetMs?: number
      }
    }
    replies: {
      200: DrainReport
    }
  }
  /**
   * Change when, how urgently or in which queue a queued job runs.
   *
   * `PATCH /api/v1/jobs/{id}`, for operator, admin, user.
   * Throws closed, conflict, corrupt, disk-full, forbidden, internal, invalid-argument, malformed-body, not-configured, not-found, payload-too-large, rate-limited, read-only, timeout, unauthorized, unavailable, unsupported-media-type, version-mismatch.
   */
  editJob: {
    takes: {
      id: string
      body: EditJobRequest
    }
    replies: {
      200: JobSummary
    }
  }
  /**
   * Pause or resume a queue, or bound how many queued jobs it takes.
   * A queue that never held a job is made, so that it can be set up before its first one.
   *
   * `PATCH /api/v1/queues/{queue}`, for operator, admin.
   * Throws closed, corrupt, disk-full, forbidden, internal, invalid-argument, malformed-body, not-configured, payload-too-large, rate-limited, read-only, timeout, unauthorized, unavailable, unsupported-media-type, version-mismatch.
   */
  editQueue: {
    takes: {
      queue: string
      body: EditQueueRequest
    }
    replies: {
      200: Queue
    }
  }
  /**
   * Enqueue a job.
   * Durable when it answers. With an Idempotency-Key, sending it again enqueues nothing more.
   *
   * `POST /api/v1/jobs`, for operator, admin, user.
   * Throws closed, corrupt, disk-full, forbidden, idempotency-conflict, internal, invalid-argument, invalid-payload, malformed-body, not-configured, payload-too-large, queue-full, rate-limited, read-only, timeout, unauthorized, unavailable, unknown-type, unsupported-media-type, version-mismatch.
   */
  enqueueJob: {
    takes: {
      body: EnqueueRequest
      /** 1 to 255 printable ASCII characters. The same key and body: the same job */
      idempotencyKey?: string
    }
    replies: {
      200: Enqueued
      201: Enqueued
    }
  }
  /**
   * Enqueue up to 1,000 jobs, each with its own answer.
   *
   * `POST /api/v1/jobs/batch`, for operator, admin, user.
   * Throws closed, corrupt, disk-full, forbidden, internal, invalid-argument, malformed-body, not-configured, payload-too-large, rate-limited, read-only, timeout, unauthorized, unavailable, unsupported-media-type, version-mismatch.
   */
  enqueueJobs: {
    takes: {
      body: EnqueueBatchRequest
    }
    replies: {
      200: EnqueueBatchResult
    }
  }
  /**
   * List the jobs of a flow and what each waits for, in the order in which they were added.
   *
   * `GET /api/v1/flows/{id}/nodes`, for viewer, operator, admin, user.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, not-found, rate-limited, timeout, unauthorized, unavailable.
   */
  flowNodes: {
    takes: {
      id: string
      query?: {
        limit?: number
        cursor?: string
      }
    }
    replies: {
      200: FlowNodePage
    }
  }
  /**
   * Read the dead jobs of one cause: a group for each type that died of it.
   *
   * `GET /api/v1/dead-letters/{fingerprint}`, for viewer, operator, admin, user.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, not-found, rate-limited, timeout, unauthorized, unavailable.
   */
  getDeadLetter: {
    takes: {
      /** Of the error, as the list shows it */
      fingerprint: string
      query?: {
        type?: string
        queue?: string
        tenant?: string
      }
    }
    replies: {
      200: DeadGroups
    }
  }
  /**
   * Read a flow.
   *
   * `GET /api/v1/flows/{id}`, for viewer, operator, admin, user.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, not-found, rate-limited, timeout, unauthorized, unavailable.
   */
  getFlow: {
    takes: {
      id: string
    }
    replies: {
      200: Flow
    }
  }
  /**
   * Read a job with its payload, result, attempts and logs.
   *
   * `GET /api/v1/jobs/{id}`, for viewer, operator, admin, user.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, not-found, rate-limited, timeout, unauthorized, unavailable.
   */
  getJob: {
    takes: {
      id: string
    }
    replies: {
      200: Job
    }
  }
  /**
   * Read a queue with its settings and counts.
   *
   * `GET /api/v1/queues/{queue}`, for viewer, operator, admin.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, not-found, rate-limited, timeout, unauthorized, unavailable.
   */
  getQueue: {
    takes: {
      queue: string
    }
    replies: {
      200: Queue
    }
  }
  /**
   * Read a schedule.
   *
   * `GET /api/v1/schedules/{name}`, for viewer, operator, admin.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, not-found, rate-limited, timeout, unauthorized, unavailable.
   */
  getSchedule: {
    takes: {
      name: string
    }
    replies: {
      200: Schedule
    }
  }
  /**
   * Read a job type, by its name or an alias.
   *
   * `GET /api/v1/types/{type}`, for viewer, operator, admin, user.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, not-found, rate-limited, timeout, unauthorized, unavailable.
   */
  getType: {
    takes: {
      type: string
    }
    replies: {
      200: JobType
    }
  }
  /**
   * Wait for a job to finish, and read its result.
   * A long poll: it answers as soon as the job has finished, or with 202 when the time is up.
   *
   * `GET /api/v1/jobs/{id}/result`, for viewer, operator, admin, user.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, not-found, rate-limited, timeout, unauthorized, unavailable.
   */
  jobResult: {
    takes: {
      id: string
      query?: {
        /** How long to wait; at most a minute */
        waitMs?: number
      }
    }
    replies: {
      200: JobResult
      202: JobUnfinished
    }
  }
  /**
   * List the signals that a job has not taken yet, the oldest first.
   *
   * `GET /api/v1/jobs/{id}/signals`, for viewer, operator, admin, user.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, not-found, rate-limited, timeout, unauthorized, unavailable.
   */
  jobSignals: {
    takes: {
      id: string
    }
    replies: {
      200: Signals
    }
  }
  /**
   * Read the steps of a job's handler, in the order in which it came to them.
   *
   * `GET /api/v1/jobs/{id}/steps`, for viewer, operator, admin, user.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, not-found, rate-limited, timeout, unauthorized, unavailable.
   */
  jobSteps: {
    takes: {
      id: string
    }
    replies: {
      200: Steps
    }
  }
  /**
   * List who changed what, newest first.
   *
   * `GET /api/v1/audit`, for admin.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, rate-limited, timeout, unauthorized, unavailable.
   */
  listAudit: {
    takes: {
      query?: {
        principal?: string
        action?: string
        target?: string
        /** ISO 8601 with its offset, or milliseconds since 1970 */
        from?: string | number
        /** ISO 8601 with its offset, or milliseconds since 1970 */
        until?: string | number
        limit?: number
        cursor?: string
      }
    }
    replies: {
      200: AuditPage
    }
  }
  /**
   * Group dead jobs by what they died of, the largest group first.
   *
   * `GET /api/v1/dead-letters`, for viewer, operator, admin, user.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, rate-limited, timeout, unauthorized, unavailable.
   */
  listDeadLetters: {
    takes: {
      query?: {
        type?: string[]
        queue?: string[]
        tenant?: string
        limit?: number
      }
    }
    replies: {
      200: DeadGroups
    }
  }
  /**
   * Read what happened to jobs lately, the oldest first, for those who would rather ask again and again.
   * Events are kept for 15 minutes, and only while somebody watches; asking is watching.
   *
   * `GET /api/v1/events/recent`, for viewer, operator, admin, user.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, rate-limited, timeout, unauthorized, unavailable.
   */
  listEvents: {
    takes: {
      query?: {
        event?: ('enqueued' | 'started' | 'progress' | 'completed' | 'retrying' | 'dead' | 'snoozed' | 'waiting' | 'released' | 'cancelled' | 'rescued' | 'schedule-fired')[]
        type?: string[]
        tenant?: string
        /** The seq of the last event that was seen */
        after?: number
        limit?: number
      }
    }
    replies: {
      200: EventPage
    }
  }
  /**
   * List flows, newest first.
   *
   * `GET /api/v1/flows`, for viewer, operator, admin, user.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, rate-limited, timeout, unauthorized, unavailable.
   */
  listFlows: {
    takes: {
      query?: {
        state?: ('running' | 'completed' | 'failed' | 'cancelled')[]
        name?: string
        tenant?: string
        limit?: number
        cursor?: string
      }
    }
    replies: {
      200: FlowPage
    }
  }
  /**
   * List jobs, newest first: live ones by arrival, then finished ones by when they finished.
   *
   * `GET /api/v1/jobs`, for viewer, operator, admin, user.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, rate-limited, timeout, unauthorized, unavailable.
   */
  listJobs: {
    takes: {
      query?: {
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
        limit?: number
        cursor?: string
      }
    }
    replies: {
      200: JobPage
    }
  }
  /**
   * List every queue that was configured or ever held a job, by name.
   *
   * `GET /api/v1/queues`, for viewer, operator, admin.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, rate-limited, timeout, unauthorized, unavailable.
   */
  listQueues: {
    takes: {}
    replies: {
      200: Queues
    }
  }
  /**
   * List schedules, by name.
   *
   * `GET /api/v1/schedules`, for viewer, operator, admin.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, rate-limited, timeout, unauthorized, unavailable.
   */
  listSchedules: {
    takes: {}
    replies: {
      200: Schedules
    }
  }
  /**
   * List the job types that this server knows, with their policies and schemas.
   * A payload schema is told as JSON Schema where the library that it is written with can do so, and is null otherwise.
   *
   * `GET /api/v1/types`, for viewer, operator, admin, user.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, rate-limited, timeout, unauthorized, unavailable.
   */
  listTypes: {
    takes: {
      query?: {
        /** false leaves the JSON Schemas out, which can be large */
        schemas?: 'true' | 'false'
      }
    }
    replies: {
      200: JobTypes
    }
  }
  /**
   * List the workers whose lease holds, the longest-lived first, with what they run.
   *
   * `GET /api/v1/workers`, for viewer, operator, admin.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, rate-limited, timeout, unauthorized, unavailable.
   */
  listWorkers: {
    takes: {}
    replies: {
      200: Workers
    }
  }
  /**
   * Exchange a token for the session cookie of a browser.
   *
   * `POST /api/v1/session`, for everybody.
   * Throws closed, corrupt, disk-full, forbidden, internal, invalid-argument, malformed-body, not-configured, payload-too-large, rate-limited, read-only, timeout, unauthorized, unavailable, unsupported-media-type, version-mismatch.
   */
  login: {
    takes: {
      body: LoginRequest
    }
    replies: {
      201: Session
    }
  }
  /**
   * Take the session cookie back.
   *
   * `DELETE /api/v1/session`, for viewer, operator, admin, user, processor, cron.
   * Throws closed, corrupt, disk-full, forbidden, internal, invalid-argument, malformed-body, not-configured, payload-too-large, rate-limited, read-only, timeout, unauthorized, unavailable, unsupported-media-type, version-mismatch.
   */
  logout: {
    takes: {}
    replies: {
      204: undefined
    }
  }
  /**
   * Stop claims from a queue, in all processes.
   * What runs, runs on; jobs are still taken in.
   *
   * `POST /api/v1/queues/{queue}/pause`, for operator, admin.
   * Throws closed, corrupt, disk-full, forbidden, internal, invalid-argument, malformed-body, not-configured, payload-too-large, rate-limited, read-only, timeout, unauthorized, unavailable, unsupported-media-type, version-mismatch.
   */
  pauseQueue: {
    takes: {
      queue: string
    }
    replies: {
      200: Queue
    }
  }
  /**
   * Let the ticks of a schedule pass without a job.
   *
   * `POST /api/v1/schedules/{name}/pause`, for operator, admin.
   * Throws closed, corrupt, disk-full, forbidden, internal, invalid-argument, malformed-body, not-configured, not-found, payload-too-large, rate-limited, read-only, timeout, unauthorized, unavailable, unsupported-media-type, version-mismatch.
   */
  pauseSchedule: {
    takes: {
      name: string
    }
    replies: {
      200: Schedule
    }
  }
  /**
   * Tell when a rule would fire, with clock changes marked. Nothing is stored.
   *
   * `POST /api/v1/schedules/preview`, for viewer, operator, admin.
   * Throws closed, corrupt, disk-full, forbidden, internal, invalid-argument, malformed-body, not-configured, payload-too-large, rate-limited, read-only, timeout, unauthorized, unavailable, unsupported-media-type, version-mismatch.
   */
  previewRule: {
    takes: {
      body: PreviewRequest
    }
    replies: {
      200: ScheduledRuns
    }
  }
  /**
   * Create a schedule, or change it to match.
   * A changed rule starts counting anew; an unchanged one keeps its place. What is left out is as the job type has it.
   *
   * `PUT /api/v1/schedules/{name}`, for admin.
   * Throws closed, corrupt, disk-full, forbidden, internal, invalid-argument, invalid-payload, malformed-body, not-configured, not-found, payload-too-large, rate-limited, read-only, timeout, unauthorized, unavailable, unknown-type, unsupported-media-type, version-mismatch.
   */
  putSchedule: {
    takes: {
      name: string
      body: PutScheduleRequest
    }
    replies: {
      200: PutScheduleResult
      201: PutScheduleResult
    }
  }
  /**
   * Show what there is to do.
   *
   * `GET /api/v1/drain`, for viewer, operator, admin, processor, cron.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, rate-limited, timeout, unauthorized, unavailable.
   */
  readDrain: {
    takes: {}
    replies: {
      200: DrainState
    }
  }
  /**
   * Say whether the server and its store work.
   *
   * `GET /health`, for everybody.
   * Throws corrupt, internal, invalid-argument, timeout.
   */
  readHealth: {
    takes: {}
    replies: {
      200: Health
      503: Health
    }
  }
  /**
   * Read metrics in the text format of Prometheus.
   * Jobs, schedules and workers are those of the whole store; requests, attempts and the process are those of this server. When the store does not answer, `millrace_store_up` is 0 and what it would tell is left out.
   *
   * `GET /metrics`, for viewer, operator, admin.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, rate-limited, timeout, unauthorized, unavailable.
   */
  readMetrics: {
    takes: {}
    replies: {
      200: string
    }
  }
  /**
   * Say whether requests should be sent here now.
   *
   * `GET /ready`, for everybody.
   * Throws corrupt, internal, invalid-argument, timeout.
   */
  readReadiness: {
    takes: {}
    replies: {
      200: Ready
      503: NotReady
    }
  }
  /**
   * Read throughput, failures and latency over time, of the last 48 hours.
   *
   * `GET /api/v1/stats/series`, for viewer, operator, admin.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, rate-limited, timeout, unauthorized, unavailable.
   */
  readSeries: {
    takes: {
      query?: {
        /** Default: an hour ago */
        from?: string | number
        /** Default: now */
        until?: string | number
        stepMinutes?: number
        type?: string[]
        queue?: string[]
        /** A line for each */
        by?: 'type' | 'queue'
      }
    }
    replies: {
      200: Series
    }
  }
  /**
   * Count jobs by state, type and queue.
   *
   * `GET /api/v1/stats`, for viewer, operator, admin.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, rate-limited, timeout, unauthorized, unavailable.
   */
  readStats: {
    takes: {}
    replies: {
      200: Stats
    }
  }
  /**
   * Run the dead jobs of one cause again: a few first, then ever more.
   * Each batch goes when all of the one before have finished; it stops when more than `maxFailures` died again. Without `dryRun: false` it only tells the batches. A run works for some twenty seconds; when `complete` is false, what was redriven goes on, and the same request takes those that are still dead.
   *
   * `POST /api/v1/dead-letters/{fingerprint}/redrive`, for operator, admin.
   * Throws closed, corrupt, disk-full, forbidden, internal, invalid-argument, malformed-body, not-configured, not-found, payload-too-large, rate-limited, read-only, timeout, unauthorized, unavailable, unsupported-media-type, version-mismatch.
   */
  redriveDeadLetter: {
    takes: {
      /** Of the error, as the list shows it */
      fingerprint: string
      body?: RedriveRequest
    }
    replies: {
      200: RedrivePlan | RedriveResult
    }
  }
  /**
   * Delete a job that does not run, with its history.
   *
   * `DELETE /api/v1/jobs/{id}`, for admin, user.
   * Throws closed, conflict, corrupt, disk-full, forbidden, internal, invalid-argument, malformed-body, not-configured, not-found, payload-too-large, rate-limited, read-only, timeout, unauthorized, unavailable, unsupported-media-type, version-mismatch.
   */
  removeJob: {
    takes: {
      id: string
    }
    replies: {
      204: undefined
    }
  }
  /**
   * Delete a schedule with its history. Its jobs stay.
   *
   * `DELETE /api/v1/schedules/{name}`, for admin.
   * Throws closed, corrupt, disk-full, forbidden, internal, invalid-argument, malformed-body, not-configured, not-found, payload-too-large, rate-limited, read-only, timeout, unauthorized, unavailable, unsupported-media-type, version-mismatch.
   */
  removeSchedule: {
    takes: {
      name: string
    }
    replies: {
      204: undefined
    }
  }
  /**
   * Let workers claim from a queue again.
   *
   * `POST /api/v1/queues/{queue}/resume`, for operator, admin.
   * Throws closed, corrupt, disk-full, forbidden, internal, invalid-argument, malformed-body, not-configured, payload-too-large, rate-limited, read-only, timeout, unauthorized, unavailable, unsupported-media-type, version-mismatch.
   */
  resumeQueue: {
    takes: {
      queue: string
    }
    replies: {
      200: Queue
    }
  }
  /**
   * Let a schedule go on, with its next tick.
   *
   * `POST /api/v1/schedules/{name}/resume`, for operator, admin.
   * Throws closed, corrupt, disk-full, forbidden, internal, invalid-argument, malformed-body, not-configured, not-found, payload-too-large, rate-limited, read-only, timeout, unauthorized, unavailable, unsupported-media-type, version-mismatch.
   */
  resumeSchedule: {
    takes: {
      name: string
    }
    replies: {
      200: Schedule
    }
  }
  /**
   * Run the dead and cancelled jobs of a flow again.
   *
   * `POST /api/v1/flows/{id}/retry`, for operator, admin, user.
   * Throws closed, conflict, corrupt, disk-full, forbidden, internal, invalid-argument, malformed-body, not-configured, not-found, payload-too-large, rate-limited, read-only, timeout, unauthorized, unavailable, unsupported-media-type, version-mismatch.
   */
  retryFlow: {
    takes: {
      id: string
    }
    replies: {
      200: RetryFlowOutcome
    }
  }
  /**
   * Run a finished job again.
   * The same id and payload, attempts counted afresh. With a payload: a new job whose origin is this one; the same edit twice is one job.
   *
   * `POST /api/v1/jobs/{id}/retry`, for operator, admin, user.
   * Throws closed, conflict, corrupt, disk-full, forbidden, internal, invalid-argument, invalid-payload, malformed-body, not-configured, not-found, payload-too-large, queue-full, rate-limited, read-only, timeout, unauthorized, unavailable, unknown-type, unsupported-media-type, version-mismatch.
   */
  retryJob: {
    takes: {
      id: string
      body?: RetryRequest
    }
    replies: {
      200: RetryOutcome
      201: Enqueued
    }
  }
  /**
   * Enqueue the job of a schedule now, once.
   * Also while it is paused. It is no tick: the next one comes when it would have come.
   *
   * `POST /api/v1/schedules/{name}/run`, for operator, admin.
   * Throws closed, corrupt, disk-full, forbidden, idempotency-conflict, internal, invalid-argument, malformed-body, not-configured, not-found, payload-too-large, queue-full, rate-limited, read-only, timeout, unauthorized, unavailable, unsupported-media-type, version-mismatch.
   */
  runSchedule: {
    takes: {
      name: string
      /** 1 to 255 printable ASCII characters. The same key and body: the same job */
      idempotencyKey?: string
    }
    replies: {
      200: Enqueued
      201: Enqueued
    }
  }
  /**
   * Tell when a schedule fires next, with clock changes marked.
   * The first is the tick that comes next; it can be overdue. None for a disabled schedule.
   *
   * `GET /api/v1/schedules/{name}/preview`, for viewer, operator, admin.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, not-found, rate-limited, timeout, unauthorized, unavailable.
   */
  scheduleRuns: {
    takes: {
      name: string
      query?: {
        count?: number
      }
    }
    replies: {
      200: ScheduledRuns
    }
  }
  /**
   * Read the latest ticks of a schedule and what became of each, newest first.
   *
   * `GET /api/v1/schedules/{name}/ticks`, for viewer, operator, admin.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, not-found, rate-limited, timeout, unauthorized, unavailable.
   */
  scheduleTicks: {
    takes: {
      name: string
      query?: {
        limit?: number
      }
    }
    replies: {
      200: Ticks
    }
  }
  /**
   * Look for a text in the payloads and last errors of the newest jobs, whatever its case.
   * It reads so many jobs and for so long, and says how far it came; the cursor goes on from there. What must be found among millions, declare as a search attribute and ask for by `where`.
   *
   * `GET /api/v1/jobs/search`, for viewer, operator, admin, user.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, rate-limited, timeout, unauthorized, unavailable.
   */
  searchJobs: {
    takes: {
      query?: {
        text?: string
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
        /** How many jobs to look at */
        look?: number
        limit?: number
        cursor?: string
      }
    }
    replies: {
      200: SearchResult
    }
  }
  /**
   * Send a signal to a job.
   * Kept until the job takes it, even when it does not wait for it yet.
   *
   * `POST /api/v1/jobs/{id}/signals`, for operator, admin, user.
   * Throws closed, conflict, corrupt, disk-full, forbidden, internal, invalid-argument, invalid-payload, malformed-body, not-configured, not-found, payload-too-large, rate-limited, read-only, timeout, unauthorized, unavailable, unsupported-media-type, version-mismatch.
   */
  sendSignal: {
    takes: {
      id: string
      body: SignalRequest
    }
    replies: {
      202: SignalOutcome
    }
  }
  /**
   * Say who asks, and what they may do.
   *
   * `GET /api/v1/session`, for viewer, operator, admin, user, processor, cron.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, rate-limited, timeout, unauthorized, unavailable.
   */
  whoAmI: {
    takes: {}
    replies: {
      200: Session
    }
  }
  /**
   * Say why a job is not running.
   *
   * `GET /api/v1/jobs/{id}/why`, for viewer, operator, admin, user.
   * Throws closed, corrupt, forbidden, internal, invalid-argument, not-configured, not-found, rate-limited, timeout, unauthorized, unavailable.
   */
  whyJob: {
    takes: {
      id: string
    }
    replies: {
      200: Why
    }
  }
}

/** What the lists are of that are read page by page. */
export interface Items {
  flowNodes: FlowNode
  listAudit: AuditEntry
  listFlows: Flow
  listJobs: JobSummary
  searchJobs: JobSummary
}

/** Which events to hear of. */
export type EventQuery = {
    event?: ('enqueued' | 'started' | 'progress' | 'completed' | 'retrying' | 'dead' | 'snoozed' | 'waiting' | 'released' | 'cancelled' | 'rescued' | 'schedule-fired')[]
    type?: string[]
    tenant?: string
    /** The seq of the last event that was seen */
    after?: number
  }
