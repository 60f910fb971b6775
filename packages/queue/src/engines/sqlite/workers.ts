import type {
  Heartbeat,
  HeartbeatAnswer,
  Lane,
  Lease,
  RescuedJob,
  WorkerRecord,
} from '../../engine/contract.ts'
import { CounterChanges } from './counters.ts'
import { type Effects, FlowChanges } from './flow-changes.ts'
import type { Kinds } from './kinds.ts'
import { readToken } from './lease-token.ts'
import { giveBack } from './rescue.ts'
import type { Store } from './store.ts'

/** A worker's number while its lease holds; undefined when it has none. */
export function leaseHolder(store: Store, now: number, worker: string): number | undefined {
  return store.get<{ worker: number }>(
    'SELECT worker FROM millrace_worker WHERE name = ? AND expires_at > ?',
    worker,
    now,
  )?.worker
}

/**
 * The worker's number, its lease made where there is none. A worker that comes back after its lease has ended starts
 * anew: what it held is given back first, as another worker's rescue would have done.
 */
export function holdLease(
  store: Store,
  kinds: Kinds,
  now: number,
  wanted: { worker: string; leaseMs: number; label?: string },
): number {
  const held = leaseHolder(store, now, wanted.worker)
  if (held !== undefined) return held
  const old = store.get<{ worker: number }>(
    'SELECT worker FROM millrace_worker WHERE name = ?',
    wanted.worker,
  )
  if (old) endLease(store, kinds, now, { worker: old.worker, maxDeaths: Number.POSITIVE_INFINITY })
  const row = store.get<{ worker: number }>(
    `INSERT INTO millrace_worker (name, label, started_at, beat_at, expires_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET beat_at = excluded.beat_at, expires_at = excluded.expires_at
     RETURNING worker`,
    wanted.worker,
    wanted.label ?? wanted.worker,
    now,
    now,
    now + wanted.leaseMs,
  )
  return (row as { worker: number }).worker
}

export function heartbeat(store: Store, kinds: Kinds, now: number, beat: Heartbeat): HeartbeatAnswer {
  const held = leaseHolder(store, now, beat.worker)
  const worker = held ?? holdLease(store, kinds, now, beat)
  store.run(
    'UPDATE millrace_worker SET beat_at = ?, expires_at = ?, label = ?, lanes = coalesce(?, lanes) WHERE worker = ?',
    now,
    now + beat.leaseMs,
    beat.label,
    beat.lanes ? JSON.stringify(beat.lanes) : null,
    worker,
  )
  const lost = held === undefined ? beat.leases : beat.leases.filter(lease => !holds(store, held, lease))
  return {
    lost: lost.map(lease => lease.id),
    cancelRequested: cancelRequests(store, worker, beat.leases),
    serverNow: now,
  }
}

function holds(store: Store, worker: number, lease: Lease): boolean {
  const row = store.get<{ epoch: number; worker: number; phase: number }>(
    'SELECT epoch, worker, phase FROM millrace_job WHERE n = ?',
    readToken(lease).n,
  )
  return row !== undefined && row.epoch === lease.epoch && row.worker === worker && row.phase === 2
}

/** Which of the leases somebody wants cancelled. A read; the index holds only such jobs. */
export function cancelRequests(store: Store, worker: number | undefined, leases: Lease[]): string[] {
  if (worker === undefined) return []
  const wanted = store.all<{ n: number }>(
    'SELECT n FROM millrace_job WHERE worker = ? AND cancel_reason IS NOT NULL AND phase = 2',
    worker,
  )
  if (wanted.length === 0) return []
  const numbers = new Set(wanted.map(row => row.n))
  return leases.filter(lease => numbers.has(readToken(lease).n)).map(lease => lease.id)
}

/** What a rescue did: the jobs themselves, and what followed in their flows. */
export interface Rescue {
  jobs: RescuedJob[]
  effects: Effects[]
}

/** The worker leaves. It should hold nothing any more; what it does hold goes back at once. */
export function retire(store: Store, kinds: Kinds, now: number, name: string): Rescue {
  const row = store.get<{ worker: number }>('SELECT worker FROM millrace_worker WHERE name = ?', name)
  if (!row) return { jobs: [], effects: [] }
  const rescued = endLease(store, kinds, now, { worker: row.worker, maxDeaths: Number.POSITIVE_INFINITY })
  store.run('UPDATE millrace_worker SET expires_at = 0 WHERE worker = ?', row.worker)
  return rescued
}

/** Ends the leases of workers that stopped beating. */
export function rescue(
  store: Store,
  kinds: Kinds,
  now: number,
  request: { maxDeaths: number; limit: number },
): Rescue {
  const gone = store.all<{ worker: number }>(
    `SELECT worker FROM millrace_worker WHERE expires_at <= ?
       AND worker IN (SELECT worker FROM millrace_claim) ORDER BY expires_at`,
    now,
  )
  const rescued: Rescue = { jobs: [], effects: [] }
  for (const { worker } of gone) {
    if (rescued.jobs.length >= request.limit) break
    const limit = request.limit - rescued.jobs.length
    const { jobs, effects } = endLease(store, kinds, now, { worker, maxDeaths: request.maxDeaths, limit })
    rescued.jobs.push(...jobs)
    rescued.effects.push(...effects)
  }
  return rescued
}

/** Gives back what a worker holds, batch by batch, up to `limit` jobs. */
function endLease(
  store: Store,
  kinds: Kinds,
  now: number,
  ended: { worker: number; maxDeaths: number; limit?: number },
): Rescue {
  const counters = new CounterChanges()
  const changes = new FlowChanges(store, now, counters)
  const rescued: RescuedJob[] = []
  const limit = ended.limit ?? Number.POSITIVE_INFINITY
  const batches = store.all<{ batch: number; members: string }>(
    'SELECT batch, members FROM millrace_claim WHERE worker = ? ORDER BY batch',
    ended.worker,
  )
  for (const { batch, members } of batches) {
    const held = JSON.parse(members) as [n: number, epoch: number][]
    while (held.length > 0 && rescued.length < limit) {
      const [n, epoch] = held.shift() as [number, number]
      const job = giveBack(store, kinds, now, { n, epoch, ...ended, counters, changes })
      if (job) rescued.push(job)
    }
    if (held.length === 0) store.run('DELETE FROM millrace_claim WHERE batch = ?', batch)
    else {
      store.run('UPDATE millrace_claim SET members = ? WHERE batch = ?', JSON.stringify(held), batch)
      break
    }
  }
  const effects = [changes.write()]
  counters.write(store, now)
  return { jobs: rescued, effects }
}

export function workers(store: Store, now: number): WorkerRecord[] {
  return store
    .all<Omit<WorkerRecord, 'lanes'> & { lanes: string | null }>(
      `SELECT name AS worker, label, started_at AS startedAt, beat_at AS beatAt, expires_at AS expiresAt, lanes
       FROM millrace_worker WHERE expires_at > ? ORDER BY started_at`,
      now,
    )
    .map(row => ({ ...row, lanes: row.lanes === null ? null : (JSON.parse(row.lanes) as Lane[]) }))
}
