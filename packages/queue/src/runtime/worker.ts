import { hostname } from 'node:os'
import { pid } from 'node:process'
import { atMost, type Clock } from '../engine/clock.ts'
import type { Lane } from '../engine/contract.ts'
import { QueueError } from '../engine/errors.ts'
import type { Handler } from '../handler.ts'
import type { Millrace } from '../queue.ts'
import { Drain } from './drain.ts'
import { Executor } from './executor.ts'
import { Fetcher } from './fetcher.ts'
import { Keeper } from './keeper.ts'
import { Loop } from './loop.ts'
import type { DrainOptions, DrainResult, StopOptions, WorkerOptions } from './options.ts'
import { Pruner } from './pruner.ts'
import { Scheduler } from './scheduler.ts'

const cancelPollMs = 1_000
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
  readonly #loops: Loop[]
  readonly #cancels: Loop
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
    this.#executor = new Executor({
      ...shared,
      random,
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
    this.#fetcher = new Fetcher({
      ...shared,
      executor: this.#executor,
      lanes: lanesOf(handlers, options.queues),
      leaseMs: atLeast('leaseMs', leaseMs, 100),
      pollMs: options.pollMs ?? 1_000,
      looked: () => this.#drain?.look(),
      trouble: error => this.#trouble('claiming jobs', error),
    })
    this.#keeper = new Keeper({
      ...shared,
      executor: this.#executor,
      label: options.label ?? `${hostname()}:${pid}`,
      leaseMs,
      trouble: error => this.#trouble('heartbeat', error),
    })
    this.#scheduler = new Scheduler({ engine, clock, events, newId: millrace.newId })
    const pruner = new Pruner(
      engine,
      handlers.map(handler => handler.job),
    )
    this.#cancels = this.#loop('looking for cancels', cancelPollMs, () => this.#lookForCancels())
    this.#loops = [
      this.#cancels,
      this.#loop('rescue', options.sweepMs ?? 5_000, () => this.#rescue()),
      ...(options.scheduler === false ? [] : [this.#loop('schedules', 1_000, () => this.#scheduler.tick())]),
      ...(options.pruner === false ? [] : [this.#loop('pruning', 5_000, () => pruner.tick())]),
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
    await this.#keeper.start()
    this.#unsubscribe = this.#millrace.engine.subscribe(hint => {
      if (hint.kind === 'ready') this.#fetcher.nudge()
      else if (hint.kind === 'cancel') this.#cancels.nudge()
    })
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
    const left = this.#millrace.engine.retire(this.id).catch(error => this.#trouble('leaving', error))
    await atMost(this.#clock, patienceMs, left)
    this.#state = 'stopped'
  }

  /**
   * Does what is due and returns: for cron-driven and serverless use. Also fires due schedules and rescues jobs of dead
   * workers. Needs no `start`; may be called again.
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
    try {
      await this.#begin()
      if (this.#options.scheduler !== false) await this.#scheduler.tick()
      await this.#rescue()
      this.#cancels.start()
      this.#fetcher.start(options.maxJobs === undefined ? {} : { atMost: options.maxJobs })
      const budget =
        options.budgetMs === undefined
          ? null
          : this.#clock.after(options.budgetMs, () => drain.cut('budget', 0))
      await drain.finished()
      budget?.cancel()
      await this.#stopClaiming()
      await this.#settleRunning(drain.deadlineMs)
      return drain.result(this.#fetcher.exhausted)
    } finally {
      await this.#stopClaiming()
      await this.#end()
      this.#drain = null
      this.#state = 'new'
      finished()
    }
  }

  async #lookForCancels(): Promise<undefined> {
    this.#fetcher.releaseStale()
    const leases = this.#executor.leases()
    if (leases.length === 0) return
    this.#executor.cancel(await this.#millrace.engine.cancelRequests(this.id, leases))
  }

  async #rescue(): Promise<undefined> {
    const { engine, events } = this.#millrace
    for (;;) {
      const rescued = await engine.rescue({ maxDeaths: this.#options.maxDeaths ?? 3, limit: rescuedAtOnce })
      for (const { id, type, queue, worker, deaths, now } of rescued)
        events.emit('rescued', { id, type, queue, worker, deaths, now })
      if (rescued.length < rescuedAtOnce) return
    }
  }
}

function handlersByType(handlers: readonly Handler[]): Map<string, Handler> {
  const byType = new Map<string, Handler>()
  for (const handler of handlers)
    for (const type of [handler.job.type, ...handler.job.aliases]) {
      if (byType.has(type))
        throw new QueueError('invalid-argument', `two handlers for the job type ${type}; keep one`)
      byType.set(type, handler)
    }
  return byType
}

/** What a worker claims: in each queue, the types it has handlers for. A job may have been enqueued into any of them. */
function lanesOf(handlers: readonly Handler[], wanted: readonly string[] | undefined): Lane[] {
  const types = handlers.flatMap(({ job }) => [job.type, ...job.aliases])
  const queues = new Set(wanted ?? handlers.map(({ job }) => job.queue))
  return [...queues].map(queue => ({ queue, types }))
}

function atLeast(what: string, value: number, least: number): number {
  if (Number.isFinite(value) && value >= least) return Math.floor(value)
  throw new QueueError('invalid-argument', `${what} must be a number of at least ${least}, not ${value}`)
}

export function createWorker(
  millrace: Millrace<never>,
  handlers: readonly Handler[],
  options: WorkerOptions = {},
): Worker {
  return new Worker(millrace as unknown as Millrace, handlers, options)
}
