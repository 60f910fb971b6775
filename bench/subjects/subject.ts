import type { Sides } from '../harness.ts'
import { awaits, bulk, fill } from '../sides/enqueue.ts'
import { idle } from '../sides/idle.ts'
import { latency, produce } from '../sides/latency.ts'
import { pinned } from '../sides/pinned.ts'
import { work, workTogether } from '../sides/work.ts'

export interface Payload {
  n: number
  /** When enqueue was called, by `sharedNow`. */
  at?: number
}

/** A queue as the bench drives it, ours or a peer's, tuned as well as it can be. */
export interface Subject {
  enqueue(payload: Payload): Promise<unknown>
  enqueueMany(payloads: Payload[]): Promise<unknown>
  /** Starts a worker that calls `run` as the handler of each job. Resolves with the way to stop it. */
  work(run: (payload: Payload) => void, tuning: Tuning): Promise<() => Promise<void>>
  /** How many jobs the store says are not finished. */
  left(): Promise<number>
  close(): Promise<void>
}

/** What a worker is set up for: a backlog to be worked off, single jobs to be started soon, or what a user gets unasked. */
export type Tuning = 'throughput' | 'latency' | 'default'

/** Connects, and makes the schema where it is missing. */
export type OpenSubject = (url: string) => Promise<Subject>

/** Everything that is measured of a subject; each runs in a process of its own, some start another of this module. */
export function sidesOf(module: string, open: OpenSubject): Sides {
  return {
    fill: input => fill(open, input),
    bulk: input => bulk(open, input),
    awaits: input => awaits(open, input),
    work: input => work(open, input),
    workTogether: input => workTogether(open, input),
    latency: input => latency(open, input, module),
    produce: input => produce(open, input),
    pinned: input => pinned(open, input, module),
    idle: input => idle(open, input),
  }
}

/**
 * Runs a peer's handler with what ours has by default: a signal of the job's own, and a time after which it fires.
 */
export function withTimeout(run: () => void): void {
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(new Error('timed out')), 600_000)
  try {
    run()
  } finally {
    clearTimeout(timer)
  }
}
