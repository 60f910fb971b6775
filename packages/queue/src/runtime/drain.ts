import type { SettleAnswer } from '../engine/contract.ts'
import type { Outcome } from '../job/decide.ts'
import type { DrainResult } from './options.ts'

const countedAs = {
  complete: 'completed',
  retry: 'retried',
  dead: 'dead',
  snooze: 'snoozed',
  wait: 'waiting',
  cancelled: 'cancelled',
  release: 'released',
} as const

/** Counts what one drain does, and knows when it is over. */
export class Drain {
  /** What ended it before everything was done, and how long running handlers get then. */
  #cut: { by: 'budget' | 'stopped'; deadlineMs: number } | null = null
  readonly #counts = { completed: 0, retried: 0, dead: 0, snoozed: 0, waiting: 0, cancelled: 0, released: 0 }
  /** What it has done beside the jobs. */
  readonly upkeep = { rescued: 0, ticks: 0, pruned: 0 }

  readonly #done: () => boolean
  #finish: () => void = () => {}

  constructor(done: () => boolean) {
    this.#done = done
  }

  settled(outcome: Outcome, answer: SettleAnswer): void {
    if (answer === 'settled' || answer === 'already-settled') this.#counts[countedAs[outcome.kind]]++
  }

  /** Ends it: the budget is spent, or the worker was asked to stop. */
  cut(by: 'budget' | 'stopped', deadlineMs: number): void {
    this.#cut ??= { by, deadlineMs }
    this.#finish()
  }

  get isCut(): boolean {
    return this.#cut !== null
  }

  /** How long handlers that still run get. */
  get deadlineMs(): number {
    return this.#cut?.deadlineMs ?? 0
  }

  /** Something has changed: perhaps it is over. */
  look(): void {
    if (this.#done()) this.#finish()
  }

  /** Resolves when all is done, or it is cut short. */
  finished(): Promise<void> {
    return new Promise(resolve => {
      this.#finish = resolve
      if (this.#cut) resolve()
      else this.look()
    })
  }

  result(exhausted: boolean): DrainResult {
    const endedBy = this.#cut?.by ?? (exhausted ? 'max-jobs' : 'empty')
    return { ...this.#counts, ...this.upkeep, endedBy }
  }
}
