import type {
  AttemptRecord,
  ClaimAnswer,
  ClaimRequest,
  Completion,
  Counts,
  Engine,
  EnqueueAnswer,
  Heartbeat,
  HeartbeatAnswer,
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
  CancelAnswer,
} from '../../engine/contract.ts'
import { QueueError } from '../../engine/errors.ts'
import { parseId } from '../../job/id.ts'
import type { RetentionRule } from '../../job/retention.ts'
import { attempts, logs } from './attempts.ts'
import { Batches } from './batches.ts'
import { claim, nextDueAt, waitingIn } from './claim.ts'
import { cancel, remove, reschedule } from './control.ts'
import { counts, earliestDueAt } from './counts.ts'
import { enqueue } from './enqueue.ts'
import { foreignStore } from './foreign-transaction.ts'
import { list } from './list.ts'
import { prune } from './prune.ts'
import { configureQueue, queues } from './queues.ts'
import { redrive } from './redrive.ts'
import { report } from './report.ts'
import { jobById } from './rows.ts'
import {
  disableSchedule,
  fireTick,
  pauseSchedule,
  putSchedule,
  removeSchedule,
  schedules,
  ticks,
} from './schedules.ts'
import { type Ended, leaseRefusal, settle } from './settle.ts'
import type { Store } from './store.ts'
import { SqliteViews } from './views-engine.ts'
import { cancelRequests, heartbeat, leaseHolder, type Rescue, rescue, retire, workers } from './workers.ts'

/**
 * The embedded engine: one file, several processes, an fsync before every acknowledgement. It delegates: each operation
 * has a file of its own beside this one.
 */
export class SqliteEngine extends SqliteViews implements Engine {
  readonly #batches = new Batches()

  async enqueue(jobs: NewJob[], options: { tx?: unknown } = {}): Promise<EnqueueAnswer[]> {
    if (jobs.length === 0) return []
    if (options.tx !== undefined) {
      // The caller's commit is noticed like another process's: there is nothing to tell anybody before.
      const { store } = this.parts()
      return this.guard(() => enqueue(foreignStore(options.tx, store), this.kinds, this.clock.now(), jobs))
    }
    const answers = await this.parts().enqueuer.enqueue(jobs)
    this.learnKinds(jobs)
    for (const queue of jobs.length === 1 ? [(jobs[0] as NewJob).queue] : new Set(jobs.map(job => job.queue)))
      this.hint({ kind: 'ready', queue })
    return answers
  }

  async claim(request: ClaimRequest): Promise<ClaimAnswer> {
    const idle = this.likely ? null : this.#nothingToClaim(request)
    if (idle) return idle
    const answer = await this.parts().writer.write(
      store => claim(store, this.kinds, this.clock.now(), request),
      {
        relaxed: true,
      },
    )
    this.likely = answer.jobs.length === request.limit
    this.#batches.claimed(answer.jobs)
    return answer
  }

  /** Looking costs no write lock and no fsync, and most looks of an idle worker find nothing. */
  #nothingToClaim(request: ClaimRequest): ClaimAnswer | null {
    return this.read(store => {
      const waiting = waitingIn(store, this.kinds, request.lanes)
      const dueAt = nextDueAt(store, waiting.delayed)
      const now = this.clock.now()
      if (waiting.kinds.length > 0 || (dueAt !== null && dueAt <= now)) return null
      return { jobs: [], nextDueInMs: dueAt === null ? null : dueAt - now }
    })
  }

  async settle(worker: string, settlements: Settlement[]): Promise<SettleAnswer[]> {
    if (settlements.length === 0) return []
    const ended = await this.write(store => this.#settle(store, worker, settlements))
    this.#batches.ended(ended.batches)
    this.#tellSettled(settlements, ended)
    return ended.answers
  }

  #settle(store: Store, worker: string, settlements: Settlement[]): Ended {
    const ended = settle(store, this.kinds, this.clock.now(), worker, settlements)
    this.#batches.deleteEnding(store, ended.batches)
    return ended
  }

  #tellSettled(settlements: Settlement[], { answers, effects }: Ended): void {
    const ids = new Set<string>()
    let requeued = false
    settlements.forEach(({ lease, outcome }, index) => {
      if (answers[index] !== 'settled') return
      ids.add(lease.id)
      if (outcome.kind !== 'complete' && outcome.kind !== 'dead') requeued = true
    })
    if (ids.size > 0) this.hint({ kind: 'settled', ids })
    this.learnKinds(settlements.flatMap(({ child }) => child ?? []))
    this.tell(effects)
    if (requeued) this.hint({ kind: 'ready', queue: null })
  }

  async completeIn(
    worker: string,
    lease: Lease,
    work: (tx: unknown) => Completion | Promise<Completion>,
  ): Promise<SettleAnswer> {
    const refused = Symbol('refused')
    let answer: SettleAnswer = 'lease-lost'
    const run = (store: Store): Ended => {
      // The fence comes first, so that a zombie's work is not even begun.
      const complete = (completion: Completion): Settlement => ({
        lease,
        outcome: { kind: 'complete', resultJson: completion.resultJson },
        ranMs: completion.ranMs,
      })
      const refusal = leaseRefusal(store, this.clock.now(), worker, lease)
      if (refusal) {
        answer = refusal
        throw refused
      }
      const completion = work(store.db)
      if (completion instanceof Promise)
        throw new QueueError(
          'invalid-argument',
          'on SQLite the work of a transaction must not wait: return a value, not a promise',
        )
      const ended = this.#settle(store, worker, [complete(completion)])
      answer = ended.answers[0] as SettleAnswer
      if (answer !== 'settled') throw refused
      return ended
    }
    try {
      const ended = await this.parts().writer.write(run, { alone: true })
      this.#batches.ended(ended.batches)
      this.hint({ kind: 'settled', ids: new Set([lease.id]) })
      this.tell(ended.effects)
    } catch (error) {
      if (error !== refused) throw error
    }
    return answer
  }

  async heartbeat(beat: Heartbeat): Promise<HeartbeatAnswer> {
    return this.parts().writer.write(store => heartbeat(store, this.kinds, this.clock.now(), beat), {
      relaxed: true,
    })
  }

  async cancelRequests(worker: string, leases: Lease[]): Promise<string[]> {
    return this.read(store => cancelRequests(store, leaseHolder(store, this.clock.now(), worker), leases))
  }

  async report(worker: string, reports: Report[]): Promise<('ok' | 'lease-lost')[]> {
    return this.write(store => report(store, this.clock.now(), worker, reports))
  }

  async retire(worker: string): Promise<void> {
    this.#tellRescued(await this.write(store => retire(store, this.kinds, this.clock.now(), worker)))
  }

  async rescue(request: { maxDeaths: number; limit: number }): Promise<RescuedJob[]> {
    const now = this.clock.now()
    const nothing = this.read(
      store =>
        store.get(
          'SELECT 1 FROM millrace_claim c JOIN millrace_worker w ON w.worker = c.worker WHERE w.expires_at <= ?',
          now,
        ) === undefined,
    )
    if (nothing) return []
    const rescued = await this.write(store => rescue(store, this.kinds, this.clock.now(), request))
    this.#tellRescued(rescued)
    return rescued.jobs
  }

  #tellRescued({ jobs: rescued, effects }: Rescue): void {
    if (rescued.length === 0) return
    const finished = rescued.filter(job => job.now !== 'queued').map(job => job.id)
    if (finished.length > 0) this.hint({ kind: 'settled', ids: new Set(finished) })
    if (finished.length < rescued.length) this.hint({ kind: 'ready', queue: null })
    for (const each of effects) this.tell(each)
  }

  async cancel(ids: string[], reason: string): Promise<CancelAnswer[]> {
    const { answers, effects } = await this.write(store => cancel(store, this.clock.now(), ids, reason))
    const ended = ids.filter((_, index) => answers[index] === 'cancelled')
    if (ended.length > 0) this.hint({ kind: 'settled', ids: new Set(ended) })
    if (answers.includes('requested')) this.hint({ kind: 'cancel' })
    this.tell(effects)
    return answers
  }

  async reschedule(changes: Reschedule[]): Promise<('changed' | 'not-queued' | 'not-found')[]> {
    const answers = await this.write(store => reschedule(store, this.kinds, this.clock.now(), changes))
    if (changes.some(change => change.queue !== undefined)) this.read(store => this.kinds.refresh(store))
    if (answers.includes('changed')) this.hint({ kind: 'ready', queue: null })
    return answers
  }

  async redrive(
    ids: string[],
    options: { forgetSteps?: boolean } = {},
  ): Promise<('redriven' | 'not-finished' | 'not-found')[]> {
    const answers = await this.write(store => redrive(store, this.clock.now(), ids, options))
    if (answers.includes('redriven')) this.hint({ kind: 'ready', queue: null })
    return answers
  }

  async remove(ids: string[]): Promise<('removed' | 'running' | 'in-flow' | 'not-found')[]> {
    return this.write(store => remove(store, this.clock.now(), ids))
  }

  async configureQueue(queue: string, settings: QueueSettings): Promise<void> {
    await this.write(store => configureQueue(store, queue, settings))
    if (settings.paused === false) this.hint({ kind: 'ready', queue })
  }

  async queues(): Promise<QueueRecord[]> {
    return this.read(queues)
  }

  async workers(): Promise<WorkerRecord[]> {
    return this.read(store => workers(store, this.clock.now()))
  }

  async get(ids: string[]): Promise<(JobRecord | null)[]> {
    return this.read(store => ids.map(id => jobById(store, parseId(id))))
  }

  async attempts(id: string): Promise<AttemptRecord[]> {
    return this.read(store => attempts(store, id))
  }

  async logs(id: string, options: { attempt?: number; limit?: number } = {}): Promise<LogRecord[]> {
    return this.read(store => logs(store, id, options))
  }

  async list(filter: JobFilter, page: { cursor?: string; limit: number }): Promise<JobPage> {
    return this.read(store => {
      this.kinds.refresh(store)
      return list(store, this.kinds, filter, page)
    })
  }

  async counts(): Promise<Counts> {
    return this.read(store => counts(store, this.kinds, this.clock.now()))
  }

  async nextDueAt(): Promise<number | null> {
    return this.read(earliestDueAt)
  }

  async putSchedule(schedule: ScheduleSettings, within?: string): Promise<PutScheduleAnswer> {
    return this.write(store => putSchedule(store, this.clock.now(), schedule, within))
  }

  async removeSchedule(name: string, within?: string): Promise<boolean> {
    return this.write(store => removeSchedule(store, name, within))
  }

  async pauseSchedule(name: string, paused: boolean, within?: string): Promise<boolean> {
    return this.write(store => pauseSchedule(store, name, paused, within))
  }

  async disableSchedule(name: string, reason: string): Promise<void> {
    await this.write(store => disableSchedule(store, name, reason))
  }

  async schedules(): Promise<ScheduleRecord[]> {
    return this.read(schedules)
  }

  async fireTick(tick: Tick): Promise<TickAnswer> {
    const answer = await this.write(store => fireTick(store, this.kinds, this.clock.now(), tick))
    if (answer === 'recorded' && tick.job) {
      this.learnKinds([tick.job])
      this.hint({ kind: 'ready', queue: tick.job.queue })
    }
    return answer
  }

  async ticks(schedule: string, options: { limit: number }): Promise<TickRecord[]> {
    return this.read(store => ticks(store, schedule, options))
  }

  async prune(request: {
    rules: RetentionRule[]
    limit: number
  }): Promise<{ removed: number; more: boolean }> {
    this.read(store => this.kinds.refresh(store))
    return this.write(store => prune(store, this.kinds, this.clock.now(), request))
  }
}
