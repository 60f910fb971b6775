import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type AnyJob, checkName, checkPriority, type PayloadInput, type Schema } from './definition.ts'
import { atMost, type Clock, type Random, systemClock, systemRandom } from './engine/clock.ts'
import type {
  AttemptRecord,
  Counts,
  Engine,
  Health,
  JobFilter,
  NewJob,
  QueueRecord,
  QueueSettings,
  WorkerRecord,
} from './engine/contract.ts'
import { QueueError } from './engine/errors.ts'
import { type EngineCall, observed } from './engine/observed.ts'
import {
  checkId,
  type EnqueueOptions,
  type Enqueued,
  instant,
  type JobId,
  newJob,
  readAnswer,
} from './enqueue.ts'
import { Audit } from './audit/audit.ts'
import { Events, type EventName, type Listener } from './events.ts'
import { Feed } from './feed/feed.ts'
import { Flows } from './flow/flows.ts'
import { encodeSignal, type SignalDefinition, type SignalName, signalName } from './flow/signal.ts'
import { type IdMaker, idMaker } from './job/id.ts'
import { type Job, readJson, type Step, viewJob, viewStep } from './job-view.ts'
import { Bulk } from './inspect/bulk.ts'
import { DeadLetters } from './inspect/dead-letters.ts'
import { editedJob, type RetryWithOptions } from './inspect/retry-with.ts'
import { search, type SearchOptions, type SearchResult } from './inspect/search.ts'
import { why, type Why } from './inspect/why.ts'
import { Registry } from './registry.ts'
import { ResultWaiter } from './result-waiter.ts'
import { checkAttributeFilter } from './search-attributes.ts'
import { readSeries, type SeriesLine, type SeriesOptions } from './series/series.ts'
import type { SeriesTally } from './series/series-tally.ts'
import { Schedules } from './schedules.ts'

export interface MillraceOptions<Known extends AnyJob> {
  engine: Engine
  /** The definitions this application knows. When given, `enqueue` takes no other. */
  jobs?: readonly Known[]
  /** Settings that are written to the store when it opens. */
  queues?: Record<string, QueueSettings>
  clock?: Clock
  random?: Random
  /** Hears of every call to the engine, with its duration and error. */
  telemetry?: (call: EngineCall) => void
}

export interface LogView {
  attempt: number
  level: string
  message: string
  data: unknown
  at: number
}

/** A store that does not answer must not keep a process. */
const patienceMs = 5_000

/** A job, by its id or by the key that it was enqueued with. */
export type SignalTarget = string | { idempotencyKey: string; tenant?: string }

export interface CancelResult {
  id: string
  /** `requested`: it runs, and its handler hears within two seconds. */
  outcome: 'cancelled' | 'requested' | 'already-finished' | 'not-found'
}

/** The application's side of the queue: enqueue, ask, steer. Work is done by a worker (`createWorker`). */
export class Millrace<Known extends AnyJob = AnyJob> {
  readonly engine: Engine
  readonly clock: Clock
  readonly random: Random
  readonly events = new Events()
  readonly registry = new Registry()
  readonly schedules: Schedules
  readonly flows: Flows
  readonly bulk: Bulk
  readonly deadLetters: DeadLetters
  readonly feed: Feed
  readonly audit: Audit
  readonly newId: IdMaker
  /** What this process's workers have counted and not written yet. @internal */
  readonly tallies = new Set<SeriesTally>()
  readonly #results: ResultWaiter
  readonly #queues: Record<string, QueueSettings>
  #opened: Promise<void> | null = null

  constructor(options: MillraceOptions<Known>) {
    this.clock = options.clock ?? systemClock
    const { engine, telemetry } = options
    this.engine = telemetry ? observed(engine, () => this.clock.monotonic(), telemetry) : engine
    this.random = options.random ?? systemRandom
    this.newId = idMaker(this.clock.now, this.random.fill)
    this.#results = new ResultWaiter(this.engine, this.clock)
    this.#queues = options.queues ?? {}
    this.registry.add(options.jobs ?? [])
    this.schedules = new Schedules(this)
    this.flows = new Flows(this)
    this.bulk = new Bulk(this)
    this.deadLetters = new DeadLetters(this)
    this.feed = new Feed(this)
    this.audit = new Audit(this)
  }

  /** Opens the store and brings its schema up to date. Every other call does it by itself the first time. */
  open(): Promise<void> {
    this.#opened ??= this.#open().catch(error => {
      this.#opened = null
      throw error
    })
    return this.#opened
  }

  async #open(): Promise<void> {
    await this.engine.open()
    for (const [queue, settings] of Object.entries(this.#queues))
      await this.engine.configureQueue(queue, settings)
  }

  /** Stores one job. Resolves when it is durable; calls made at the same time share one commit. */
  async enqueue<Definition extends Known>(
    definition: Definition,
    payload: PayloadInput<Definition>,
    options: EnqueueOptions = {},
  ): Promise<Enqueued<Definition>> {
    const job = newJob(this.newId(), definition, payload, options)
    const [enqueued] = await this.#store([job], options.tx)
    return enqueued as Enqueued<Definition>
  }

  /** Stores many jobs of one type in one transaction. All payloads are checked before anything is stored. */
  async enqueueMany<Definition extends Known>(
    definition: Definition,
    items: readonly { payload: PayloadInput<Definition>; options?: Omit<EnqueueOptions, 'tx'> }[],
    options: { tx?: unknown } = {},
  ): Promise<Enqueued<Definition>[]> {
    const jobs = items.map(item => newJob(this.newId(), definition, item.payload, item.options ?? {}))
    return (await this.#store(jobs, options.tx)) as Enqueued<Definition>[]
  }

  /** For borders that know a type only by name (HTTP, CLI). Throws `unknown-type`. */
  async enqueueByType(type: string, payload: unknown, options: EnqueueOptions = {}): Promise<Enqueued> {
    const job = newJob(this.newId(), this.registry.get(type), payload as never, options)
    const [enqueued] = await this.#store([job], options.tx)
    return enqueued as Enqueued
  }

  async #store(jobs: NewJob[], tx: unknown): Promise<Enqueued[]> {
    if (this.#opened === null) await this.open()
    const answers = await this.engine.enqueue(jobs, tx === undefined ? {} : { tx })
    // Not beside it, which would take a second connection.
    const asking = this.feed.learn()
    return answers.map((answer, index) => {
      const job = jobs[index] as NewJob
      const enqueued = readAnswer(answer, job)
      if (!enqueued.duplicate) this.#tellEnqueued(job, asking)
      return enqueued
    })
  }

  #tellEnqueued({ id, type, queue, tenant }: NewJob, asking: Promise<void> | null): void {
    if (asking) this.feed.enqueued({ id, type, queue, tenant }, asking)
    if (this.events.heard('enqueued')) this.events.emit('enqueued', { id, type, queue, tenant })
  }

  /**
   * Waits for a job to finish, in whatever process it runs, and answers its result. Throws `job-dead` (with the
   * attempt's error as cause), `job-cancelled`, `not-found`, or `timeout` (the job itself goes on).
   */
  async result<Result>(
    id: JobId<Result>,
    options: { timeoutMs?: number; signal?: AbortSignal } = {},
  ): Promise<Result> {
    await this.open()
    const record = await this.#results.wait(checkId(id), options)
    if (record.state === 'completed') return readJson(record.resultJson) as Result
    if (record.state === 'cancelled')
      throw new QueueError(
        'job-cancelled',
        `job ${id} was cancelled: ${record.cancelReason ?? 'no reason given'}`,
      )
    throw new QueueError(
      'job-dead',
      `job ${id} is dead: ${record.lastError?.message ?? 'no error recorded'}`,
      {
        cause: record.lastError,
      },
    )
  }

  async get(id: string): Promise<Job | null> {
    await this.open()
    const [record] = await this.engine.get([checkId(id)])
    return record ? viewJob(record, this.clock.now()) : null
  }

  /** The attempts of a job, first one first, those before a redrive included. */
  async attempts(id: string): Promise<AttemptRecord[]> {
    await this.open()
    return this.engine.attempts(checkId(id))
  }

  async logs(id: string, options: { attempt?: number; limit?: number } = {}): Promise<LogView[]> {
    await this.open()
    const lines = await this.engine.logs(checkId(id), options)
    return lines.map(({ attempt, level, message, dataJson, at }) => ({
      attempt,
      level,
      message,
      data: readJson(dataJson),
      at,
    }))
  }

  /** The steps of a job's handler, in the order in which it came to them. */
  async steps(id: string): Promise<Step[]> {
    await this.open()
    return (await this.engine.steps(checkId(id))).map(viewStep)
  }

  /**
   * Sends a signal to a job, by its id or its idempotency key, from any process. It is kept until the job takes it, even
   * when that does not wait for it yet. Throws `not-found` when there is no such job, `conflict` when it has finished, and
   * `invalid-payload` when the definition's schema refuses what the signal carries.
   */
  async signal<Payload extends Schema>(
    to: SignalTarget,
    signal: SignalDefinition<Payload>,
    payload: StandardSchemaV1.InferInput<Payload>,
  ): Promise<void>
  async signal(to: SignalTarget, signal: string, payload?: unknown): Promise<void>
  async signal(to: SignalTarget, signal: SignalName, payload?: unknown): Promise<void> {
    const payloadJson = encodeSignal(signal, payload)
    await this.open()
    const jobId =
      typeof to === 'string' ? checkId(to) : await this.engine.findByKey(to.tenant ?? '', to.idempotencyKey)
    const name = signalName(signal)
    const answer =
      jobId === null ? 'not-found' : await this.engine.signal({ id: this.newId(), jobId, name, payloadJson })
    if (answer === 'delivered' || answer === 'duplicate') return
    const which =
      typeof to === 'string' ? to : `with the idempotency key ${JSON.stringify(to.idempotencyKey)}`
    if (answer === 'already-finished')
      throw new QueueError('conflict', `job ${which} has finished; nobody will take the signal ${name}`)
    throw new QueueError('not-found', `no job ${which} to take the signal ${name}`)
  }

  /** The signals that no step of a job has taken yet, the oldest first. */
  async signals(id: string): Promise<{ id: string; name: string; payload: unknown; at: number }[]> {
    await this.open()
    const signals = await this.engine.signals(checkId(id))
    return signals.map(({ payloadJson, ...rest }) => ({ ...rest, payload: readJson(payloadJson) }))
  }

  /**
   * One page of jobs, newest first. Hand `cursor` back for the next: a page may be short, and even empty, before the last.
   * Throws `invalid-argument`.
   */
  async list(
    filter: JobFilter = {},
    page: { cursor?: string; limit?: number } = {},
  ): Promise<{ jobs: Job[]; cursor: string | null }> {
    await this.open()
    const limit = page.limit ?? 50
    if (!Number.isInteger(limit) || limit < 1 || limit > 1_000)
      throw new QueueError('invalid-argument', `limit must be a whole number from 1 to 1000, not ${limit}`)
    checkAttributeFilter(filter.attributes)
    const { jobs, cursor } = await this.engine.list(
      filter,
      page.cursor ? { cursor: page.cursor, limit } : { limit },
    )
    const now = this.clock.now()
    return { jobs: jobs.map(record => viewJob(record, now)), cursor }
  }

  /**
   * Jobs whose payload or last error contains a text, whatever its case, among the newest: it says how far it has looked,
   * and can go on from there. Throws `invalid-argument`.
   */
  async search(text: string, options: SearchOptions = {}): Promise<SearchResult> {
    await this.open()
    return search(this, text, options)
  }

  /** How many jobs there are, from maintained counters: the cost does not depend on the number of jobs. */
  async stats(): Promise<Counts> {
    await this.open()
    return this.engine.counts()
  }

  /** When the next job that waits for its time falls due, in milliseconds since 1970; null when none does. */
  async nextDueAt(): Promise<number | null> {
    await this.open()
    return this.engine.nextDueAt()
  }

  /**
   * Throughput, failures and latency by minute, of the last 48 hours, zeros included. It counts what workers ended:
   * attempts that completed or failed, and jobs that died or were cancelled while they ran. Written by each worker every
   * ten seconds or so, so the last points still grow; those of this process are written first. A worker that is killed
   * takes the last seconds' counts along. Throws `invalid-argument`.
   */
  async series(options: SeriesOptions): Promise<SeriesLine[]> {
    await this.open()
    await Promise.all([...this.tallies].map(tally => tally.write()))
    return readSeries(this.engine, options)
  }

  /** Why a job is not running: the cause that would have to change first, in one sentence. Throws `not-found`. */
  async why(id: string): Promise<Why> {
    await this.open()
    return why(this.engine, this.clock, checkId(id))
  }

  /** A waiting job is cancelled at once; a running one is asked to stop; a finished one stays as it is. */
  async cancel(id: string, options: { reason?: string } = {}): Promise<CancelResult['outcome']> {
    const [result] = await this.cancelMany([id], options)
    return (result as CancelResult).outcome
  }

  async cancelMany(ids: readonly string[], options: { reason?: string } = {}): Promise<CancelResult[]> {
    await this.open()
    const answers = await this.engine.cancel(
      ids.map(checkId),
      (options.reason ?? 'cancelled').slice(0, 1_000),
    )
    await this.#tellCancelled(ids.filter((_, index) => answers[index] === 'cancelled'))
    return answers.map((outcome, index) => ({ id: ids[index] as string, outcome }))
  }

  async #tellCancelled(ids: string[]): Promise<void> {
    if (ids.length === 0 || !this.events.heard('cancelled')) return
    for (const job of await this.engine.get(ids))
      if (job)
        this.events.emit('cancelled', {
          id: job.id,
          type: job.type,
          queue: job.queue,
          tenant: job.tenant,
          reason: job.cancelReason ?? 'cancelled',
        })
  }

  /**
   * Redrives a finished job: the same id and payload, its attempts counted afresh. Steps of a dead or cancelled job stand,
   * unless `forgetSteps`. In a flow, what was skipped for it comes back too.
   */
  async retry(
    id: string,
    options: { forgetSteps?: boolean } = {},
  ): Promise<'redriven' | 'not-finished' | 'not-found'> {
    await this.open()
    const [answer] = await this.engine.redrive([checkId(id)], options)
    return answer as 'redriven' | 'not-finished' | 'not-found'
  }

  /**
   * Runs a finished job again with another payload, as a new job whose `origin` is the finished one. The same edit twice
   * is one job. Throws `not-found`, `unknown-type`, `invalid-payload`, and `conflict` for a job that has not finished or
   * is part of a flow.
   */
  async retryWith(id: string, payload: unknown, options: RetryWithOptions = {}): Promise<Enqueued> {
    await this.open()
    const [original] = await this.engine.get([checkId(id)])
    if (!original)
      throw new QueueError('not-found', `no job ${id}: never enqueued here, or pruned by its retention`)
    const [enqueued] = await this.#store([editedJob(original, payload, options, this)], undefined)
    return enqueued as Enqueued
  }

  /** Changes when, how urgently or in which queue a queued job runs. */
  async reschedule(
    id: string,
    change: { runAt?: Date | number; priority?: number; queue?: string },
  ): Promise<'changed' | 'not-queued' | 'not-found'> {
    await this.open()
    const runAt = change.runAt === undefined ? {} : { runAt: instant('runAt', change.runAt) }
    const priority = change.priority === undefined ? {} : { priority: checkPriority(change.priority) }
    const queue = change.queue === undefined ? {} : { queue: checkName('queue', change.queue) }
    const [answer] = await this.engine.reschedule([{ id: checkId(id), ...runAt, ...priority, ...queue }])
    return answer as 'changed' | 'not-queued' | 'not-found'
  }

  /** Deletes a job that does not run, with its history. */
  async remove(id: string): Promise<'removed' | 'running' | 'in-flow' | 'not-found'> {
    await this.open()
    const [answer] = await this.engine.remove([checkId(id)])
    return answer as 'removed' | 'running' | 'in-flow' | 'not-found'
  }

  /** Stops claims from a queue, in all processes. What runs, runs on. */
  async pause(queue: string): Promise<void> {
    await this.configureQueue(queue, { paused: true })
  }

  async resume(queue: string): Promise<void> {
    await this.configureQueue(queue, { paused: false })
  }

  async configureQueue(queue: string, settings: QueueSettings): Promise<void> {
    await this.open()
    await this.engine.configureQueue(checkName('queue', queue), settings)
  }

  async queues(): Promise<QueueRecord[]> {
    await this.open()
    return this.engine.queues()
  }

  async workers(): Promise<WorkerRecord[]> {
    await this.open()
    return this.engine.workers()
  }

  /** What happens in this process. Returns the way to stop listening. */
  on<Name extends EventName>(name: Name, listener: Listener<Name>): () => void {
    return this.events.on(name, listener)
  }

  health(): Promise<Health> {
    return this.engine.health()
  }

  /** Stop the workers first. */
  async close(): Promise<void> {
    this.#results.close()
    await this.feed.close()
    await atMost(this.clock, patienceMs, this.audit.flush())
    await this.engine.close()
  }
}

export function createMillrace<const Known extends AnyJob = AnyJob>(
  options: MillraceOptions<Known>,
): Millrace<Known> {
  return new Millrace(options)
}
