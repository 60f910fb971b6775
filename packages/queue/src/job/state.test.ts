import { describe, expect, it } from 'vitest'
import { displayState, isTerminal, type JobState, jobStates, terminalStates } from './state.ts'

const now = 1_000

describe('the state that people are shown', () => {
  it.each<[string, { runAt: number; attempt: number }, string]>([
    ['is due', { runAt: now - 1, attempt: 0 }, 'queued'],
    ['falls due at this instant', { runAt: now, attempt: 0 }, 'queued'],
    ['is not due yet', { runAt: now + 1, attempt: 0 }, 'scheduled'],
    ['has failed and waits', { runAt: now + 1, attempt: 1 }, 'retrying'],
    ['has failed and is due again', { runAt: now, attempt: 2 }, 'retrying'],
  ])('of a queued job that %s', (_what, job, shown) => {
    expect(displayState({ state: 'queued', ...job }, now)).toBe(shown)
  })

  it.each(jobStates.filter(state => state !== 'queued'))('of a %s job is its stored one', state => {
    for (const runAt of [now - 1, now + 1])
      for (const attempt of [0, 1]) expect(displayState({ state, runAt, attempt }, now)).toBe(state)
  })
})

describe('the stored states', () => {
  it('are six, and frozen: they are stored', () => {
    expect(jobStates).toEqual(['queued', 'blocked', 'running', 'completed', 'cancelled', 'dead'])
  })

  it.each<[JobState, boolean]>([
    ['queued', false],
    ['blocked', false],
    ['running', false],
    ['completed', true],
    ['cancelled', true],
    ['dead', true],
  ])('%s is terminal: %s', (state, terminal) => {
    expect(isTerminal(state)).toBe(terminal)
    expect((terminalStates as readonly string[]).includes(state)).toBe(terminal)
  })
})
