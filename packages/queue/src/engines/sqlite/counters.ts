import { phase, type Phase } from './codes.ts'
import type { Store } from './store.ts'

export const tallyMs = 600_000

/**
 * Gathers what one write does to the counters and writes each changed one once, in the same transaction.
 */
export class CounterChanges {
  readonly #changes = new Map<number, number>()
  readonly #tallies = new Map<
    number,
    { completed: number; failed: number; dead: number; cancelled: number }
  >()

  add(kind: number, code: Phase, by: number): void {
    const key = kind * 8 + code
    this.#changes.set(key, (this.#changes.get(key) ?? 0) + by)
  }

  move(kind: number, from: Phase, to: Phase, count = 1): void {
    this.add(kind, from, -count)
    this.add(kind, to, count)
    if (to === phase.completed) this.#tally(kind).completed += count
    else if (to === phase.dead) this.#tally(kind).dead += count
    else if (to === phase.cancelled) this.#tally(kind).cancelled += count
  }

  /** An attempt failed, whether or not the job is tried again. */
  failed(kind: number): void {
    this.#tally(kind).failed++
  }

  #tally(kind: number): { completed: number; failed: number; dead: number; cancelled: number } {
    let tally = this.#tallies.get(kind)
    if (!tally) this.#tallies.set(kind, (tally = { completed: 0, failed: 0, dead: 0, cancelled: 0 }))
    return tally
  }

  write(store: Store, now: number): void {
    for (const [key, by] of this.#changes)
      if (by !== 0)
        store.run(
          `INSERT INTO millrace_counter (kind, phase, count) VALUES (?, ?, ?)
           ON CONFLICT DO UPDATE SET count = count + excluded.count`,
          key >> 3,
          key & 7,
          by,
        )
    const at = now - (now % tallyMs)
    for (const [kind, { completed, failed, dead, cancelled }] of this.#tallies)
      store.run(
        `INSERT INTO millrace_tally (at, kind, completed, failed, dead, cancelled) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET completed = completed + excluded.completed, failed = failed + excluded.failed,
           dead = dead + excluded.dead, cancelled = cancelled + excluded.cancelled`,
        at,
        kind,
        completed,
        failed,
        dead,
        cancelled,
      )
  }
}
