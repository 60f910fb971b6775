import { hostname } from 'node:os'
import { pid } from 'node:process'
import { atMost, type Clock } from '../engine/clock.ts'
import { QueueError } from '../engine/errors.ts'
import type { Handler } from '../handler.ts'
import type { Millrace } from '../queue.ts'
import { SeriesTally } from '../series/series-tally.ts'
import { Drain } from './drain.ts'
import { Executor } from './executor.ts'
import { Fetcher } from './fetcher.ts'
import { Keeper } from './keeper.ts'
import { atLeast, handlersByType, lanesOf } from './lanes.ts'
import { Loop } from './loop.ts'
import type { DrainOptions, DrainResult, StopOptions, WorkerOptions } from './options.ts'
import { Pruner } from './pruner.ts'
import { Scheduler } from './scheduler.ts'

const loopPollMs = 1_000
const rescuedAtOnce = 500
const patienceMs = 5_000
const defaultDeadlineMs = 25_000

/**
 * Claims jobs and runs handlers. A worker is its loops: the fetcher claims, the executor performs and settles, the
 * keeper holds the lease; rescuer, scheduler and pruner look after the store for everybody.
 */
export class Worker {
  readonly id: string
  readonly #millrace: Millrace
  readonly #clock: Clock
  readonly #executor: Executor
  readonly #fetcher: Fetcher
  readonly #keeper: Keeper
  readonly #scheduler: Scheduler
  readonly #tally: SeriesTally
  readonly #loops: Loop[]
  readonly #cancels: Loop
  readonly #schedules: Loop
  readonly #pruner: Pruner
  readonly #options: WorkerOptions
  #drain: Drain | null = null
  #draining: Promise<void> = Promise.resolve()
  #unsubscribe: (() => void) | null = null
  #state: 'new' | 'started' | 'stopping' | 'stopped' = 'new'
  #starting: Promise<void> | null = null
  #stopped: Promise<void> | null = null

  constructor(millrace: Millrace, handlers: readonly Handler[], options: WorkerOptions = {}) {
    this.#millrace = millrace
    this.#clock = millrace.clock
    this.#options = options
    this.id = millrace.newId()
    const { engine, events, random, clock } = millrace
    millrace.registry.add(handlers.map(handler => handler.job))
    const byType = handlersByType(handlers)
    const leaseMs = options.leaseMs ?? 30_000
    const shared = { engine, clock, worker: this.id }
    const now = (): number => this.#keeper.now()
    this.#tally = new SeriesTally({
      ...shared,
      now,
      trouble: error => this.#trouble('writing the series', error),
    })
    this.#executor = new Executor({
      ...shared,
      random,
      now,
      tally: this.#tally,
      newId: millrace.newId,
      events,
      handlers: byType,
      concurrency: atLeast('concurrency', options.concurrency ?? 10, 1),
      graceMs: options.graceMs ?? 5_000,
      maxDeaths: options.maxDeaths ?? 3,
      trouble: (where, error) => this.#trouble(where, error),
      freed: () => this.#fetcher?.freed(),
      settled: (outcome, answer) => this.#drain?.settled(outcome, answer),
      rested: () => this.#drain?.look(),
    })
    const lanes = lanesOf(handlers, options.queues)
    this.#fetcher = new Fetcher({
      ...shared,
      executor: this.#executor,
      lanes,
      leaseMs: atLeast('leaseMs', leaseMs, 100),
      pollMs: options.pollMs ?? 1_000,
      looked: () => this.#drain?.look(),
      trouble: error => this.#trouble('claiming jobs', error),
    })
    this.#keeper = new Keeper({
      ...shared,
      executor: this.#executor,
      label: options.label ?? `${hostname()}:${pid}`,
      lanes,
      leaseMs,
      beaten: () => void millrace.feed.learn(),
      trouble: error => this.#trouble('heartbeat', error),
    })
    this.#scheduler = new Scheduler({
      engine,
      now,
      events,
      newId: millrace.newId,
      pollMs: options.schedulePollMs ?? loopPollMs,
    })
    this.#pruner = new Pruner(
      engine,
      handlers.map(handler => handler.job),
    )
    this.#cancels = this.#loop('looking for cancels', options.cancelPollMs ?? loopPollMs, () =>
      this.#lookForCancels(),
    )
    this.#schedules = this.#loop('schedules', loopPollMs, () => this.#scheduler.tick())
    this.#loops = [
      this.#cancels,
      this.#loop('rescue', options.sweepMs ?? 5_000, () => this.#rescue().then(() => undefined)),
      ...(options.scheduler === false ? [] : [this.#schedules]),
      ...(options.pruner === false ? [] : [this.#loop('pruning', 5_000, () => this.#pruner.tick())]),
    ]
  }

  #loop(where: string, intervalMs: number, tick: () => Promise<number | undefined>): Loop {
    return new Loop({ clock: this.#clock, intervalMs, tick, trouble: error => this.#trouble(where, error) })
  }

  #trouble(where: string, error: unknown): void {
    if (this.#state !== 'stopped') this.#millrace.events.emit('trouble', { where, error })
  }

  /** Handlers that run at this moment. */
  get running(): number {
    return this.#executor.running
  }

  /** Whether nothing runs, nothing is buffered or unsettled, and the last look found nothing due. */
  get idle(): boolean {
    return !this.#executor.busy && this.#fetcher.dry
  }

  /** Takes a lease and begins to claim. */
  async start(): Promise<void> {
    if (this.#state !== 'new')
      throw new QueueError('conflict', 'this worker was started or drained before; create another one')
    this.#state = 'started'
    this.#starting = this.#begin()
    await this.#starting
    if (this.#state !== 'started') return
    for (const loop of this.#loops) loop.start()
    this.#fetcher.start()
    this.#millrace.events.emit('worker-started', { worker: this.id })
  }

  async #begin(): Promise<void> {
    this.#executor.accepting = true
    await this.#millrace.open()
    // Whoever watches sees its first job, too.
    await this.#keeper.start()
    await this.#millrace.feed.learn()
    const unhint = this.#millrace.engine.subscribe(hint => {
      if (hint.kind === 'ready') this.#fetcher.nudge()
      else if (hint.kind === 'cancel') this.#cancels.nudge()
      else if (hint.kind === 'watch') this.#millrace.feed.look()
    })
    const unhear = this.#millrace.on('schedule-changed', () => this.#schedules.nudge())
    this.#millrace.tallies.add(this.#tally)
    this.#unsubscribe = () => {
      unhint()
      unhear()
    }
  }

  /**
   * Stops claiming at once, gives handlers until the deadline, then fires their signals and returns their jobs to the
   * queue without spending an attempt. Idempotent.
   */
  stop(options: StopOptions = {}): Promise<void> {
    if (this.#drain) {
      this.#drain.cut('stopped', options.deadlineMs ?? defaultDeadlineMs)
      return this.#draining
    }
    if (this.#state === 'new') this.#state = 'stopped'
    this.#stopped ??= this.#state === 'stopped' ? Promise.resolve() : this.#stop(options)
    return this.#stopped
  }

  async #stop(options: StopOptions): Promise<void> {
    this.#state = 'stopping'
    await atMost(this.#clock, patienceMs, this.#starting ?? Promise.resolve())
    await this.#stopClaiming()
    await this.#settleRunning(options.deadlineMs ?? defaultDeadlineMs)
    await this.#end()
    this.#executor.close()
    this.#millrace.events.emit('worker-stopped', { worker: this.id })
  }

  async #stopClaiming(): Promise<void> {
    this.#executor.accepting = false
    await atMost(this.#clock, patienceMs, this.#fetcher.stop())
    this.#executor.giveBack()
  }

  /** Waits for what runs; after `deadlineMs` tells it to stop, and is done when all of it has ended. */
  async #settleRunning(deadlineMs: number): Promise<void> {
    const timer = this.#clock.after(deadlineMs, () =>
      this.#executor.stopAll('shutdown', 'the worker is stopping'),
    )
    await this.#executor.emptied()
    timer.cancel()
    // A store that is away must not keep the process: what is not settled by then is rescued later.
    await atMost(this.#clock, patienceMs, this.#executor.flushed())
  }

  async #end(): Promise<void> {
    this.#unsubscribe?.()
    // A call that is never answered must not keep the process; the lease ends by itself.
    await atMost(
      this.#clock,
      patienceMs,
      Promise.all([...this.#loops.map(loop => loop.stop()), this.#keeper.stop()]),
    )
    await atMost(this.#clock, patienceMs, Promise.all([this.#tally.close(), this.#millrace.feed.flush()]))
    this.#millrace.tallies.delete(this.#tally)
    const left = this.#millrace.engine.retire(this.id).catch(error => this.#trouble('leaving', error))
    await atMost(this.#clock, patienceMs, left)
    this.#state = 'stopped'
  }

  /**
   * Does what is due and returns: for cron-driven and serverless use. Before that it fires due schedules and rescues the
   * jobs of dead workers; beside it, it prunes what retention no longer keeps. So a store needs no other process than
   * whoever calls this once a minute. Needs no `start`; may be called again. A process that dies in it leaves what any
   * dead worker leaves: leases that end.
   */
  async drain(options: DrainOptions = {}): Promise<DrainResult> {
    if (this.#state !== 'new') throw new QueueError('conflict', 'this worker is started: it drains by itself')
    this.#state = 'started'
    let finished = (): void => {}
    this.#draining = new Promise(resolve => {
      finished = resolve
    })
    const drain = new Drain(() => !this.#executor.busy && (this.#fetcher.dry || this.#fetcher.exhausted))
    this.#drain = drain
    const { maxJobs, budgetMs } = options
    const spent = (): void => drain.cut('budget', 0)
    const budget = budgetMs === undefined ? null : this.#clock.after(budgetMs, spent)
    if (budgetMs !== undefined && budgetMs <= 0) spent()
    try {
      await this.#begin()
      await this.#lookAfter(drain)
      const pruned = this.#pruneFor(drain)
      this.#cancels.start()
      if (!drain.isCut) this.#fetcher.start(maxJobs === undefined ? {} : { atMost: maxJobs })
      await drain.finished()
      await this.#stopClaiming()
      await this.#settleRunning(drain.deadlineMs)
      await pruned
      return drain.result(this.#fetcher.exhausted)
    } finally {
      budget?.cancel()
      await this.#stopClaiming()
      await this.#end()
      this.#drain = null
      this.#state = 'new'
      finished()
    }
  }

  /** Due schedules and ended leases first, so that what comes of them is done by the same drain. */
  async #lookAfter(drain: Drain): Promise<void> {
    if (this.#options.scheduler !== false) {
      const before = this.#scheduler.recorded
      await this.#scheduler.tick()
      drain.upkeep.ticks = this.#scheduler.recorded - before
    }
    drain.upkeep.rescued = await this.#rescue()
  }

  /** Never fails the drain: what is left is pruned by the next. */
  async #pruneFor(drain: Drain): Promise<void> {
    if (this.#options.pruner === false) return
    const removed = (count: number): void => {
      drain.upkeep.pruned += count
    }
    await this.#pruner
      .run(this.#clock, removed, () => drain.isCut)
      .catch(error => this.#trouble('pruning', error))
  }

  async #lookForCancels(): Promise<undefined> {
    this.#fetcher.releaseStale()
    const leases = this.#executor.leases()
    if (leases.length === 0) return
    this.#executor.cancel(await this.#millrace.engine.cancelRequests(this.id, leases))
  }

  /** Answers how many. */
  async #rescue(): Promise<number> {
    const { engine, events } = this.#millrace
    for (let count = 0; ; ) {
      const rescued = await engine.rescue({ maxDeaths: this.#options.maxDeaths ?? 3, limit: rescuedAtOnce })
      for (const { attempt: _, ...job } of rescued) {
        this.#tally.rescued(job, job.now)
        events.emit('rescued', job)
      }
      count += rescued.length
      if (rescued.length < rescuedAtOnce) return count
    }
  }
}

export function createWorker(
  millrace: Millrace<never>,
  handlers: readonly Handler[],
  options: WorkerOptions = {},
): Worker {
  return new Worker(millrace as unknown as Millrace, handlers, options)
}
