import type { Clock, Timer } from '../engine/clock.ts'

/** A store that was away is found again this soon: work goes on within seconds of its return. */
const longestRetryMs = 2_000

/**
 * Calls `tick` again and again, never twice at once. A tick answers how long to wait before the next, or nothing for
 * the usual interval. One that throws is reported and tried again, with growing waits.
 */
export class Loop {
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #tick: () => Promise<number | undefined>
  readonly #trouble: (error: unknown) => void
  #timer: Timer | null = null
  /** Not told by the promise: a tick may nudge or throw before there is one. */
  #ticking = false
  #running: Promise<void> = Promise.resolve()
  #again = false
  #failures = 0
  #stopped = true

  constructor(options: {
    clock: Clock
    intervalMs: number
    tick: () => Promise<number | undefined>
    trouble: (error: unknown) => void
  }) {
    this.#clock = options.clock
    this.#intervalMs = options.intervalMs
    this.#tick = options.tick
    this.#trouble = options.trouble
  }

  start(): void {
    this.#stopped = false
    this.nudge()
  }

  /** Ticks as soon as possible; again after the present tick, if one is on its way. */
  nudge(): void {
    if (this.#stopped) return
    if (this.#ticking) {
      this.#again = true
      return
    }
    this.#timer?.cancel()
    this.#timer = null
    this.#ticking = true
    this.#running = this.#run()
  }

  /** Resolves when no tick runs any more. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#timer?.cancel()
    this.#timer = null
    await this.#running
  }

  async #run(): Promise<void> {
    let waitMs = this.#intervalMs
    do {
      this.#again = false
      try {
        waitMs = (await this.#tick()) ?? this.#intervalMs
        this.#failures = 0
      } catch (error) {
        this.#trouble(error)
        waitMs = Math.min(longestRetryMs, 250 * 2 ** this.#failures++)
        this.#again = false
      }
    } while (this.#again && !this.#stopped)
    this.#ticking = false
    if (!this.#stopped) this.#timer = this.#clock.after(waitMs, () => this.nudge())
  }
}
