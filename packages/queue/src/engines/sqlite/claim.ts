import type { ClaimAnswer, ClaimedJob, ClaimRequest, Lane } from '../../engine/contract.ts'
import { formatHexId, formatId } from '../../job/id.ts'
import { phase } from './codes.ts'
import { CounterChanges } from './counters.ts'
import type { Kinds } from './kinds.ts'
import { leaseToken } from './lease-token.ts'
import type { Store } from './store.ts'
import { holdLease } from './workers.ts'

/** Delayed jobs that are made ready in one claim; those above it follow in the next. */
const promoteAtMost = 1_000
/** SQLite takes at most 500 terms in a compound select. */
const kindsAtMost = 400

interface Waiting {
  kinds: number[]
  /** How many jobs of these kinds are ready. */
  ready: number
  delayed: number[]
}

/** The kinds of these lanes that have ready or delayed jobs, by the counters: no other needs a look. */
export function waitingIn(store: Store, kinds: Kinds, lanes: Lane[]): Waiting {
  const waiting: Waiting = { kinds: [], ready: 0, delayed: [] }
  const rows = store.rows<[kind: number, phase: number, count: number]>(
    `SELECT c.kind, c.phase, c.count FROM millrace_counter c WHERE c.phase IN (0, 1) AND c.count > 0 AND c.kind NOT IN
       (SELECT k.kind FROM millrace_queue q JOIN millrace_kind k ON k.queue = q.queue WHERE q.paused = 1)`,
  )
  for (const [number, code, count] of rows) {
    const { queue, type } = kinds.get(store, number)
    if (!lanes.some(lane => lane.queue === queue && lane.types.includes(type))) continue
    if (code === phase.delayed) {
      waiting.delayed.push(number)
    } else {
      waiting.kinds.push(number)
      waiting.ready += count
    }
  }
  return waiting
}

/** When the next delayed job of these kinds falls due; null when none waits. */
export function nextDueAt(store: Store, delayed: number[]): number | null {
  let earliest: number | null = null
  for (const kind of delayed) {
    const row = store.get<{ at: number | null }>(
      'SELECT min(run_at) AS at FROM millrace_job WHERE phase = 1 AND kind = ?',
      kind,
    )
    if (row && row.at !== null && (earliest === null || row.at < earliest)) earliest = row.at
  }
  return earliest
}

/** Takes jobs for a worker. Inside a write. */
export function claim(store: Store, kinds: Kinds, now: number, request: ClaimRequest): ClaimAnswer {
  const worker = holdLease(store, kinds, now, { worker: request.worker, leaseMs: request.leaseMs })
  const counters = new CounterChanges()
  const waiting = waitingIn(store, kinds, request.lanes)
  promote(store, now, waiting, counters)
  const claimed = take(store, kinds, now, { worker, kinds: waiting.kinds, limit: request.limit, counters })
  counters.write(store, now)
  if (waiting.ready > claimed.length) return { jobs: claimed, nextDueInMs: 0 }
  const dueAt = nextDueAt(store, waiting.delayed)
  return { jobs: claimed, nextDueInMs: dueAt === null ? null : Math.max(0, dueAt - now) }
}

/** Makes due jobs ready. */
function promote(store: Store, now: number, waiting: Waiting, counters: CounterChanges): void {
  for (const kind of waiting.delayed) {
    const count = store.run(
      `UPDATE millrace_job SET phase = 0 WHERE n IN
         (SELECT n FROM millrace_job WHERE phase = 1 AND kind = ? AND run_at <= ? ORDER BY run_at LIMIT ?)`,
      kind,
      now,
      promoteAtMost,
    )
    if (count === 0) continue
    counters.move(kind, phase.delayed, phase.ready, count)
    waiting.ready += count
    if (!waiting.kinds.includes(kind)) waiting.kinds.push(kind)
  }
}

type ClaimRow = [
  n: number,
  hex: string,
  kind: number,
  priority: number,
  epoch: number,
  attempt: number,
  maxAttempts: number,
  deaths: number,
  createdAt: number,
  runAt: number,
  tenant: string,
  payload: string,
  flow: Uint8Array | null,
]

function take(
  store: Store,
  kinds: Kinds,
  now: number,
  wanted: { worker: number; kinds: number[]; limit: number; counters: CounterChanges },
): ClaimedJob[] {
  const from = wanted.kinds.slice(0, kindsAtMost)
  if (from.length === 0 || wanted.limit < 1) return []
  const rows = store.rows<ClaimRow>(firstSql(from.length), ...from, wanted.limit)
  if (rows.length === 0) return []
  store.run(
    `UPDATE millrace_job SET phase = 2, epoch = epoch + 1, attempt = attempt + 1, worker = ?2, started_at = ?3
     WHERE n IN (SELECT value FROM json_each(?1))`,
    `[${rows.map(row => row[0]).join()}]`,
    wanted.worker,
    now,
  )
  const batch = store.get<{ batch: number }>(
    'INSERT INTO millrace_claim (worker, members) VALUES (?, ?) RETURNING batch',
    wanted.worker,
    `[${rows.map(row => `[${row[0]},${row[4]}]`).join()}]`,
  ) as { batch: number }
  return rows.map(row => {
    const { queue, type } = kinds.get(store, row[2])
    wanted.counters.move(row[2], phase.ready, phase.running)
    return {
      id: formatHexId(row[1]),
      epoch: row[4],
      token: leaseToken(row[0], row[2], batch.batch),
      type,
      queue,
      tenant: row[10],
      priority: row[3],
      payloadJson: row[11],
      attempt: row[5],
      maxAttempts: row[6],
      deaths: row[7],
      createdAt: row[8],
      runAt: row[9],
      flow: row[12] && formatId(row[12]),
    }
  })
}

const firstSqls = new Map<number, string>()

const columns = `n, lower(hex(id)), kind, priority, epoch + 1, attempt + 1, max_attempts, deaths, created_at, run_at,
  tenant, payload, flow`

/** Each kind's first jobs by the index, then the first of all these: what is read depends on the limit only. */
function firstSql(kindCount: number): string {
  let sql = firstSqls.get(kindCount)
  if (!sql) {
    const first = (kind: number): string =>
      `FROM millrace_job WHERE phase = 0 AND kind = ?${kind} ORDER BY priority, n LIMIT ?${kindCount + 1}`
    const arms = Array.from(
      { length: kindCount },
      (_, index) => `SELECT * FROM (SELECT n, priority ${first(index + 1)})`,
    )
    sql =
      kindCount === 1
        ? `SELECT ${columns} ${first(1)}`
        : `SELECT ${columns} FROM millrace_job WHERE n IN
             (SELECT n FROM (${arms.join(' UNION ALL ')}) ORDER BY priority, n LIMIT ?${kindCount + 1})
           ORDER BY priority, n`
    firstSqls.set(kindCount, sql)
  }
  return sql
}
