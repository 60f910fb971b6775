import { readFileSync } from 'node:fs'
import type { AttemptRecord } from '../engine/contract.ts'
import { QueueError } from '../engine/errors.ts'
import type { StepKind, StepState } from '../engine/step.ts'
import { checkId } from '../enqueue.ts'
import type { Dependency } from '../flow/dependencies.ts'
import type { JobError } from '../job/error.ts'
import type { JobState } from '../job/state.ts'
import { readJson } from '../job-view.ts'
import type { LogView, Millrace } from '../queue.ts'

export const bundleFormat = 'millrace-replay'
export const bundleVersion = 1

export interface BundledStep {
  name: string
  ordinal: number
  kind: StepKind
  state: StepState
  /** Absent when the step answered nothing. */
  result?: unknown
  error: JobError | null
  attempt: number
  startedAt: number
  endedAt: number | null
}

/**
 * One job as a plain JSON value: all that its handler was given, and what came of it, so that it can be run again on
 * another machine without a store. It holds the payload and results as they are, so treat it as you treat those.
 */
export interface ReplayBundle {
  format: typeof bundleFormat
  version: typeof bundleVersion
  /** ISO 8601. */
  exportedAt: string
  versions: { millrace: string; node: string; engine: string; schema: number }
  job: {
    id: string
    /** The name of its definition. */
    type: string
    queue: string
    tenant: string
    priority: number
    state: JobState
    payload: unknown
    result: unknown
    error: JobError | null
    cancelReason: string | null
    attempt: number
    maxAttempts: number
    epoch: number
    createdAt: number
    flow: string | null
    origin: string | null
  }
  attempts: AttemptRecord[]
  steps: BundledStep[]
  /** Those that no step has taken, the oldest first. */
  signals: { name: string; payload: unknown; at: number }[]
  dependencies: Dependency[]
  logs: LogView[]
}

const logLines = 10_000

/** Everything about a job that a replay needs. Reads only. Throws `not-found`. */
export async function exportBundle(millrace: Millrace<never>, id: string): Promise<ReplayBundle> {
  const from = millrace as unknown as Millrace
  await from.open()
  const { engine, clock } = from
  const jobId = checkId(id)
  const [job] = await engine.get([jobId])
  if (!job) throw new QueueError('not-found', `no job ${id}: never enqueued here, or pruned by its retention`)
  const [health, attempts, steps, signals, dependencies, logs] = await Promise.all([
    engine.health(),
    engine.attempts(jobId),
    engine.steps(jobId),
    engine.signals(jobId),
    engine.dependencies(jobId),
    from.logs(jobId, { limit: logLines }),
  ])
  const { type, queue, tenant, priority, state, cancelReason, attempt, maxAttempts, epoch } = job
  return {
    format: bundleFormat,
    version: bundleVersion,
    exportedAt: new Date(clock.now()).toISOString(),
    versions: {
      millrace: ownVersion(),
      node: process.versions.node,
      engine: health.engine,
      schema: health.schemaVersion,
    },
    job: {
      ...{ id: job.id, type, queue, tenant, priority, state },
      payload: readJson(job.payloadJson),
      result: readJson(job.resultJson),
      error: job.lastError,
      ...{ cancelReason, attempt, maxAttempts, epoch },
      createdAt: job.createdAt,
      flow: job.flow,
      origin: job.origin,
    },
    attempts,
    steps: steps.map(({ resultJson, name, ordinal, kind, state, error, attempt, startedAt, endedAt }) => ({
      ...{ name, ordinal, kind, state, error, attempt, startedAt, endedAt },
      ...(resultJson === null ? {} : { result: readJson(resultJson) }),
    })),
    signals: signals.map(({ name, payloadJson, at }) => ({ name, payload: readJson(payloadJson), at })),
    dependencies: dependencies.map(({ id, name, type, state, resultJson, lastError }) => ({
      ...{ id, name, type, state, result: readJson(resultJson), error: lastError },
    })),
    logs,
  }
}

/** A bundler may have left the manifest behind; what a person is told is not worth failing for. */
function ownVersion(): string {
  try {
    const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
    return (JSON.parse(manifest) as { version: string }).version
  } catch {
    return 'unknown'
  }
}
