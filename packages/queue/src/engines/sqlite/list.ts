import type { JobFilter, JobPage, JobRecord } from '../../engine/contract.ts'
import { QueueError } from '../../engine/errors.ts'
import { type JobState, jobStates } from '../../job/state.ts'
import { codesOf, phase, type Phase } from './codes.ts'
import type { Kinds } from './kinds.ts'
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
  const at = page.cursor === undefined ? { live: end, finished: end } : readCursor(page.cursor)
  const search: Search = {
    codes: new Set((filter.states ?? jobStates).flatMap((state: JobState) => codesOf(state))),
    kinds: matchingKinds(kinds, filter),
    tenant: filter.tenant ?? null,
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
  if (all || search.tenant !== null) return walkDown(store, search, phases, below)
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

/** From the newest job down, taking what fits. */
function walkDown(store: Store, search: Search, phases: Phase[], below: number): number[] {
  const byTenant = search.tenant === null ? '' : `${tenantIs(search.tenant, '?5')} AND`
  const sql = `SELECT n FROM millrace_job WHERE ${byTenant} n < ?1 AND created_at >= ?2 AND created_at < ?3
    AND phase IN (${phases.join()}) ${search.kinds ? `AND kind IN (${search.kinds.join() || 'NULL'})` : ''}
    ORDER BY n DESC LIMIT ?4`
  const values = [below, search.from, search.until, search.limit]
  const rows = store.db.prepare(sql).all(...values, ...(search.tenant === null ? [] : [search.tenant]))
  return rows.map(row => row.n as number)
}

/** Written so that the index of jobs with a tenant is seen to serve; jobs without one are met on the way down. */
function tenantIs(tenant: string, parameter: string): string {
  return tenant === '' ? `tenant = ${parameter}` : `tenant = ${parameter} AND tenant <> ''`
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
      return store
        .rows<[number]>(
          `SELECT n FROM millrace_job WHERE phase = ?6 AND kind = ?1 AND ${within}`,
          of.kind,
          ...bounds,
          of.code,
        )
        .map(row => row[0])
  }
}

function finishedSeqs(store: Store, kinds: Kinds, search: Search, below: number): number[] {
  const states = finishedStates.filter(code => search.codes.has(code))
  if (states.length === 0) return []
  const to = search.until === end ? below : Math.min(below, firstSeqSince(store, search.until))
  const from = search.from === 0 ? 0 : firstSeqSince(store, search.from)
  if (search.tenant !== null) {
    const sql = `SELECT seq FROM millrace_history WHERE ${tenantIs(search.tenant, '?1')} AND seq < ?2 AND seq >= ?3
      AND state IN (${states.join()}) ${search.kinds ? `AND kind IN (${search.kinds.join() || 'NULL'})` : ''}
      ORDER BY seq DESC LIMIT ?4`
    return store.db
      .prepare(sql)
      .all(search.tenant, to, from, search.limit)
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
