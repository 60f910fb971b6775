import { hasAttributes } from '../../engine/attribute-walk.ts'
import type { JobFilter, JobPage, JobRecord } from '../../engine/contract.ts'
import { QueueError } from '../../engine/errors.ts'
import { isId, lastId } from '../../job/id.ts'
import { jobStates } from '../../job/state.ts'
import { standing } from './counts.ts'
import { finishedPart } from './list-finished.ts'
import { walkAttributes } from './list-by-attribute.ts'
import { livePart, waitingPage } from './list-live.ts'
import { endOfTime, type Place, type Search, type Standing } from './list-search.ts'
import type { Queries } from './queries.ts'
import { jobsById } from './rows.ts'
import type { Store } from './store.ts'

interface Cursor {
  /** Below this id the live part goes on; null when it is done. */
  live: string | null
  /** Where the finished part goes on; null at its beginning. */
  finished: Place | null
}

/** Whatever the planner thinks of tables that it knows too little of. */
const byIndexes = ['enable_seqscan', 'enable_bitmapscan', 'enable_sort', 'jit'].map(name => `${name} = off`)

/**
 * Newest first: live jobs by arrival, then finished ones by when they finished. What a filter costs does not depend on
 * how many jobs there are: where it fits too few of them, a page is short and its cursor goes on.
 */
export async function list(
  store: Pick<Store, 'view' | 'all' | 'rows'>,
  filter: JobFilter,
  page: { cursor?: string; limit: number },
): Promise<JobPage> {
  const found = hasAttributes(filter)
  const at = found || page.cursor === undefined ? { live: lastId, finished: null } : readCursor(page.cursor)
  if (!found && at.live !== null) {
    const jobs = await waitingPage(store, filter, at.live, page.limit + 1)
    // The one that is too many says that there is more.
    if (jobs) return goingOn(jobs.slice(0, page.limit), at)
  }
  return store.view(byIndexes, async db => {
    const search = await searchOf(db, filter, page.limit)
    if (!found) return pageOf(db, search, page.limit, at)
    const walk = await walkAttributes(db, filter, search, page)
    return { jobs: await records(db, walk.ids), cursor: walk.cursor }
  })
}

async function searchOf(db: Queries, filter: JobFilter, limit: number): Promise<Search> {
  return {
    states: new Set(filter.states ?? jobStates),
    kinds: await matchingKinds(db, filter),
    allKinds: !filter.types && !filter.queues,
    tenant: filter.tenant ?? null,
    fingerprint: filter.fingerprint ?? null,
    from: filter.from ?? 0,
    until: filter.until ?? endOfTime,
    limit: limit + 1,
  }
}

async function pageOf(db: Queries, search: Search, limit: number, at: Cursor): Promise<JobPage> {
  const live = at.live === null ? null : await livePart(db, search, at.live)
  const ids = live?.ids.slice(0, limit) ?? []
  const next = live && live.ids.length > limit ? (ids.at(-1) as string) : (live?.next ?? null)
  if (next !== null)
    return { jobs: await records(db, ids), cursor: writeCursor({ live: next, finished: at.finished }) }
  const finished = await finishedPart(db, search, at.finished)
  const room = limit - ids.length
  const shown = finished.found.slice(0, room)
  const more = finished.found.length > room
  const place = more ? (shown.at(-1)?.place ?? at.finished) : finished.next
  return {
    jobs: await records(db, [...ids, ...shown.map(each => each.id)]),
    cursor: more || place ? writeCursor({ live: null, finished: place }) : null,
  }
}

function goingOn(jobs: JobRecord[], { finished }: Cursor): JobPage {
  return { jobs, cursor: writeCursor({ live: (jobs.at(-1) as JobRecord).id, finished }) }
}

async function records(db: Queries, ids: readonly string[]): Promise<JobRecord[]> {
  return (await jobsById(db, ids)).filter(job => job !== null)
}

function matchingKinds(db: Queries, filter: JobFilter): Promise<Standing[]> {
  return db.all<Standing>(
    `SELECT s.* FROM millrace.kind k JOIN (${standing}) AS s ON s.kind = k.kind
     WHERE ($1::text[] IS NULL OR k.type = ANY ($1)) AND ($2::text[] IS NULL OR k.queue = ANY ($2))`,
    [filter.types ?? null, filter.queues ?? null],
  )
}

function writeCursor({ live, finished }: Cursor): string {
  const place =
    finished === null
      ? []
      : 'id' in finished
        ? [finished.at, finished.id]
        : [finished.at, finished.seq, finished.shown]
  return Buffer.from(JSON.stringify([live, ...place])).toString('base64url')
}

function readCursor(cursor: string): Cursor {
  try {
    const [live, at, ...rest] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
    if (live === null || (typeof live === 'string' && isId(live))) {
      if (at === undefined && (live !== null || rest.length === 0)) return { live, finished: null }
      const place = readPlace(at, rest)
      if (place) return { live, finished: place }
    }
  } catch {
    // Told below.
  }
  throw new QueueError(
    'invalid-argument',
    'the cursor is not one that this list has given; start from the first page',
  )
}

function readPlace(at: unknown, rest: unknown[]): Place | null {
  if (!isCount(at)) return null
  const [first, shown] = rest
  if (typeof first === 'string' && isId(first)) return { at, id: first }
  return isCount(first) && isCount(shown) && shown < 2 ** 31 ? { at, seq: first, shown } : null
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
