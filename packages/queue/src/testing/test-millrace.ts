import type { AnyJob } from '../definition.ts'
import { nextTurn } from '../engine/clock.ts'
import { SqliteEngine } from '../engines/sqlite/engine.ts'
import type { Handler } from '../handler.ts'
import { type Duration, parseDuration } from '../job/duration.ts'
import { Millrace } from '../queue.ts'
import type { WorkerOptions } from '../runtime/options.ts'
import { Worker } from '../runtime/worker.ts'
import { VirtualClock } from './virtual-clock.ts'

export interface TestOptions extends Pick<WorkerOptions, 'concurrency' | 'graceMs' | 'maxDeaths' | 'queues'> {
  /** Where virtual time begins. Default 2026-01-01T00:00:00Z. */
  startAt?: Date | number
  /** Definitions that are enqueued but not handled here. */
  jobs?: readonly AnyJob[]
}

const dayMs = 86_400_000
/** Turns of the event loop in which nothing moves before it is taken that nothing will. */
const quietTurns = 8

/**
 * The whole system in one value for a test: its own store in memory, a worker, and time that moves only when told to.
 * The runtime is the one that runs in production.
 */
export class TestMillrace {
  readonly millrace: Millrace
  readonly worker: Worker
  readonly #clock: VirtualClock
  #started: Promise<void> | null = null

  constructor(handlers: readonly Handler[], options: TestOptions = {}) {
    const { startAt = Date.UTC(2026, 0, 1), jobs = [], ...worker } = options
    this.#clock = new VirtualClock(Number(startAt))
    this.millrace = new Millrace({
      engine: new SqliteEngine({ path: ':memory:', clock: this.#clock }),
      clock: this.#clock,
      jobs,
    })
    // Hints and due times wake the worker exactly; polling would only make long advances slow.
    this.worker = new Worker(this.millrace, handlers, {
      leaseMs: dayMs,
      pollMs: dayMs,
      sweepMs: dayMs,
      cancelPollMs: dayMs,
      schedulePollMs: dayMs,
      ...worker,
    })
  }

  now(): number {
    return this.#clock.now()
  }

  /** Lets virtual time pass. What falls due runs at its instant; handlers that wait for time get it. */
  async advance(duration: Duration): Promise<void> {
    await this.#start()
    await this.#clock.advance(parseDuration(duration), () => this.#quiet())
  }

  /** Runs everything that is due now, and waits for the handlers to end. */
  async drain(): Promise<void> {
    await this.#start()
    do await this.#quiet()
    while (!this.worker.idle)
  }

  async close(): Promise<void> {
    if (this.#started) {
      const stopped = this.worker.stop({ deadlineMs: 0 })
      await this.#clock.advance(60_000, () => this.#quiet())
      await stopped
    }
    await this.millrace.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #start(): Promise<void> {
    this.#started ??= this.worker.start()
    return this.#started
  }

  async #quiet(): Promise<void> {
    for (let turn = 0; turn < quietTurns; turn++) await new Promise<void>(resolve => nextTurn(resolve))
  }
}

/** Creates an isolated system in virtual time for a test. */
export function createTestMillrace(handlers: readonly Handler[], options: TestOptions = {}): TestMillrace {
  return new TestMillrace(handlers, options)
}
