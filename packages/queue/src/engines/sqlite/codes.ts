import type { JobState, TerminalState } from '../../job/state.ts'

/** What the numbers in the tables mean. Frozen: they are stored. 0–3 are phases of live jobs, 4–6 states of history. */
export const phase = {
  ready: 0,
  delayed: 1,
  running: 2,
  blocked: 3,
  completed: 4,
  cancelled: 5,
  dead: 6,
} as const
export type Phase = (typeof phase)[keyof typeof phase]

const states: JobState[] = ['queued', 'queued', 'running', 'blocked', 'completed', 'cancelled', 'dead']

export function stateOf(code: number): JobState {
  return states[code] as JobState
}

export const terminalCode: Record<TerminalState, Phase> = {
  completed: phase.completed,
  cancelled: phase.cancelled,
  dead: phase.dead,
}

export function codesOf(state: JobState): Phase[] {
  return states.flatMap((each, code) => (each === state ? [code as Phase] : []))
}
