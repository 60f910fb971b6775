import type { RetentionRule } from '../../job/retention.ts'
import { pruneAudit } from './audit.ts'
import { stored, terminalCode } from './codes.ts'
import { standing, tallyMs } from './counts.ts'
import { pruneFeed } from './feed.ts'
import { array, one, type Queries } from './queries.ts'
import { pruneSeries } from './series.ts'
import type { Store } from './store.ts'
import { makeWeeks } from './weeks.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const talliesKeptMs = 35 * dayMs
const workersKeptMs = 35 * dayMs
/** A week that began this long ago gets no new jobs: what is enqueued now has younger ids. */
const weekOverMs = 9 * dayMs
/** Who waits for a lock on all of `job` holds up everybody behind it. */
const lockTimeout = '100ms'

/** When each store's hourly work was done last. */
const tidiedAt = new WeakMap<Store, number>()

interface Request {
  rules: readonly RetentionRule[]
  limit: number
}

/** Deletes a small batch of what the rules no longer keep, oldest first. When that is nothing, it costs some short looks into indexes. */
export async function prune(
  store: Store,
  now: number | null,
  request: Request,
): Promise<{ removed: number; more: boolean }> {
  let left = request.limit
  let removed = 0
  for (const each of await outdated(store, now, request.rules)) {
    if (left <= 0) break
    const pruned = await pruneKind(store, now, each, left)
    removed += pruned.removed
    left -= pruned.seen
  }
  const housekeeping = await tidy(store, now, request.limit)
  return { removed, more: left <= 0 || housekeeping }
}

interface Outdated {
  kind: number
  state: number
  maxAgeMs: number | null
  maxCount: number | null
}

interface Pruned {
  removed: number
  /** With those that were gone already. */
  seen: number
}

const total = `CASE r.state WHEN ${stored.completed} THEN s.completed WHEN ${stored.cancelled} THEN s.cancelled ELSE s.dead END`

/**
 * The kinds and states of which something is over its rule's count or age, or nothing is left but what is noted of jobs that were removed
 * or redriven. A type's own rule stands in for the common one.
 */
function outdated(db: Queries, now: number | null, rules: readonly RetentionRule[]): Promise<Outdated[]> {
  if (rules.length === 0) return Promise.resolve([])
  return db.all<Outdated>(
    `WITH rule AS MATERIALIZED (
       SELECT * FROM unnest($2::text[], $3::int2[], $4::int8[], $5::int8[]) AS r (type, state, max_age, max_count)
     ), standing AS MATERIALIZED (
       ${standing}
     )
     SELECT s.kind, r.state, r.max_age AS "maxAgeMs", r.max_count AS "maxCount"
     FROM standing s JOIN millrace.kind k ON k.kind = s.kind JOIN rule r ON r.type = k.type
       OR (r.type IS NULL AND NOT EXISTS (SELECT FROM rule n WHERE n.type = k.type AND n.state = r.state))
     LEFT JOIN LATERAL (
       SELECT f.at FROM millrace.finished f WHERE f.kind = s.kind AND f.state = r.state ORDER BY f.at, f.seq LIMIT 1) AS oldest ON true
     WHERE ${total} > r.max_count OR r.max_age <= millrace.now_ms($1) - oldest.at OR (${total} <= 0 AND oldest.at IS NOT NULL)`,
    [
      now,
      rules.map(rule => rule.type),
      array(rules.map(rule => terminalCode[rule.state])),
      array(rules.map(rule => whole(rule.maxAgeMs))),
      array(rules.map(rule => whole(rule.maxCount))),
    ],
  )
}

function whole(value: number | undefined): number | null {
  return value === undefined ? null : Math.min(Number.MAX_SAFE_INTEGER, Math.floor(value))
}

/** One pruner at a time for each kind: two who both take what is too many would together take too much. */
function pruneKind(store: Store, now: number | null, of: Outdated, limit: number): Promise<Pruned> {
  return store.transaction(async db => {
    const mine = await one(db, 'SELECT 1 FROM millrace.kind WHERE kind = $1 FOR NO KEY UPDATE SKIP LOCKED', [
      of.kind,
    ])
    if (!mine) return { removed: 0, seen: 0 }
    // Counted only now, when whoever pruned before has committed.
    const row = await one<Pruned>(
      db,
      `SELECT p.removed, p.seen
       FROM (SELECT millrace.now_ms($1) AS now OFFSET 0) AS c, (SELECT $2::int4 AS kind, $3::int2 AS state) AS r,
         LATERAL millrace.prune_jobs(c.now, r.kind, r.state, c.now - $4::int8, coalesce((
           SELECT ${total} FROM (${standing}) AS s WHERE s.kind = r.kind) - $5::int8, 0), $6) AS p`,
      [now, of.kind, of.state, of.maxAgeMs, of.maxCount, limit],
    )
    return row as Pruned
  })
}

/** Deletes expired keys and what nobody looks at any more, and once an hour what else has grown old. Answers whether more may wait. */
async function tidy(store: Store, now: number | null, limit: number): Promise<boolean> {
  const { keys, at } = (await one<{ keys: number; at: number }>(
    store,
    `WITH clock AS MATERIALIZED (
       SELECT millrace.now_ms($1) AS now
     ), keys AS (
       DELETE FROM millrace.idempotency i USING clock c WHERE i.expires_at <= c.now AND (i.tenant, i.key) IN (
         SELECT e.tenant, e.key FROM millrace.idempotency e WHERE e.expires_at <= (SELECT now FROM clock) LIMIT $2)
       RETURNING 1
     ), flow_keys AS (
       DELETE FROM millrace.flow_key i USING clock c WHERE i.expires_at <= c.now AND (i.tenant, i.key) IN (
         SELECT e.tenant, e.key FROM millrace.flow_key e WHERE e.expires_at <= (SELECT now FROM clock) LIMIT $2)
       RETURNING 1
     )
     SELECT greatest((SELECT count(*) FROM keys), (SELECT count(*) FROM flow_keys)) AS keys, c.now AS at FROM clock c`,
    [now, limit],
  )) as { keys: number; at: number }
  if (Math.abs(at - (tidiedAt.get(store) ?? 0)) >= hourMs) {
    tidiedAt.set(store, at)
    await store.all('DELETE FROM millrace.tally WHERE at < $1', [at - talliesKeptMs - tallyMs])
    await store.all('DELETE FROM millrace.worker WHERE cleared AND beat_at < $1', [at - workersKeptMs])
    // Neither matters now: a lock that can't be had, or a right that this user lacks, is tried for again in an hour.
    await makeWeeks(store, now).catch(() => {})
    await dropWeeks(store, at).catch(() => {})
  }
  let views = false
  for (const prune of [pruneFeed, pruneSeries, pruneAudit]) if (await prune(store, now, limit)) views = true
  return keys >= limit || views
}

/** Drops the weeks of which no job is left, and with them the room on the disk that deleting rows does not give back. */
async function dropWeeks(store: Store, at: number): Promise<void> {
  const last = new Date(at - weekOverMs).toISOString().slice(0, 10).replaceAll('-', '')
  const weeks = await store.rows<[name: string]>(
    `SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relispartition AND c.relname ~ '^job_[0-9]{8}$' AND c.relname < $2 ORDER BY 1`,
    [store.schema, `job_${last}`],
  )
  for (const [name] of weeks)
    if (await isEmpty(store, name))
      await store.transaction(async db => {
        await db.all(`SET LOCAL lock_timeout = '${lockTimeout}'`)
        await db.all(`LOCK TABLE ONLY millrace.job, millrace.${name} IN ACCESS EXCLUSIVE MODE`)
        if (await isEmpty(db, name)) await db.all(`DROP TABLE millrace.${name}`)
      })
}

async function isEmpty(db: Queries, name: string): Promise<boolean> {
  // By the index, which vacuum empties; the table itself may be a long way of room that once was used.
  return (await one(db, `SELECT id FROM millrace.${name} ORDER BY id LIMIT 1`)) === undefined
}
