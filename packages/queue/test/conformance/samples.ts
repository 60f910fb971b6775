import type { LogLine, NewJob } from '../../src/engine/contract.ts'
import type { StepWrite } from '../../src/engine/step.ts'
import type { Outcome } from '../../src/job/decide.ts'
import type { JobError } from '../../src/job/error.ts'

export const secondMs = 1_000
export const minuteMs = 60_000
export const hourMs = 3_600_000
export const dayMs = 86_400_000

/** A plain job; the id must be given. */
export function aJob(job: Partial<NewJob> & { id: string }): NewJob {
  return {
    type: 'mail',
    queue: 'default',
    tenant: '',
    priority: 5,
    payloadJson: '{}',
    delayMs: 0,
    runAt: null,
    maxAttempts: 3,
    idempotency: null,
    ...job,
  }
}

/** A step that has completed. */
export function aStep(step: Partial<StepWrite> = {}): StepWrite {
  return {
    name: 'charge',
    ordinal: 1,
    kind: 'run',
    state: 'completed',
    resultJson: null,
    error: null,
    ranMs: 0,
    signalId: null,
    ...step,
  }
}

export function aLine(message: string): LogLine {
  return { level: 'info', message, dataJson: null, at: 0 }
}

export function anError(message = 'it broke'): JobError {
  return {
    name: 'Error',
    message,
    stack: `Error: ${message}\n    at work (file.ts:1:1)`,
    fingerprint: '0123456789abcdef',
  }
}

export const complete = (resultJson: string | null = null): Outcome => ({ kind: 'complete', resultJson })
export const retry = (inMs = 0, message?: string): Outcome => ({
  kind: 'retry',
  inMs,
  error: anError(message),
})
export const dead = (message?: string): Outcome => ({ kind: 'dead', error: anError(message) })
export const snooze = (inMs = 0): Outcome => ({ kind: 'snooze', inMs, reason: 'not yet' })
export const release: Outcome = { kind: 'release' }
export const cancelled = (reason = 'asked to stop'): Outcome => ({ kind: 'cancelled', reason })

/** An id that no job has. */
export const unknownId = '01900000-0000-7000-8000-000000000000'
