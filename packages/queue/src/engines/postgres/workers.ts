import type {
  Heartbeat,
  HeartbeatAnswer,
  Lane,
  Lease,
  RescuedJob,
  WorkerRecord,
} from '../../engine/contract.ts'
import { fingerprint } from '../../job/attempt-error.ts'
import type { JobError } from '../../job/error.ts'
import { readToken } from './lease-token.ts'
import { array, one, type Queries } from './queries.ts'

interface Context {
  now: number | null
  wake: string
}

interface BeatRow {
  worker: number
  now_at: number
  lost: string[] | null
  cancels: string[] | null
}

/** Extends the worker's lease, or gives it one; answers its number as well. */
export async function heartbeat(
  db: Queries,
  { now, wake }: Context,
  beat: Heartbeat,
): Promise<HeartbeatAnswer & { number: number }> {
  const { leases } = beat
  const row = (await one<BeatRow>(
    db,
    `SELECT worker, now_at, lost::text[] AS lost, cancels::text[] AS cancels
     FROM millrace.beat($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      beat.worker,
      beat.label,
      now,
      Math.round(beat.leaseMs),
      wake,
      array(leases.map(lease => lease.id)),
      array(leases.map(lease => lease.epoch)),
      array(leases.map(lease => readToken(lease).lid)),
      JSON.stringify(lostError),
      beat.lanes === undefined ? null : JSON.stringify(beat.lanes),
    ],
  )) as BeatRow
  return {
    number: row.worker,
    lost: row.lost ?? [],
    cancelRequested: row.cancels ?? [],
    serverNow: row.now_at,
  }
}

/** Which of the leases somebody wants cancelled. A read by primary key. */
export async function cancelRequests(db: Queries, leases: readonly Lease[]): Promise<string[]> {
  if (leases.length === 0) return []
  const rows = await db.rows<[string]>(
    `SELECT j.id FROM unnest($1::uuid[], $2::int4[]) AS u (id, epoch), LATERAL
       (SELECT * FROM millrace.job WHERE job.id = u.id OFFSET 0) AS j
     WHERE j.state = 0 AND j.epoch = u.epoch - 1 AND j.cancel_reason IS NOT NULL`,
    [array(leases.map(lease => lease.id)), array(leases.map(lease => lease.epoch))],
  )
  return rows.map(([id]) => id)
}

interface RescueRow {
  id: string
  type: string
  queue: string
  tenant: string
  worker: string
  attempt: number
  deaths: number
  state: number
}

/** Looked up one by one: there are few of them. */
const tenant = '(SELECT j.tenant FROM millrace.job j WHERE j.id = b.id) AS tenant'

const states: Record<number, RescuedJob['now']> = { 0: 'queued', 5: 'cancelled', 6: 'dead' }

function rescued(rows: readonly RescueRow[]): RescuedJob[] {
  return rows.map(({ state, ...row }) => ({ ...row, now: states[state] as RescuedJob['now'] }))
}

/** The worker leaves. It should hold nothing any more; what it does hold goes back at once. */
export async function retire(db: Queries, { now, wake }: Context, worker: string): Promise<RescuedJob[]> {
  const rows = await db.all<RescueRow>(
    `WITH gone AS (
       UPDATE millrace.worker SET expires_at = least(expires_at, millrace.now_ms($2)) WHERE name = $1 RETURNING worker
     )
     SELECT b.*, ${tenant} FROM gone g, LATERAL millrace.give_back(g.worker, millrace.now_ms($2), $3, $4, $4, $5, $5) AS b`,
    [worker, now, wake, 2 ** 31 - 1, JSON.stringify(lostError)],
  )
  return rescued(rows)
}

/** Ends the leases of workers that stopped beating. */
export async function rescue(
  db: Queries,
  { now, wake }: Context,
  request: { maxDeaths: number; limit: number },
): Promise<RescuedJob[]> {
  const rows = await db.all<RescueRow>(
    `SELECT b.*, ${tenant} FROM millrace.rescue($1, $2, $3, $4, $5, $6) AS b`,
    [
      now,
      wake,
      Math.min(request.maxDeaths, 2 ** 31 - 1),
      request.limit,
      JSON.stringify(lostError),
      JSON.stringify(poisonError(request.maxDeaths)),
    ],
  )
  return rescued(rows)
}

function workerLost(message: string): JobError {
  return { name: 'WorkerLost', message, stack: null, fingerprint: fingerprint('WorkerLost', '', null) }
}

const lostError = workerLost('its worker died or stopped beating before the attempt was settled')

function poisonError(deaths: number): JobError {
  return workerLost(
    `its worker died under it ${deaths} times: it is taken to be the cause and not run again (redrive it when it is mended)`,
  )
}

type WorkerRow = Omit<WorkerRecord, 'lanes'> & { lanes: string | null }

export async function workers(db: Queries, now: number | null): Promise<WorkerRecord[]> {
  const rows = await db.all<WorkerRow>(
    `SELECT name AS worker, label, started_at AS "startedAt", beat_at AS "beatAt", expires_at AS "expiresAt", lanes
     FROM millrace.worker WHERE expires_at > millrace.now_ms($1) ORDER BY started_at, worker`,
    [now],
  )
  return rows.map(row => ({ ...row, lanes: row.lanes === null ? null : (JSON.parse(row.lanes) as Lane[]) }))
}
