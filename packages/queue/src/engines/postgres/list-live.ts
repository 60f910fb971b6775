import type { JobFilter, JobRecord } from '../../engine/contract.ts'
import { firstId } from '../../job/id.ts'
import { jobStates } from '../../job/state.ts'
import { endOfTime, type Search } from './list-search.ts'
import { array, one, type Queries } from './queries.ts'
import { jobsWaiting } from './rows.ts'

/** As many of these are at once gathered from where they wait and sorted. */
const fewJobs = 1_000
/** When too few of the wanted jobs are among the newest, so many are still gathered; and of those, so many looked at. */
const gatherAtMost = 1_000_000
const lookAtMost = 20_000
/** Rows that one page walks over at most: by the primary key, and by a tenant's or a kind's index, whose rows lie apart. */
const walkAtMost = 2_000
const walkTenantAtMost = 10_000
/** So many kinds are walked each by its own index. */
const kindsAtMost = 8
/** Before it is known where they stand, a page of jobs that wait is looked for among so many times as many rows. */
const glancesAtMost = 4
/** An id is made by the enqueuer's clock, and `createdAt` by the database's: they are taken to differ by less. */
const clocksDifferMs = 86_400_000

export interface LivePart {
  ids: string[]
  /** Below this id there may be more, where the walk has ended before it has found enough. */
  next: string | null
}

/** Live jobs by arrival, the newest first. */
export async function livePart(db: Queries, search: Search, below: string): Promise<LivePart> {
  const { states, kinds, limit } = search
  const wanted = {
    queued: states.has('queued'),
    running: states.has('running'),
    blocked: states.has('blocked'),
  }
  let count = 0
  let blocked = 0
  for (const each of kinds) {
    if (wanted.queued) count += each.ready + each.delayed
    if (wanted.running) count += each.running
    if (wanted.blocked) blocked += each.blocked
  }
  if (count + blocked === 0) return { ids: [], next: null }
  // Blocked jobs wait nowhere; they are only met on the way.
  const gatherable = blocked === 0
  const few = count <= fewJobs || !wanted.queued
  const sparse = search.tenant !== null || search.fingerprint !== null
  if (gatherable && few && !sparse) return gather(db, search, wanted, { below, above: firstId(0) })
  const range = rangeOf(search, below)
  const byKind = !search.allKinds && kinds.length <= kindsAtMost && search.tenant === null
  const walked = await (byKind ? walkKinds : walk)(db, search, wanted, range)
  if (walked.next === null || walked.ids.length >= limit || !gatherable) return walked
  const bound = sparse ? lookAtMost : gatherAtMost
  return count <= bound ? gather(db, search, wanted, range) : walked
}

/** Ids from `above` on that are below `below`. */
interface Range {
  below: string
  above: string
}

/** An id tells when its job was enqueued, as far as the enqueuer's clock knew. */
function rangeOf({ from, until }: { from: number; until: number }, below: string): Range {
  const latest = firstId(until + clocksDifferMs)
  return { below: below < latest ? below : latest, above: firstId(Math.max(0, from - clocksDifferMs)) }
}

interface Wanted {
  queued: boolean
  running: boolean
  blocked: boolean
}

export const held = `held AS MATERIALIZED (
    SELECT u.id, u.epoch - 1 AS epoch FROM millrace.lease l, LATERAL unnest(l.ids, l.epochs) AS u (id, epoch)
  )`
/** Whether a row `j` is in one of the wanted states; $2: queued, $3: running, $4: blocked; $6, $7: when it was created. */
export const fitsLive = `CASE j.state WHEN 3 THEN $4 WHEN 0 THEN
    CASE WHEN $2::boolean = $3::boolean THEN $2 WHEN (j.id, j.epoch) IN (SELECT h.id, h.epoch FROM held h) THEN $3 ELSE $2 END
    ELSE false END AND j.created_at >= $6 AND j.created_at < $7`
const fits = `${fitsLive} AND ($5::int4[] IS NULL OR j.kind = ANY ($5))
  AND ($8::text IS NULL OR j.tenant = $8) AND ($11::text IS NULL OR j.last_error ->> 'fingerprint' = $11)`

function values(search: Search, { queued, running, blocked }: Wanted, { below, above }: Range): unknown[] {
  const { from, until, tenant, limit, fingerprint } = search
  const kinds = search.allKinds ? null : array(search.kinds.map(each => each.kind))
  return [below, queued, running, blocked, kinds, from, until, tenant, limit, above, fingerprint]
}

/** From where they wait, and from the leases; then from the newest down, until enough of them fit. */
async function gather(db: Queries, search: Search, wanted: Wanted, range: Range): Promise<LivePart> {
  const rows = await db.rows<[string]>(
    `WITH ${held}, waiting AS (
       SELECT u.id FROM millrace.ready r, LATERAL unnest(r.ids) AS u (id) WHERE $2 AND ($5::int4[] IS NULL OR r.kind = ANY ($5))
       UNION ALL
       SELECT d.id FROM millrace.delayed d WHERE $2 AND ($5::int4[] IS NULL OR d.kind = ANY ($5))
       UNION ALL
       SELECT h.id FROM held h WHERE $3
     ), sorted AS MATERIALIZED (
       SELECT DISTINCT w.id FROM waiting w WHERE w.id < $1::uuid AND w.id >= $10::uuid ORDER BY w.id DESC
     )
     SELECT s.id FROM sorted s, LATERAL (SELECT * FROM millrace.job WHERE job.id = s.id AND job.state = 0 OFFSET 0) AS j
     WHERE ${fits} LIMIT $9`,
    values(search, wanted, range),
  )
  return { ids: rows.map(([id]) => id), next: null }
}

function boundOf(limit: number): number {
  return Math.max(walkAtMost, 2 * limit)
}

/**
 * From the newest job down, taking what fits, over a bounded number of rows. `page` has no order of its own, so that
 * `walked`, which is read as it is made, goes no further than it must.
 */
async function walk(db: Queries, search: Search, wanted: Wanted, range: Range): Promise<LivePart> {
  const row = await one<{ ids: string[]; next: string | null }>(
    db,
    `WITH ${held}, walked AS MATERIALIZED (
       SELECT job.id, job.kind, job.state, job.epoch, job.created_at, job.tenant, job.last_error FROM millrace.job
       WHERE job.id < $1::uuid AND job.id >= $10::uuid ${search.tenant ? `AND job.tenant = $8 AND job.tenant <> ''` : ''}
       ORDER BY job.id DESC LIMIT $12
     ), page AS MATERIALIZED (
       SELECT j.id FROM walked j WHERE ${fits} LIMIT $9
     )
     SELECT ARRAY(SELECT p.id FROM page p ORDER BY p.id DESC)::text[] AS ids,
       CASE WHEN (SELECT count(*) FROM page) < $9 AND (SELECT count(*) FROM walked) = $12
         THEN (SELECT w.id FROM walked w ORDER BY w.id LIMIT 1) END AS next`,
    [...values(search, wanted, range), search.tenant ? walkTenantAtMost : boundOf(search.limit)],
  )
  return row as LivePart
}

/** The same in each kind by itself: however many others there are, they are not walked over. */
async function walkKinds(db: Queries, search: Search, wanted: Wanted, range: Range): Promise<LivePart> {
  const { kinds, from, until, fingerprint, limit } = search
  const row = await one<LivePart>(
    db,
    'SELECT ids::text[], next FROM millrace.walk_kinds($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)',
    [
      array(kinds.map(each => each.kind)),
      range.below,
      range.above,
      wanted.queued,
      wanted.running,
      wanted.blocked,
      from,
      until,
      fingerprint,
      limit,
      boundOf(limit),
    ],
  )
  return row as LivePart
}

/**
 * The newest jobs of a few types or queues, as many as asked for, in one statement and so in one view: what most pages of a
 * long queue are. Null where few wait, where those that wait are not among the newest, or the filter asks for more than that.
 */
export async function waitingPage(
  db: Queries,
  filter: JobFilter,
  below: string,
  limit: number,
): Promise<JobRecord[] | null> {
  const { states = jobStates, types, queues, tenant, fingerprint, from = 0, until = endOfTime } = filter
  if (!(types ?? queues) || tenant !== undefined || fingerprint !== undefined || !states.includes('queued'))
    return null
  const range = rangeOf({ from, until }, below)
  const jobs = await jobsWaiting(db, [
    types ?? null,
    queues ?? null,
    range.below,
    range.above,
    states.includes('running'),
    states.includes('blocked'),
    from,
    until,
    limit,
    glancesAtMost * limit,
    kindsAtMost,
    fewJobs,
  ])
  return jobs.length === limit ? jobs : null
}
