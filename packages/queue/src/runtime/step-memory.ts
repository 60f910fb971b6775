import { AsyncLocalStorage } from 'node:async_hooks'
import type { AnyJob, PayloadInput, ResultOutput } from '../definition.ts'
import type { NewJob } from '../engine/contract.ts'
import { QueueError } from '../engine/errors.ts'
import { type StepKind, type StepRecord, stepsKept, type StepWrite } from '../engine/step.ts'
import { duration, instant, newJob } from '../enqueue.ts'
import { checkLabel } from '../flow/label.ts'
import { readSignal, type SignalName, signalName } from '../flow/signal.ts'
import type { EnqueueAndWaitOptions, StepContext, Steps, WaitForSignalOptions } from '../flow/steps.ts'
import { describeError } from '../job/attempt-error.ts'
import type { Duration } from '../job/duration.ts'
import { encodeJson } from '../job/json.ts'
import type { Wait } from '../job/wait.ts'
import { readJson } from '../job-view.ts'
import type { Attempt } from './attempt.ts'
import { StepLedger } from './step-ledger.ts'

/** What the steps of an attempt ask of the worker that runs it. */
export interface StepHost {
  steps(attempt: Attempt): Promise<StepRecord[]>
  signals(attempt: Attempt): Promise<{ id: string; name: string; payloadJson: string }[]>
  job(id: string): Promise<Ended | null>
  /** Resolves when they are durable. Throws `lease-lost` when they are refused. */
  record(attempt: Attempt, steps: StepWrite[]): Promise<void>
  monotonic(): number
  newId(): string
}

/** What became of a child. */
export interface Ended {
  state: string
  resultJson: string | null
  lastError: { name: string; message: string } | null
  cancelReason: string | null
}

/** Which step the code that runs is within. */
const within = new AsyncLocalStorage<string>()

/** A handler that waits is left here for good, and forgotten. */
function never<T>(): Promise<T> {
  return new Promise(() => {})
}

/** What the attempt ends with. */
export interface Suspended {
  wait: Wait
  child: NewJob | null
}

/** The steps of one attempt: what stands is answered from the store, what does not is run and recorded. */
export class StepMemory implements Steps {
  readonly #attempt: Attempt
  readonly #host: StepHost
  readonly #waits: () => void
  readonly #ledger = new StepLedger()
  #loaded: Promise<void> | null = null
  /** Work of steps that is under way. The attempt does not end before it is recorded. */
  readonly #working = new Set<Promise<unknown>>()
  /** Failed, and not known yet whether the handler gets over it; with the number of steps that had begun by then. */
  #failed: { step: StepWrite; begun: number }[] = []
  #left = false
  suspended: Suspended | null = null

  constructor(attempt: Attempt, host: StepHost, waits: () => void) {
    this.#attempt = attempt
    this.#host = host
    this.#waits = waits
  }

  run<T>(name: string, work: (context: StepContext) => T | Promise<T>): Promise<T> {
    return this.#step(name, 'run', async (ordinal, record) => {
      if (record?.state === 'completed') return read(record.resultJson) as T
      if (record?.state === 'caught') throw recalled(record)
      const working = this.#perform(name, ordinal, work)
      this.#working.add(working)
      try {
        return await working
      } finally {
        this.#working.delete(working)
      }
    })
  }

  async #perform<T>(
    name: string,
    ordinal: number,
    work: (context: StepContext) => T | Promise<T>,
  ): Promise<T> {
    const startedAt = this.#host.monotonic()
    const { claimed, signal } = this.#attempt
    signal.throwIfAborted()
    const write = (end: Pick<StepWrite, 'state' | 'resultJson' | 'error'>): StepWrite => {
      const ranMs = Math.max(0, Math.round(this.#host.monotonic() - startedAt))
      return { name, ordinal, kind: 'run', ranMs, signalId: null, ...end }
    }
    let value: T
    try {
      value = await within.run(name, () => work({ key: `${claimed.id}/${name}`, signal }))
    } catch (error) {
      this.#fail(write({ state: 'failed', resultJson: null, error: describeError(error) }))
      throw error
    }
    let resultJson: string | null
    try {
      resultJson = value === undefined ? null : encodeJson(value)
    } catch (cause) {
      const error = new QueueError(
        'invalid-result',
        `the result of step ${name} can not be stored as JSON: ${(cause as Error).message}; the step has happened and is not run again`,
        { cause },
      )
      await this.#record(write({ state: 'caught', resultJson: null, error: describeError(error) }))
      throw error
    }
    await this.#record(write({ state: 'completed', resultJson, error: null }))
    return read(resultJson) as T
  }

  sleep(name: string, length: Duration): Promise<void> {
    const inMs = duration('sleep', length)
    return this.#sleep(name, { inMs, until: null })
  }

  sleepUntil(name: string, at: Date | number): Promise<void> {
    return this.#sleep(name, { inMs: null, until: instant('sleepUntil', at) })
  }

  #sleep(name: string, limit: Pick<Wait, 'inMs' | 'until'>): Promise<void> {
    return this.#step(name, 'sleep', async (ordinal, record) => {
      if (record?.state === 'completed') return
      if (record?.due) return this.#note(name, ordinal, 'sleep')
      await this.#suspend({
        step: { name, ordinal, kind: 'sleep', signal: null },
        ...(record?.wakeAt ? { inMs: null, until: record.wakeAt } : limit),
      })
    })
  }

  waitForSignal<T>(signal: SignalName, options: WaitForSignalOptions = {}): Promise<T> {
    const wanted = signalName(signal)
    const name = options.as ?? wanted
    const inMs = options.timeoutMs === undefined ? null : duration('timeoutMs', options.timeoutMs)
    return this.#step(name, 'signal', async (ordinal, record) => {
      if (record?.state === 'completed') return readSignal(signal, record.resultJson ?? 'null') as T
      if (record?.state === 'caught') throw recalled(record)
      const step = { name, ordinal, kind: 'signal' } as const
      const there = this.#ledger.take(await this.#host.signals(this.#attempt), wanted)
      if (there) {
        await this.#record({
          ...step,
          state: 'completed',
          resultJson: there.payloadJson,
          error: null,
          ranMs: 0,
          signalId: there.id,
        })
        return readSignal(signal, there.payloadJson) as T
      }
      if (record?.due) throw await this.#timeOut(step, `no signal ${wanted} came in time`)
      return this.#suspend({
        step: { ...step, signal: wanted },
        inMs: record ? null : inMs,
        until: record?.wakeAt ?? null,
      })
    })
  }

  enqueueAndWait<Job extends AnyJob>(
    name: string,
    job: Job,
    payload: PayloadInput<Job>,
    options: EnqueueAndWaitOptions = {},
  ): Promise<ResultOutput<Job>> {
    const { timeoutMs, ...rest } = options
    const inMs = timeoutMs === undefined ? null : duration('timeoutMs', timeoutMs)
    const { tenant } = this.#attempt.claimed
    return this.#step(name, 'job', async (ordinal, record) => {
      if (record?.state === 'completed') return readJson(record.resultJson) as ResultOutput<Job>
      if (record?.state === 'caught') throw recalled(record)
      const step = { name, ordinal, kind: 'job' } as const
      const wait = { step: { ...step, signal: null }, inMs, until: null }
      if (!record?.childId) {
        const child = newJob(this.#host.newId(), job, payload, { ...(tenant ? { tenant } : {}), ...rest })
        return this.#suspend(wait, child)
      }
      const child = await this.#host.job(record.childId)
      const ended = child === null || ['completed', 'cancelled', 'dead'].includes(child.state)
      if (!ended && record.due)
        throw await this.#timeOut(step, `job ${record.childId} did not finish in time`)
      if (!ended) return this.#suspend({ ...wait, inMs: null, until: record.wakeAt })
      if (child?.state === 'completed') {
        const { resultJson } = child
        await this.#record({ ...step, state: 'completed', resultJson, error: null, ranMs: 0, signalId: null })
        return readJson(resultJson) as ResultOutput<Job>
      }
      const error = childError(record.childId, child)
      this.#fail({
        ...step,
        state: 'failed',
        resultJson: null,
        error: describeError(error),
        ranMs: 0,
        signalId: null,
      })
      throw error
    })
  }

  /** The handler has returned or thrown. What it has left behind is recorded, but nothing new is begun. */
  leave(): void {
    this.#left = true
  }

  /** What an attempt that ends still has to say of its steps. Those that failed last ended it, or were got over. */
  rest(ending: 'returned' | 'threw'): StepWrite[] {
    const failed = this.#failed.map(
      ({ step }): StepWrite => ({ ...step, state: ending === 'threw' ? 'failed' : 'caught' }),
    )
    this.#failed = []
    return [...this.#ledger.noted(), ...failed]
  }

  /** Throws `steps-changed` when something stands that this handler, now at its end, has not come to. */
  checkEnd(): void {
    this.#ledger.checkEnd()
  }

  async #step<T>(
    name: string,
    kind: StepKind,
    work: (ordinal: number, record: StepRecord | undefined) => Promise<T>,
  ): Promise<T> {
    const outer = within.getStore()
    if (outer !== undefined && kind !== 'run')
      throw new QueueError(
        'invalid-argument',
        `step ${name} waits, and stands within step ${outer}: put it after that`,
      )
    if (this.suspended) return never()
    if (this.#left)
      throw new QueueError('conflict', `step ${name} is not begun: the handler has returned or thrown`)
    if (this.#ledger.begun >= stepsKept)
      throw new QueueError(
        'invalid-argument',
        `a job has at most ${stepsKept} steps: let one step do more, or enqueue jobs`,
      )
    const place = this.#ledger.begin(checkLabel('step', name), kind)
    try {
      await this.#load()
      // Another step waits: the handler is left at this one, too.
      if (this.suspended) return await never()
      return await work(place.ordinal, this.#ledger.find(place))
    } finally {
      this.#ledger.end()
    }
  }

  /** A job that was never claimed before has no steps. */
  #load(): Promise<void> {
    if (this.#attempt.claimed.epoch <= 1) return Promise.resolve()
    this.#loaded ??= this.#host.steps(this.#attempt).then(
      records => this.#ledger.load(records),
      error => {
        this.#loaded = null
        throw error
      },
    )
    return this.#loaded
  }

  #fail(step: StepWrite): void {
    this.#failed.push({ step, begun: this.#ledger.begun })
  }

  /** What a handler has got over that has come to this step since: later attempts must meet it again. */
  #caught(ordinal: number): StepWrite[] {
    if (this.#left) return []
    const caught = this.#failed.filter(({ begun }) => begun < ordinal)
    this.#failed = this.#failed.filter(({ begun }) => begun >= ordinal)
    return caught.map(({ step }): StepWrite => ({ ...step, state: 'caught' }))
  }

  /** Need not be durable before the handler goes on: it will be found the same again. */
  #note(name: string, ordinal: number, kind: StepKind): void {
    this.#ledger.note({
      name,
      ordinal,
      kind,
      state: 'completed',
      resultJson: null,
      error: null,
      ranMs: 0,
      signalId: null,
    })
  }

  async #record(step: StepWrite): Promise<void> {
    await this.#host.record(this.#attempt, [...this.#ledger.noted(), ...this.#caught(step.ordinal), step])
  }

  async #timeOut(step: Pick<StepWrite, 'name' | 'ordinal' | 'kind'>, message: string): Promise<QueueError> {
    const error = new QueueError('timeout', message)
    await this.#record({
      ...step,
      state: 'caught',
      resultJson: null,
      error: describeError(error),
      ranMs: 0,
      signalId: null,
    })
    return error
  }

  async #suspend(wait: Wait, child: NewJob | null = null): Promise<never> {
    const caught = this.#caught(wait.step.ordinal)
    if (caught.length > 0) await this.#host.record(this.#attempt, caught)
    if (this.suspended === null) {
      this.suspended = { wait, child }
      this.#waits()
    }
    return never()
  }

  /** Whether work of a step is under way, perhaps of one that the handler no longer waits for. */
  get working(): boolean {
    return this.#working.size > 0
  }

  /** Resolves when it has ended, and is recorded. */
  async quiet(): Promise<void> {
    while (this.#working.size > 0) await Promise.allSettled(this.#working)
  }
}

/** What a step answered. Nothing is stored for `undefined`. */
function read(resultJson: string | null): unknown {
  return resultJson === null ? undefined : JSON.parse(resultJson)
}

/** An error that was caught before, as it is thrown again. */
function recalled({ name, error }: StepRecord): Error {
  const again = new Error(error?.message ?? `step ${name} failed`)
  again.name = error?.name ?? 'Error'
  return again
}

function childError(id: string, child: Ended | null): QueueError {
  if (child === null) return new QueueError('not-found', `job ${id} is gone, and its result with it`)
  if (child.state === 'cancelled')
    return new QueueError(
      'job-cancelled',
      `job ${id} was cancelled: ${child.cancelReason ?? 'no reason given'}`,
    )
  return new QueueError('job-dead', `job ${id} is dead: ${child.lastError?.message ?? 'no error recorded'}`, {
    cause: child.lastError,
  })
}
