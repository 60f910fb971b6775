import type { Settlement } from './contract.ts'

/**
 * Which settlements of a group are to be tried, by index: of those that name the same job, the first by its newest lease.
 * A worker that was cut off from its store for longer than its lease may hold the ends of two attempts; only the newer
 * one can still count. The others are refused after it.
 */
export function newestOfEachJob(settlements: readonly Settlement[]): { has(index: number): boolean } {
  // As good as always each job is named once, and this is the hot path.
  if (new Set(settlements.map(({ lease }) => lease.id)).size === settlements.length) return all
  const newest = new Map<string, number>()
  settlements.forEach(({ lease }, index) => {
    const before = newest.get(lease.id)
    if (before === undefined || (settlements[before] as Settlement).lease.epoch < lease.epoch)
      newest.set(lease.id, index)
  })
  return new Set(newest.values())
}

const all = { has: () => true }
