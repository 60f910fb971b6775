import { setTimeout as delay } from 'node:timers/promises'
import type { Clock, Timer } from '../../src/engine/clock.ts'

/** A Thursday noon, far from every zone's clock changes. */
export const startAt = Date.UTC(2026, 0, 15, 12)

/** Timers that start each other without end would keep `advance` busy for ever. */
const mostTimers = 1_000_000
/** Timers that start each other without letting time pass must not keep a check from being made. */
const mostAtOnce = 20
/** What virtual time can't drive (a file watcher, a server's notification) gets this much real time. */
const realPatienceMs = 2_000
/** A call under way gets this much: the answer of a server on a loaded machine can take a while. */
const busyPatienceMs = 10_000

/** Who works at the present instant: time waits for them. */
export interface Work {
  readonly busy: boolean
  /** Calls once, when something of it is done. */
  onEnd(listener: () => void): void
}

const nobody: Work = { busy: false, onEnd: () => {} }

interface Pending {
  at: number
  order: number
  fn: () => void
}

/** A clock that stands still until a test moves it. Timers fire in order, each after all work before it has settled. */
export class TestClock implements Clock {
  readonly real = false
  #wallAt: number
  #elapsedMs = 0
  #order = 0
  readonly #pending = new Set<Pending>()
  readonly #work: Work

  constructor(wallAt = startAt, work: Work = nobody) {
    this.#wallAt = wallAt
    this.#work = work
  }

  readonly now = (): number => this.#wallAt

  readonly monotonic = (): number => this.#elapsedMs

  readonly after = (ms: number, fn: () => void): Timer => {
    const pending = { at: this.#elapsedMs + Math.max(0, ms), order: this.#order++, fn }
    this.#pending.add(pending)
    return { cancel: () => this.#pending.delete(pending) }
  }

  /** How many timers wait. A component that has stopped leaves none. */
  get timers(): number {
    return this.#pending.size
  }

  /** Lets `ms` pass, firing what falls due in it. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#elapsedMs + ms
    await this.quiet()
    for (let fired = 0; ; fired++) {
      const next = this.#next()
      if (next === undefined || next.at > untilMs) break
      if (fired > mostTimers) throw new Error(`more than ${mostTimers} timers fired within ${ms} ms`)
      await this.#fire(next)
    }
    this.#pass(untilMs - this.#elapsedMs)
    await this.quiet()
  }

  /** Lets `ms` pass without firing anything, as for a process that was frozen. What fell due fires late. */
  freeze(ms: number): void {
    this.#pass(ms)
  }

  /** Sets the wall clock, forwards or back, while no time passes. */
  setWall(at: number): void {
    this.#wallAt = at
  }

  /** Lets time pass, timer by timer, until `promise` settles, and answers as it does. */
  async until<T>(promise: Promise<T>, withinMs = 60_000): Promise<T> {
    let settled = false
    const settle = (): void => {
      settled = true
    }
    promise.then(settle, settle)
    await this.eventually(() => settled, withinMs)
    return promise
  }

  /** Lets time pass, timer by timer, until `check` holds. Answers how many milliseconds that took. */
  async eventually(check: () => boolean | Promise<boolean>, withinMs = 60_000): Promise<number> {
    const startMs = this.#elapsedMs
    const untilMs = startMs + withinMs
    await this.quiet()
    while (!(await check())) {
      // Where checking takes a while, others go on meanwhile: time waits for them, and then they may have done it.
      if ((await this.#calm()) === 'worked') continue
      const next = this.#next()
      if (next !== undefined && next.at <= untilMs) await this.#fireInstant(next)
      else if (!(await this.#waitForReal(check, untilMs)))
        throw new Error(`it did not happen within ${withinMs} ms of virtual time`)
    }
    return this.#elapsedMs - startMs
  }

  /** Resolves when nobody has anything left to do at the present instant. */
  async quiet(): Promise<void> {
    await this.#calm()
  }

  /** `worked`: somebody did, and is done. */
  async #calm(): Promise<'worked' | 'idle'> {
    let answer: 'worked' | 'idle' = 'idle'
    for (let calm = 0; calm < 3; calm++) {
      await turn()
      for (const sinceMs = Date.now(); this.#work.busy; calm = 0) {
        const leftMs = busyPatienceMs - (Date.now() - sinceMs)
        if (leftMs <= 0) return 'idle'
        answer = 'worked'
        await this.#someEnd(leftMs)
        await turn()
      }
    }
    return answer
  }

  /** Turning round until then would take the processor from a server that works for us. */
  async #someEnd(withinMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>(resolve => {
      timer = setTimeout(resolve, withinMs)
      this.#work.onEnd(resolve)
    })
    clearTimeout(timer)
  }

  async #waitForReal(check: () => boolean | Promise<boolean>, untilMs: number): Promise<boolean> {
    for (const sinceMs = Date.now(); Date.now() - sinceMs < realPatienceMs; ) {
      await delay(1)
      if ((this.#next()?.at ?? Number.POSITIVE_INFINITY) <= untilMs || (await check())) return true
    }
    return false
  }

  async #fire(pending: Pending): Promise<void> {
    this.#pending.delete(pending)
    this.#pass(Math.max(0, pending.at - this.#elapsedMs))
    pending.fn()
    await this.quiet()
  }

  /** With those that fall due at the same instant, so that checking, which may be a question to a server, comes after. */
  async #fireInstant(first: Pending): Promise<void> {
    let next: Pending | undefined = first
    for (let fired = 0; next !== undefined && fired < mostAtOnce; fired++) {
      await this.#fire(next)
      next = this.#next()
      if (next !== undefined && next.at > this.#elapsedMs) return
    }
  }

  #pass(ms: number): void {
    this.#elapsedMs += ms
    this.#wallAt += ms
  }

  #next(): Pending | undefined {
    let first: Pending | undefined
    for (const each of this.#pending)
      if (first === undefined || each.at < first.at || (each.at === first.at && each.order < first.order))
        first = each
    return first
  }
}

/** One turn of the event loop: promises, immediates and finished input have had their say. */
export function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** The same timers under a wall clock that goes wrong by `byMs`, as on a machine that nobody keeps in time. */
export function skewed(clock: Clock, byMs: number): Clock {
  return { real: clock.real, monotonic: clock.monotonic, after: clock.after, now: () => clock.now() + byMs }
}
