import type { ClaimedJob } from '../../engine/contract.ts'
import { readToken } from './lease-token.ts'
import type { Store } from './store.ts'

/**
 * How much of each batch that this process claimed has not ended. A batch's row goes with its last member; one that is
 * left behind costs a rescue a few look-ups and nothing else.
 */
export class Batches {
  readonly #left = new Map<number, number>()

  claimed(jobs: ClaimedJob[]): void {
    const [first] = jobs
    if (first) this.#left.set(readToken(first).batch, jobs.length)
  }

  /** Inside a write, before it is known whether that will be committed: remembers nothing. */
  deleteEnding(store: Store, ended: Map<number, number>): void {
    for (const [batch, count] of ended)
      if (this.#left.get(batch) === count) store.run('DELETE FROM millrace_claim WHERE batch = ?', batch)
  }

  /** After the write. */
  ended(ended: Map<number, number>): void {
    for (const [batch, count] of ended) {
      const left = (this.#left.get(batch) ?? 0) - count
      if (left > 0) this.#left.set(batch, left)
      else this.#left.delete(batch)
    }
  }
}
