import type { AnyJob } from '../definition.ts'
import type { Clock, Timer } from '../engine/clock.ts'
import type { ClaimedJob, LogLevel, LogLine, Progress } from '../engine/contract.ts'
import { QueueError } from '../engine/errors.ts'
import type { StepWrite } from '../engine/step.ts'
import { type Dependencies, ReadDependencies } from '../flow/dependencies.ts'
import type { Steps } from '../flow/steps.ts'
import type { AttemptLog, FlowContext, HandlerContext, RunningJob } from '../handler.ts'
import { storable } from '../job/attempt-error.ts'
import { encodeJson } from '../job/json.ts'
import type { AttemptStore } from './attempt-store.ts'
import { FlowExtension } from './flow-extension.ts'
import { StepMemory } from './step-memory.ts'

/** Thrown by `snooze` to leave the handler. */
export class Snooze {
  readonly inMs: number
  readonly reason: string
  constructor(inMs: number, reason: string) {
    this.inMs = inMs
    this.reason = reason
  }
}

/** Why an attempt was told to stop. */
export type StopReason = 'timeout' | 'cancelled' | 'lease-lost' | 'shutdown'

/** What an attempt asks of the worker that runs it. */
export interface AttemptHost {
  readonly clock: Clock
  readonly store: AttemptStore
  reported(attempt: Attempt): void
  /** Its handler came to a step that waits: the attempt is over. */
  waits(attempt: Attempt): void
  completeIn(attempt: Attempt, work: (tx: unknown) => unknown): Promise<unknown>
}

/** What an attempt has said, and is not written yet. */
export interface Unsent {
  progress: Progress | null
  lines: LogLine[]
  steps: StepWrite[]
}

const unsentLinesKept = 1_000
const longestMessage = 4_000

/**
 * One attempt at one job, and the context its handler sees. Everything a quick handler does not touch is made only when
 * it is touched.
 */
export class Attempt implements HandlerContext, AttemptLog {
  readonly claimed: ClaimedJob
  readonly definition: AnyJob
  readonly startedAt: number
  payload: unknown = undefined
  /** Set once the attempt has ended for the worker; what the handler does later counts for nothing. */
  ended = false
  /** Set when the handler committed the completion itself. */
  completed = false
  stopped: { reason: StopReason; error: QueueError } | null = null
  timers: Timer[] | null = null
  unsent: Unsent | null = null
  /** Made when the handler uses a step. */
  memory: StepMemory | null = null
  readonly #host: AttemptHost
  #controller: AbortController | null = null
  #job: RunningJob | null = null
  #flow: FlowExtension | null = null
  #dependencies: ReadDependencies | null = null

  constructor(host: AttemptHost, claimed: ClaimedJob, definition: AnyJob) {
    this.#host = host
    this.claimed = claimed
    this.definition = definition
    this.startedAt = host.clock.monotonic()
  }

  get job(): RunningJob {
    if (!this.#job) {
      const { id, type, queue, tenant, priority, attempt, maxAttempts, epoch, createdAt } = this.claimed
      this.#job = { id, type, queue, tenant, priority, attempt, maxAttempts, epoch, createdAt }
    }
    return this.#job
  }

  get log(): AttemptLog {
    return {
      debug: (message, data) => this.debug(message, data),
      info: (message, data) => this.info(message, data),
      warn: (message, data) => this.warn(message, data),
      error: (message, data) => this.error(message, data),
    }
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.stopped) this.#controller.abort(this.stopped.error)
    }
    return this.#controller.signal
  }

  get step(): Steps {
    this.memory ??= new StepMemory(this, this.#host.store, () => this.#host.waits(this))
    return this.memory
  }

  get flow(): FlowContext {
    this.#flow ??= new FlowExtension(this, {
      newId: this.#host.store.newId,
      extend: nodes => this.#host.store.extend(this, nodes),
    })
    return this.#flow
  }

  get dependencies(): Dependencies {
    this.#dependencies ??= new ReadDependencies(() => this.#host.store.dependencies(this))
    return this.#dependencies
  }

  get ranMs(): number {
    return this.#host.clock.monotonic() - this.startedAt
  }

  /** Fires the signal, once. */
  stop(reason: StopReason, error: QueueError): void {
    if (this.stopped || this.ended) return
    this.stopped = { reason, error }
    this.#controller?.abort(error)
  }

  // Handlers take functions out of their context, `({ progress, log }) => …`, so each is bound when it is taken.

  get progress(): HandlerContext['progress'] {
    return (percent, message, data) => this.#progress(percent, message, data)
  }

  get snooze(): HandlerContext['snooze'] {
    return (inMs, reason) => snooze(inMs, reason)
  }

  get complete(): HandlerContext['complete'] {
    return work => this.#host.completeIn(this, work)
  }

  #progress(percent: number, message?: string, data?: unknown): void {
    if (this.ended) return
    const bounded = Number.isFinite(percent) ? Math.min(100, Math.max(0, percent)) : 0
    this.#unsent().progress = {
      percent: bounded,
      message: message === undefined ? null : storable(String(message), longestMessage),
      dataJson: data === undefined ? null : readable(data),
    }
    this.#host.reported(this)
  }

  debug(message: string, data?: unknown): void {
    this.#write('debug', message, data)
  }

  info(message: string, data?: unknown): void {
    this.#write('info', message, data)
  }

  warn(message: string, data?: unknown): void {
    this.#write('warn', message, data)
  }

  error(message: string, data?: unknown): void {
    this.#write('error', message, data)
  }

  #write(level: LogLevel, message: string, data: unknown): void {
    if (this.ended) return
    const { lines } = this.#unsent()
    if (lines.length >= unsentLinesKept) return
    lines.push({
      level,
      message: storable(String(message), longestMessage),
      dataJson: data === undefined ? null : readable(data),
      at: this.#host.clock.now(),
    })
    this.#host.reported(this)
  }

  /** To be written before the attempt is settled. */
  leave(steps: StepWrite[]): void {
    if (steps.length > 0) this.#unsent().steps.push(...steps)
  }

  #unsent(): Unsent {
    this.unsent ??= { progress: null, lines: [], steps: [] }
    return this.unsent
  }
}

/** Leaves the handler by throwing. */
export function snooze(inMs: number, reason = 'snoozed'): never {
  if (!Number.isFinite(inMs) || inMs < 0)
    throw new QueueError('invalid-argument', `snooze takes milliseconds of at least 0, not ${inMs}`)
  throw new Snooze(Math.round(inMs), storable(reason, 1_000))
}

/** Log data is for people: what can't be written as JSON is told, not thrown. */
function readable(data: unknown): string {
  try {
    const json = encodeJson(data)
    return json.length <= 16_000
      ? json
      : JSON.stringify({ cut: `${json.length} characters of data were too many` })
  } catch (error) {
    return JSON.stringify({ unreadable: storable(String((error as Error).message), 500) })
  }
}
