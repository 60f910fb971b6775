import type { Clock } from '../engine/clock.ts'
import type { Engine } from '../engine/contract.ts'
import { isQueueError } from '../engine/errors.ts'

/** A process asks at most this often whether anybody watches. A little less than a heartbeat. */
const lookMs = 9_500
/** Watching goes on this long after the last watcher, so that one who comes back has missed nothing. */
const watchMs = 10 * 60_000
/** Somebody who watches says so this often. */
const renewMs = 60_000

/** Whether somebody, in whatever process, watches the feed of this store. */
export class Watch {
  readonly #engine: Engine
  readonly #clock: Clock
  readonly #changed: (watched: boolean) => void
  readonly #trouble: (error: unknown) => void
  #untilMs = Number.NEGATIVE_INFINITY
  #lookedMs = Number.NEGATIVE_INFINITY
  #saidMs = Number.NEGATIVE_INFINITY
  #complaint = ''
  /** A question that is on its way. */
  #looking: Promise<void> | null = null
  /** How many questions were asked, and which was the last that an answer was taken from. */
  #asked = 0
  #answered = 0

  constructor(options: {
    engine: Engine
    clock: Clock
    /** What this process knows of it now. */
    changed: (watched: boolean) => void
    trouble: (error: unknown) => void
  }) {
    this.#engine = options.engine
    this.#clock = options.clock
    this.#changed = options.changed
    this.#trouble = options.trouble
  }

  /** Whether it is watched, as far as this process knows. */
  get on(): boolean {
    return this.#clock.monotonic() < this.#untilMs
  }

  /** Somebody here watches. Resolves when the store knows, or when it could not be told. */
  async say(): Promise<void> {
    const now = this.#clock.monotonic()
    if (now - this.#saidMs < renewMs) return
    this.#saidMs = now
    this.#know(watchMs + renewMs)
    try {
      await this.#engine.watchFeed(watchMs + renewMs)
    } catch (error) {
      this.#saidMs = Number.NEGATIVE_INFINITY
      this.#complain(error)
    }
  }

  /** Asks the store, or waits for who is asking; null when that was done a moment ago. */
  learn(): Promise<void> | null {
    return this.#looking ?? (this.#clock.monotonic() - this.#lookedMs < lookMs ? null : this.look())
  }

  /** Never throws: without an answer, what was known holds. */
  look(): Promise<void> {
    const looking = this.#ask().finally(() => {
      if (this.#looking === looking) this.#looking = null
    })
    this.#looking = looking
    return looking
  }

  async #ask(): Promise<void> {
    this.#lookedMs = this.#clock.monotonic()
    const question = ++this.#asked
    try {
      const forMs = await this.#engine.feedWatched()
      this.#complaint = ''
      // One that was asked later, and answered sooner, knows better.
      if (question < this.#answered) return
      this.#answered = question
      this.#know(forMs)
    } catch (error) {
      this.#complain(error)
    }
  }

  /** Once, for as long as it is the same. */
  #complain(error: unknown): void {
    const complaint = String(error)
    if (complaint !== this.#complaint && !isQueueError(error, 'closed')) this.#trouble(error)
    this.#complaint = complaint
  }

  #know(forMs: number): void {
    const untilMs = this.#clock.monotonic() + forMs
    // What was said here counts, also while the store has not heard of it.
    const said = this.#saidMs + watchMs + renewMs
    this.#untilMs = forMs > 0 ? Math.max(untilMs, said) : said
    this.#changed(this.on)
  }
}
