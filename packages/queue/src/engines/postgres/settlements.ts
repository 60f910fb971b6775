import type { Settlement } from '../../engine/contract.ts'
import type { Batches } from './batches.ts'
import type { Kinds } from './kinds.ts'
import { joined } from './queries.ts'

export interface SettleContext {
  now: number | null
  channel: string
  /** Said to all who listen. */
  wake: string
  /** Tells nobody of completions. */
  quiet: boolean
  worker: number
  batches: Batches
  kinds: Kinds
}

/** What came of it for other jobs of their flows. */
export interface Moved {
  /** Those that were skipped. */
  skipped: string[]
  /** Some may run now. */
  ready: boolean
  /** Some that run are asked to stop. */
  asked: boolean
}

export interface Item {
  settlement: Settlement
  /** Where the caller had it. */
  index: number
}

/** Settlements of one statement, and the batches of which they are the last. */
export interface Group {
  items: readonly Item[]
  ending: readonly number[]
}

/** As one parameter; null when there is none. */
export function results(items: readonly Item[]): string | null {
  const texts = items.map(({ settlement: { outcome } }) =>
    outcome.kind === 'complete' ? (outcome.resultJson ?? '') : '',
  )
  return texts.some(text => text !== '') ? joined(texts) : null
}

export function whole(ms: number): number {
  return Math.min(2 ** 31 - 1, Math.max(0, Math.round(ms)))
}
