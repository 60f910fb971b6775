import type {
  NewJob,
  PutScheduleAnswer,
  ScheduleRecord,
  ScheduleSettings,
  Tick,
  TickAnswer,
  TickRecord,
} from '../../engine/contract.ts'
import { formatId, parseId } from '../../job/id.ts'
import { enqueue } from './enqueue.ts'
import type { Kinds } from './kinds.ts'
import type { Store } from './store.ts'

interface ScheduleRow {
  name: string
  rule: string
  misfire: string
  overlap: 'allow' | 'skip'
  job: string
  cursor_at: number | null
  next_at: number
  paused: number
  disabled_reason: string | null
  last_job: Uint8Array | null
  created_at: number
}

/** Ticks of one schedule that are remembered. */
const ticksKept = 1_000

export function putSchedule(
  store: Store,
  now: number,
  settings: ScheduleSettings,
  within: string | undefined,
): PutScheduleAnswer {
  const wanted = {
    rule: JSON.stringify(settings.rule),
    misfire: JSON.stringify(settings.misfire),
    overlap: settings.overlap,
    job: JSON.stringify(settings.job),
  }
  const found = findSchedule(store, settings.name)
  if (!found) {
    store.run(
      `INSERT INTO millrace_schedule (name, rule, misfire, overlap, job, next_at, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
      settings.name,
      wanted.rule,
      wanted.misfire,
      wanted.overlap,
      wanted.job,
      settings.firstAt,
      now,
    )
    return 'created'
  }
  if (within !== undefined && (JSON.parse(found.job) as ScheduleRecord['job']).tenant !== within)
    return 'taken'
  const same = (['rule', 'misfire', 'overlap', 'job'] as const).every(key => found[key] === wanted[key])
  if (same && found.disabled_reason === null) return 'unchanged'
  const nextAt =
    found.rule === wanted.rule && found.disabled_reason === null ? found.next_at : settings.firstAt
  store.run(
    `UPDATE millrace_schedule SET rule = ?, misfire = ?, overlap = ?, job = ?, next_at = ?, disabled_reason = NULL
     WHERE name = ?`,
    wanted.rule,
    wanted.misfire,
    wanted.overlap,
    wanted.job,
    nextAt,
    settings.name,
  )
  return 'changed'
}

/** Of the schedule with this name, and of that tenant if one is said. */
const named = `name = ?1 AND (?2 IS NULL OR json_extract(job, '$.tenant') = ?2)`

export function removeSchedule(store: Store, name: string, within: string | undefined): boolean {
  if (store.run(`DELETE FROM millrace_schedule WHERE ${named}`, name, within ?? null) === 0) return false
  store.run('DELETE FROM millrace_tick WHERE schedule = ?', name)
  return true
}

export function pauseSchedule(
  store: Store,
  name: string,
  paused: boolean,
  within: string | undefined,
): boolean {
  const sql = `UPDATE millrace_schedule SET paused = ?3 WHERE ${named}`
  return store.run(sql, name, within ?? null, paused ? 1 : 0) > 0
}

export function disableSchedule(store: Store, name: string, reason: string): void {
  store.run('UPDATE millrace_schedule SET disabled_reason = ? WHERE name = ?', reason, name)
}

export function schedules(store: Store): ScheduleRecord[] {
  return store
    .all<ScheduleRow & Record<string, never>>('SELECT * FROM millrace_schedule ORDER BY name')
    .map(row => ({
      name: row.name,
      rule: JSON.parse(row.rule) as ScheduleRecord['rule'],
      misfire: JSON.parse(row.misfire) as ScheduleRecord['misfire'],
      overlap: row.overlap,
      job: JSON.parse(row.job) as ScheduleRecord['job'],
      cursorAt: row.cursor_at,
      nextAt: row.next_at,
      paused: row.paused === 1,
      disabledReason: row.disabled_reason,
      lastJobId: row.last_job && formatId(row.last_job),
      createdAt: row.created_at,
    }))
}

export function fireTick(store: Store, kinds: Kinds, now: number, tick: Tick): TickAnswer {
  const schedule = findSchedule(store, tick.schedule)
  if (!schedule) return 'cursor-moved'
  const known = store.get(
    'SELECT 1 FROM millrace_tick WHERE schedule = ? AND scheduled_at = ?',
    tick.schedule,
    tick.scheduledAt,
  )
  if (known) return 'already'
  if (schedule.next_at !== tick.expectedNextAt) return 'cursor-moved'
  const overlaps = tick.outcome === 'fire' && schedule.overlap === 'skip' && isLive(store, schedule.last_job)
  const fires = tick.outcome === 'fire' && !overlaps
  const jobId = fires && tick.job ? enqueueTick(store, kinds, now, tick.job) : null
  const outcome = fires
    ? 'fired'
    : overlaps
      ? 'skipped-overlap'
      : tick.outcome === 'coalesce'
        ? 'coalesced'
        : 'skipped'
  store.run(
    'INSERT INTO millrace_tick (schedule, scheduled_at, outcome, job, recorded_at) VALUES (?, ?, ?, ?, ?)',
    tick.schedule,
    tick.scheduledAt,
    outcome,
    jobId,
    now,
  )
  store.run(
    'UPDATE millrace_schedule SET cursor_at = ?, next_at = ?, last_job = coalesce(?, last_job) WHERE name = ?',
    tick.scheduledAt,
    tick.nextAt,
    jobId,
    tick.schedule,
  )
  store.run(
    `DELETE FROM millrace_tick WHERE schedule = ?1 AND scheduled_at <
       (SELECT scheduled_at FROM millrace_tick WHERE schedule = ?1 ORDER BY scheduled_at DESC LIMIT 1 OFFSET ?2)`,
    tick.schedule,
    ticksKept,
  )
  if (overlaps) return 'skipped-overlap'
  return fires && tick.job && jobId === null ? 'queue-full' : 'recorded'
}

function enqueueTick(store: Store, kinds: Kinds, now: number, job: NewJob): Uint8Array | null {
  const [answer] = enqueue(store, kinds, now, [job])
  // A bounded queue that is full drops the tick's job; the tick says so by having none.
  return answer && answer.outcome !== 'queue-full' ? parseId(answer.id) : null
}

function findSchedule(store: Store, name: string): ScheduleRow | undefined {
  return store.get<ScheduleRow & Record<string, never>>(
    'SELECT * FROM millrace_schedule WHERE name = ?',
    name,
  )
}

function isLive(store: Store, id: Uint8Array | null): boolean {
  return id !== null && store.get('SELECT 1 FROM millrace_job WHERE id = ?', id) !== undefined
}

export function ticks(store: Store, schedule: string, options: { limit: number }): TickRecord[] {
  return store
    .all<{
      scheduled_at: number
      outcome: TickRecord['outcome']
      job: Uint8Array | null
      recorded_at: number
    }>(
      'SELECT * FROM millrace_tick WHERE schedule = ? ORDER BY scheduled_at DESC LIMIT ?',
      schedule,
      options.limit,
    )
    .map(row => ({
      schedule,
      scheduledAt: row.scheduled_at,
      outcome: row.outcome,
      jobId: row.job && formatId(row.job),
      recordedAt: row.recorded_at,
    }))
}
