import type { Clock, Timer } from '../engine/clock.ts'

interface Waiting {
  at: number
  order: number
  fn: () => void
}

/** Time that only moves when it is told to. Timers fire in the order of their instants. */
export class VirtualClock implements Clock {
  readonly real = false
  #nowMs: number
  #passedMs = 0
  #order = 0
  readonly #timers = new Set<Waiting>()

  constructor(startAt: number) {
    this.#nowMs = startAt
    this.now = this.now.bind(this)
  }

  now(): number {
    return this.#nowMs
  }

  monotonic(): number {
    return this.#passedMs
  }

  after(ms: number, fn: () => void): Timer {
    const timer = { at: this.#passedMs + Math.max(0, ms), order: this.#order++, fn }
    this.#timers.add(timer)
    return { cancel: () => void this.#timers.delete(timer) }
  }

  /** Moves the wall clock alone, as an operator or NTP would. Timers and deadlines do not notice. */
  setNow(now: number): void {
    this.#nowMs = now
  }

  /** Lets time pass, firing what falls due; `settle` is awaited after each instant, so that its consequences happen in it. */
  async advance(ms: number, settle: () => Promise<void>): Promise<void> {
    const until = this.#passedMs + ms
    for (;;) {
      await settle()
      const next = this.#earliest()
      if (!next || next.at > until) break
      this.#pass(next.at)
      this.#timers.delete(next)
      next.fn()
    }
    this.#pass(until)
    await settle()
  }

  #pass(to: number): void {
    if (to <= this.#passedMs) return
    this.#nowMs += to - this.#passedMs
    this.#passedMs = to
  }

  #earliest(): Waiting | undefined {
    let first: Waiting | undefined
    for (const timer of this.#timers)
      if (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order)) first = timer
    return first
  }
}
