import type { SettleAnswer } from '../engine/contract.ts'
import type { Outcome } from '../job/decide.ts'
import type { DrainResult } from './options.ts'

const countedAs = {
  complete: 'completed',
  retry: 'retried',
  dead: 'dead',
  snooze: 'snoozed',
  cancelled: 'cancelled',
  release: 'released',
} as const

/** Counts what one drain does, and knows when it is over. */
export class Drain {
  overBudget = false
  readonly #counts = { completed: 0, retried: 0, dead: 0, snoozed: 0, cancelled: 0, released: 0 }

  readonly #done: () => boolean
  #finish: () => void = () => {}

  constructor(done: () => boolean) {
    this.#done = done
  }

  settled(outcome: Outcome, answer: SettleAnswer): void {
    if (answer === 'settled' || answer === 'already-settled') this.#counts[countedAs[outcome.kind]]++
  }

  budgetSpent(): void {
    this.overBudget = true
    this.#finish()
  }

  /** Something has changed: perhaps it is over. */
  look(): void {
    if (this.#done()) this.#finish()
  }

  /** Resolves when all is done or the budget is spent. */
  finished(): Promise<void> {
    return new Promise(resolve => {
      this.#finish = resolve
      if (this.overBudget) resolve()
      else this.look()
    })
  }

  result(exhausted: boolean): DrainResult {
    const endedBy = this.overBudget ? 'budget' : exhausted ? 'max-jobs' : 'empty'
    return { ...this.#counts, endedBy }
  }
}
