import type { TerminalState } from './state.ts'

/** How long finished jobs of one state are kept: whichever bound is reached first ends it. */
export interface RetentionLimit {
  maxAgeMs?: number
  maxCount?: number
}

/** A definition's retention, state by state. What is not given falls back to the defaults. */
export type Retention = Partial<Record<TerminalState, RetentionLimit>>

/** One line of the pruner's list. `type` null: every type that has no rule of its own for this state. */
export interface RetentionRule extends RetentionLimit {
  type: string | null
  state: TerminalState
}

const dayMs = 86_400_000

/** Completed work is kept for a day, what went wrong for a month. */
export const defaultRetention: Record<TerminalState, RetentionLimit> = {
  completed: { maxAgeMs: dayMs },
  cancelled: { maxAgeMs: 7 * dayMs },
  dead: { maxAgeMs: 30 * dayMs },
}
