import type { StepRecord, StepWrite } from '../../engine/step.ts'
import { formatId, parseId } from '../../job/id.ts'
import { readError } from './rows.ts'
import type { Store } from './store.ts'

interface StepRow {
  name: string
  ordinal: number
  kind: StepRecord['kind']
  state: StepRecord['state']
  result: string | null
  error: string | null
  attempt: number
  epoch: number
  started_at: number
  ended_at: number | null
  wake_at: number | null
  signal: string | null
  child: Uint8Array | null
}

/** Of a running attempt. What a step waited for, and since when, stays known when it ends. */
export function writeSteps(
  store: Store,
  now: number,
  held: { id: Uint8Array; attempt: number; epoch: number },
  steps: StepWrite[],
): void {
  for (const step of steps) {
    store.run(
      `INSERT INTO millrace_step (job, name, ordinal, kind, state, attempt, epoch, started_at, ended_at, error, result)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
       ON CONFLICT (job, name) DO UPDATE SET ordinal = excluded.ordinal, kind = excluded.kind, state = excluded.state,
         attempt = excluded.attempt, epoch = excluded.epoch, ended_at = excluded.ended_at, error = excluded.error,
         result = excluded.result, parked = NULL,
         started_at = iif(state = 'waiting', min(started_at, excluded.started_at), excluded.started_at)`,
      held.id,
      step.name,
      step.ordinal,
      step.kind,
      step.state,
      held.attempt,
      held.epoch,
      now - Math.max(0, Math.round(step.ranMs)),
      now,
      step.error && JSON.stringify(step.error),
      step.resultJson,
    )
    if (step.signalId !== null)
      store.run(
        `UPDATE millrace_signal SET taken = 1, payload = '' WHERE id = ? AND job = ?`,
        parseId(step.signalId),
        held.id,
      )
  }
}

export function steps(store: Store, now: number, id: string): StepRecord[] {
  return store
    .all<StepRow & Record<string, never>>(
      'SELECT * FROM millrace_step WHERE job = ? ORDER BY ordinal, name',
      parseId(id),
    )
    .map(row => ({
      name: row.name,
      ordinal: row.ordinal,
      kind: row.kind,
      state: row.state,
      resultJson: row.result,
      error: readError(row.error),
      attempt: row.attempt,
      epoch: row.epoch,
      startedAt: row.started_at,
      endedAt: row.ended_at,
      wakeAt: row.wake_at,
      due: row.state === 'waiting' && row.wake_at !== null && row.wake_at <= now,
      signal: row.signal,
      childId: row.child && formatId(row.child),
    }))
}

/** A job comes back: its steps are forgotten, or stand without being waited in. */
export function redriveSteps(store: Store, job: Uint8Array, options: { forget: boolean }): void {
  store.run(
    options.forget
      ? 'DELETE FROM millrace_step WHERE job = ?'
      : 'UPDATE millrace_step SET parked = NULL WHERE job = ?',
    job,
  )
}
