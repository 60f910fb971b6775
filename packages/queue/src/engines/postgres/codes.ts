import type { StateCounts } from '../../engine/contract.ts'
import type { JobState, TerminalState } from '../../job/state.ts'

/**
 * What the numbers in `job.state` mean. Frozen: they are stored. A live job is queued or running: that is told by where
 * it stands.
 */
export const stored = { live: 0, blocked: 3, completed: 4, cancelled: 5, dead: 6 } as const

export const terminalCode: Record<TerminalState, number> = {
  completed: stored.completed,
  cancelled: stored.cancelled,
  dead: stored.dead,
}

const names: Record<number, JobState> = { 3: 'blocked', 4: 'completed', 5: 'cancelled', 6: 'dead' }

export function stateOf(code: number, held: boolean): JobState {
  return names[code] ?? (held ? 'running' : 'queued')
}

/** The counters' columns, which are named as the contract names them. */
export const standings = [
  'ready',
  'delayed',
  'blocked',
  'running',
  'completed',
  'cancelled',
  'dead',
] as const satisfies (keyof StateCounts)[]
