import type {
  AttemptRecord,
  CancelAnswer,
  ClaimAnswer,
  ClaimRequest,
  Completion,
  Counts,
  Engine,
  EnqueueAnswer,
  Heartbeat,
  HeartbeatAnswer,
  Hint,
  JobFilter,
  JobPage,
  JobRecord,
  Lease,
  LogRecord,
  NewJob,
  QueueRecord,
  QueueSettings,
  Report,
  RescuedJob,
  PutScheduleAnswer,
  Reschedule,
  ScheduleRecord,
  ScheduleSettings,
  SettleAnswer,
  Settlement,
  Tick,
  TickAnswer,
  TickRecord,
  WorkerRecord,
} from '../../engine/contract.ts'
import type { RetentionRule } from '../../job/retention.ts'
import { attempts, logs } from './attempts.ts'
import { completeIn } from './complete.ts'
import { cancel, redrive, remove, reschedule } from './control.ts'
import { counts, nextDueAt } from './counts.ts'
import { list } from './list.ts'
import { prune } from './prune.ts'
import { configureQueue, queues } from './queues.ts'
import { report } from './report.ts'
import { jobsById } from './rows.ts'
import {
  disableSchedule,
  fireTick,
  pauseSchedule,
  putSchedule,
  removeSchedule,
  schedules,
  ticks,
} from './schedules.ts'
import { endedBy, settle } from './settle.ts'
import { PostgresViews } from './views-engine.ts'
import { cancelRequests, rescue, retire, workers } from './workers.ts'

/** Without anything new here, counters that other processes left are folded this often. */
const foldMs = 600_000
/** Workers add up the counters all the time; where there are none, whoever enqueues does, after so many calls. */
const foldEvery = 5_000

/**
 * The engine for many workers on many machines. It delegates: each operation has a file of its own beside this one, and
 * the hot path is in sql/postgres/, files 0002 to 0005.
 */
export class PostgresEngine extends PostgresViews implements Engine {
  #foldedAt = 0
  #enqueues = 0
  #schedules: { stamp: string; records: ScheduleRecord[] } | null = null

  async enqueue(jobs: NewJob[], options: { tx?: unknown } = {}): Promise<EnqueueAnswer[]> {
    if (jobs.length === 0) return []
    const { intake } = this.parts()
    // Nobody here is told before the caller commits: then everybody is, this process too.
    if (options.tx !== undefined) return intake.within(options.tx, jobs)
    this.unfolded = true
    const answers = await intake.enqueue(jobs)
    for (const queue of jobs.length === 1 ? [(jobs[0] as NewJob).queue] : new Set(jobs.map(job => job.queue)))
      this.teller.ready(queue)
    // One whose role may not leaves it to others.
    if (++this.#enqueues % foldEvery === 0) this.#fold().catch(() => {})
    return answers
  }

  async claim(request: ClaimRequest): Promise<ClaimAnswer> {
    return this.parts().claimer.claim(request)
  }

  async settle(worker: string, settlements: Settlement[]): Promise<SettleAnswer[]> {
    if (settlements.length === 0) return []
    const { claimer } = this.parts()
    this.unfolded = true
    const context = await this.settling(worker, this.teller.toldLately())
    const { answers, moved } = await settle(this.store, context, settlements)
    claimer.batches.ended(endedBy(settlements, answers))
    this.teller.settled(settlements, answers, moved)
    return answers
  }

  async completeIn(
    worker: string,
    lease: Lease,
    work: (tx: unknown) => Completion | Promise<Completion>,
  ): Promise<SettleAnswer> {
    const { claimer } = this.parts()
    this.unfolded = true
    const { answer, moved } = await completeIn(this.store, await this.settling(worker, false), lease, work)
    if (answer === 'settled') {
      claimer.batches.ended([lease])
      this.teller.moved(moved ?? { skipped: [], ready: true, asked: false }, [lease.id])
    }
    return answer
  }

  async heartbeat(beat: Heartbeat): Promise<HeartbeatAnswer> {
    return this.parts().claimer.heartbeat(beat)
  }

  async cancelRequests(_worker: string, leases: Lease[]): Promise<string[]> {
    this.parts()
    return cancelRequests(this.store, leases)
  }

  async report(worker: string, reports: Report[]): Promise<('ok' | 'lease-lost')[]> {
    if (reports.length === 0) return []
    this.parts()
    return report(this.store, this.store.now(), worker, reports)
  }

  async retire(worker: string): Promise<void> {
    const { claimer } = this.parts()
    this.unfolded = true
    const rescued = await this.store.persist(() => retire(this.store, this.context(), worker))
    this.teller.rescued(rescued)
    claimer.forget(worker)
  }

  async rescue(request: { maxDeaths: number; limit: number }): Promise<RescuedJob[]> {
    const { claimer } = this.parts()
    const nobody = claimer.rest()?.expired === false
    const rescued = nobody ? [] : await rescue(this.store, this.context(), request)
    if (rescued.length > 0) this.unfolded = true
    this.teller.rescued(rescued)
    await this.#fold()
    return rescued
  }

  /** Adds up what the counters' rows say since the last time. */
  async #fold(): Promise<void> {
    const now = this.clock.monotonic()
    if (!this.unfolded && now - this.#foldedAt < foldMs) return
    this.#foldedAt = now
    this.unfolded = false
    await this.store.all('SELECT millrace.fold()')
  }

  async cancel(ids: string[], reason: string): Promise<CancelAnswer[]> {
    this.parts()
    const context = { now: this.store.now(), wake: this.teller.say('settled') }
    const { answers, moved } = await this.change(() => cancel(this.store, context, ids, reason))
    this.teller.moved(
      moved,
      ids.filter((_, index) => answers[index] === 'cancelled'),
    )
    return answers
  }

  async reschedule(changes: Reschedule[]): Promise<('changed' | 'not-queued' | 'not-found')[]> {
    this.parts()
    const answers = await this.change(() => reschedule(this.store, this.context(), changes))
    if (answers.includes('changed')) this.teller.ready(null)
    return answers
  }

  async redrive(
    ids: string[],
    options: { forgetSteps?: boolean } = {},
  ): Promise<('redriven' | 'not-finished' | 'not-found')[]> {
    this.parts()
    const answers = await this.change(() => redrive(this.store, this.context(), ids, options))
    if (answers.includes('redriven')) this.teller.ready(null)
    return answers
  }

  async remove(ids: string[]): Promise<('removed' | 'running' | 'in-flow' | 'not-found')[]> {
    this.parts()
    return this.change(() => remove(this.store, this.store.now(), ids))
  }

  async configureQueue(queue: string, settings: QueueSettings): Promise<void> {
    this.parts()
    await configureQueue(this.store, queue, settings)
    if (settings.paused === false) {
      this.teller.ready(queue)
      await this.store.all('SELECT millrace.wake($1)', [this.teller.say('ready')])
    }
  }

  async queues(): Promise<QueueRecord[]> {
    return queues(this.db())
  }

  async workers(): Promise<WorkerRecord[]> {
    return workers(this.db(), this.store.now())
  }

  async get(ids: string[]): Promise<(JobRecord | null)[]> {
    return jobsById(this.db(), ids)
  }

  async attempts(id: string): Promise<AttemptRecord[]> {
    return attempts(this.db(), id)
  }

  async logs(id: string, options: { attempt?: number; limit?: number } = {}): Promise<LogRecord[]> {
    return logs(this.db(), id, options)
  }

  async list(filter: JobFilter, page: { cursor?: string; limit: number }): Promise<JobPage> {
    return list(this.db(), filter, page)
  }

  async counts(): Promise<Counts> {
    return counts(this.db(), this.store.now())
  }

  async nextDueAt(): Promise<number | null> {
    return nextDueAt(this.db())
  }

  async putSchedule(schedule: ScheduleSettings, within?: string): Promise<PutScheduleAnswer> {
    return this.#reschedule(() => putSchedule(this.db(), this.store.now(), schedule, within))
  }

  async #reschedule<T>(work: () => Promise<T>): Promise<T> {
    const { claimer } = this.parts()
    try {
      return await work()
    } finally {
      claimer.forgetRest()
    }
  }

  async removeSchedule(name: string, within?: string): Promise<boolean> {
    return this.#reschedule(() => removeSchedule(this.db(), name, within))
  }

  async pauseSchedule(name: string, paused: boolean, within?: string): Promise<boolean> {
    return this.#reschedule(() => pauseSchedule(this.db(), name, paused, within))
  }

  async disableSchedule(name: string, reason: string): Promise<void> {
    await this.#reschedule(() => disableSchedule(this.db(), name, reason))
  }

  async schedules(): Promise<ScheduleRecord[]> {
    const stamp = this.parts().claimer.rest()?.schedules
    if (stamp !== undefined && this.#schedules?.stamp === stamp) return this.#schedules.records
    const records = await schedules(this.store)
    this.#schedules = stamp === undefined ? null : { stamp, records }
    return records
  }

  async fireTick(tick: Tick): Promise<TickAnswer> {
    this.parts()
    const { intake } = this.parts()
    if (tick.job) await intake.prepare([tick.job])
    const answer = await this.#reschedule(() =>
      this.change(() => fireTick(this.store, this.store.now(), tick, intake.one)),
    )
    if (answer === 'recorded' && tick.job) this.teller.ready(tick.job.queue)
    return answer
  }

  async ticks(schedule: string, options: { limit: number }): Promise<TickRecord[]> {
    return ticks(this.db(), schedule, options)
  }

  async prune(request: {
    rules: RetentionRule[]
    limit: number
  }): Promise<{ removed: number; more: boolean }> {
    return prune(this.db(), this.store.now(), request)
  }

  subscribe(listener: (hint: Hint) => void): () => void {
    return this.parts().wakeups.subscribe(listener)
  }
}
