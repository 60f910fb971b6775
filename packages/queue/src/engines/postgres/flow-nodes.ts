import { QueueError } from '../../engine/errors.ts'
import type { DependencyRecord, FailurePolicy, FlowNodeRecord } from '../../engine/flow.ts'
import { stateOf, stored } from './codes.ts'
import { policyCodes } from './enqueue-flow.ts'
import type { Queries } from './queries.ts'
import { readError } from './rows.ts'

interface NodeRow {
  id: string
  n: number
  name: string
  type: string
  queue: string
  state: number
  held: boolean
  on_failure: number
  skipped: boolean
  attempt: number
  waits: number
  after: string[]
  created_at: number
  started_at: number | null
  finished_at: number | null
}

const policies = Object.keys(policyCodes) as FailurePolicy[]

/** A page of a flow's jobs, in the order in which they were added. */
export async function flowNodes(
  db: Queries,
  flow: string,
  page: { cursor?: string; limit: number },
): Promise<{ nodes: FlowNodeRecord[]; cursor: string | null }> {
  const rows = await db.all<NodeRow>(
    `WITH page AS MATERIALIZED (
       SELECT n.*, j.kind, j.state, j.epoch, j.attempt, j.created_at, j.finished_at, j.run_ms
       FROM (SELECT * FROM millrace.node WHERE node.flow = $1 AND node.n > $2 ORDER BY node.n LIMIT $3) AS n,
         LATERAL (SELECT * FROM millrace.job WHERE job.id = n.id OFFSET 0) AS j
     ), held AS MATERIALIZED (
       SELECT u.id, u.epoch, l.at FROM millrace.lease l, LATERAL unnest(l.ids, l.epochs) AS u (id, epoch)
       WHERE EXISTS (SELECT FROM page p WHERE p.state = ${stored.live})
     )
     SELECT p.id, p.n, p.name, k.type, k.queue, p.state, h.id IS NOT NULL AS held, p.on_failure, p.skipped, p.attempt, p.created_at,
       coalesce(h.at, p.finished_at - p.run_ms) AS started_at, p.finished_at,
       p.waits + coalesce(w.child, 0) AS waits, coalesce(a.after, '{}')::text[] AS after
     FROM page p JOIN millrace.kind k ON k.kind = p.kind
     LEFT JOIN held h ON p.state = ${stored.live} AND h.id = p.id AND h.epoch = p.epoch + 1
     LEFT JOIN LATERAL (
       SELECT 1 AS child FROM (SELECT * FROM millrace.step WHERE step.id = p.id AND step.parked = p.epoch OFFSET 0) AS s,
         LATERAL (SELECT FROM millrace.job WHERE job.id = s.child AND job.state < 4 OFFSET 0) AS c
       WHERE h.id IS NULL AND p.state IN (${stored.live}, ${stored.blocked}) LIMIT 1) AS w ON true
     LEFT JOIN LATERAL (
       SELECT array_agg(e.parent ORDER BY o.n) AS after
       FROM (SELECT edge.parent FROM millrace.edge WHERE edge.child = p.id OFFSET 0) AS e,
         LATERAL (SELECT node.n FROM millrace.node WHERE node.id = e.parent OFFSET 0) AS o) AS a ON true
     ORDER BY p.n`,
    [flow, page.cursor === undefined ? 0 : readCursor(page.cursor), page.limit + 1],
  )
  const shown = rows.slice(0, page.limit)
  return {
    nodes: shown.map(record),
    cursor: rows.length > shown.length ? String(shown.at(-1)?.n) : null,
  }
}

function record(row: NodeRow): FlowNodeRecord {
  return {
    id: row.id,
    name: row.name,
    type: row.type,
    queue: row.queue,
    state: stateOf(row.state, row.held),
    onFailure: policies.find(policy => policyCodes[policy] === row.on_failure) as FailurePolicy,
    skipped: row.skipped && row.state === stored.cancelled,
    attempt: row.attempt + (row.held ? 1 : 0),
    waits: row.waits,
    after: row.after,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  }
}

function readCursor(cursor: string): number {
  const n = Number(cursor)
  if (Number.isSafeInteger(n) && n > 0 && n < 2 ** 31) return n
  throw new QueueError(
    'invalid-argument',
    'the cursor is not one that this list has given; start from the first page',
  )
}

interface DependencyRow {
  id: string
  name: string
  type: string
  state: number
  held: boolean
  result: string | null
  last_error: string | null
}

/** What a job waited for, in the order in which it was added. Not those of `enqueueAndWait`. */
export async function dependencies(db: Queries, id: string): Promise<DependencyRecord[]> {
  const rows = await db.all<DependencyRow>(
    `WITH found AS MATERIALIZED (
       SELECT n.n, n.name, j.* FROM millrace.edge e, LATERAL (SELECT * FROM millrace.node WHERE node.id = e.parent OFFSET 0) AS n,
         LATERAL (SELECT * FROM millrace.job WHERE job.id = e.parent OFFSET 0) AS j
       WHERE e.child = $1 AND NOT e.awaited
     ), held AS MATERIALIZED (
       SELECT u.id, u.epoch FROM millrace.lease l, LATERAL unnest(l.ids, l.epochs) AS u (id, epoch)
       WHERE EXISTS (SELECT FROM found f WHERE f.state = ${stored.live})
     )
     SELECT f.id, f.name, k.type, f.state, h.id IS NOT NULL AS held, f.result, f.last_error
     FROM found f JOIN millrace.kind k ON k.kind = f.kind
     LEFT JOIN held h ON f.state = ${stored.live} AND h.id = f.id AND h.epoch = f.epoch + 1
     ORDER BY f.n`,
    [id],
  )
  return rows.map(row => ({
    id: row.id,
    name: row.name,
    type: row.type,
    state: stateOf(row.state, row.held),
    resultJson: row.result,
    lastError: readError(row.last_error),
  }))
}
