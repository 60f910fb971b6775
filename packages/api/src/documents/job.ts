import type { AttemptRecord, Job, LogView } from 'millrace'
import { formatInstant } from './instant.ts'

/** A job in a list. Its payload and result can be large; ask for the job to see them. */
export interface JobSummary {
  id: string
  type: string
  queue: string
  /** Null when the job belongs to nobody in particular. */
  tenant: string | null
  state: Job['state']
  /** As people say it: a queued job that is not due is `scheduled`, one that has failed before is `retrying`. */
  shown: Job['shown']
  priority: number
  attempt: number
  maxAttempts: number
  /** How often its worker died under it. */
  deaths: number
  redrives: number
  createdAt: string
  runAt: string
  startedAt: string | null
  finishedAt: string | null
  worker: string | null
  leaseExpiresAt: string | null
  idempotencyKey: string | null
  cancelReason: string | null
  lastError: Job['lastError']
  progress: Job['progress']
}

export interface AttemptDocument extends Omit<AttemptRecord, 'startedAt' | 'endedAt'> {
  startedAt: string | null
  endedAt: string | null
}

export interface LogDocument extends Omit<LogView, 'at'> {
  at: string
}

export interface JobDocument extends JobSummary {
  payload: unknown
  result: unknown
  attempts: AttemptDocument[]
  logs: LogDocument[]
}

export function jobSummary(job: Job): JobSummary {
  return {
    id: job.id,
    type: job.type,
    queue: job.queue,
    tenant: job.tenant === '' ? null : job.tenant,
    state: job.state,
    shown: job.shown,
    priority: job.priority,
    attempt: job.attempt,
    maxAttempts: job.maxAttempts,
    deaths: job.deaths,
    redrives: job.redrives,
    createdAt: formatInstant(job.createdAt),
    runAt: formatInstant(job.runAt),
    startedAt: at(job.startedAt),
    finishedAt: at(job.finishedAt),
    worker: job.worker,
    leaseExpiresAt: at(job.leaseExpiresAt),
    idempotencyKey: job.idempotencyKey,
    cancelReason: job.cancelReason,
    lastError: job.lastError,
    progress: job.progress,
  }
}

export function jobDocument(
  job: Job,
  attempts: readonly AttemptRecord[],
  logs: readonly LogView[],
): JobDocument {
  return {
    ...jobSummary(job),
    payload: job.payload,
    result: job.result,
    attempts: attempts.map(attempt => ({
      ...attempt,
      startedAt: at(attempt.startedAt),
      endedAt: at(attempt.endedAt),
    })),
    logs: logs.map(line => ({ ...line, at: formatInstant(line.at) })),
  }
}

function at(ms: number | null): string | null {
  return ms === null ? null : formatInstant(ms)
}
