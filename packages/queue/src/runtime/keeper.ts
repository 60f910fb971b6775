import type { Clock, Timer } from '../engine/clock.ts'
import type { Engine, Lane } from '../engine/contract.ts'
import type { Executor } from './executor.ts'
import { Loop } from './loop.ts'

/** While a heartbeat fails, how soon to try again. */
const retryMs = 1_000

/**
 * Keeps the worker's lease: one heartbeat for all its jobs, every third of the lease. When no beat gets through, the
 * handlers hear of it a third before the lease ends, by a clock that no one can set.
 */
export class Keeper {
  readonly #engine: Engine
  readonly #executor: Executor
  readonly #clock: Clock
  readonly #worker: string
  readonly #label: string
  readonly #lanes: Lane[]
  readonly #leaseMs: number
  readonly #loop: Loop
  readonly #beaten: () => void
  readonly #trouble: (error: unknown) => void
  #guard: Timer | null = null
  /** What the engine's clock said at the last beat, and when that was by the clock that no one can set. */
  #engineTime: { at: number; monotonicMs: number } | null = null

  constructor(options: {
    engine: Engine
    executor: Executor
    clock: Clock
    worker: string
    label: string
    lanes: Lane[]
    leaseMs: number
    /** A beat got through. */
    beaten: () => void
    trouble: (error: unknown) => void
  }) {
    this.#engine = options.engine
    this.#executor = options.executor
    this.#clock = options.clock
    this.#worker = options.worker
    this.#label = options.label
    this.#lanes = options.lanes
    this.#leaseMs = options.leaseMs
    this.#beaten = options.beaten
    this.#trouble = options.trouble
    this.#loop = new Loop({
      clock: options.clock,
      intervalMs: options.leaseMs / 3,
      tick: () => this.#tick(),
      trouble: options.trouble,
    })
  }

  /** Resolves when the worker has its lease. */
  async start(): Promise<void> {
    await this.#beat()
    this.#loop.start()
  }

  async stop(): Promise<void> {
    this.#guard?.cancel()
    await this.#loop.stop()
    // A beat that was on its way has set it again.
    this.#guard?.cancel()
  }

  /** The time by the clock that decides on this engine. A worker whose own is wrong changes nothing by it. */
  now(): number {
    if (this.#engine.capabilities.clock === 'process' || this.#engineTime === null) return this.#clock.now()
    return this.#engineTime.at + (this.#clock.monotonic() - this.#engineTime.monotonicMs)
  }

  async #tick(): Promise<number | undefined> {
    try {
      await this.#beat()
      return undefined
    } catch (error) {
      this.#trouble(error)
      return Math.min(retryMs, this.#leaseMs / 10)
    }
  }

  async #beat(): Promise<void> {
    // The lease counts from when the beat was sent: the answer may have taken its time.
    const sentAt = this.#clock.monotonic()
    const leases = this.#executor.leases()
    const answer = await this.#engine.heartbeat({
      worker: this.#worker,
      label: this.#label,
      lanes: this.#lanes,
      leases,
      leaseMs: this.#leaseMs,
    })
    this.#engineTime = { at: answer.serverNow, monotonicMs: this.#clock.monotonic() }
    const lost = new Set(answer.lost)
    this.#executor.loseLeases(
      leases.filter(lease => lost.has(lease.id)),
      'it ended before the heartbeat',
    )
    this.#executor.cancel(answer.cancelRequested)
    this.#guard?.cancel()
    const warnInMs = (this.#leaseMs * 2) / 3 - (this.#clock.monotonic() - sentAt)
    this.#guard = this.#clock.after(warnInMs, () =>
      this.#executor.loseLeases(this.#executor.leases(), 'no heartbeat got through'),
    )
    this.#beaten()
  }
}
