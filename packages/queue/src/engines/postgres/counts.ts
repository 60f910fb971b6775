import { byName } from '../../engine/by-name.ts'
import type { Counts, StateCounts } from '../../engine/contract.ts'
import { standings } from './codes.ts'
import type { Queries } from './queries.ts'

const dayMs = 86_400_000
export const tallyMs = 600_000
/** Due jobs that no worker has made ready yet are counted up to here for each kind; further ones count as delayed. */
const dueAtMost = 10_000

/** What has been written down since the counters were folded. The upper bound is there to make it a look into the index. */
const unfolded = `millrace.delta d WHERE d.seq >= (SELECT m.folded_to FROM millrace.meta m LIMIT 1) AND d.seq < ${2n ** 63n - 1n}`

/** A query of how many jobs of each kind stand where: the folded counters, and what has been written down since. */
export const standing = `SELECT kind, ${standings.map(name => `sum(${name})::int8 AS ${name}`).join(', ')} FROM (
    SELECT kind, ${standings.join(', ')} FROM millrace.counter
    UNION ALL
    SELECT d.kind, ${standings.map(name => `d.${name}`).join(', ')} FROM ${unfolded}
  ) AS written GROUP BY kind`

interface CountRow extends StateCounts {
  queue: string
  type: string
  due: number
  /** Of the last 24 hours. */
  lately_completed: number
  lately_failed: number
  lately_dead: number
  lately_cancelled: number
}

function zero(): StateCounts {
  return { ready: 0, delayed: 0, blocked: 0, running: 0, completed: 0, cancelled: 0, dead: 0 }
}

/** Sums of the maintained counters: the cost depends on the number of kinds, not of jobs. */
export async function counts(db: Queries, now: number | null): Promise<Counts> {
  const rows = await db.all<CountRow>(
    `WITH clock AS MATERIALIZED (
       SELECT millrace.now_ms($1) AS now
     ), standing AS MATERIALIZED (
       ${standing}
     ), lately AS MATERIALIZED (
       SELECT kind, sum(completed)::int8 AS completed, sum(failed)::int8 AS failed, sum(dead)::int8 AS dead,
         sum(cancelled)::int8 AS cancelled
       FROM (
         SELECT kind, completed, failed, dead, cancelled FROM millrace.tally
         WHERE at > (SELECT now FROM clock) - ${dayMs + tallyMs}
         UNION ALL
         SELECT d.kind, greatest(d.completed, 0), d.failed, greatest(d.dead, 0), greatest(d.cancelled, 0)
         FROM ${unfolded} AND d.at > (SELECT now FROM clock) - ${dayMs}
       ) AS happened GROUP BY kind
     )
     SELECT k.queue, k.type, ${standings.map(name => `coalesce(s.${name}, 0) AS ${name}`).join(', ')},
       coalesce(e.due, 0) AS due, coalesce(l.completed, 0) AS lately_completed, coalesce(l.failed, 0) AS lately_failed,
       coalesce(l.dead, 0) AS lately_dead, coalesce(l.cancelled, 0) AS lately_cancelled
     FROM millrace.kind k LEFT JOIN standing s ON s.kind = k.kind LEFT JOIN lately l ON l.kind = k.kind
     LEFT JOIN LATERAL (
       SELECT count(*) AS due FROM (
         SELECT FROM millrace.delayed d WHERE d.kind = k.kind AND s.delayed > 0 AND d.run_at <= (SELECT now FROM clock)
         LIMIT ${dueAtMost}) AS first
     ) AS e ON true`,
    [now],
  )
  const total = zero()
  const byType = new Map<string, StateCounts>()
  const byQueue = new Map<string, StateCounts>()
  const last24h = { completed: 0, failedAttempts: 0, dead: 0, cancelled: 0 }
  for (const row of rows) {
    last24h.completed += row.lately_completed
    last24h.failedAttempts += row.lately_failed
    last24h.dead += row.lately_dead
    last24h.cancelled += row.lately_cancelled
    if (standings.every(name => row[name] === 0)) continue
    for (const group of [total, groupOf(byType, row.type), groupOf(byQueue, row.queue)]) {
      for (const name of standings) group[name] += row[name]
      group.delayed -= row.due
      group.ready += row.due
    }
  }
  return { total, byType: byName(byType), byQueue: byName(byQueue), last24h }
}

/** One look into the index a kind. */
export async function nextDueAt(db: Queries): Promise<number | null> {
  const [row] = await db.all<{ at: number | null }>(
    `SELECT min(first.run_at) AS at FROM millrace.kind k, LATERAL (
       SELECT d.run_at FROM millrace.delayed d WHERE d.kind = k.kind ORDER BY d.run_at LIMIT 1) AS first`,
    [],
  )
  return row?.at ?? null
}

function groupOf(groups: Map<string, StateCounts>, name: string): StateCounts {
  let group = groups.get(name)
  if (!group) groups.set(name, (group = zero()))
  return group
}
