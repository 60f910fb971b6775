import type { CancelAnswer, Reschedule } from '../../engine/contract.ts'
import { parseId } from '../../job/id.ts'
import { phase, type Phase } from './codes.ts'
import { CounterChanges } from './counters.ts'
import { moveToHistory } from './finish.ts'
import { type Effects, FlowChanges } from './flow-changes.ts'
import { forget, goneColumns, type GoneRow } from './forget.ts'
import type { Kinds } from './kinds.ts'
import type { Store } from './store.ts'

interface LiveRow {
  n: number
  kind: number
  phase: Phase
  run_at: number
  flow: Uint8Array | null
}

export function findLive(store: Store, id: string): LiveRow | undefined {
  return store.get<LiveRow & Record<string, never>>(
    'SELECT n, kind, phase, run_at, flow FROM millrace_job WHERE id = ?',
    parseId(id),
  )
}

function isFinished(store: Store, id: string): boolean {
  return store.get('SELECT 1 FROM millrace_history WHERE id = ?', parseId(id)) !== undefined
}

/** Each item's own answer, and what followed in flows. */
export interface Changed<Answer> {
  answers: Answer[]
  effects: Effects
}

export function cancel(store: Store, now: number, ids: string[], reason: string): Changed<CancelAnswer> {
  const counters = new CounterChanges()
  const changes = new FlowChanges(store, now, counters)
  const answers = ids.map((id): CancelAnswer => {
    const job = findLive(store, id)
    if (!job) return isFinished(store, id) ? 'already-finished' : 'not-found'
    if (job.phase === phase.running) {
      store.run(
        'UPDATE millrace_job SET cancel_reason = coalesce(cancel_reason, ?) WHERE n = ?',
        reason,
        job.n,
      )
      return 'requested'
    }
    moveToHistory(store, now, {
      n: job.n,
      startedAt: null,
      code: phase.cancelled,
      error: null,
      result: null,
      cancelReason: reason,
    })
    counters.move(job.kind, job.phase, phase.cancelled)
    changes.ended(parseId(id), job.flow, phase.cancelled)
    return 'cancelled'
  })
  const effects = changes.write()
  counters.write(store, now)
  return { answers, effects }
}

export function reschedule(
  store: Store,
  kinds: Kinds,
  now: number,
  changes: Reschedule[],
): ('changed' | 'not-queued' | 'not-found')[] {
  const counters = new CounterChanges()
  const answers = changes.map(change => {
    const job = findLive(store, change.id)
    if (!job) return isFinished(store, change.id) ? 'not-queued' : 'not-found'
    if (job.phase !== phase.ready && job.phase !== phase.delayed) return 'not-queued'
    const runAt = change.runAt ?? job.run_at
    const to = runAt <= now ? phase.ready : phase.delayed
    const kind =
      change.queue === undefined
        ? job.kind
        : kinds.number(store, change.queue, kinds.get(store, job.kind).type)
    store.run(
      'UPDATE millrace_job SET run_at = ?, phase = ?, priority = coalesce(?, priority), kind = ? WHERE n = ?',
      runAt,
      to,
      change.priority ?? null,
      kind,
      job.n,
    )
    counters.add(job.kind, job.phase, -1)
    counters.add(kind, to, 1)
    return 'changed'
  })
  counters.write(store, now)
  return answers
}

export function remove(
  store: Store,
  now: number,
  ids: string[],
): ('removed' | 'running' | 'in-flow' | 'not-found')[] {
  const counters = new CounterChanges()
  const answers = ids.map(text => {
    const id = parseId(text)
    const live = findLive(store, text)
    if (live?.phase === phase.running) return 'running'
    const table = live ? 'millrace_job' : 'millrace_history'
    const finished = live
      ? undefined
      : store.get<{ kind: number; state: Phase; flow: Uint8Array | null }>(
          'SELECT kind, state, flow FROM millrace_history WHERE id = ?',
          id,
        )
    const counted = live
      ? ([live.kind, live.phase] as const)
      : finished && ([finished.kind, finished.state] as const)
    if (!counted) return 'not-found'
    const flow = (live ?? finished)?.flow ?? null
    if (flow && store.get('SELECT 1 FROM millrace_flow WHERE id = ? AND finished_at IS NULL', flow))
      return 'in-flow'
    forget(store, now, store.rows<GoneRow>(`DELETE FROM ${table} WHERE id = ? RETURNING ${goneColumns}`, id))
    counters.add(counted[0], counted[1], -1)
    return 'removed'
  })
  counters.write(store, now)
  return answers
}
