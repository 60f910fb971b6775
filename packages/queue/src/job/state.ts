/** The states that are stored. *Scheduled* and *retrying* are derived (see `displayState`). */
export const jobStates = ['queued', 'blocked', 'running', 'completed', 'cancelled', 'dead'] as const
export type JobState = (typeof jobStates)[number]

export const terminalStates = ['completed', 'cancelled', 'dead'] as const
export type TerminalState = (typeof terminalStates)[number]

export function isTerminal(state: JobState): state is TerminalState {
  return (terminalStates as readonly JobState[]).includes(state)
}

/** What a person is shown: a queued job that is not due is *scheduled*, one that has failed before is *retrying*. */
export type DisplayState = JobState | 'scheduled' | 'retrying'

export function displayState(
  job: { state: JobState; runAt: number; attempt: number },
  now: number,
): DisplayState {
  if (job.state !== 'queued') return job.state
  if (job.attempt > 0) return 'retrying'
  return job.runAt > now ? 'scheduled' : 'queued'
}
