import type { Clock } from '../engine/clock.ts'
import type { AttemptRecord, Engine, JobRecord, Lane, WorkerRecord } from '../engine/contract.ts'
import type { DependencyRecord } from '../engine/flow.ts'
import { QueueError } from '../engine/errors.ts'
import type { StepRecord } from '../engine/step.ts'
import type { JobError } from '../job/error.ts'
import { isTerminal, type JobState, type TerminalState } from '../job/state.ts'
import { sentenceOf } from './why-sentence.ts'

/** What each cause comes with. Instants are epoch ms. */
export interface WhyDetails {
  finished: {
    state: TerminalState
    at: number | null
    attempt: number
    maxAttempts: number
    /** For a cancelled job. */
    reason: string | null
    /** For a dead job. */
    error: JobError | null
  }
  running: {
    worker: string | null
    /** How people know the worker; null when its lease has ended. */
    label: string | null
    since: number | null
    until: number | null
    /** False: the worker went silent, and the job waits to be rescued. */
    leaseHolds: boolean
    /** Live workers, of which any rescues it. */
    rescuers: number
    cancelReason: string | null
  }
  'not-due': {
    runAt: number
    after: 'first' | 'failure' | 'snooze'
    attempt: number
    maxAttempts: number
    /** Of the attempt that failed. */
    error: JobError | null
  }
  'paused-queue': { queue: string }
  'no-worker': Record<never, never>
  'unknown-type': {
    type: string
    queue: string
    workers: number
    /** Queues in which some live worker does claim this type. */
    claimedIn: string[]
  }
  blocked: {
    /** The first ten that have not ended. */
    by: { id: string; name: string; type: string; state: JobState }[]
    more: number
  }
  'waiting-signal': { step: string; signal: string; until: number | null }
  'waiting-job': {
    step: string
    child: string | null
    type: string | null
    state: JobState | null
    until: number | null
  }
  sleeping: { step: string; until: number | null }
  'queue-position': {
    queue: string
    /** Jobs that are due there, this one included. */
    ready: number
    running: number
    /** Live workers that claim this type there. */
    workers: number
  }
}

export type WhyCause = keyof WhyDetails

/** The one thing that keeps a job from running now: what would have to change first. */
export type Why = {
  [Cause in WhyCause]: {
    id: string
    state: JobState
    cause: Cause
    /** For people: one sentence that needs no other. */
    sentence: string
    details: WhyDetails[Cause]
  }
}[WhyCause]

/** A cause with its details, before anybody says it. */
export type Reason = { [Cause in WhyCause]: { cause: Cause; details: WhyDetails[Cause] } }[WhyCause]

const shownBlockers = 10
/** A job that moves while it is looked at is looked at anew, but not for ever. */
const looks = 3

/** Says why a job is not running, or not any more. Reads only. Throws `not-found`. */
export async function why(engine: Engine, clock: Clock, id: string): Promise<Why> {
  let job = await read(engine, id)
  for (let look = 1; ; look++) {
    const reason = await reasonOf(engine, clock, job)
    const seen = await read(engine, id)
    const moved = seen.state !== job.state || seen.epoch !== job.epoch || seen.runAt !== job.runAt
    if (!moved || look === looks)
      return { id: job.id, state: job.state, ...reason, sentence: sentenceOf(reason) } as Why
    job = seen
  }
}

async function read(engine: Engine, id: string): Promise<JobRecord> {
  const [job] = await engine.get([id])
  if (job) return job
  throw new QueueError('not-found', `no job ${id}: never enqueued here, or pruned by its retention`)
}

async function reasonOf(engine: Engine, clock: Clock, job: JobRecord): Promise<Reason> {
  if (isTerminal(job.state)) return finished(job, job.state)
  if (job.state === 'running') return running(job, await engine.workers())
  if (job.state === 'blocked') return blocked(engine, job)
  if (job.runAt > clock.now()) return notDue(engine, job)
  return due(engine, job)
}

function finished(job: JobRecord, state: TerminalState): Reason {
  const { finishedAt: at, attempt, maxAttempts } = job
  const reason = state === 'cancelled' ? job.cancelReason : null
  const error = state === 'dead' ? job.lastError : null
  return { cause: 'finished', details: { state, at, attempt, maxAttempts, reason, error } }
}

function running(job: JobRecord, workers: WorkerRecord[]): Reason {
  // Whether a lease holds is the engine's word, by its own clock: it lists live workers only.
  const holder = workers.find(each => each.worker === job.worker)
  return {
    cause: 'running',
    details: {
      worker: job.worker,
      label: holder?.label ?? null,
      since: job.startedAt,
      until: holder?.expiresAt ?? job.leaseExpiresAt,
      leaseHolds: holder !== undefined,
      rescuers: workers.length,
      cancelReason: job.cancelReason,
    },
  }
}

async function blocked(engine: Engine, job: JobRecord): Promise<Reason> {
  const waited = (await engine.dependencies(job.id)).filter(each => !isTerminal(each.state))
  const step = waited.length > 0 ? undefined : await waitingStep(engine, job)
  return step ? inStep(engine, step) : blockedBy(waited)
}

function blockedBy(waited: DependencyRecord[]): Reason {
  const by = waited.slice(0, shownBlockers).map(({ id, name, type, state }) => ({ id, name, type, state }))
  return { cause: 'blocked', details: { by, more: waited.length - by.length } }
}

async function waitingStep(engine: Engine, job: JobRecord): Promise<StepRecord | undefined> {
  return (await engine.steps(job.id)).findLast(step => step.state === 'waiting' && !step.due)
}

async function inStep(engine: Engine, step: StepRecord): Promise<Reason> {
  const { name, wakeAt: until } = step
  if (step.kind === 'signal')
    return { cause: 'waiting-signal', details: { step: name, signal: step.signal ?? name, until } }
  if (step.kind === 'sleep') return { cause: 'sleeping', details: { step: name, until } }
  const [child] = step.childId === null ? [] : await engine.get([step.childId])
  const { type = null, state = null } = child ?? {}
  return { cause: 'waiting-job', details: { step: name, child: step.childId, type, state, until } }
}

async function notDue(engine: Engine, job: JobRecord): Promise<Reason> {
  const last = job.epoch === 0 ? undefined : (await engine.attempts(job.id)).at(-1)
  if (last?.outcome === 'waited') {
    const step = await waitingStep(engine, job)
    if (step) return inStep(engine, step)
  }
  const after = delayedBy(last)
  const { runAt, attempt, maxAttempts } = job
  const error = after === 'failure' ? (last?.error ?? job.lastError) : null
  return { cause: 'not-due', details: { runAt, after, attempt, maxAttempts, error } }
}

function delayedBy(last: AttemptRecord | undefined): WhyDetails['not-due']['after'] {
  if (last?.outcome === 'failed') return 'failure'
  return last?.outcome === 'snoozed' ? 'snooze' : 'first'
}

/** It could run now: what keeps it from being claimed? */
async function due(engine: Engine, job: JobRecord): Promise<Reason> {
  const { queue, type } = job
  const [queues, workers] = await Promise.all([engine.queues(), engine.workers()])
  if (queues.some(each => each.queue === queue && each.paused))
    return { cause: 'paused-queue', details: { queue } }
  if (workers.length === 0) return { cause: 'no-worker', details: {} }
  const claiming = workers.filter(({ lanes }) => lanes === null || lanes.some(lane => claims(lane, job)))
  if (claiming.length === 0) {
    const lanes = workers.flatMap(each => each.lanes ?? []).filter(lane => lane.types.includes(type))
    const claimedIn = [...new Set(lanes.map(lane => lane.queue))].toSorted()
    return { cause: 'unknown-type', details: { type, queue, workers: workers.length, claimedIn } }
  }
  const counts = (await engine.counts()).byQueue[queue]
  return {
    cause: 'queue-position',
    details: {
      queue,
      ready: Math.max(1, counts?.ready ?? 0),
      running: counts?.running ?? 0,
      workers: claiming.length,
    },
  }
}

function claims(lane: Lane, job: JobRecord): boolean {
  return lane.queue === job.queue && lane.types.includes(job.type)
}
