import type { AttemptRecord, Job, LogView } from 'millrace'
import { z } from 'zod'
import { formatInstant } from './instant.ts'
import { anyJson, at, count, instantText, jobError, jobId, jobState, tenantOrNull } from './shared.ts'

export const progressDocument = z
  .object({ percent: z.number(), message: z.string().nullable(), data: anyJson })
  .meta({ id: 'Progress' })

/** A job in a list. Its payload and result can be large; ask for the job to see them. */
export const jobSummaryDocument = z
  .object({
    id: jobId,
    type: z.string(),
    queue: z.string(),
    tenant: z.string().nullable().meta({ description: 'Null when the job belongs to nobody in particular' }),
    state: jobState,
    shown: z.enum([...jobState.options, 'scheduled', 'retrying']).meta({
      description:
        'As people say it: a queued job that is not due is scheduled, one that has failed before is retrying',
    }),
    priority: z.int(),
    attempt: count,
    maxAttempts: count,
    deaths: count.meta({ description: 'How often its worker died under it' }),
    redrives: count,
    createdAt: instantText,
    runAt: instantText,
    startedAt: instantText.nullable(),
    finishedAt: instantText.nullable(),
    worker: z.string().nullable(),
    leaseExpiresAt: instantText.nullable(),
    idempotencyKey: z.string().nullable(),
    cancelReason: z.string().nullable(),
    lastError: jobError.nullable(),
    progress: progressDocument.nullable(),
    attributes: z
      .record(z.string(), z.string())
      .meta({ description: 'What it can be found by, as its definition says' }),
    flow: jobId.nullable().meta({ description: 'The flow that it is part of' }),
    origin: jobId
      .nullable()
      .meta({ description: 'The job that this one was redriven from with another payload' }),
  })
  .meta({ id: 'JobSummary', description: 'A job in a list, without payload and result' })
export type JobSummary = z.infer<typeof jobSummaryDocument>

export const attemptDocument = z
  .object({
    attempt: count,
    epoch: count,
    worker: z.string().nullable(),
    startedAt: instantText.nullable(),
    endedAt: instantText.nullable(),
    outcome: z.enum(['running', 'completed', 'failed', 'snoozed', 'waited', 'cancelled', 'worker-lost']),
    error: jobError.nullable(),
  })
  .meta({ id: 'Attempt' })
export type AttemptDocument = z.infer<typeof attemptDocument>

export const logDocument = z
  .object({ attempt: count, level: z.string(), message: z.string(), data: anyJson, at: instantText })
  .meta({ id: 'LogLine' })
export type LogDocument = z.infer<typeof logDocument>

export const fullJobDocument = jobSummaryDocument
  .extend({
    payload: anyJson,
    result: anyJson,
    attempts: z.array(attemptDocument),
    logs: z.array(logDocument),
  })
  .meta({ id: 'Job', description: 'A job with its payload, result, attempts and logs' })
export type JobDocument = z.infer<typeof fullJobDocument>

export function jobSummary(job: Job): JobSummary {
  return {
    id: job.id,
    type: job.type,
    queue: job.queue,
    tenant: tenantOrNull(job.tenant),
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
    attributes: job.attributes,
    flow: job.flow,
    origin: job.origin,
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
