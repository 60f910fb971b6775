import type { Lease, SettleAnswer } from '../../engine/contract.ts'
import { readToken } from './lease-token.ts'
import { array, type Queries } from './queries.ts'

interface Standing {
  id: string
  epoch: number
  state: number
  flow: string | null
  lost: boolean
}

/** A job may be named by two leases of one group, and stands to each of them in its own way. */
export type Standings = (lease: Lease) => Standing | undefined

/** How the jobs of these leases stand. */
export async function standings(db: Queries, leases: readonly Lease[]): Promise<Standings> {
  const rows = await db.all<Standing & { leaseEpoch: number }>(
    `SELECT j.id, u.epoch AS "leaseEpoch", j.epoch, j.state, j.flow, EXISTS (SELECT FROM millrace.attempt a
       WHERE a.id = u.id AND a.epoch = u.epoch AND a.outcome = 'worker-lost') AS lost
     FROM unnest($1::uuid[], $2::int4[]) AS u (id, epoch) JOIN millrace.job j ON j.id = u.id`,
    [array(leases.map(lease => lease.id)), array(leases.map(lease => lease.epoch))],
  )
  const byLease = new Map(rows.map(row => [`${row.id} ${row.leaseEpoch}`, row]))
  return ({ id, epoch }) => byLease.get(`${id} ${epoch}`)
}

/** Why leases end nothing: they ended their jobs before, or others hold the jobs now, or the jobs are no more. */
export function refusals(leases: readonly Lease[], standing: Standings): SettleAnswer[] {
  return leases.map(lease => {
    const row = standing(lease)
    if (!row) return 'gone'
    const ended = lease.epoch > 0 && row.epoch === lease.epoch
    return ended && !row.lost ? 'already-settled' : 'lease-lost'
  })
}

/** Whether this lease could end its job now; undefined when it could. A read. */
export async function leaseRefusal(
  db: Queries,
  context: { now: number | null; worker: number },
  lease: Lease,
): Promise<SettleAnswer | undefined> {
  const [held] = await db.all(
    `SELECT FROM millrace.worker w JOIN millrace.lease l ON l.worker = w.worker AND l.lid = $2
       JOIN millrace.job j ON j.id = $3 AND j.state = 0 AND j.epoch = $4::int4 - 1
     WHERE w.worker = $1 AND w.expires_at > millrace.now_ms($5)`,
    [context.worker, readToken(lease).lid, lease.id, lease.epoch, context.now],
  )
  return held ? undefined : refusals([lease], await standings(db, [lease]))[0]
}
