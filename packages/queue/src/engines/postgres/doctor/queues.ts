import { one } from '../queries.ts'
import { type Finding, type Look, ok, spoken, warn, worse } from './finding.ts'

interface Waiting {
  queue: string
  type: string
  paused: boolean
  ms: number
}

/** How long the oldest due job of each kind waits. */
export async function lag({ store, limits }: Look): Promise<Finding[]> {
  const waiting = await store.all<Waiting>(
    `WITH first AS (
       SELECT b.kind, j.run_at FROM millrace.band b,
         LATERAL (SELECT r.ids FROM millrace.ready r WHERE r.kind = b.kind AND r.rank = b.rank ORDER BY r.seq LIMIT 1) AS r,
         LATERAL (SELECT run_at FROM millrace.job WHERE id = r.ids[1]) AS j
       UNION ALL
       SELECT k.kind, d.run_at FROM millrace.kind k,
         LATERAL (SELECT e.run_at FROM millrace.delayed e WHERE e.kind = k.kind ORDER BY e.run_at LIMIT 1) AS d
     )
     SELECT k.queue, k.type, coalesce(q.paused, false) AS paused, (millrace.now_ms(NULL) - min(f.run_at))::float8 AS ms
     FROM first f JOIN millrace.kind k ON k.kind = f.kind LEFT JOIN millrace.queue q ON q.queue = k.queue
     GROUP BY 1, 2, 3 HAVING min(f.run_at) <= millrace.now_ms(NULL) ORDER BY ms DESC`,
  )
  const alive = await workersAlive(store)
  const late = waiting.filter(each => each.ms >= limits.lagMs.warn).slice(0, 10)
  const findings = late.map(({ queue, type, paused, ms }) => {
    const says = `the oldest due job of ${type} in queue ${queue} waits for ${spoken(ms)}`
    if (paused)
      return warn('lag', `${says}; the queue is paused`, `resume the queue ${queue} when it may go on`)
    return worse(ms, limits.lagMs)(
      'lag',
      `${says}; ${alive === 0 ? 'no worker is alive' : `${alive} workers are alive`}`,
      alive === 0
        ? 'start a worker'
        : `start more workers, or see that one of them handles ${type} in queue ${queue}`,
    )
  })
  if (findings.length > 0) return findings
  const oldest = waiting[0]
  return [ok('lag', oldest ? `the oldest due job waits for ${spoken(oldest.ms)}` : 'no due job waits')]
}

export async function workers({ store }: Look): Promise<Finding> {
  const alive = await workersAlive(store)
  if (alive > 0) return ok('workers', `${alive} alive`)
  return warn('workers', 'none is alive', 'start one: `millrace worker`')
}

async function workersAlive(store: Look['store']): Promise<number> {
  const row = await one<{ alive: number }>(
    store,
    'SELECT count(*)::int4 AS alive FROM millrace.worker WHERE expires_at > millrace.now_ms(NULL)',
  )
  return row?.alive ?? 0
}

export async function unfolded({ store, limits }: Look): Promise<Finding> {
  const most = limits.deltas + 1
  const row = await one<{ rows: number }>(
    store,
    `SELECT count(*)::int4 AS rows FROM (SELECT FROM millrace.delta d, millrace.meta m WHERE d.seq >= m.folded_to LIMIT $1) AS d`,
    [most],
  )
  const rows = row?.rows ?? 0
  if (rows < most) return ok('counters', `${rows} rows to add up`)
  return warn(
    'counters',
    `more than ${limits.deltas} rows wait to be added up, so counts are slow`,
    'a worker adds them up, but not past the oldest open transaction: see `transactions`, and that a worker runs',
  )
}
