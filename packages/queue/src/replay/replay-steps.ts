import { AsyncLocalStorage } from 'node:async_hooks'
import type { AnyJob, PayloadInput, ResultOutput } from '../definition.ts'
import { QueueError } from '../engine/errors.ts'
import type { StepKind, StepRecord } from '../engine/step.ts'
import { duration, instant, newJob } from '../enqueue.ts'
import { checkLabel } from '../flow/label.ts'
import { encodeSignal, readSignal, type SignalName, signalName } from '../flow/signal.ts'
import type { EnqueueAndWaitOptions, StepContext, Steps, WaitForSignalOptions } from '../flow/steps.ts'
import type { JobError } from '../job/error.ts'
import type { Duration } from '../job/duration.ts'
import { encodeJson } from '../job/json.ts'
import { StepLedger } from '../runtime/step-ledger.ts'
import type { BundledStep, ReplayBundle } from './bundle.ts'

/** Where a step's answer came from. */
export interface ReplayedStep {
  name: string
  kind: StepKind
  from: 'bundle' | 'run' | 'stub'
  outcome: 'completed' | 'failed'
}

/** Something that would have happened to the store or to others, and did not. */
export type ReplayEffect =
  | { kind: 'sleep'; step: string; inMs: number | null; until: number | null }
  | { kind: 'wait-for-signal'; step: string; signal: string }
  | { kind: 'enqueue-and-wait'; step: string; type: string; payload: unknown }
  | { kind: 'flow-add'; name: string; type: string; payload: unknown; id: string }
  | { kind: 'snooze'; inMs: number; reason: string }
  | { kind: 'complete' }

export interface Stopped {
  outcome: 'passed-failure-point' | 'waits'
  /** The step. */
  at: string
}

interface StepsOptions {
  bundle: ReplayBundle
  stubs: Readonly<Record<string, unknown>>
  runNewSteps: boolean
  signal: AbortSignal
  effects: ReplayEffect[]
  /** The replay ends here, and the handler is left where it is. */
  stopped: () => void
}

/** Which step the code that runs is within. */
const within = new AsyncLocalStorage<string>()

interface Answer<T> {
  /** What happens when nothing stands and nothing is stubbed. */
  otherwise(context: StepContext): Promise<T>
  /** Makes the answer of what stands, or of a stub's. */
  read(value: unknown): T
  /** Whether the bundle holds an answer although the job never came to this step. */
  known(): boolean
}

/** The steps of a replay: what stands in the bundle is answered from it, and nothing is recorded anywhere. */
export class ReplaySteps implements Steps {
  readonly done: ReplayedStep[] = []
  stopped: Stopped | null = null
  readonly #options: StepsOptions
  readonly #ledger = new StepLedger()
  readonly #records: Map<string, BundledStep>
  readonly #signals: { id: string; name: string; payload: unknown }[]
  readonly #working = new Set<Promise<unknown>>()
  #left = false

  constructor(options: StepsOptions) {
    this.#options = options
    const { steps, signals } = options.bundle
    this.#records = new Map(steps.map(step => [step.name, step]))
    this.#signals = signals.map((signal, index) => ({ id: String(index), ...signal }))
    this.#ledger.load(steps.map(asRecord))
  }

  run<T>(name: string, work: (context: StepContext) => T | Promise<T>): Promise<T> {
    return this.#step(name, 'run', context =>
      this.#perform(name, 'run', 'run', () => within.run(name, () => work(context))),
    )
  }

  sleep(name: string, length: Duration): Promise<void> {
    return this.#sleep(name, { inMs: duration('sleep', length), until: null })
  }

  sleepUntil(name: string, at: Date | number): Promise<void> {
    return this.#sleep(name, { inMs: null, until: instant('sleepUntil', at) })
  }

  /** Nobody waits for time in a replay. */
  #sleep(name: string, limit: { inMs: number | null; until: number | null }): Promise<void> {
    return this.#step(name, 'sleep', () => {
      this.#options.effects.push({ kind: 'sleep', step: name, ...limit })
      return this.#perform(name, 'sleep', 'run', () => undefined)
    })
  }

  waitForSignal<T>(signal: SignalName, options: WaitForSignalOptions = {}): Promise<T> {
    const wanted = signalName(signal)
    const name = options.as ?? wanted
    const read = (payload: unknown): T => readSignal(signal, encodeSignal(wanted, payload)) as T
    const work = (): Promise<T> => {
      const there = this.#ledger.take(this.#signals, wanted)
      if (there) return this.#perform(name, 'signal', 'bundle', () => read(there.payload))
      this.#options.effects.push({ kind: 'wait-for-signal', step: name, signal: wanted })
      return this.#stop({ outcome: 'waits', at: name })
    }
    // One that was sent is there, though the job never came to take it.
    const known = (): boolean => this.#signals.some(each => each.name === wanted)
    return this.#step<T>(name, 'signal', work, { read, known })
  }

  enqueueAndWait<Job extends AnyJob>(
    name: string,
    job: Job,
    payload: PayloadInput<Job>,
    options: EnqueueAndWaitOptions = {},
  ): Promise<ResultOutput<Job>> {
    return this.#step<ResultOutput<Job>>(name, 'job', () => {
      const child = newJob('', job, payload, options)
      const { type, payloadJson } = child
      this.#options.effects.push({
        kind: 'enqueue-and-wait',
        step: name,
        type,
        payload: JSON.parse(payloadJson) as unknown,
      })
      // The child is not run here. When it failed before, that is what the handler meets again.
      const record = this.#records.get(name)
      if (record?.state === 'failed') return this.#recall(record)
      return this.#stop({ outcome: 'waits', at: name })
    })
  }

  /** Throws `steps-changed` when something stands that this handler, now at its end, has not come to. */
  checkEnd(): void {
    this.#ledger.checkEnd()
  }

  /** The handler has returned or thrown: nothing new is begun. */
  leave(): void {
    this.#left = true
  }

  /** Resolves when steps that the handler did not wait for have ended. */
  async quiet(): Promise<void> {
    while (this.#working.size > 0) await Promise.allSettled(this.#working)
  }

  async #step<T>(
    name: string,
    kind: StepKind,
    otherwise: Answer<T>['otherwise'],
    { read = value => value as T, known = () => false }: Partial<Answer<T>> = {},
  ): Promise<T> {
    const outer = within.getStore()
    if (outer !== undefined && kind !== 'run')
      throw new QueueError(
        'invalid-argument',
        `step ${name} waits, and stands within step ${outer}: put it after that`,
      )
    if (this.stopped) return never()
    if (this.#left)
      throw new QueueError('conflict', `step ${name} is not begun: the handler has returned or thrown`)
    const place = this.#ledger.begin(checkLabel('step', name), kind)
    try {
      this.#ledger.find(place)
      return await this.#answer(name, kind, { otherwise, read, known })
    } finally {
      this.#ledger.end()
    }
  }

  async #answer<T>(name: string, kind: StepKind, { otherwise, read, known }: Answer<T>): Promise<T> {
    const { bundle, stubs, runNewSteps, signal } = this.#options
    const context: StepContext = { key: `${bundle.job.id}/${name}`, signal }
    if (Object.hasOwn(stubs, name)) {
      const stub = stubs[name]
      const value = (): unknown =>
        typeof stub === 'function' ? (stub as (context: StepContext) => unknown)(context) : stub
      return this.#perform(name, kind, 'stub', async () => read(await value()))
    }
    const record = this.#records.get(name)
    if (record?.state === 'completed') return this.#perform(name, kind, 'bundle', () => read(record.result))
    if (record?.state === 'caught') return this.#recall(record)
    if (!record && !runNewSteps && !known()) return this.#stop({ outcome: 'passed-failure-point', at: name })
    signal.throwIfAborted()
    return otherwise(context)
  }

  async #perform<T>(
    name: string,
    kind: StepKind,
    from: ReplayedStep['from'],
    work: () => T | Promise<T>,
  ): Promise<T> {
    const step: ReplayedStep = { name, kind, from, outcome: 'failed' }
    this.done.push(step)
    const working = (async () => work())()
    this.#working.add(working)
    try {
      const value = await working
      const answer = from === 'bundle' ? value : stored(name, value)
      step.outcome = 'completed'
      return answer
    } finally {
      this.#working.delete(working)
    }
  }

  #recall(record: BundledStep): Promise<never> {
    this.done.push({ name: record.name, kind: record.kind, from: 'bundle', outcome: 'failed' })
    return Promise.reject(recalled(record.name, record.error))
  }

  #stop(stopped: Stopped): Promise<never> {
    this.stopped ??= stopped
    this.#options.stopped()
    return never()
  }
}

/** A handler that goes no further is left here for good, and forgotten. */
function never<T>(): Promise<T> {
  return new Promise(() => {})
}

/** As it would look after its round trip through the store. */
function stored<T>(name: string, value: T): T {
  if (value === undefined) return value
  try {
    return JSON.parse(encodeJson(value)) as T
  } catch (cause) {
    throw new QueueError(
      'invalid-result',
      `the result of step ${name} can not be stored as JSON: ${(cause as Error).message}`,
      { cause },
    )
  }
}

function recalled(name: string, error: JobError | null): Error {
  const again = new Error(error?.message ?? `step ${name} failed`)
  again.name = error?.name ?? 'Error'
  return again
}

function asRecord(step: BundledStep): StepRecord {
  return { ...step, resultJson: null, epoch: 0, wakeAt: null, due: false, signal: null, childId: null }
}
