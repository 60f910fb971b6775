import { onTestFinished } from 'vitest'
import { z } from 'zod'
import type { Clock, Random } from '../../src/engine/clock.ts'
import type { Engine } from '../../src/engine/contract.ts'
import {
  createMillrace,
  createWorker,
  defineJob,
  type Handler,
  type Job,
  type JobOptions,
  type JobState,
  type Millrace,
  type Schema,
  type Worker,
  type WorkerOptions,
} from '../../src/index.ts'
import { override } from '../support/engine-proxy.ts'
import { skewed, type TestClock } from '../support/test-clock.ts'
import { minuteMs } from './samples.ts'
import { type EngineSubject, openStage, type Stage } from './stage.ts'

interface RuntimeOptions {
  startAt?: number
  random?: Random
  /** How wrong the wall clock of this process is; the engine's is right. */
  skewMs?: number
  /** Puts something between the runtime and its engine, as a fault. */
  between?: (engine: Engine) => Engine
}

/** The application's side and its workers over an engine, all on one settable clock. */
export class Runtime {
  readonly stage: Stage
  readonly clock: TestClock
  readonly millrace: Millrace
  readonly #clockSeen: Clock
  #isDeaf = false

  constructor(stage: Stage, options: RuntimeOptions) {
    this.stage = stage
    this.clock = stage.clock
    this.#clockSeen = options.skewMs === undefined ? stage.clock : skewed(stage.clock, options.skewMs)
    const hearing = override(stage.engine, {
      subscribe: listener => stage.engine.subscribe(hint => this.#isDeaf || listener(hint)),
    })
    const engine = options.between ? options.between(hearing) : hearing
    this.millrace = createMillrace({
      engine,
      clock: this.#clockSeen,
      ...(options.random ? { random: options.random } : {}),
    })
  }

  /** A worker that is stopped when the test ends. */
  worker(handlers: readonly Handler[], options: WorkerOptions = {}, millrace = this.millrace): Worker {
    const worker = createWorker(millrace, handlers, options)
    onTestFinished(async () => {
      await this.clock.until(worker.stop({ deadlineMs: 0 }))
    })
    return worker
  }

  async start(
    handlers: readonly Handler[],
    options: WorkerOptions = {},
    millrace = this.millrace,
  ): Promise<Worker> {
    const worker = this.worker(handlers, options, millrace)
    await this.clock.until(worker.start())
    return worker
  }

  /** Lets `ms` pass while this process stands still: it does nothing, and hears nothing of what others do until `awake`. */
  freeze(ms: number): void {
    this.#isDeaf = true
    this.clock.freeze(ms)
  }

  awake(): void {
    this.#isDeaf = false
  }

  /** The same store from another process. */
  async elsewhere(): Promise<Millrace> {
    return createMillrace({ engine: await this.stage.another(), clock: this.#clockSeen })
  }

  async job(id: string): Promise<Job> {
    const job = await this.millrace.get(id)
    if (job === null) throw new Error(`no job ${id}`)
    return job
  }

  /** Lets time pass until the job is in that state. Answers how long that took. */
  reaches(id: string, state: JobState, withinMs?: number): Promise<number> {
    return this.clock.eventually(async () => (await this.millrace.get(id))?.state === state, withinMs)
  }

  /** Lets time pass until all of them are in that state. */
  allReach(ids: readonly string[], state: JobState, withinMs?: number): Promise<number> {
    const isThere = async (): Promise<boolean> =>
      (await this.stage.states([...ids])).every(each => each === state)
    return this.clock.eventually(isThere, withinMs)
  }
}

export async function openRuntime(subject: EngineSubject, options: RuntimeOptions = {}): Promise<Runtime> {
  const stage = await openStage(subject, options.startAt === undefined ? {} : { startAt: options.startAt })
  return new Runtime(stage, options)
}

/** For a worker over whom much time passes: what the test is not about does not look at the store every second. */
export const still: WorkerOptions = { scheduler: false, pruner: false, pollMs: minuteMs }

type PlainOptions = Partial<Omit<JobOptions<string, Schema, Schema>, 'payload' | 'result'>>

/** A job with a number in it. Its handler may answer anything. */
export function plainJob(options: PlainOptions = {}) {
  return defineJob({ type: 'work', ...options, payload: z.object({ n: z.int().default(0) }) })
}

/** A promise that a test settles itself. */
export type Gate<T = void> = PromiseWithResolvers<T>

export function gate<T = void>(): Gate<T> {
  return Promise.withResolvers<T>()
}

/** The first report of a handler dawdles on its way to the store until `go`; others would overtake it. */
export function heldReports() {
  const begun = gate()
  const held = gate()
  let count = 0
  const between = (engine: Engine): Engine =>
    override(engine, {
      report: async (worker, reports) => {
        begun.resolve()
        if (count++ === 0) await held.promise
        return engine.report(worker, reports)
      },
    })
  return { between, begun: begun.promise, go: held.resolve }
}

/** Enqueues `count` jobs with `n` from 0. */
export async function enqueueMany(
  millrace: Millrace,
  job: ReturnType<typeof plainJob>,
  count: number,
): Promise<string[]> {
  const items = Array.from({ length: count }, (_, n) => ({ payload: { n } }))
  return (await millrace.enqueueMany(job, items)).map(each => each.id)
}
