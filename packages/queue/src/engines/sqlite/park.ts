import type { NewJob } from '../../engine/contract.ts'
import type { Wait } from '../../job/wait.ts'
import { parseId } from '../../job/id.ts'
import { addChild } from './add-child.ts'
import { phase, type Phase } from './codes.ts'
import type { CounterChanges } from './counters.ts'
import type { FlowChanges } from './flow-changes.ts'
import type { Kinds } from './kinds.ts'
import type { Store } from './store.ts'

interface Parking {
  n: number
  id: Uint8Array
  kind: number
  epoch: number
  attempt: number
  wait: Wait
  child: NewJob | null
  counters: CounterChanges
  changes: FlowChanges
}

/** Frees a job's worker until what its step waits for has come. Costs no attempt. */
export function park(store: Store, kinds: Kinds, now: number, job: Parking): void {
  const { wait } = job
  const wakeAt = wait.until ?? (wait.inMs === null ? null : now + Math.max(0, wait.inMs))
  const child = wait.step.kind === 'job' ? childOf(store, kinds, now, job) : null
  store.run(
    `INSERT INTO millrace_step (job, name, ordinal, kind, state, attempt, epoch, started_at, wake_at, parked, signal, child)
     VALUES (?1, ?2, ?3, ?4, 'waiting', ?5, ?6, ?7, ?8, ?6, ?9, ?10)
     ON CONFLICT (job, name) DO UPDATE SET ordinal = excluded.ordinal, kind = excluded.kind, state = 'waiting',
       attempt = excluded.attempt, epoch = excluded.epoch, wake_at = excluded.wake_at, parked = excluded.parked,
       signal = excluded.signal, child = excluded.child, ended_at = NULL, error = NULL, result = NULL,
       started_at = iif(state = 'waiting', started_at, excluded.started_at)`,
    job.id,
    wait.step.name,
    wait.step.ordinal,
    wait.step.kind,
    job.attempt,
    job.epoch,
    now,
    wakeAt,
    wait.step.signal,
    child,
  )
  const at = hasCome(store, job, child) ? now : wakeAt
  const to: Phase = at === null ? phase.blocked : at <= now ? phase.ready : phase.delayed
  store.run(
    `UPDATE millrace_job SET phase = ?, run_at = ?, attempt = attempt - 1, worker = NULL, started_at = NULL WHERE n = ?`,
    to,
    at ?? now,
    job.n,
  )
  job.counters.move(job.kind, phase.running, to)
  if (to === phase.ready) job.changes.mayRun()
}

/** The child that the step has already, or the new one. */
function childOf(store: Store, kinds: Kinds, now: number, job: Parking): Uint8Array | null {
  const earlier = store.get<{ child: Uint8Array | null }>(
    'SELECT child FROM millrace_step WHERE job = ? AND name = ?',
    job.id,
    job.wait.step.name,
  )
  if (earlier?.child) return earlier.child
  if (!job.child) return null
  const { n, counters, changes } = job
  addChild(store, kinds, now, { n, step: job.wait.step.name, job: job.child, counters, changes })
  return parseId(job.child.id)
}

/** Whether what is waited for is there already. */
function hasCome(store: Store, { id, wait }: Parking, child: Uint8Array | null): boolean {
  switch (wait.step.kind) {
    case 'sleep':
      return false
    case 'signal':
      return (
        store.get(
          'SELECT 1 FROM millrace_signal WHERE job = ? AND taken = 0 AND name = ?',
          id,
          wait.step.signal,
        ) !== undefined
      )
    case 'job':
      return child === null || store.get('SELECT 1 FROM millrace_job WHERE id = ?', child) === undefined
  }
}
