import type { StateCounts } from '../../engine/contract.ts'
import type { JobState } from '../../job/state.ts'

/** How many jobs of a kind stand where. */
export interface Standing extends StateCounts {
  kind: number
}

/** What `until` is where nothing bounds it. */
export const endOfTime = Number.MAX_SAFE_INTEGER

export interface Search {
  states: ReadonlySet<JobState>
  /** Those that fit, with what there is of each. */
  kinds: Standing[]
  /** Whether every kind fits. */
  allKinds: boolean
  tenant: string | null
  /** Of the last error. */
  fingerprint: string | null
  from: number
  until: number
  /** One more than the page holds, to see whether there is more. */
  limit: number
}

/**
 * Where the finished part goes on: after the `shown` last jobs of one entry of `finished` (counted from its end, because
 * retention takes jobs from its beginning), or, among the few jobs of a tenant, after the one that finished then.
 */
export type Place = { at: number; seq: number; shown: number } | { at: number; id: string }
