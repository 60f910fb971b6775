import type { JobRecord } from '../../engine/contract.ts'
import type { JobError } from '../../job/error.ts'
import { formatId } from '../../job/id.ts'
import { phase, stateOf } from './codes.ts'
import type { Store } from './store.ts'

type JobRow = [
  id: Uint8Array,
  queue: string,
  type: string,
  code: number,
  priority: number,
  runAt: number,
  createdAt: number,
  attempt: number,
  maxAttempts: number,
  epoch: number,
  deaths: number,
  redrives: number,
  startedAt: number | null,
  finishedAt: number | null,
  tenant: string,
  idempotencyKey: string | null,
  cancelReason: string | null,
  lastError: string | null,
  payloadJson: string,
  resultJson: string | null,
  worker: string | null,
  expiresAt: number | null,
  percent: number | null,
  message: string | null,
  dataJson: string | null,
  flow: Uint8Array | null,
  origin: Uint8Array | null,
  attributes: string,
]

const joins = `JOIN millrace_kind k ON k.kind = t.kind LEFT JOIN millrace_worker w ON w.worker = t.worker
  LEFT JOIN millrace_progress p ON p.id = t.id`

const live = columns({ code: 't.phase', finishedAt: 'NULL', result: 'NULL', expiresAt: 'w.expires_at' })
const finished = columns({
  code: 't.state',
  finishedAt: 't.finished_at',
  result: 't.result',
  expiresAt: 'NULL',
})

function columns(of: { code: string; finishedAt: string; result: string; expiresAt: string }): string {
  return `t.id, k.queue, k.type, ${of.code}, t.priority, t.run_at, t.created_at, t.attempt, t.max_attempts, t.epoch, t.deaths,
    t.redrives, t.started_at, ${of.finishedAt}, t.tenant, t.idempotency_key, t.cancel_reason, t.last_error, t.payload,
    ${of.result}, w.name, ${of.expiresAt}, p.percent, p.message, p.data, t.flow, t.origin,
    (SELECT json_group_object(a.name, a.value) FROM millrace_attribute a WHERE a.job = t.id)`
}

// CROSS JOIN keeps the order of the list.
const liveByNumber = `SELECT ${live} FROM json_each(?) e CROSS JOIN millrace_job t ON t.n = e.value ${joins}`
const finishedBySeq = `SELECT ${finished} FROM json_each(?) e CROSS JOIN millrace_history t ON t.seq = e.value ${joins}`
const liveById = `SELECT ${live} FROM millrace_job t ${joins} WHERE t.id = ?`
const finishedById = `SELECT ${finished} FROM millrace_history t ${joins} WHERE t.id = ?`

/** Live jobs, in the order of their numbers in the list. */
export function jobsByNumber(store: Store, numbers: readonly number[]): JobRecord[] {
  return store.rows<JobRow>(liveByNumber, JSON.stringify(numbers)).map(record)
}

/** Finished jobs, in the order of their places in the list. */
export function jobsBySeq(store: Store, seqs: readonly number[]): JobRecord[] {
  return store.rows<JobRow>(finishedBySeq, JSON.stringify(seqs)).map(record)
}

export function jobById(store: Store, id: Uint8Array): JobRecord | null {
  const [row] = store.rows<JobRow>(liveById, id)
  if (row) return record(row)
  const [past] = store.rows<JobRow>(finishedById, id)
  return past ? record(past) : null
}

function record(row: JobRow): JobRecord {
  const [
    id,
    queue,
    type,
    code,
    priority,
    runAt,
    createdAt,
    attempt,
    maxAttempts,
    epoch,
    deaths,
    redrives,
    startedAt,
    finishedAt,
    tenant,
    idempotencyKey,
    cancelReason,
    lastError,
    payloadJson,
    resultJson,
    worker,
    expiresAt,
    percent,
    message,
    dataJson,
    flow,
    origin,
    attributes,
  ] = row
  return {
    id: formatId(id),
    type,
    queue,
    tenant,
    state: stateOf(code),
    priority,
    payloadJson,
    resultJson,
    attempt,
    maxAttempts,
    epoch,
    deaths,
    redrives,
    createdAt,
    runAt,
    startedAt,
    finishedAt,
    worker,
    leaseExpiresAt: code === phase.running ? expiresAt : null,
    idempotencyKey,
    cancelReason,
    lastError: readError(lastError),
    progress: percent === null ? null : { percent, message, dataJson },
    flow: flow && formatId(flow),
    origin: origin && formatId(origin),
    attributes: JSON.parse(attributes) as Record<string, string>,
  }
}

export function readError(json: string | null): JobError | null {
  return json === null ? null : (JSON.parse(json) as JobError)
}
