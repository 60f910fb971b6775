import type { Clock } from '../engine/clock.ts'
import type { Engine, Lane } from '../engine/contract.ts'
import type { Executor } from './executor.ts'
import { Loop } from './loop.ts'

/** Claims ahead of the handlers no more than they work off in this time… */
const aheadMs = 50
/** … and never more than this. */
const aheadAtMost = 2_000
/** A job that has waited in the buffer for this long is another worker's to take. */
const staleMs = 1_000

/** Keeps the executor supplied: as many jobs as there is room for, and a short while's worth ahead. */
export class Fetcher {
  readonly #engine: Engine
  readonly #executor: Executor
  readonly #clock: Clock
  readonly #worker: string
  readonly #lanes: Lane[]
  readonly #leaseMs: number
  readonly #loop: Loop
  readonly #looked: () => void
  /** Jobs that may still be claimed; infinite unless draining. */
  #left = Number.POSITIVE_INFINITY
  #ahead = 0
  #lastTaken = 0
  #lastClaimAt = 0
  /** Whether the last claim found less than it asked for. */
  dry = false

  constructor(options: {
    engine: Engine
    executor: Executor
    clock: Clock
    worker: string
    lanes: Lane[]
    leaseMs: number
    pollMs: number
    /** A claim was answered. */
    looked: () => void
    trouble: (error: unknown) => void
  }) {
    this.#engine = options.engine
    this.#executor = options.executor
    this.#clock = options.clock
    this.#worker = options.worker
    this.#lanes = options.lanes
    this.#leaseMs = options.leaseMs
    this.#looked = options.looked
    const { pollMs } = options
    this.#loop = new Loop({
      clock: options.clock,
      intervalMs: pollMs,
      tick: () => this.#tick(pollMs),
      trouble: options.trouble,
    })
  }

  start(options: { atMost?: number } = {}): void {
    this.#left = options.atMost ?? Number.POSITIVE_INFINITY
    this.dry = false
    this.#loop.start()
  }

  /** A hint: there may be something to claim. */
  nudge(): void {
    this.dry = false
    this.#loop.nudge()
  }

  /** There may be room for more. */
  freed(): void {
    // While the last claim came back short, there is nothing to ask for until a hint or the poll says so.
    if (!this.dry && this.#wanted() > 0) this.#loop.nudge()
  }

  async stop(): Promise<void> {
    await this.#loop.stop()
  }

  get exhausted(): boolean {
    return this.#left <= 0
  }

  /** Gives back a buffer that the handlers have not got to. */
  releaseStale(): void {
    if (this.#executor.buffered > 0 && this.#clock.monotonic() - this.#lastClaimAt > staleMs) {
      this.#ahead = 0
      this.#executor.giveBack()
    }
  }

  /** Nothing before half of what was fetched ahead is used up, so that claims come in batches. */
  #wanted(): number {
    const { free, buffered } = this.#executor
    if (this.#left <= 0 || this.#executor.isolating) return 0
    if (buffered > this.#ahead / 2) return 0
    return Math.min(this.#left, free + Math.max(0, this.#ahead - buffered))
  }

  async #tick(pollMs: number): Promise<number | undefined> {
    for (;;) {
      if (this.#wanted() <= 0) return pollMs
      this.#reckon()
      const limit = this.#wanted()
      if (limit <= 0) return pollMs
      this.dry = false
      const { jobs, nextDueInMs } = await this.#engine.claim({
        worker: this.#worker,
        lanes: this.#lanes,
        limit,
        leaseMs: this.#leaseMs,
      })
      this.#left -= jobs.length
      this.#lastClaimAt = this.#clock.monotonic()
      this.dry = jobs.length < limit
      this.#lastTaken = jobs.length
      if (jobs.length > 0) this.#executor.take(jobs)
      this.#looked()
      if (this.dry) return Math.min(pollMs, nextDueInMs ?? pollMs)
    }
  }

  /** A claim is due: by how soon the last one was used up, fetch more ahead or less. */
  #reckon(): void {
    const elapsedMs = Math.max(0.1, this.#clock.monotonic() - this.#lastClaimAt)
    const usedUpInTime = (this.#lastTaken / elapsedMs) * aheadMs
    const grown = Math.max(this.#executor.concurrency, this.#ahead * 2)
    this.#ahead = Math.floor(Math.min(aheadAtMost, grown, usedUpInTime))
  }
}
