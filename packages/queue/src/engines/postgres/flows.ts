import type { CancelAnswer } from '../../engine/contract.ts'
import { QueueError } from '../../engine/errors.ts'
import { type FlowFilter, type FlowRecord, type FlowState, flowStates } from '../../engine/flow.ts'
import { isId } from '../../job/id.ts'
import { array, one, type Queries } from './queries.ts'
import type { Moved } from './settlements.ts'

type FlowRow = Omit<FlowRecord, 'state'> & { state: number }

const columns = `f.id, f.name, f.tenant, f.state, f.total, f.completed, f.cancelled, f.dead, f.created_at AS "createdAt",
  f.finished_at AS "finishedAt", f.cancel_reason AS "cancelReason"`

/** What `flow.state` means is the place in `flowStates`. Frozen: it is stored. */
function read(row: FlowRow): FlowRecord {
  return { ...row, state: flowStates[row.state] as FlowState }
}

export async function flow(db: Queries, id: string): Promise<FlowRecord | null> {
  const row = await one<FlowRow>(db, `SELECT ${columns} FROM millrace.flow f WHERE f.id = $1`, [id])
  return row ? read(row) : null
}

/** Newest first; each wanted state is walked by itself, so that one that is rare is found without a look at the others. */
export async function flows(
  db: Queries,
  filter: FlowFilter,
  page: { cursor?: string; limit: number },
): Promise<{ flows: FlowRecord[]; cursor: string | null }> {
  const [at, id] = page.cursor === undefined ? [Number.MAX_SAFE_INTEGER, lastId] : readFlowCursor(page.cursor)
  const states = (filter.states ?? flowStates).map(state => flowStates.indexOf(state))
  const rows = await db.all<FlowRow>(
    `SELECT ${columns} FROM unnest($1::int2[]) AS s (state), LATERAL (
       SELECT * FROM millrace.flow g WHERE g.state = s.state AND (g.created_at, g.id) < ($2::int8, $3::uuid)
         ${filter.name === undefined ? '' : 'AND g.name = $5'}
         ${filter.tenant ? `AND g.tenant = $6 AND g.tenant <> ''` : ''}
       ORDER BY g.created_at DESC, g.id DESC LIMIT $4) AS f
     WHERE ($5::text IS NULL OR f.name = $5) AND ($6::text IS NULL OR f.tenant = $6)
     ORDER BY f.created_at DESC, f.id DESC LIMIT $4`,
    [array(states), at, id, page.limit + 1, filter.name ?? null, filter.tenant ?? null],
  )
  const shown = rows.slice(0, page.limit)
  const last = shown.at(-1)
  return {
    flows: shown.map(read),
    cursor: rows.length > shown.length && last ? writeCursor([last.createdAt, last.id]) : null,
  }
}

const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

function writeCursor(place: unknown[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url')
}

function readFlowCursor(cursor: string): [at: number, id: string] {
  try {
    const [at, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
    if (Number.isSafeInteger(at) && typeof id === 'string' && isId(id)) return [at as number, id]
  } catch {
    // Told below.
  }
  throw new QueueError(
    'invalid-argument',
    'the cursor is not one that this list has given; start from the first page',
  )
}

interface Context {
  now: number | null
  wake: string
}

export async function cancelFlow(
  db: Queries,
  { now, wake }: Context,
  id: string,
  reason: string,
): Promise<{ answer: CancelAnswer; moved: Moved }> {
  const row = await one<{ answer: CancelAnswer; ended: string[]; ready: boolean; asked: boolean }>(
    db,
    'SELECT answer, ended::text[], ready, asked FROM millrace.cancel_flow($1, $2, $3, $4)',
    [now, wake, id, reason],
  )
  const { answer, ended, ready, asked } = row as NonNullable<typeof row>
  return { answer, moved: { skipped: ended, ready, asked } }
}

export async function redriveFlow(
  db: Queries,
  { now, wake }: Context,
  id: string,
): Promise<'redriven' | 'not-finished' | 'not-found'> {
  const row = await one<{ answer: 'redriven' | 'not-finished' | 'not-found' }>(
    db,
    'SELECT millrace.redrive_flow($1, $2, $3) AS answer',
    [now, wake, id],
  )
  return row?.answer ?? 'not-found'
}
