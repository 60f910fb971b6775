import type { Clock } from '../engine/clock.ts'
import type { Engine } from '../engine/contract.ts'
import { QueueError } from '../engine/errors.ts'
import type { DependencyRecord, ExtendAnswer, NewNode } from '../engine/flow.ts'
import type { StepRecord, StepWrite } from '../engine/step.ts'
import type { Attempt } from './attempt.ts'
import type { Ended, StepHost } from './step-memory.ts'
import { StepRecorder } from './step-recorder.ts'

/** What running attempts read from the store, and write to it beside their ends. */
export class AttemptStore implements StepHost {
  readonly newId: () => string
  readonly #engine: Engine
  readonly #worker: string
  readonly #clock: Clock
  readonly #recorder: StepRecorder
  readonly #lost: (attempt: Attempt) => void

  constructor(options: {
    engine: Engine
    worker: string
    clock: Clock
    newId: () => string
    /** The store says that the attempt's lease is gone. */
    lost: (attempt: Attempt) => void
    trouble: (error: unknown) => void
  }) {
    this.newId = options.newId
    this.#engine = options.engine
    this.#worker = options.worker
    this.#clock = options.clock
    this.#lost = options.lost
    this.#recorder = new StepRecorder(options)
  }

  monotonic(): number {
    return this.#clock.monotonic()
  }

  steps(attempt: Attempt): Promise<StepRecord[]> {
    return this.#engine.steps(attempt.claimed.id)
  }

  signals(attempt: Attempt): Promise<{ id: string; name: string; payloadJson: string }[]> {
    return this.#engine.signals(attempt.claimed.id)
  }

  async job(id: string): Promise<Ended | null> {
    return (await this.#engine.get([id]))[0] ?? null
  }

  dependencies(attempt: Attempt): Promise<DependencyRecord[]> {
    return this.#engine.dependencies(attempt.claimed.id)
  }

  async record(attempt: Attempt, steps: StepWrite[]): Promise<void> {
    if ((await this.#recorder.record(attempt, steps)) === 'ok') return
    this.#lost(attempt)
    throw new QueueError(
      'lease-lost',
      `the job is no longer this attempt's; step ${steps.at(-1)?.name ?? ''} was not recorded`,
    )
  }

  extend(attempt: Attempt, nodes: NewNode[]): Promise<ExtendAnswer> {
    return this.#engine.extendFlow(this.#worker, attempt.claimed, nodes)
  }

  close(): void {
    this.#recorder.close()
  }
}
