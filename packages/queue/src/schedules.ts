import { type AnyJob, checkName, type PayloadInput } from './definition.ts'
import type { MisfirePolicy, OverlapPolicy, ScheduleRecord, TickRecord } from './engine/contract.ts'
import { QueueError } from './engine/errors.ts'
import { newJob } from './enqueue.ts'
import { type Duration, parseDuration } from './job/duration.ts'
import { nextAfter, parseRecurrence, type Recurrence, upcoming } from './job/recurrence.ts'
import { RecurrenceError } from './job/recurrence-error.ts'
import type { RecurrenceRule } from './job/recurrence-rule.ts'
import type { Millrace } from './queue.ts'

export interface ScheduleOptions<Job extends AnyJob = AnyJob> {
  job: Job
  payload: PayloadInput<Job>
  /** Five or six cron fields. Give this or `every`. */
  cron?: string
  /** IANA name for `cron`. Default UTC. */
  timeZone?: string
  /** A fixed interval of elapsed time. */
  every?: Duration
  /** What becomes of ticks that nobody was there for. Default `fire-once`: the latest one is made up for. */
  misfire?: 'skip' | 'fire-once' | { catchUp: number }
  /** `skip`: no new job while the last tick's job is unfinished. Default `allow`. */
  overlap?: OverlapPolicy
  queue?: string
  priority?: number
  maxAttempts?: number
  tenant?: string
}

/** Recurring jobs. They live in the store: any process may create them, and exactly one job a tick is enqueued. */
export class Schedules {
  readonly #millrace: Millrace
  constructor(millrace: Millrace<never>) {
    this.#millrace = millrace as unknown as Millrace
  }

  /**
   * Creates the schedule, or changes it to match: safe to call at every start. A changed rule starts counting anew; an
   * unchanged one keeps its place.
   */
  async put<Job extends AnyJob>(
    name: string,
    options: ScheduleOptions<Job>,
  ): Promise<'created' | 'changed' | 'unchanged'> {
    const { clock, engine } = this.#millrace
    checkName('schedule', name)
    const rule = readRule(options)
    const recurrence = readRecurrence(name, rule)
    const { payload, queue, priority, maxAttempts, tenant } = options
    const job = newJob('', options.job, payload, {
      ...(queue === undefined ? {} : { queue }),
      ...(priority === undefined ? {} : { priority }),
      ...(maxAttempts === undefined ? {} : { maxAttempts }),
      ...(tenant === undefined ? {} : { tenant }),
    })
    await this.#millrace.open()
    return engine.putSchedule({
      name,
      rule,
      misfire: readMisfire(options.misfire ?? 'fire-once'),
      overlap: options.overlap ?? 'allow',
      job: {
        type: job.type,
        queue: job.queue,
        tenant: job.tenant,
        priority: job.priority,
        maxAttempts: job.maxAttempts,
        payloadJson: job.payloadJson,
      },
      firstAt: recurring(name, () => nextAfter(recurrence, clock.now())),
    })
  }

  async remove(name: string): Promise<boolean> {
    await this.#millrace.open()
    return this.#millrace.engine.removeSchedule(name)
  }

  /** While paused, ticks pass without a job; on resume it goes on with the next one. */
  async pause(name: string): Promise<boolean> {
    await this.#millrace.open()
    return this.#millrace.engine.pauseSchedule(name, true)
  }

  async resume(name: string): Promise<boolean> {
    await this.#millrace.open()
    return this.#millrace.engine.pauseSchedule(name, false)
  }

  async list(): Promise<ScheduleRecord[]> {
    await this.#millrace.open()
    return this.#millrace.engine.schedules()
  }

  /** The latest ticks and what became of each, newest first. */
  async ticks(name: string, options: { limit?: number } = {}): Promise<TickRecord[]> {
    await this.#millrace.open()
    return this.#millrace.engine.ticks(name, { limit: options.limit ?? 50 })
  }
}

/** The next instants of a rule, for a preview. Throws `invalid-argument` for one that can't be computed. */
export function previewSchedule(
  options: { cron?: string; timeZone?: string; every?: Duration },
  preview: { after: number; count: number },
): number[] {
  const recurrence = readRecurrence('preview', readRule(options))
  return recurring('preview', () => upcoming(recurrence, preview.after, preview.count))
}

function readRule(options: { cron?: string; timeZone?: string; every?: Duration }): RecurrenceRule {
  if ((options.cron === undefined) === (options.every === undefined))
    throw new QueueError('invalid-argument', 'a schedule needs either cron or every, and not both')
  if (options.cron !== undefined) return { cron: options.cron, timeZone: options.timeZone ?? 'UTC' }
  try {
    return { everyMs: parseDuration(options.every as Duration) }
  } catch (error) {
    throw new QueueError('invalid-argument', `every: ${(error as Error).message}`)
  }
}

function readRecurrence(name: string, rule: RecurrenceRule): Recurrence {
  return recurring(name, () => parseRecurrence(rule))
}

function recurring<T>(name: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof RecurrenceError)
      throw new QueueError('invalid-argument', `schedule ${name}: ${error.message}`, { cause: error })
    throw error
  }
}

function readMisfire(policy: 'skip' | 'fire-once' | { catchUp: number }): MisfirePolicy {
  if (typeof policy === 'string') return { kind: policy }
  if (!Number.isInteger(policy.catchUp) || policy.catchUp < 1 || policy.catchUp > 1_000)
    throw new QueueError(
      'invalid-argument',
      `catchUp must be a whole number from 1 to 1000, not ${policy.catchUp}`,
    )
  return { kind: 'catch-up', max: policy.catchUp }
}
