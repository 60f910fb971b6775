import { QueueError } from '../../engine/errors.ts'
import { type FlowFilter, type FlowRecord, flowStates } from '../../engine/flow.ts'
import { formatId, parseId } from '../../job/id.ts'
import { flowCode, flowState } from './flow-codes.ts'
import type { Store } from './store.ts'

interface FlowRow {
  n: number
  id: Uint8Array
  name: string
  tenant: string
  state: number
  total: number
  completed: number
  cancelled: number
  dead: number
  created_at: number
  finished_at: number | null
  cancel_reason: string | null
}

export function flow(store: Store, id: string): FlowRecord | null {
  const row = store.get<FlowRow & Record<string, never>>(
    'SELECT * FROM millrace_flow WHERE id = ?',
    parseId(id),
  )
  return row ? record(row) : null
}

/** Newest first. Each state is walked by its own index, then the newest of all are taken. */
export function flows(
  store: Store,
  filter: FlowFilter,
  page: { cursor?: string; limit: number },
): { flows: FlowRecord[]; cursor: string | null } {
  const below = page.cursor === undefined ? Number.MAX_SAFE_INTEGER : readCursor(page.cursor)
  const states = filter.states ? [...new Set(filter.states)] : null
  const rows =
    states === null || states.length === flowStates.length
      ? pageOf(store, filter, null, { below, limit: page.limit + 1 })
      : states
          .flatMap(state => pageOf(store, filter, flowCode[state], { below, limit: page.limit + 1 }))
          .sort((a, b) => b.n - a.n)
  const shown = rows.slice(0, page.limit)
  const last = rows.length > page.limit ? shown.at(-1) : undefined
  return { flows: shown.map(record), cursor: last ? writeCursor(last.n) : null }
}

function pageOf(
  store: Store,
  filter: FlowFilter,
  state: number | null,
  page: { below: number; limit: number },
): FlowRow[] {
  const conditions = ['n < ?']
  const values: (string | number)[] = [page.below]
  const add = (condition: string, value: string | number): void => {
    conditions.push(condition)
    values.push(value)
  }
  if (state !== null) add('state = ?', state)
  if (filter.name !== undefined) add('name = ?', filter.name)
  // Written so that the index of flows with a tenant is seen to serve.
  if (filter.tenant !== undefined)
    add(filter.tenant === '' ? 'tenant = ?' : `tenant = ? AND tenant <> ''`, filter.tenant)
  return store.all<FlowRow & Record<string, never>>(
    `SELECT * FROM millrace_flow WHERE ${conditions.join(' AND ')} ORDER BY n DESC LIMIT ?`,
    ...values,
    page.limit,
  )
}

function record(row: FlowRow): FlowRecord {
  return {
    id: formatId(row.id),
    name: row.name,
    tenant: row.tenant,
    state: flowState(row.state),
    total: row.total,
    completed: row.completed,
    cancelled: row.cancelled,
    dead: row.dead,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
    cancelReason: row.cancel_reason,
  }
}

/** Opaque to callers: where the next page begins. */
export function writeCursor(at: number): string {
  return Buffer.from(String(at)).toString('base64url')
}

export function readCursor(cursor: string): number {
  const text = Buffer.from(cursor, 'base64url').toString()
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new QueueError(
    'invalid-argument',
    'the cursor is not one that this list has given; start from the first page',
  )
}
