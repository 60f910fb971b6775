import type {
  EnqueueAnswer,
  NewJob,
  PutScheduleAnswer,
  ScheduleRecord,
  ScheduleSettings,
  Tick,
  TickAnswer,
  TickRecord,
} from '../../engine/contract.ts'
import { one, type Queries } from './queries.ts'
import type { Store } from './store.ts'

interface ScheduleRow {
  name: string
  rule: string
  misfire: string
  overlap: 'allow' | 'skip'
  job: string
  cursor_at: number | null
  next_at: number
  paused: boolean
  disabled_reason: string | null
  last_job: string | null
  created_at: number
}

/** Ticks of one schedule that are remembered. */
const ticksKept = 1_000

/** One statement for each case, so that of many who put it at the same time one creates it and none undoes another's. */
export async function putSchedule(
  db: Queries,
  now: number | null,
  settings: ScheduleSettings,
  within: string | undefined,
): Promise<PutScheduleAnswer> {
  const { name, rule, misfire, overlap, job, firstAt } = settings
  const wanted = [name, JSON.stringify(rule), JSON.stringify(misfire), overlap, JSON.stringify(job), firstAt]
  const created = await one(
    db,
    `INSERT INTO millrace.schedule (name, rule, misfire, overlap, job, next_at, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, millrace.now_ms($7)) ON CONFLICT DO NOTHING RETURNING name`,
    [...wanted, now],
  )
  if (created) return 'created'
  const changed = await one(
    db,
    `UPDATE millrace.schedule SET rule = $2, misfire = $3, overlap = $4, job = $5, disabled_reason = NULL,
       next_at = CASE WHEN rule = $2 AND disabled_reason IS NULL THEN next_at ELSE $6 END
     WHERE name = $1 AND ($7::text IS NULL OR job::json ->> 'tenant' = $7) AND ((rule, misfire, overlap, job) <> ($2, $3, $4, $5) OR disabled_reason IS NOT NULL) RETURNING name`,
    [...wanted, within ?? null],
  )
  if (changed) return 'changed'
  return within !== undefined && (await isOfAnother(db, name, within)) ? 'taken' : 'unchanged'
}

async function isOfAnother(db: Queries, name: string, tenant: string): Promise<boolean> {
  const sql = `SELECT 1 FROM millrace.schedule WHERE name = $1 AND job::json ->> 'tenant' <> $2`
  return (await one(db, sql, [name, tenant])) !== undefined
}

/** Of the schedule with this name, and of that tenant if one is said. */
const named = `name = $1 AND ($2::text IS NULL OR job::json ->> 'tenant' = $2)`

export async function removeSchedule(
  db: Queries,
  name: string,
  within: string | undefined,
): Promise<boolean> {
  const removed = await one(
    db,
    `WITH gone AS (DELETE FROM millrace.schedule WHERE ${named} RETURNING name),
       ticks AS (DELETE FROM millrace.tick WHERE schedule IN (SELECT name FROM gone))
     SELECT name FROM gone`,
    [name, within ?? null],
  )
  return removed !== undefined
}

export async function pauseSchedule(
  db: Queries,
  name: string,
  paused: boolean,
  within: string | undefined,
): Promise<boolean> {
  const sql = `UPDATE millrace.schedule SET paused = $3 WHERE ${named} RETURNING name`
  return (await one(db, sql, [name, within ?? null, paused])) !== undefined
}

export async function disableSchedule(db: Queries, name: string, reason: string): Promise<void> {
  await db.all('UPDATE millrace.schedule SET disabled_reason = $2 WHERE name = $1', [name, reason])
}

export async function schedules(db: Queries): Promise<ScheduleRecord[]> {
  const rows = await db.all<ScheduleRow>('SELECT * FROM millrace.schedule ORDER BY name COLLATE "C"')
  return rows.map(row => ({
    name: row.name,
    rule: JSON.parse(row.rule) as ScheduleRecord['rule'],
    misfire: JSON.parse(row.misfire) as ScheduleRecord['misfire'],
    overlap: row.overlap,
    job: JSON.parse(row.job) as ScheduleRecord['job'],
    cursorAt: row.cursor_at,
    nextAt: row.next_at,
    paused: row.paused,
    disabledReason: row.disabled_reason,
    lastJobId: row.last_job,
    createdAt: row.created_at,
  }))
}

type EnqueueTick = (db: Queries, job: NewJob) => Promise<EnqueueAnswer>

/** Whoever fires the same tick at the same time waits for the schedule's row, and then finds the tick recorded. */
export function fireTick(
  store: Store,
  now: number | null,
  tick: Tick,
  enqueueTick: EnqueueTick,
): Promise<TickAnswer> {
  return store.transaction(async db => {
    const schedule = await one<ScheduleRow>(
      db,
      'SELECT * FROM millrace.schedule WHERE name = $1 FOR NO KEY UPDATE',
      [tick.schedule],
    )
    if (!schedule) return 'cursor-moved'
    const known = await one(db, 'SELECT 1 FROM millrace.tick WHERE schedule = $1 AND scheduled_at = $2', [
      tick.schedule,
      tick.scheduledAt,
    ])
    if (known) return 'already'
    if (schedule.next_at !== tick.expectedNextAt) return 'cursor-moved'
    const overlaps =
      tick.outcome === 'fire' && schedule.overlap === 'skip' && (await isLive(db, schedule.last_job))
    const job = tick.outcome === 'fire' && !overlaps ? tick.job : null
    const jobId = job ? await fire(db, job, enqueueTick) : null
    await record(db, now, { tick, outcome: outcomeOf(tick, overlaps), jobId })
    if (overlaps) return 'skipped-overlap'
    return job && jobId === null ? 'queue-full' : 'recorded'
  })
}

async function isLive(db: Queries, id: string | null): Promise<boolean> {
  if (id === null) return false
  return (await one(db, 'SELECT 1 FROM millrace.job WHERE id = $1 AND state < 4', [id])) !== undefined
}

async function fire(db: Queries, job: NewJob, enqueueTick: EnqueueTick): Promise<string | null> {
  const answer = await enqueueTick(db, job)
  // A bounded queue that is full drops the tick's job; the tick says so by having none.
  return answer.outcome === 'queue-full' ? null : answer.id
}

function outcomeOf(tick: Tick, overlaps: boolean): TickRecord['outcome'] {
  if (overlaps) return 'skipped-overlap'
  if (tick.outcome === 'fire') return 'fired'
  return tick.outcome === 'coalesce' ? 'coalesced' : 'skipped'
}

async function record(
  db: Queries,
  now: number | null,
  { tick, outcome, jobId }: { tick: Tick; outcome: TickRecord['outcome']; jobId: string | null },
): Promise<void> {
  await db.all(
    `WITH recorded AS (
       INSERT INTO millrace.tick (schedule, scheduled_at, outcome, job, recorded_at)
       VALUES ($1, $2, $4, $5, millrace.now_ms($6))
     ), forgotten AS (
       DELETE FROM millrace.tick WHERE schedule = $1 AND scheduled_at < (
         SELECT scheduled_at FROM millrace.tick WHERE schedule = $1 ORDER BY scheduled_at DESC LIMIT 1 OFFSET ${ticksKept - 1})
     )
     UPDATE millrace.schedule SET cursor_at = $2, next_at = $3, last_job = coalesce($5, last_job) WHERE name = $1`,
    [tick.schedule, tick.scheduledAt, tick.nextAt, outcome, jobId, now],
  )
}

export function ticks(db: Queries, schedule: string, options: { limit: number }): Promise<TickRecord[]> {
  return db.all<TickRecord>(
    `SELECT schedule, scheduled_at AS "scheduledAt", outcome, job AS "jobId", recorded_at AS "recordedAt"
     FROM millrace.tick WHERE schedule = $1 ORDER BY scheduled_at DESC LIMIT $2`,
    [schedule, options.limit],
  )
}
