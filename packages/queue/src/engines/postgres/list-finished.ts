import { lastId } from '../../job/id.ts'
import { isTerminal } from '../../job/state.ts'
import { terminalCode } from './codes.ts'
import type { Place, Search } from './list-search.ts'
import { array, type Queries } from './queries.ts'

/** Entries that one page looks at for a tenant or a fault, or to find those whose job is still there. */
const walkAtMost = 20_000
const walkStep = 1_000
/** The finished jobs of a tenant that has no more than these are gathered and sorted. */
const fewJobs = 10_000

export interface FinishedPart {
  found: { id: string; place: Place }[]
  /** From here there may be more, where the walk has ended before it has found enough. */
  next: Place | null
}

/** Finished jobs by when they finished, the latest first. */
export async function finishedPart(db: Queries, search: Search, from: Place | null): Promise<FinishedPart> {
  const pairs = search.kinds.flatMap(each =>
    [...search.states]
      .filter(isTerminal)
      .filter(state => each[state] > 0)
      .map(state => ({ kind: each.kind, state: terminalCode[state] })),
  )
  if (pairs.length === 0) return { found: [], next: null }
  const gathering = from === null || 'id' in from
  if (search.tenant && gathering) {
    const gathered = await gatherTenant(db, search, from)
    if (gathered) return gathered
  }
  return walk(db, search, pairs, from === null || 'id' in from ? latest : from)
}

const latest = { at: Number.MAX_SAFE_INTEGER, seq: Number.MAX_SAFE_INTEGER, shown: 0 }

/** Answers null when there are too many. */
async function gatherTenant(
  db: Queries,
  search: Search,
  from: { at: number; id: string } | null,
): Promise<FinishedPart | null> {
  const rows = await db.rows<[total: number, id: string | null, at: number]>(
    `WITH mine AS MATERIALIZED (
       SELECT job.id, job.state, job.kind, job.finished_at, job.last_error FROM millrace.job
       WHERE job.tenant = $1 AND job.tenant <> '' ORDER BY job.id DESC LIMIT $2
     )
     SELECT t.total, m.id, m.finished_at FROM (SELECT count(*) AS total FROM mine) AS t LEFT JOIN LATERAL (
       SELECT * FROM mine WHERE state = ANY ($3::int2[]) AND ($4::int4[] IS NULL OR kind = ANY ($4))
         AND ($10::text IS NULL OR last_error ->> 'fingerprint' = $10)
         AND finished_at >= $5 AND finished_at < $6 AND (finished_at, id) < ($7::int8, $8::uuid)
       ORDER BY finished_at DESC, id DESC LIMIT $9) AS m ON true`,
    [
      search.tenant,
      // Who began in this order goes on in it, even if there are more of them by now.
      from === null ? fewJobs + 1 : 10 * fewJobs,
      array([...search.states].filter(isTerminal).map(state => terminalCode[state])),
      search.allKinds ? null : array(search.kinds.map(each => each.kind)),
      search.from,
      search.until,
      from?.at ?? Number.MAX_SAFE_INTEGER,
      from?.id ?? lastId,
      search.limit,
      search.fingerprint,
    ],
  )
  if (from === null && (rows[0]?.[0] ?? 0) > fewJobs) return null
  return { found: rows.flatMap(([, id, at]) => (id === null ? [] : [{ id, place: { at, id } }])), next: null }
}

interface Step {
  id: string
  found: boolean
  at: number
  seq: number
  shown: number
}

async function walk(
  db: Queries,
  search: Search,
  pairs: { kind: number; state: number }[],
  from: { at: number; seq: number; shown: number },
): Promise<FinishedPart> {
  const found: FinishedPart['found'] = []
  const last = search.until - 1
  let place = from.at > last ? { ...latest, at: last } : from
  for (let walked = 0; walked < walkAtMost; ) {
    const sparse = search.tenant !== null || search.fingerprint !== null
    const need = walked > 0 || sparse ? walkStep : search.limit
    const steps = await take(db, search, pairs, place, need)
    for (const { id, found: fits, ...at } of steps) {
      place = at
      if (fits) found.push({ id, place })
      if (found.length >= search.limit) return { found, next: null }
    }
    if (steps.length < need) return { found, next: null }
    walked += steps.length
  }
  return { found, next: place }
}

/**
 * The next `need` jobs of the entries. An entry whose job is gone, was redriven, or finished once more later, does not
 * count. `OFFSET 0` and the limits keep every look within an index.
 */
function take(
  db: Queries,
  search: Search,
  pairs: { kind: number; state: number }[],
  place: { at: number; seq: number; shown: number },
  need: number,
): Promise<Step[]> {
  const all =
    search.allKinds && [...search.states].filter(isTerminal).length === Object.keys(terminalCode).length
  const within = `(at, seq) <= ($1::int8, $2::int8) AND at >= $4 ORDER BY at DESC, seq DESC LIMIT $5 + 1`
  const entries = all
    ? `SELECT at, seq, state, ids FROM millrace.finished WHERE ${within}`
    : `SELECT f.* FROM unnest($8::int4[], $9::int2[]) AS k (kind, state), LATERAL (
         SELECT at, seq, state, ids FROM millrace.finished WHERE finished.kind = k.kind AND finished.state = k.state AND ${within}
       ) AS f ORDER BY f.at DESC, f.seq DESC LIMIT $5 + 1`
  return db.all<Step>(
    `WITH entry AS MATERIALIZED (
       ${entries}
     ), sized AS MATERIALIZED (
       SELECT *, cardinality(ids) AS jobs,
         greatest(cardinality(ids) - CASE WHEN at = $1 AND seq = $2 THEN $3::int4 ELSE 0 END, 0) AS size
       FROM entry
     ), placed AS MATERIALIZED (
       SELECT *, (sum(size) OVER (ORDER BY at DESC, seq DESC) - size)::int4 AS before FROM sized
     ), item AS MATERIALIZED (
       SELECT u.id, p.state, p.at, p.seq, p.jobs - greatest(p.size - ($5 - p.before), 0) - u.n + 1 AS shown
       FROM placed p, LATERAL unnest(p.ids[greatest(p.size - ($5 - p.before), 0) + 1:p.size]) WITH ORDINALITY AS u (id, n)
       WHERE p.before < $5
     )
     SELECT i.id, j.id IS NOT NULL AS found, i.at, i.seq, i.shown
     FROM item i LEFT JOIN LATERAL (
       SELECT * FROM millrace.job WHERE job.id = i.id AND job.state = i.state AND job.finished_at = i.at
         AND ($6::text IS NULL OR job.tenant = $6) AND ($7::text IS NULL OR job.last_error ->> 'fingerprint' = $7) OFFSET 0) AS j ON true
     ORDER BY i.at DESC, i.seq DESC, i.shown`,
    [
      place.at,
      place.seq,
      place.shown,
      search.from,
      need,
      search.tenant,
      search.fingerprint,
      ...(all ? [] : [array(pairs.map(each => each.kind)), array(pairs.map(each => each.state))]),
    ],
  )
}
