import { QueueError } from '../engine/errors.ts'
import { newJob } from '../enqueue.ts'
import { type Dependencies, ReadDependencies } from '../flow/dependencies.ts'
import { checkLabel } from '../flow/label.ts'
import type { AttemptLog, FlowContext, Handler, HandlerContext, RunningJob } from '../handler.ts'
import { describeError } from '../job/attempt-error.ts'
import type { JobError } from '../job/error.ts'
import { Snooze, snooze } from '../runtime/attempt.ts'
import { decodePayload, encodeResult } from '../validate.ts'
import type { ReplayBundle } from './bundle.ts'
import { readBundle } from './read-bundle.ts'
import { type ReplayEffect, ReplaySteps, type ReplayedStep } from './replay-steps.ts'

export interface ReplayOptions {
  /**
   * What stands in for steps, by name: a result, or a function of the step's context that makes it or throws. It goes
   * before what the bundle holds.
   */
  stubs?: Readonly<Record<string, unknown>>
  /** Runs steps that the job never reached, too. Default: the replay ends at the first of them. */
  runNewSteps?: boolean
  /** What `complete(work)` hands to `work`. Without one, `work` is not called and its result is undefined. */
  tx?: unknown
  /** Reaches the handler as its own. */
  signal?: AbortSignal
  /** Hears log lines as they are written. */
  onLog?: (line: ReplayLog) => void
}

export interface ReplayLog {
  level: keyof AttemptLog
  message: string
  data: unknown
}

export interface Replay {
  /**
   * - `completed`: the handler returned.
   * - `failed`: it threw.
   * - `passed-failure-point`: it came to a step that the job never reached, so what stopped the job no longer does.
   * - `waits`: it waits for a signal or a job that the bundle does not hold; stub the step.
   * - `snoozed`: it put itself off.
   */
  outcome: 'completed' | 'failed' | 'passed-failure-point' | 'waits' | 'snoozed'
  /** It failed as the job did: the error has the same fingerprint. */
  reproduced: boolean
  result: unknown
  error: JobError | null
  /** The step at which it ended, for `passed-failure-point` and `waits`. */
  at: string | null
  steps: ReplayedStep[]
  /** What would have reached the store, and did not. */
  effects: ReplayEffect[]
  logs: ReplayLog[]
  progress: { percent: number; message: string | null } | null
}

/**
 * Runs a handler once on a bundle, offline: no store, no worker. Steps that completed answer from the bundle; the one that
 * failed runs for real, as does all that stands outside of steps. Sleeps pass at once; signals, children, `flow.add`,
 * `complete` and `snooze` touch nothing and are told as effects. Throws `invalid-argument` when the handler is for another
 * type, and what `readBundle` throws.
 */
export async function replay(
  handler: Handler,
  bundle: ReplayBundle,
  options: ReplayOptions = {},
): Promise<Replay> {
  const checked = readBundle(bundle)
  const { type } = checked.job
  if (handler.job.type !== type && !handler.job.aliases.includes(type))
    throw new QueueError(
      'invalid-argument',
      `the bundle holds a job of type ${type}, and the handler is for ${handler.job.type}`,
    )
  return new Run(handler, checked, options).run()
}

const neverStopped = new AbortController().signal

class Run implements HandlerContext {
  payload: unknown = undefined
  readonly job: RunningJob
  readonly signal: AbortSignal
  readonly step: ReplaySteps
  readonly dependencies: Dependencies
  readonly #handler: Handler
  readonly #bundle: ReplayBundle
  readonly #options: ReplayOptions
  readonly #effects: ReplayEffect[] = []
  readonly #logs: ReplayLog[] = []
  readonly #added = new Map<string, string>()
  readonly #stopped: Promise<void>
  #progress: Replay['progress'] = null
  #completed = false

  constructor(handler: Handler, bundle: ReplayBundle, options: ReplayOptions) {
    this.#handler = handler
    this.#bundle = bundle
    this.#options = options
    const { id, type, queue, tenant, priority, attempt, maxAttempts, epoch, createdAt } = bundle.job
    this.job = { id, type, queue, tenant, priority, attempt, maxAttempts, epoch, createdAt }
    this.signal = options.signal ?? neverStopped
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#stopped = promise
    this.step = new ReplaySteps({
      bundle,
      stubs: options.stubs ?? {},
      runNewSteps: options.runNewSteps ?? false,
      signal: this.signal,
      effects: this.#effects,
      stopped: resolve,
    })
    this.dependencies = new ReadDependencies(async () =>
      bundle.dependencies.map(({ result, error, ...rest }) => ({
        ...rest,
        resultJson: JSON.stringify(result),
        lastError: error,
      })),
    )
  }

  async run(): Promise<Replay> {
    const ended = this.#handled()
    await Promise.race([ended, this.#stopped])
    await this.step.quiet()
    const { stopped } = this.step
    return stopped ? this.#ended(stopped.outcome, { at: stopped.at }) : ended
  }

  /** As a worker would take it. */
  async #handled(): Promise<Replay> {
    try {
      this.payload = decodePayload(this.#handler.job, JSON.stringify(this.#bundle.job.payload))
      const value = await this.#handler.run(this)
      this.step.leave()
      await this.step.quiet()
      if (this.#completed) return this.#ended('completed', { result: value })
      this.step.checkEnd()
      return this.#ended('completed', { result: read(encodeResult(this.#handler.job, value)) })
    } catch (thrown) {
      this.step.leave()
      await this.step.quiet()
      if (this.#completed) return this.#ended('completed', {})
      if (thrown instanceof Snooze) {
        this.#effects.push({ kind: 'snooze', inMs: thrown.inMs, reason: thrown.reason })
        return this.#ended('snoozed', {})
      }
      const error = describeError(thrown)
      const reproduced = error.fingerprint === this.#bundle.job.error?.fingerprint
      return this.#ended('failed', { error, reproduced })
    }
  }

  #ended(outcome: Replay['outcome'], rest: Partial<Replay>): Replay {
    return {
      outcome,
      reproduced: false,
      result: undefined,
      error: null,
      at: null,
      steps: this.step.done,
      effects: this.#effects,
      logs: this.#logs,
      progress: this.#progress,
      ...rest,
    }
  }

  get log(): AttemptLog {
    const write =
      (level: keyof AttemptLog) =>
      (message: string, data: unknown = null): void => {
        const line = { level, message: String(message), data }
        this.#logs.push(line)
        this.#options.onLog?.(line)
      }
    return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
  }

  get flow(): FlowContext {
    const add: FlowContext['add'] = async (name, job, payload, options = {}) => {
      const node = newJob('', job, payload, options)
      const known = this.#added.get(checkLabel('node', name))
      if (known !== undefined) return known
      const id = `00000000-0000-7000-8000-${String(this.#added.size + 1).padStart(12, '0')}`
      this.#added.set(name, id)
      const stored = JSON.parse(node.payloadJson) as unknown
      this.#effects.push({ kind: 'flow-add', name, type: job.type, payload: stored, id })
      return id
    }
    return { id: this.#bundle.job.flow, add }
  }

  get progress(): HandlerContext['progress'] {
    return (percent, message) => {
      this.#progress = { percent, message: message ?? null }
    }
  }

  get snooze(): HandlerContext['snooze'] {
    return snooze
  }

  get complete(): HandlerContext['complete'] {
    return async work => {
      this.#effects.push({ kind: 'complete' })
      if (this.#options.tx === undefined) {
        this.#completed = true
        return undefined
      }
      const result = await work(this.#options.tx)
      const stored = read(encodeResult(this.#handler.job, result))
      this.#completed = true
      return stored
    }
  }
}

function read(json: string | null): unknown {
  return json === null ? null : (JSON.parse(json) as unknown)
}
