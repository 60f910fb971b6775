import type { JobRecord } from '../../engine/contract.ts'
import type { JobError } from '../../job/error.ts'
import { stateOf } from './codes.ts'
import { array, type Queries } from './queries.ts'

interface JobRow {
  n: number
  id: string
  queue: string
  type: string
  state: number
  held_at: number | null
  priority: number
  run_at: number
  created_at: number
  attempt: number
  max_attempts: number
  epoch: number
  deaths: number
  redrives: number
  finished_at: number | null
  run_ms: number | null
  tenant: string
  idempotency_key: string | null
  cancel_reason: string | null
  last_error: string | null
  payload: string
  result: string | null
  worker_name: string | null
  expires_at: number | null
  percent: number | null
  message: string | null
  data: string | null
  flow: string | null
  origin: string | null
  attributes: string | null
}

/** Jobs by what lists their ids; `within` bounds them for the planner, which then leaves out weeks. */
const jobsOf = (ids: string, within: string): string =>
  // `OFFSET 0` keeps it a look into the primary key for each id, however the tables are analyzed.
  `WITH found AS MATERIALIZED (
     SELECT u.n, j.* FROM unnest(${ids}) WITH ORDINALITY AS u (wanted, n),
       LATERAL (SELECT * FROM millrace.job WHERE job.id = u.wanted AND ${within} OFFSET 0) AS j
   ), held AS MATERIALIZED (
     SELECT u.id, u.epoch, l.at, l.worker FROM millrace.lease l, LATERAL unnest(l.ids, l.epochs) AS u (id, epoch)
     WHERE EXISTS (SELECT FROM found f WHERE f.state = 0)
   )
   SELECT f.n, f.id, k.queue, k.type, f.state, h.at AS held_at, f.priority, f.run_at, f.created_at, f.attempt, f.max_attempts,
     f.epoch, f.deaths, f.redrives, f.finished_at, f.run_ms, f.tenant, f.idempotency_key, f.cancel_reason, f.last_error,
     f.payload, f.result, f.flow, f.origin, w.name AS worker_name, w.expires_at, p.percent, p.message, p.data,
     (SELECT json_object_agg(a.name, a.value ORDER BY a.name)::text FROM millrace.attribute a WHERE a.id = f.id) AS attributes
   FROM found f JOIN millrace.kind k ON k.kind = f.kind
   LEFT JOIN held h ON f.state = 0 AND h.id = f.id AND h.epoch = f.epoch + 1
   LEFT JOIN millrace.worker w ON w.worker = coalesce(h.worker, f.worker)
   LEFT JOIN LATERAL (SELECT * FROM millrace.progress WHERE progress.id = f.id OFFSET 0) AS p ON true`

const namedJobs = jobsOf('$1::uuid[]', 'job.id BETWEEN $2 AND $3')
const newestWaiting = jobsOf(
  // Within a SELECT: an argument that is a plain call is evaluated by the planner as well, to guess its length.
  '(SELECT millrace.newest_waiting($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12))',
  'job.id < $3 AND job.id >= $4',
)

/** In the order of the ids; null where there is no such job. */
export async function jobsById(db: Queries, ids: readonly string[]): Promise<(JobRecord | null)[]> {
  const records: (JobRecord | null)[] = ids.map(() => null)
  if (ids.length === 0) return records
  const sorted = ids.map(id => id.toLowerCase()).sort()
  const rows = await db.all<JobRow>(namedJobs, [array(ids), sorted[0], sorted.at(-1)])
  for (const row of rows) records[row.n - 1] = record(row)
  return records
}

/** Those that `newest_waiting` finds, in its order. */
export async function jobsWaiting(db: Queries, values: readonly unknown[]): Promise<JobRecord[]> {
  const rows = await db.all<JobRow>(newestWaiting, values)
  return rows.sort((a, b) => a.n - b.n).map(record)
}

/** A running attempt has not been counted yet: its row tells what was before. */
function record(row: JobRow): JobRecord {
  const running = row.held_at !== null
  const startedAt =
    row.finished_at !== null && row.run_ms !== null ? row.finished_at - row.run_ms : row.held_at
  return {
    id: row.id,
    type: row.type,
    queue: row.queue,
    tenant: row.tenant,
    state: stateOf(row.state, running),
    priority: row.priority,
    payloadJson: row.payload,
    resultJson: row.result,
    attempt: row.attempt + (running ? 1 : 0),
    maxAttempts: row.max_attempts,
    epoch: row.epoch + (running ? 1 : 0),
    deaths: row.deaths,
    redrives: row.redrives,
    createdAt: row.created_at,
    runAt: row.run_at,
    startedAt,
    finishedAt: row.finished_at,
    worker: row.worker_name,
    leaseExpiresAt: running ? row.expires_at : null,
    idempotencyKey: row.idempotency_key,
    cancelReason: row.cancel_reason,
    lastError: readError(row.last_error),
    progress:
      row.percent === null ? null : { percent: row.percent, message: row.message, dataJson: row.data },
    flow: row.flow,
    origin: row.origin,
    attributes: row.attributes === null ? {} : (JSON.parse(row.attributes) as Record<string, string>),
  }
}

export function readError(json: string | null): JobError | null {
  return json === null ? null : (JSON.parse(json) as JobError)
}
