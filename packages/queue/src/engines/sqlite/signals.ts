import { QueueError } from '../../engine/errors.ts'
import { type NewSignal, type SignalAnswer, type SignalRecord, signalsKept } from '../../engine/step.ts'
import { formatId, parseId } from '../../job/id.ts'
import { CounterChanges } from './counters.ts'
import type { Store } from './store.ts'
import { wakeForSignal } from './unblock.ts'

/** Keeps a signal until its job takes it. Inside a write. */
export function signal(store: Store, now: number, sent: NewSignal): { answer: SignalAnswer; wakes: boolean } {
  const id = parseId(sent.id)
  const job = parseId(sent.jobId)
  if (store.get('SELECT 1 FROM millrace_signal WHERE id = ?', id))
    return { answer: 'duplicate', wakes: false }
  if (!store.get('SELECT 1 FROM millrace_job WHERE id = ?', job)) {
    const finished = store.get('SELECT 1 FROM millrace_history WHERE id = ?', job)
    return { answer: finished ? 'already-finished' : 'not-found', wakes: false }
  }
  const full = store.get(
    'SELECT 1 FROM millrace_signal WHERE job = ? AND taken = 0 LIMIT 1 OFFSET ?',
    job,
    signalsKept - 1,
  )
  if (full)
    throw new QueueError(
      'queue-full',
      `job ${sent.jobId} has ${signalsKept} signals that it has not taken; more are refused until it takes some`,
      { retryAfterMs: 1_000 },
    )
  store.run(
    'INSERT INTO millrace_signal (id, job, name, payload, at) VALUES (?, ?, ?, ?, ?)',
    id,
    job,
    sent.name,
    sent.payloadJson,
    now,
  )
  const counters = new CounterChanges()
  const wakes = wakeForSignal(store, now, { job, name: sent.name }, counters)
  counters.write(store, now)
  return { answer: 'delivered', wakes }
}

export function signals(store: Store, id: string): SignalRecord[] {
  return store
    .all<{ id: Uint8Array; name: string; payload: string; at: number }>(
      'SELECT id, name, payload, at FROM millrace_signal WHERE job = ? AND taken = 0 ORDER BY n',
      parseId(id),
    )
    .map(row => ({ id: formatId(row.id), name: row.name, payloadJson: row.payload, at: row.at }))
}
