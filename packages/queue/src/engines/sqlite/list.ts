import { hasAttributes } from '../../engine/attribute-walk.ts'
import type { JobFilter, JobPage } from '../../engine/contract.ts'
import { QueueError } from '../../engine/errors.ts'
import { type JobState, jobStates } from '../../job/state.ts'
import { codesOf, phase, type Phase } from './codes.ts'
import type { Kinds } from './kinds.ts'
import { listByAttributes } from './list-by-attribute.ts'
import { jobsByNumber, jobsBySeq } from './rows.ts'
import type { Store } from './store.ts'

/** Below each of these the next page begins; a section that is done stands at 0. */
interface Cursor {
  live: number
  finished: number
}

interface Search {
  codes: Set<Phase>
  /** null: all. */
  kinds: number[] | null
  tenant: string | null
  fingerprint: string | null
  from: number
  until: number
  limit: number
}

const end = Number.MAX_SAFE_INTEGER

/** Newest first: live jobs by arrival, then finished ones by when they finished. Every filter is met by an index. */
export function list(
  store: Store,
  kinds: Kinds,
  filter: JobFilter,
  page: { cursor?: string; limit: number },
): JobPage {
  if (hasAttributes(filter)) return listByAttributes(store, matchingKinds(kinds, filter), filter, page)
  const at = page.cursor === undefined ? { live: end, finished: end } : readCursor(page.cursor)
  const search: Search = {
    codes: new Set((filter.states ?? jobStates).flatMap((state: JobState) => codesOf(state))),
    kinds: matchingKinds(kinds, filter),
    tenant: filter.tenant ?? null,
    fingerprint: filter.fingerprint ?? null,
    from: filter.from ?? 0,
    until: filter.until ?? end,
    limit: page.limit + 1,
  }
  const live = at.live > 0 ? liveNumbers(store, kinds, search, at.live) : none
  const shownLive = live.numbers.slice(0, page.limit)
  const nextLive = live.numbers.length > page.limit ? shownLive.at(-1) : live.next
  const jobs = jobsByNumber(store, shownLive)
  if (nextLive != null) return { jobs, cursor: writeCursor({ live: nextLive, finished: at.finished }) }
  const room = page.limit - shownLive.length
  const finished = finishedSeqs(store, kinds, search, at.finished)
  const shownFinished = finished.numbers.slice(0, room)
  const nextFinished = finished.numbers.length > room ? (shownFinished.at(-1) ?? at.finished) : finished.next
  jobs.push(...jobsBySeq(store, shownFinished))
  const cursor = nextFinished === null ? null : writeCursor({ live: 0, finished: nextFinished })
  return { jobs, cursor }
}

/** What was found on the way down, and where the way goes on when so many rows were met before enough was found. */
interface Found {
  numbers: number[]
  next: number | null
}

const none: Found = { numbers: [], next: null }
/** Rows that one page meets at most. A page that ends for that may be short, or empty. */
const walkAtMost = 10_000

function whole(numbers: number[]): Found {
  return { numbers, next: null }
}

function writeCursor({ live, finished }: Cursor): string {
  return Buffer.from(JSON.stringify([live, finished])).toString('base64url')
}

function readCursor(cursor: string): Cursor {
  try {
    const [live, finished] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[]
    if (Number.isSafeInteger(live) && Number.isSafeInteger(finished))
      return { live: live as number, finished: finished as number }
  } catch {
    // Told below.
  }
  throw new QueueError(
    'invalid-argument',
    'the cursor is not one that this list has given; start from the first page',
  )
}

function matchingKinds(kinds: Kinds, filter: JobFilter): number[] | null {
  if (!filter.types && !filter.queues) return null
  return kinds
    .all()
    .filter(each => filter.types?.includes(each.type) ?? true)
    .filter(each => filter.queues?.includes(each.queue) ?? true)
    .map(each => each.kind)
}

const livePhases: Phase[] = [phase.ready, phase.delayed, phase.running, phase.blocked]
const finishedStates: Phase[] = [phase.completed, phase.cancelled, phase.dead]
/** More delayed jobs of one kind than this are not gathered from their index but met on the way down the table. */
const gatherAtMost = 20_000

function liveNumbers(store: Store, kinds: Kinds, search: Search, below: number): Found {
  const phases = livePhases.filter(code => search.codes.has(code))
  if (phases.length === 0) return none
  const all = phases.length === livePhases.length && search.kinds === null
  if (all || isPersonal(search)) return walk(store, search, { ...liveTable, codes: phases, below })
  const counted = store.rows<[kind: number, code: Phase, count: number]>(
    'SELECT kind, phase, count FROM millrace_counter WHERE phase < 4 AND count > 0',
  )
  const wanted = counted.filter(
    ([kind, code]) =>
      phases.includes(code) && (search.kinds?.includes(kind) ?? true) && kinds.get(store, kind),
  )
  if (
    wanted.some(([, code, count]) => code !== phase.ready && code !== phase.running && count > gatherAtMost)
  )
    return walk(store, search, { ...liveTable, codes: phases, below })
  const found = wanted.flatMap(([kind, code]) => numbersOf(store, search, { kind, code, below }))
  return whole(found.sort((a, b) => b - a).slice(0, search.limit))
}

/** Whether an index of its own serves, whatever the kinds. */
function isPersonal({ tenant, fingerprint }: Search): boolean {
  return tenant !== null || fingerprint !== null
}

interface Walk {
  table: string
  /** The columns of the order, and of the phase or state. */
  place: string
  code: string
  codes: readonly Phase[]
  /** Exclusive, and inclusive. */
  below: number
  from: number
  /** Whether the filter's times are of the creation; of finished jobs they are told by the order. */
  dated: boolean
}

const liveTable = { table: 'millrace_job', place: 'n', code: 'phase', from: 0, dated: true } as const
const finishedTable = { table: 'millrace_history', place: 'seq', code: 'state', dated: false } as const

/** From the newest down, taking what fits. */
function walk(store: Store, search: Search, of: Walk): Found {
  const personal = personalFilter(search, 3)
  const kinds = search.kinds ? `AND kind IN (${search.kinds.join() || 'NULL'})` : ''
  const met = store.db
    .prepare(
      `SELECT ${of.place} AS place, ${of.code} IN (${of.codes.join()}) ${kinds} AS fits, created_at FROM ${of.table}
       WHERE ${of.place} < ?1 AND ${of.place} >= ?2 ${personal.sql} ORDER BY ${of.place} DESC LIMIT ?3`,
    )
    .iterate(of.below, of.from, walkAtMost, ...personal.values)
  const numbers: number[] = []
  let walked = 0
  let last = 0
  for (const { place, fits, created_at: at } of met) {
    walked++
    last = place as number
    if (fits === 1 && (!of.dated || isWithin(search, at as number))) numbers.push(last)
    if (numbers.length === search.limit) return whole(numbers)
  }
  return { numbers, next: walked === walkAtMost ? last : null }
}

function isWithin({ from, until }: Search, at: number): boolean {
  return at >= from && at < until
}

/**
 * Written so that the indexes of jobs with a tenant, and of those that have failed, are seen to serve; jobs without a
 * tenant are met on the way down. Parameters follow those taken.
 */
function personalFilter({ tenant, fingerprint }: Search, taken: number): { sql: string; values: string[] } {
  const values: string[] = []
  let sql = ''
  if (tenant !== null)
    sql += ` AND tenant = ?${taken + values.push(tenant)}${tenant === '' ? '' : ` AND tenant <> ''`}`
  if (fingerprint !== null)
    sql += ` AND last_error IS NOT NULL AND last_error ->> '$.fingerprint' = ?${taken + values.push(fingerprint)}`
  return { sql, values }
}

/** The next priority of which a ready job is there. Null after the last. */
function nextPriority(store: Store, kind: number, after: number): number | null {
  const [row] = store.rows<[number]>(
    'SELECT priority FROM millrace_job WHERE phase = 0 AND kind = ? AND priority > ? ORDER BY priority LIMIT 1',
    kind,
    after,
  )
  return row?.[0] ?? null
}

function numbersOf(store: Store, search: Search, of: { kind: number; code: Phase; below: number }): number[] {
  const { from, until, limit } = search
  const bounds = [of.below, from, until, limit] as const
  const within = 'n < ?2 AND created_at >= ?3 AND created_at < ?4 ORDER BY n DESC LIMIT ?5'
  switch (of.code) {
    case phase.ready: {
      const found: number[] = []
      for (
        let priority = nextPriority(store, of.kind, 0);
        priority;
        priority = nextPriority(store, of.kind, priority)
      )
        for (const [n] of store.rows<[number]>(
          `SELECT n FROM millrace_job WHERE phase = 0 AND kind = ?1 AND priority = ?6 AND ${within}`,
          of.kind,
          ...bounds,
          priority,
        ))
          found.push(n)
      return found
    }
    case phase.running:
      return store
        .rows<[number]>(
          `SELECT j.n FROM millrace_claim c, json_each(c.members) m CROSS JOIN millrace_job j ON j.n = m.value ->> 0
           WHERE j.phase = 2 AND j.kind = ?1 AND j.epoch = m.value ->> 1 AND j.n < ?2 AND j.created_at >= ?3
             AND j.created_at < ?4 ORDER BY j.n DESC LIMIT ?5`,
          of.kind,
          ...bounds,
        )
        .map(row => row[0])
    case phase.delayed:
      return store
        .rows<[number]>(
          `SELECT n FROM millrace_job WHERE phase = 1 AND kind = ?1 AND ${within}`,
          of.kind,
          ...bounds,
        )
        .map(row => row[0])
    default:
      // Blocked: by others, or in a step.
      return store
        .rows<[number]>(
          `SELECT j.n FROM (SELECT job FROM millrace_node WHERE waits > 0
             UNION SELECT job FROM millrace_step WHERE parked IS NOT NULL) b CROSS JOIN millrace_job j ON j.id = b.job
           WHERE j.phase = 3 AND j.kind = ?1 AND j.n < ?2 AND j.created_at >= ?3 AND j.created_at < ?4
           ORDER BY j.n DESC LIMIT ?5`,
          of.kind,
          ...bounds,
        )
        .map(row => row[0])
  }
}

function finishedSeqs(store: Store, kinds: Kinds, search: Search, below: number): Found {
  const states = finishedStates.filter(code => search.codes.has(code))
  if (states.length === 0) return none
  const to = search.until === end ? below : Math.min(below, firstSeqSince(store, search.until))
  const from = search.from === 0 ? 0 : firstSeqSince(store, search.from)
  if (isPersonal(search)) return walk(store, search, { ...finishedTable, codes: states, below: to, from })
  if (states.length === finishedStates.length && search.kinds === null)
    return whole(
      store
        .rows<[number]>(
          'SELECT seq FROM millrace_history WHERE seq < ? AND seq >= ? ORDER BY seq DESC LIMIT ?',
          to,
          from,
          search.limit,
        )
        .map(row => row[0]),
    )
  const found: number[] = []
  for (const kind of search.kinds ?? kinds.all().map(each => each.kind))
    for (const state of states)
      for (const [seq] of store.rows<[number]>(
        `SELECT seq FROM millrace_history WHERE kind = ? AND state = ? AND seq < ? AND seq >= ?
         ORDER BY seq DESC LIMIT ?`,
        kind,
        state,
        to,
        from,
        search.limit,
      ))
        found.push(seq)
  return whole(found.sort((a, b) => b - a).slice(0, search.limit))
}

/** The first seq that finished at or after an instant: halving, because jobs stand in the order they finished. */
function firstSeqSince(store: Store, instant: number): number {
  const last = store.get<{ seq: number | null }>('SELECT max(seq) AS seq FROM millrace_history')?.seq ?? 0
  let low = 1
  let high = last + 1
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const row = store.get<{ seq: number; finished_at: number }>(
      'SELECT seq, finished_at FROM millrace_history WHERE seq >= ? ORDER BY seq LIMIT 1',
      middle,
    )
    if (row && row.finished_at < instant) low = row.seq + 1
    else high = middle
  }
  return low
}
