import type { Engine, NewJob, ScheduleRecord, Tick } from '../engine/contract.ts'
import type { Events } from '../events.ts'
import { nextAfter, parseRecurrence, type Recurrence, ticksBetween } from '../job/recurrence.ts'

/** A tick that is at most this late was not missed. */
const onTimeMs = 60_000
/** Of a long absence, only this many ticks are recorded one by one. */
const recordedAtMost = 1_000

const recordedAs = { fire: 'fired', skip: 'skipped', coalesce: 'coalesced' } as const

/** Fires due schedules. Any number may run: the engine records each tick once. */
export class Scheduler {
  readonly #engine: Engine
  readonly #now: () => number
  readonly #events: Events
  readonly #newId: () => string
  readonly #pollMs: number
  readonly #rules = new Map<string, Recurrence>()
  /** Ticks that this one has recorded. */
  recorded = 0

  constructor(options: {
    engine: Engine
    /** The time by the clock that decides on this engine. */
    now: () => number
    events: Events
    newId: () => string
    /** How often to look for schedules that another process has changed. */
    pollMs: number
  }) {
    this.#engine = options.engine
    this.#now = options.now
    this.#events = options.events
    this.#newId = options.newId
    this.#pollMs = options.pollMs
  }

  /** Fires what is due. Answers how long until something may be due again. */
  async tick(): Promise<number> {
    let waitMs = this.#pollMs
    for (const schedule of await this.#engine.schedules()) {
      if (schedule.disabledReason !== null) continue
      const now = this.#now()
      if (schedule.nextAt > now) waitMs = Math.min(waitMs, schedule.nextAt - now)
      else await this.#fire(schedule, now)
    }
    return Math.max(1, waitMs)
  }

  async #fire(schedule: ScheduleRecord, now: number): Promise<void> {
    let plan: Tick[]
    try {
      plan = planTicks(schedule, this.#rule(schedule), now)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      await this.#engine.disableSchedule(schedule.name, reason)
      this.#events.emit('schedule-disabled', { schedule: schedule.name, reason })
      return
    }
    for (const tick of plan) {
      const job = tick.outcome === 'fire' ? this.#job(schedule) : null
      const answer = await this.#engine.fireTick({ ...tick, job })
      if (answer === 'cursor-moved') return
      if (answer === 'already') continue
      this.recorded++
      const { type, queue, tenant } = schedule.job
      this.#events.emit('schedule-fired', {
        schedule: schedule.name,
        scheduledAt: tick.scheduledAt,
        jobId: answer === 'recorded' && job ? job.id : null,
        type,
        queue,
        tenant,
        outcome: answer === 'skipped-overlap' ? answer : recordedAs[tick.outcome],
      })
    }
  }

  #rule(schedule: ScheduleRecord): Recurrence {
    const key = JSON.stringify(schedule.rule)
    let rule = this.#rules.get(key)
    if (!rule) this.#rules.set(key, (rule = parseRecurrence(schedule.rule)))
    return rule
  }

  #job(schedule: ScheduleRecord): NewJob {
    return { ...schedule.job, id: this.#newId(), delayMs: 0, runAt: null, idempotency: null }
  }
}

/** What to do with each due tick, oldest first. Pure. Throws when the rule can't be computed. */
export function planTicks(schedule: ScheduleRecord, rule: Recurrence, now: number): Tick[] {
  const due = latestDue(rule, schedule.nextAt, now)
  return due.map((scheduledAt, index) => ({
    schedule: schedule.name,
    scheduledAt,
    expectedNextAt: index === 0 ? schedule.nextAt : scheduledAt,
    nextAt: due[index + 1] ?? nextAfter(rule, scheduledAt),
    outcome: outcomeOf(schedule, { late: now - scheduledAt, fromLast: due.length - 1 - index }),
    job: null,
  }))
}

function outcomeOf(schedule: ScheduleRecord, tick: { late: number; fromLast: number }): Tick['outcome'] {
  const { misfire, paused } = schedule
  if (paused) return 'skip'
  if (misfire.kind === 'catch-up') return tick.fromLast < misfire.max ? 'fire' : 'coalesce'
  if (tick.fromLast > 0) return misfire.kind === 'skip' ? 'skip' : 'coalesce'
  return misfire.kind === 'skip' && tick.late > onTimeMs ? 'skip' : 'fire'
}

/** The due ticks; of a long absence only the latest thousand. */
function latestDue(rule: Recurrence, firstAt: number, now: number): number[] {
  const since = (at: number): number[] => ticksBetween(rule, at, now, recordedAtMost + 1)
  let tooEarly = firstAt - 1
  let due = since(tooEarly)
  if (due.length <= recordedAtMost) return due
  due = []
  // Ticks need not be spread evenly, so where the latest thousand begin is found by halving.
  for (let late = now; due.length < recordedAtMost && late - tooEarly > 1; ) {
    const middle = Math.floor((tooEarly + late) / 2)
    const found = since(middle)
    if (found.length > recordedAtMost) tooEarly = middle
    else [late, due] = [middle, found]
  }
  return due
}
