import type { JobRecord } from '../../engine/contract.ts'
import type { JobError } from '../../job/error.ts'
import { formatId } from '../../job/id.ts'
import { phase, stateOf } from './codes.ts'
import type { Store } from './store.ts'

interface JobRow {
  id: Uint8Array
  queue: string
  type: string
  code: number
  priority: number
  run_at: number
  created_at: number
  attempt: number
  max_attempts: number
  epoch: number
  deaths: number
  redrives: number
  started_at: number | null
  finished_at: number | null
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
  flow: Uint8Array | null
  origin: Uint8Array | null
  attributes: string
}

const shared = `t.id, k.queue, k.type, t.priority, t.run_at, t.created_at, t.attempt, t.max_attempts, t.epoch, t.deaths,
  t.redrives, t.started_at, t.tenant, t.idempotency_key, t.cancel_reason, t.last_error, t.payload,
  t.flow, t.origin, w.name AS worker_name, p.percent, p.message, p.data,
  (SELECT json_group_object(a.name, a.value) FROM millrace_attribute a WHERE a.job = t.id) AS attributes`
const joins = `JOIN millrace_kind k ON k.kind = t.kind LEFT JOIN millrace_worker w ON w.worker = t.worker
  LEFT JOIN millrace_progress p ON p.id = t.id`

const selectLive = `SELECT ${shared}, t.phase AS code, NULL AS finished_at, NULL AS result, w.expires_at
  FROM millrace_job t ${joins} WHERE `
const selectFinished = `SELECT ${shared}, t.state AS code, t.finished_at, t.result, NULL AS expires_at
  FROM millrace_history t ${joins} WHERE `

export function jobByNumber(store: Store, n: number): JobRecord | null {
  return record(store.get<JobRow & Record<string, never>>(`${selectLive} t.n = ?`, n))
}

export function jobBySeq(store: Store, seq: number): JobRecord | null {
  return record(store.get<JobRow & Record<string, never>>(`${selectFinished} t.seq = ?`, seq))
}

export function jobById(store: Store, id: Uint8Array): JobRecord | null {
  const live = store.get<JobRow & Record<string, never>>(`${selectLive} t.id = ?`, id)
  return record(live ?? store.get<JobRow & Record<string, never>>(`${selectFinished} t.id = ?`, id))
}

function record(row: JobRow | undefined): JobRecord | null {
  if (!row) return null
  return {
    id: formatId(row.id),
    type: row.type,
    queue: row.queue,
    tenant: row.tenant,
    state: stateOf(row.code),
    priority: row.priority,
    payloadJson: row.payload,
    resultJson: row.result,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    epoch: row.epoch,
    deaths: row.deaths,
    redrives: row.redrives,
    createdAt: row.created_at,
    runAt: row.run_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    worker: row.worker_name,
    leaseExpiresAt: row.code === phase.running ? row.expires_at : null,
    idempotencyKey: row.idempotency_key,
    cancelReason: row.cancel_reason,
    lastError: readError(row.last_error),
    progress:
      row.percent === null ? null : { percent: row.percent, message: row.message, dataJson: row.data },
    flow: row.flow && formatId(row.flow),
    origin: row.origin && formatId(row.origin),
    attributes: JSON.parse(row.attributes) as Record<string, string>,
  }
}

export function readError(json: string | null): JobError | null {
  return json === null ? null : (JSON.parse(json) as JobError)
}
