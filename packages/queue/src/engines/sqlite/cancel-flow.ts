import type { CancelAnswer } from '../../engine/contract.ts'
import { parseId } from '../../job/id.ts'
import { phase } from './codes.ts'
import { CounterChanges } from './counters.ts'
import { endWaiting, liveNodes } from './end-waiting.ts'
import { type Effects, FlowChanges } from './flow-changes.ts'
import type { Store } from './store.ts'

/** Cancels all that waits, for its own sake, and asks what runs to stop. Inside a write. */
export function cancelFlow(
  store: Store,
  now: number,
  id: string,
  reason: string,
): { answer: CancelAnswer; effects: Effects | null } {
  const counters = new CounterChanges()
  const changes = new FlowChanges(store, now, counters)
  const key = parseId(id)
  const flow = store.get<{ finished_at: number | null }>(
    'SELECT finished_at FROM millrace_flow WHERE id = ?',
    key,
  )
  if (!flow) return { answer: 'not-found', effects: null }
  if (flow.finished_at !== null) return { answer: 'already-finished', effects: null }
  store.run('UPDATE millrace_flow SET cancel_reason = coalesce(cancel_reason, ?) WHERE id = ?', reason, key)
  const live = liveNodes(store, key)
  const running = live.filter(([, , , code]) => code === phase.running)
  store.run(
    `UPDATE millrace_job SET cancel_reason = coalesce(cancel_reason, ?2)
     WHERE n IN (SELECT value FROM json_each(?1))`,
    `[${running.map(([n]) => n).join()}]`,
    reason,
  )
  const waiting = live.filter(([, , , code]) => code !== phase.running)
  const ended = endWaiting(store, now, waiting, { reason, skipped: false, counters })
  changes.stopped(id, ended.length)
  const { settled } = changes.write()
  counters.write(store, now)
  const effects = { settled: [...ended, ...settled], ready: false, cancel: running.length > 0 }
  return { answer: running.length > 0 ? 'requested' : 'cancelled', effects }
}
