import type { Clock, Timer } from '../engine/clock.ts'
import type { Engine } from '../engine/contract.ts'
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
  readonly #leaseMs: number
  readonly #loop: Loop
  readonly #trouble: (error: unknown) => void
  #guard: Timer | null = null

  constructor(options: {
    engine: Engine
    executor: Executor
    clock: Clock
    worker: string
    label: string
    leaseMs: number
    trouble: (error: unknown) => void
  }) {
    this.#engine = options.engine
    this.#executor = options.executor
    this.#clock = options.clock
    this.#worker = options.worker
    this.#label = options.label
    this.#leaseMs = options.leaseMs
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
      leases,
      leaseMs: this.#leaseMs,
    })
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
  }
}
