import { createHash } from 'node:crypto'
import { type AnyJob, checkName, type PayloadInput } from './definition.ts'
import type { EnqueueAnswer, NewJob, OverlapPolicy, ScheduleRecord, TickRecord } from './engine/contract.ts'
import { QueueError } from './engine/errors.ts'
import { checkText, type Enqueued, newJob, readAnswer } from './enqueue.ts'
import { nextAfter } from './job/recurrence.ts'
import type { ScheduledRun } from './job/recurrence-run.ts'
import type { Millrace } from './queue.ts'
import {
  type MisfireOption,
  readMisfire,
  readRecurrence,
  readRule,
  recurring,
  type RuleOptions,
  runsOf,
} from './schedule-rule.ts'

/** Everything of a schedule but whose job it is. */
export interface SchedulePolicy extends RuleOptions {
  /** What becomes of ticks that nobody was there for. Default `fire-once`: the latest one is made up for. */
  misfire?: MisfireOption
  /** `skip`: no new job while the last tick's job is unfinished. Default `allow`. */
  overlap?: OverlapPolicy
  queue?: string
  priority?: number
  maxAttempts?: number
  tenant?: string
}

export interface ScheduleOptions<Job extends AnyJob = AnyJob> extends SchedulePolicy {
  job: Job
  payload: PayloadInput<Job>
}

/** Whose schedules may be touched. */
export interface ScheduleScope {
  /**
   * A tenant: another's schedule is as good as absent, however it came by its name between two calls. Default: all are
   * touched.
   */
  within?: string
}

/** Recurring jobs. They live in the store: any process may create them, and exactly one job a tick is enqueued. */
export class Schedules {
  readonly #millrace: Millrace
  constructor(millrace: Millrace<never>) {
    this.#millrace = millrace as unknown as Millrace
  }

  /**
   * Creates the schedule, or changes it to match: safe to call at every start. A changed rule starts counting anew; an
   * unchanged one keeps its place. Throws `not-found` for a name that a schedule of another tenant has, if `within` is said.
   */
  async put<Job extends AnyJob>(
    name: string,
    options: ScheduleOptions<Job>,
    { within }: ScheduleScope = {},
  ): Promise<'created' | 'changed' | 'unchanged'> {
    const { clock, engine } = this.#millrace
    checkName('schedule', name)
    const rule = readRule(options)
    const recurrence = readRecurrence(name, rule)
    const misfire = readMisfire(options.misfire ?? 'fire-once')
    const { payload, queue, priority, maxAttempts, tenant } = options
    const job = newJob('', options.job, payload, {
      ...(queue === undefined ? {} : { queue }),
      ...(priority === undefined ? {} : { priority }),
      ...(maxAttempts === undefined ? {} : { maxAttempts }),
      ...(tenant === undefined ? {} : { tenant }),
    })
    await this.#millrace.open()
    const answer = await this.#tell(
      name,
      engine.putSchedule(
        {
          name,
          rule,
          misfire,
          overlap: options.overlap ?? 'allow',
          job: {
            type: job.type,
            queue: job.queue,
            tenant: job.tenant,
            priority: job.priority,
            maxAttempts: job.maxAttempts,
            payloadJson: job.payloadJson,
            ...(job.attributes ? { attributes: job.attributes } : {}),
          },
          firstAt: recurring(name, () => nextAfter(recurrence, clock.now())),
        },
        within,
      ),
    )
    if (answer === 'taken') throw noSchedule(name)
    return answer
  }

  /** For borders that know a type only by name (HTTP). Throws `unknown-type`, and what `put` throws. */
  async putByType(
    name: string,
    type: string,
    payload: unknown,
    policy: SchedulePolicy,
    scope: ScheduleScope = {},
  ): Promise<'created' | 'changed' | 'unchanged'> {
    const job = this.#millrace.registry.get(type)
    return this.put(name, { ...policy, job, payload: payload as never }, scope)
  }

  async remove(name: string, { within }: ScheduleScope = {}): Promise<boolean> {
    await this.#millrace.open()
    return this.#tell(name, this.#millrace.engine.removeSchedule(name, within))
  }

  /** While paused, ticks pass without a job; on resume it goes on with the next one. */
  async pause(name: string, { within }: ScheduleScope = {}): Promise<boolean> {
    await this.#millrace.open()
    return this.#tell(name, this.#millrace.engine.pauseSchedule(name, true, within))
  }

  async resume(name: string, { within }: ScheduleScope = {}): Promise<boolean> {
    await this.#millrace.open()
    return this.#tell(name, this.#millrace.engine.pauseSchedule(name, false, within))
  }

  async list(): Promise<ScheduleRecord[]> {
    await this.#millrace.open()
    return this.#millrace.engine.schedules()
  }

  async get(name: string): Promise<ScheduleRecord | null> {
    return (await this.list()).find(each => each.name === name) ?? null
  }

  /**
   * Enqueues the schedule's job now, once, with its payload and options: also while it is paused or disabled, and whatever
   * its overlap policy. It is no tick: the history and the next tick stay as they are. The same key for the same schedule
   * is the same job, even when the schedule has been changed meanwhile. Throws `not-found`, `queue-full`, and
   * `idempotency-conflict` for a key that stands for other work.
   */
  async runNow(
    name: string,
    { idempotencyKey, within }: ScheduleScope & { idempotencyKey?: string } = {},
  ): Promise<Enqueued> {
    const schedule = await this.#known(name)
    if (within !== undefined && schedule.job.tenant !== within) throw noSchedule(name)
    const job: NewJob = {
      ...schedule.job,
      id: this.#millrace.newId(),
      delayMs: 0,
      runAt: null,
      idempotency:
        idempotencyKey === undefined
          ? null
          : { key: checkText('idempotencyKey', idempotencyKey, 500), bodyHash: runHash(name) },
    }
    const [answer] = await this.#millrace.engine.enqueue([job])
    const enqueued = readAnswer(answer as EnqueueAnswer, job)
    const { id, type, queue, tenant } = job
    if (!enqueued.duplicate) this.#millrace.events.emit('enqueued', { id, type, queue, tenant })
    return enqueued
  }

  /**
   * The next runs, the one that the store holds first (it can be overdue); none of a disabled schedule. Throws `not-found`,
   * and `invalid-argument` for a stored rule that this process can't compute.
   */
  async preview(name: string, options: { count?: number } = {}): Promise<ScheduledRun[]> {
    const { rule, nextAt, disabledReason } = await this.#known(name)
    if (disabledReason !== null) return []
    return runsOf(name, rule, nextAt, options.count ?? 5)
  }

  /** The latest ticks and what became of each, newest first. */
  async ticks(name: string, options: { limit?: number } = {}): Promise<TickRecord[]> {
    await this.#millrace.open()
    return this.#millrace.engine.ticks(name, { limit: options.limit ?? 50 })
  }

  async #known(name: string): Promise<ScheduleRecord> {
    const schedule = await this.get(name)
    if (schedule) return schedule
    throw noSchedule(name)
  }

  /** This process's schedulers need not wait until they look again. */
  async #tell<T>(schedule: string, change: Promise<T>): Promise<T> {
    const answer = await change
    this.#millrace.events.emit('schedule-changed', { schedule })
    return answer
  }
}

function noSchedule(name: string): QueueError {
  return new QueueError('not-found', `there is no schedule ${JSON.stringify(name)}`)
}

/** What two runs under one key must agree in: whose they are. */
function runHash(schedule: string): string {
  return createHash('sha256').update(`run schedule\n${schedule}`).digest('base64url')
}
