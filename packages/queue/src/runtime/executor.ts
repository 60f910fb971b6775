import { type Clock, nextTurn, type Random } from '../engine/clock.ts'
import type { ClaimedJob, Completion, Engine, Lease, SettleAnswer, Settlement } from '../engine/contract.ts'
import { QueueError } from '../engine/errors.ts'
import type { Events } from '../events.ts'
import type { Handler } from '../handler.ts'
import { describeError } from '../job/attempt-error.ts'
import { decide, type Ending, type Outcome } from '../job/decide.ts'
import type { SeriesTally } from '../series/series-tally.ts'
import { decodePayload, encodeResult } from '../validate.ts'
import { Attempt, type AttemptHost, type StopReason } from './attempt.ts'
import { AttemptStore } from './attempt-store.ts'
import { endingOf, gotOver, refOf, stopError, tell } from './ending.ts'
import { JobBuffer } from './job-buffer.ts'
import { Reporter } from './reporter.ts'
import { Settler } from './settler.ts'

export interface ExecutorOptions {
  engine: Engine
  worker: string
  clock: Clock
  random: Random
  newId: () => string
  events: Events
  handlers: ReadonlyMap<string, Handler>
  concurrency: number
  graceMs: number
  maxDeaths: number
  /** The time by the clock that decides on this engine. */
  now: () => number
  tally: SeriesTally
  trouble: (where: string, error: unknown) => void
  /** An attempt is over or was given back: there may be room for another. */
  freed: () => void
  /** An attempt's end is settled. */
  settled: (outcome: Outcome, answer: SettleAnswer) => void
  /** Everything that has ended is settled. */
  rested: () => void
}

/**
 * Runs attempts: perform, decide, settle. Holds the small buffer of claimed jobs and as many running attempts as the
 * concurrency allows.
 */
export class Executor implements AttemptHost {
  readonly clock: Clock
  readonly store: AttemptStore
  readonly #options: ExecutorOptions
  readonly #settler: Settler
  readonly #reporter: Reporter
  readonly #running = new Set<Attempt>()
  readonly #buffer = new JobBuffer()
  #young: Attempt[] = []
  /** False while stopping: what is claimed then is not started. */
  accepting = true
  #alone = false
  #pumping = false
  #emptied: (() => void)[] = []
  readonly #telling = new Set<Promise<void>>()

  constructor(options: ExecutorOptions) {
    this.#options = options
    this.clock = options.clock
    const { engine, worker, clock, newId, trouble } = options
    const lost = (attempt: Attempt): void => this.loseLeases([attempt.claimed], 'another worker has it')
    this.store = new AttemptStore({
      engine,
      worker,
      clock,
      newId,
      lost,
      trouble: error => trouble('recording steps', error),
    })
    this.#settler = new Settler({
      engine,
      worker,
      clock,
      trouble: error => trouble('settling', error),
      rested: options.rested,
    })
    this.#reporter = new Reporter({
      engine,
      worker,
      clock,
      lost,
      trouble: error => trouble('reporting progress', error),
    })
  }

  get concurrency(): number {
    return this.#options.concurrency
  }

  get running(): number {
    return this.#running.size
  }

  get buffered(): number {
    return this.#buffer.size
  }

  /** A job that may kill this process runs or is about to: nothing may be claimed beside it. */
  get isolating(): boolean {
    return this.#alone || this.#nextIsSuspect()
  }

  /** How many more jobs could start at once. */
  get free(): number {
    return Math.max(0, this.#options.concurrency - this.#running.size - this.buffered)
  }

  get busy(): boolean {
    return (
      this.#alone ||
      this.#running.size > 0 ||
      this.buffered > 0 ||
      this.#telling.size > 0 ||
      this.#settler.busy
    )
  }

  /** All leases that this worker holds and still means to use. */
  leases(): ClaimedJob[] {
    const used = [...this.#running].filter(attempt => attempt.stopped?.reason !== 'lease-lost')
    return [...used.map(attempt => attempt.claimed), ...this.#buffer.all()]
  }

  take(jobs: ClaimedJob[]): void {
    this.#buffer.add(jobs)
    this.pump()
  }

  /** Starts what there is room for. */
  pump(): void {
    // A handler that ends at once calls this again from within: the loop below goes on by itself.
    if (this.#pumping) return
    this.#pumping = true
    this.#startAll()
    this.#pumping = false
    this.#options.freed()
  }

  #startAll(): void {
    while (
      this.accepting &&
      this.buffered > 0 &&
      this.#running.size < this.#options.concurrency &&
      !this.#alone
    ) {
      if (this.#nextIsSuspect()) {
        // It may kill this process: nothing else shall be in it then, not even as a lease.
        if (this.#running.size > 0) return
        this.#alone = true
        const suspect = this.#buffer.shift()
        this.giveBack()
        // One that the store does not take must not keep this one from running.
        void this.#settler.tried().then(() => this.#startAlone(suspect))
        return
      }
      this.#start(this.#buffer.shift())
    }
  }

  #startAlone(suspect: ClaimedJob): void {
    if (this.accepting) return this.#start(suspect)
    this.#alone = false
    this.#buffer.add([suspect])
    this.giveBack()
    for (const resolve of this.#emptied.splice(0)) resolve()
  }

  #nextIsSuspect(): boolean {
    const next = this.#buffer.next
    return next !== undefined && next.deaths > 0 && next.deaths >= this.#options.maxDeaths - 1
  }

  /** Returns what has not started to the queue; it has spent no attempt. */
  giveBack(): void {
    for (const lease of this.#buffer.take(() => true))
      this.#settler.add({ lease, outcome: { kind: 'release' }, ranMs: 0 }, (answer, outcome) =>
        this.#options.settled(outcome, answer),
      )
  }

  #start(claimed: ClaimedJob): void {
    const { handlers, events, worker } = this.#options
    const handler = handlers.get(claimed.type)
    if (!handler) {
      // Not claimed for, so not ours to judge.
      this.#settler.add({ lease: claimed, outcome: { kind: 'release' }, ranMs: 0 }, () => {})
      return
    }
    const attempt = new Attempt(this, claimed, handler.job)
    this.#running.add(attempt)
    if (events.heard('started'))
      events.emit('started', {
        ...refOf(claimed, worker),
        maxAttempts: claimed.maxAttempts,
        waitedMs: Math.max(0, this.#options.now() - claimed.runAt),
      })
    this.#perform(attempt, handler)
  }

  #perform(attempt: Attempt, handler: Handler): void {
    let returned: unknown
    try {
      attempt.payload = decodePayload(handler.job, attempt.claimed.payloadJson)
      returned = handler.run(attempt)
    } catch (thrown) {
      return this.#end(attempt, endingOf(attempt, thrown))
    }
    if (!(returned instanceof Promise)) return this.#returned(attempt, returned)
    returned.then(
      value => this.#left(attempt, () => this.#returned(attempt, value)),
      thrown => this.#left(attempt, () => this.#end(attempt, endingOf(attempt, thrown))),
    )
    // Most handlers of a busy queue end within the turn; only those that do not need a timer.
    if (this.#young.push(attempt) === 1) nextTurn(() => this.#armTimers())
  }

  waits(attempt: Attempt): void {
    this.#left(attempt, () => this.#end(attempt, endingOf(attempt, undefined)))
  }

  /** Steps that the handler does not wait for are recorded before its attempt ends. */
  #left(attempt: Attempt, end: () => void): void {
    attempt.memory?.leave()
    if (attempt.memory?.working) void attempt.memory.quiet().then(end)
    else end()
  }

  #armTimers(): void {
    const young = this.#young
    this.#young = []
    for (const attempt of young) {
      const { timeoutMs } = attempt.definition
      if (attempt.ended || timeoutMs === null) continue
      const timer = this.clock.after(timeoutMs - attempt.ranMs, () =>
        this.stop(attempt, 'timeout', `the attempt took longer than ${timeoutMs} ms`),
      )
      attempt.timers = [timer]
    }
  }

  #returned(attempt: Attempt, value: unknown): void {
    // A handler that answers after its time is up has still failed to answer in time.
    if (attempt.stopped?.reason === 'timeout')
      return this.#end(attempt, endingOf(attempt, attempt.stopped.error))
    if (attempt.memory?.suspended) return this.#end(attempt, endingOf(attempt, undefined))
    try {
      attempt.memory?.checkEnd()
      this.#end(attempt, { kind: 'returned', resultJson: encodeResult(attempt.definition, value) })
    } catch (error) {
      this.#end(attempt, { kind: 'threw', thrown: error, error: describeError(error) })
    }
  }

  /** Fires the attempt's signal; when the handler does not heed it in time, goes on without it. */
  stop(attempt: Attempt, reason: StopReason, message: string): void {
    if (attempt.ended || attempt.stopped) return
    const error = stopError(reason, message)
    attempt.stop(reason, error)
    const timer = this.clock.after(this.#options.graceMs, () => {
      if (attempt.ended) return
      const { events, worker, graceMs } = this.#options
      events.emit('abandoned', { ...refOf(attempt.claimed, worker), reason, afterMs: graceMs })
      this.#end(attempt, endingOf(attempt, error))
    })
    attempt.timers = [...(attempt.timers ?? []), timer]
  }

  stopAll(reason: StopReason, message: string): void {
    for (const attempt of [...this.#running]) this.stop(attempt, reason, message)
  }

  cancel(ids: readonly string[]): void {
    for (const attempt of this.#find(ids)) this.stop(attempt, 'cancelled', 'the job was cancelled')
    for (const lease of this.#buffer.take(job => ids.includes(job.id)))
      this.#settler.add({ lease, outcome: { kind: 'cancelled', reason: 'cancelled' }, ranMs: 0 }, () => {})
  }

  /**
   * The leases are gone, or can't be relied on: whatever these handlers still do will be refused, so they are told to
   * stop. Their ends are settled all the same: when only this process took the lease for lost, because no heartbeat got
   * through, the job would otherwise stay running and nobody run it. An id is not enough to find them: this worker may
   * have claimed the job anew while the old handler is still ending.
   */
  loseLeases(leases: readonly Lease[], why: string): void {
    const { events, worker } = this.#options
    const epochs = new Map(leases.map(lease => [lease.id, lease.epoch]))
    const isLost = (lease: Lease): boolean => epochs.get(lease.id) === lease.epoch
    for (const attempt of [...this.#running]) {
      if (!isLost(attempt.claimed) || attempt.stopped?.reason === 'lease-lost') continue
      events.emit('lease-lost', { ...refOf(attempt.claimed, worker), reason: why })
      attempt.stopped = null
      this.stop(attempt, 'lease-lost', `the lease is lost: ${why}`)
    }
    for (const lease of this.#buffer.take(isLost))
      this.#settler.add({ lease, outcome: { kind: 'release' }, ranMs: 0 }, () => {})
  }

  #find(ids: readonly string[]): Attempt[] {
    const wanted = new Set(ids)
    return [...this.#running].filter(attempt => wanted.has(attempt.claimed.id))
  }

  /** The attempt is over for this worker: decide what follows and settle it. */
  #end(attempt: Attempt, ending: Ending): void {
    if (attempt.ended) return
    attempt.ended = true
    const { random, handlers } = this.#options
    const ranMs = attempt.ranMs
    const waitedMs = this.#waitedMs(attempt, ranMs)
    for (const timer of attempt.timers ?? []) timer.cancel()
    this.#running.delete(attempt)
    if (this.#running.size === 0) {
      this.#alone = false
      for (const resolve of this.#emptied.splice(0)) resolve()
    }
    if (attempt.completed) {
      this.#options.settled({ kind: 'complete', resultJson: null }, 'settled')
      return this.pump()
    }
    const { claimed } = attempt
    const policy = handlers.get(claimed.type)?.job ?? attempt.definition
    const outcome =
      ending.kind === 'returned'
        ? ({ kind: 'complete', resultJson: ending.resultJson } as const)
        : decide(ending, {
            attempt: claimed.attempt,
            maxAttempts: claimed.maxAttempts,
            backoff: policy.backoff,
            random: random.number(),
          })
    const { memory } = attempt
    const settlement: Settlement = { lease: claimed, outcome, ranMs }
    const settle = (): void =>
      this.#settler.add(settlement, (answer, stored) =>
        this.#heard(attempt, stored, { answer, ranMs, waitedMs }),
      )
    if (memory) {
      if (memory.suspended?.child) settlement.child = memory.suspended.child
      attempt.leave(memory.rest(gotOver(ending) ? 'returned' : 'threw'))
    }
    if (attempt.unsent || this.#reporter.isSending(attempt)) this.#tellFirst(attempt, settle)
    else settle()
    this.pump()
  }

  /** What an attempt still has to say is written before it is settled: afterwards it would be refused. */
  #tellFirst(attempt: Attempt, settle: () => void): void {
    const told = this.#reporter
      .finish(attempt)
      .then(settle)
      .finally(() => this.#telling.delete(told))
    this.#telling.add(told)
  }

  #waitedMs({ claimed }: Attempt, ranMs: number): number {
    return Math.max(0, this.#options.now() - ranMs - claimed.runAt)
  }

  #heard(
    attempt: Attempt,
    outcome: Outcome,
    heard: { answer: SettleAnswer; ranMs: number; waitedMs: number },
  ): void {
    const { events, worker, tally } = this.#options
    const { answer, ranMs, waitedMs } = heard
    if (answer === 'settled' || answer === 'already-settled') {
      tally.ended(attempt.claimed, outcome.kind, waitedMs, ranMs)
      tell(events, refOf(attempt.claimed, worker), outcome, ranMs)
    } else if (attempt.stopped?.reason !== 'lease-lost' && events.heard('lease-lost'))
      events.emit('lease-lost', {
        ...refOf(attempt.claimed, worker),
        reason: `its ${outcome.kind} was refused: ${answer}`,
      })
    this.#options.settled(outcome, answer)
  }

  reported(attempt: Attempt): void {
    const { events, worker } = this.#options
    const progress = attempt.unsent?.progress
    if (progress && events.heard('progress'))
      events.emit('progress', {
        ...refOf(attempt.claimed, worker),
        percent: progress.percent,
        message: progress.message,
      })
    this.#reporter.add(attempt)
  }

  async completeIn(attempt: Attempt, work: (tx: unknown) => unknown): Promise<unknown> {
    const { engine, worker, events, tally } = this.#options
    if (!engine.capabilities.transactions)
      throw new QueueError(
        'unsupported',
        'this engine has no transactions: return the result instead of complete(…)',
      )
    if (attempt.ended) throw new QueueError('lease-lost', 'the attempt is over; nothing was written')
    if (attempt.memory) attempt.leave(attempt.memory.rest('returned'))
    await this.#reporter.finish(attempt)
    let value: unknown
    const { ranMs } = attempt
    const complete = (returned: unknown): Completion => {
      value = returned
      return { resultJson: encodeResult(attempt.definition, value), ranMs }
    }
    const answer = await engine.completeIn(worker, attempt.claimed, tx => {
      const returned = work(tx)
      return returned instanceof Promise ? returned.then(complete) : complete(returned)
    })
    if (answer !== 'settled')
      throw new QueueError(
        'lease-lost',
        `the job is no longer this attempt's (${answer}); nothing was written`,
      )
    attempt.completed = true
    tally.ended(attempt.claimed, 'complete', this.#waitedMs(attempt, ranMs), ranMs)
    tell(events, refOf(attempt.claimed, worker), { kind: 'complete', resultJson: null }, ranMs)
    return value
  }

  /** Resolves when no handler runs. */
  async emptied(): Promise<void> {
    while (this.#alone || this.#running.size > 0)
      await new Promise<void>(resolve => this.#emptied.push(resolve))
  }

  /** Resolves when everything that has ended is settled. */
  async flushed(): Promise<void> {
    await this.#reporter.flush()
    await Promise.all(this.#telling)
    await this.#settler.flushed()
  }

  /** Gives up what can't be settled any more: its lease will end by itself. */
  close(): void {
    this.#reporter.stop()
    this.store.close()
    this.#settler.close()
  }
}
