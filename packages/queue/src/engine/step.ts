import type { JobError } from '../job/error.ts'
import type { Wait } from '../job/wait.ts'

/** Steps and signals, as engines keep them: the memory of one job's handler across its attempts. */
export type StepKind = 'run' | Wait['step']['kind']

/**
 * - `completed`: it stands, and is never run again.
 * - `failed`: it ended its attempt, for people to see; the next attempt runs it again.
 * - `caught`: it failed, and the handler went on: the next attempt gets the same error at this place.
 * - `waiting`: the job sleeps, or waits for a signal or another job.
 */
export type StepState = 'completed' | 'failed' | 'caught' | 'waiting'

interface StepPlace {
  /** Unique in its job. */
  name: string
  /** The how-manieth step of the handler it is, from 1. */
  ordinal: number
  kind: StepKind
}

/**
 * What a running attempt writes of a step, fenced by its lease. It replaces one of the same name, but for what that waited
 * for (`signal`, `childId`, `wakeAt`), which stays.
 */
export interface StepWrite extends StepPlace {
  state: Exclude<StepState, 'waiting'>
  resultJson: string | null
  error: JobError | null
  /** How long it took. The engine reckons `startedAt` from it. */
  ranMs: number
  /** The signal that it took; nobody else gets that any more. */
  signalId: string | null
}

export interface StepRecord extends StepPlace {
  state: StepState
  resultJson: string | null
  error: JobError | null
  attempt: number
  epoch: number
  startedAt: number
  /** Null while it waits. */
  endedAt: number | null
  /** When it stops waiting, by the engine's clock; null: when what it waits for has come. */
  wakeAt: number | null
  /** That time has come. */
  due: boolean
  signal: string | null
  childId: string | null
}

export interface NewSignal {
  /** UUIDv7, made by the caller: a signal that is sent twice arrives once. */
  id: string
  jobId: string
  name: string
  payloadJson: string
}

export interface SignalRecord {
  id: string
  name: string
  payloadJson: string
  at: number
}

/** `delivered`: kept until the job takes it, whether or not it waits for it already. */
export type SignalAnswer = 'delivered' | 'duplicate' | 'not-found' | 'already-finished'

/**
 * Signals that a job has not taken yet are bounded, so that a runaway sender can't fill the store: one more is refused
 * (`queue-full`).
 */
export const signalsKept = 1_000
/** Steps of one job. The runtime sees to it. */
export const stepsKept = 10_000
