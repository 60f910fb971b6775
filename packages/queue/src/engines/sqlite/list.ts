import { hasAttributes } from '../../engine/attribute-walk.ts'
import type { JobFilter, JobPage, JobRecord } from '../../engine/contract.ts'
import { QueueError } from '../../engine/errors.ts'
import { type JobState, jobStates } from '../../job/state.ts'
import { codesOf, phase, type Phase } from './codes.ts'
import type { Kinds } from './kinds.ts'
import { listByAttributes } from './list-by-attribute.ts'
import { jobByNumber, jobBySeq } from './rows.ts'
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
  const live = at.live > 0 ? liveNumbers(store, kinds, search, at.live) : []
  const shownLive = live.slice(0, page.limit)
  const room = page.limit - shownLive.length
  const finished = live.length > page.limit ? [] : finishedSeqs(store, kinds, search, at.finished)
  const shownFinished = finished.slice(0, room)
  const more = live.length > page.limit || finished.length > room
  const jobs = [
    ...shownLive.map(n => jobByNumber(store, n)),
    ...shownFinished.map(seq => jobBySeq(store, seq)),
  ].filter((job): job is JobRecord => job !== null)
  if (!more) return { jobs, cursor: null }
  const next = {
    live: live.length > page.limit ? (shownLive.at(-1) ?? at.live) : 0,
    finished: shownFinished.at(-1) ?? at.finished,
  }
  return { jobs, cursor: Buffer.from(JSON.stringify([next.live, next.finished])).toString('base64url') }
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

function liveNumbers(store: Store, kinds: Kinds, search: Search, below: number): number[] {
  const phases = livePhases.filter(code => search.codes.has(code))
  if (phases.length === 0) return []
  const all = phases.length === livePhases.length && search.kinds === null
  if (all || isPersonal(search)) return walkDown(store, search, phases, below)
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
    return walkDown(store, search, phases, below)
  const found = wanted.flatMap(([kind, code]) => numbersOf(store, search, { kind, code, below }))
  return found.sort((a, b) => b - a).slice(0, search.limit)
}

/** Whether an index of its own serves, whatever the kinds. */
function isPersonal({ tenant, fingerprint }: Search): boolean {
  return tenant !== null || fingerprint !== null
}

/** From the newest job down, taking what fits. */
function walkDown(store: Store, search: Search, phases: Phase[], below: number): number[] {
  const personal = personalFilter(search, 4)
  const sql = `SELECT n FROM millrace_job WHERE n < ?1 AND created_at >= ?2 AND created_at < ?3
    AND phase IN (${phases.join()}) ${search.kinds ? `AND kind IN (${search.kinds.join() || 'NULL'})` : ''}
    ${personal.sql} ORDER BY n DESC LIMIT ?4`
  const values = [below, search.from, search.until, search.limit]
  const rows = store.db.prepare(sql).all(...values, ...personal.values)
  return rows.map(row => row.n as number)
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

function numbersOf(store: Store, search: Search, of: { kind: number; code: Phase; below: number }): number[] {
  const { from, until, limit } = search
  const bounds = [of.below, from, until, limit] as const
  const within = 'n < ?2 AND created_at >= ?3 AND created_at < ?4 ORDER BY n DESC LIMIT ?5'
  switch (of.code) {
    case phase.ready: {
      const found: number[] = []
      const priorities = Array.from({ length: 10 }, (_, index) => index + 1)
      for (const priority of priorities)
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

function finishedSeqs(store: Store, kinds: Kinds, search: Search, below: number): number[] {
  const states = finishedStates.filter(code => search.codes.has(code))
  if (states.length === 0) return []
  const to = search.until === end ? below : Math.min(below, firstSeqSince(store, search.until))
  const from = search.from === 0 ? 0 : firstSeqSince(store, search.from)
  if (isPersonal(search)) {
    const personal = personalFilter(search, 3)
    const sql = `SELECT seq FROM millrace_history WHERE seq < ?1 AND seq >= ?2 AND state IN (${states.join()})
      ${search.kinds ? `AND kind IN (${search.kinds.join() || 'NULL'})` : ''} ${personal.sql}
      ORDER BY seq DESC LIMIT ?3`
    return store.db
      .prepare(sql)
      .all(to, from, search.limit, ...personal.values)
      .map(row => row.seq as number)
  }
  if (states.length === finishedStates.length && search.kinds === null)
    return store
      .rows<[number]>(
        'SELECT seq FROM millrace_history WHERE seq < ? AND seq >= ? ORDER BY seq DESC LIMIT ?',
        to,
        from,
        search.limit,
      )
      .map(row => row[0])
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
  return found.sort((a, b) => b - a).slice(0, search.limit)
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
