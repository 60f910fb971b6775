import type { ClaimedJob, Lease } from '../../engine/contract.ts'
import { readToken } from './lease-token.ts'

/**
 * How much of each batch that this process claimed has not ended. A batch's row goes with its last member; one that is
 * left behind costs a rescue a few look-ups and nothing else.
 */
export class Batches {
  /** By batch: the ids of its members, and the epochs that they were claimed with. */
  readonly #left = new Map<number, Map<string, number>>()

  claimed(jobs: readonly ClaimedJob[]): void {
    const [first] = jobs
    if (first) this.#left.set(readToken(first).lid, new Map(jobs.map(job => [job.id, job.epoch])))
  }

  /** The batches that these leases are the last of. Remembers nothing: whether they end is not known yet. */
  ending(leases: readonly Lease[]): number[] {
    const ids = new Map<number, Set<string>>()
    for (const lease of leases) {
      const { lid } = readToken(lease)
      if (this.#left.get(lid)?.get(lease.id) !== lease.epoch) continue
      const ending = ids.get(lid)
      if (ending) ending.add(lease.id)
      else ids.set(lid, new Set([lease.id]))
    }
    return [...ids].filter(([lid, ending]) => ending.size === this.#left.get(lid)?.size).map(([lid]) => lid)
  }

  ended(leases: readonly Lease[]): void {
    for (const lease of leases) {
      const { lid } = readToken(lease)
      const left = this.#left.get(lid)
      left?.delete(lease.id)
      if (left?.size === 0) this.#left.delete(lid)
    }
  }
}
