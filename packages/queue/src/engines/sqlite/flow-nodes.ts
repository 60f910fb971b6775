import type { DependencyRecord, FlowNodeRecord } from '../../engine/flow.ts'
import { formatId, parseId } from '../../job/id.ts'
import { stateOf } from './codes.ts'
import { failurePolicy } from './flow-codes.ts'
import { readCursor, writeCursor } from './flows.ts'
import { readError } from './rows.ts'
import type { Store } from './store.ts'

interface NodeRow {
  job: Uint8Array
  ordinal: number
  name: string
  on_failure: number
  waits: number
  awaits: number
  skipped: number
  type: string
  queue: string
  code: number
  attempt: number
  created_at: number
  started_at: number | null
  finished_at: number | null
}

/** A node's job, live or finished, whichever stands. */
const joins = `LEFT JOIN millrace_job j ON j.id = d.job LEFT JOIN millrace_history h ON h.id = d.job
  JOIN millrace_kind k ON k.kind = coalesce(j.kind, h.kind)`

export function flowNodes(
  store: Store,
  id: string,
  page: { cursor?: string; limit: number },
): { nodes: FlowNodeRecord[]; cursor: string | null } {
  const rows = store.all<NodeRow & Record<string, never>>(
    `SELECT d.job, d.ordinal, d.name, d.on_failure, d.waits, d.skipped, k.type, k.queue, coalesce(j.phase, h.state) AS code,
       coalesce(j.attempt, h.attempt) AS attempt, coalesce(j.created_at, h.created_at) AS created_at,
       coalesce(j.started_at, h.started_at) AS started_at, h.finished_at,
       j.phase IN (1, 3) AND EXISTS (SELECT 1 FROM millrace_step s JOIN millrace_job c ON c.id = s.child
         WHERE s.job = d.job AND s.parked = j.epoch) AS awaits
     FROM millrace_node d ${joins} WHERE d.flow = ? AND d.ordinal >= ? ORDER BY d.ordinal LIMIT ?`,
    parseId(id),
    page.cursor === undefined ? 0 : readCursor(page.cursor),
    page.limit + 1,
  )
  const next = rows[page.limit]
  return {
    nodes: rows.slice(0, page.limit).map(row => record(store, row)),
    cursor: next ? writeCursor(next.ordinal) : null,
  }
}

function record(store: Store, row: NodeRow): FlowNodeRecord {
  const state = stateOf(row.code)
  return {
    id: formatId(row.job),
    name: row.name,
    type: row.type,
    queue: row.queue,
    state,
    onFailure: failurePolicy(row.on_failure),
    // One that runs, and was asked to stop for another's sake, has not been skipped yet.
    skipped: row.skipped === 1 && state === 'cancelled',
    attempt: row.attempt,
    waits: row.waits + (row.awaits === 1 ? 1 : 0),
    after: store
      .rows<[job: Uint8Array]>(
        `SELECT e.job FROM millrace_edge e JOIN millrace_node d ON d.job = e.job WHERE e.dependent = ? ORDER BY d.ordinal`,
        row.job,
      )
      .map(([job]) => formatId(job)),
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  }
}

interface DependencyRow {
  job: Uint8Array
  name: string
  type: string
  code: number
  result: string | null
  last_error: string | null
}

export function dependencies(store: Store, id: string): DependencyRecord[] {
  return store
    .all<DependencyRow & Record<string, never>>(
      `SELECT d.job, d.name, k.type, coalesce(j.phase, h.state) AS code, h.result,
         coalesce(j.last_error, h.last_error) AS last_error
       FROM millrace_edge e JOIN millrace_node d ON d.job = e.job ${joins}
       WHERE e.dependent = ? AND e.awaited = 0 ORDER BY d.ordinal`,
      parseId(id),
    )
    .map(row => ({
      id: formatId(row.job),
      name: row.name,
      type: row.type,
      state: stateOf(row.code),
      resultJson: row.result,
      lastError: readError(row.last_error),
    }))
}
