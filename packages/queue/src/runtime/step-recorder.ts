import { type Clock, nextTurn, sleep } from '../engine/clock.ts'
import type { Engine } from '../engine/contract.ts'
import type { StepWrite } from '../engine/step.ts'
import type { Attempt } from './attempt.ts'
import { passes } from './settler.ts'

const retryMs = 250
const atOnce = 500

interface Entry {
  attempt: Attempt
  steps: StepWrite[]
  resolve(answer: 'ok' | 'lease-lost'): void
  reject(error: unknown): void
}

/** Makes the steps of running attempts durable, those of one turn in one write. */
export class StepRecorder {
  readonly #engine: Engine
  readonly #worker: string
  readonly #clock: Clock
  readonly #trouble: (error: unknown) => void
  #waiting: Entry[] = []
  #sending = false
  #closed = false

  constructor(options: {
    engine: Engine
    worker: string
    clock: Clock
    trouble: (error: unknown) => void
  }) {
    this.#engine = options.engine
    this.#worker = options.worker
    this.#clock = options.clock
    this.#trouble = options.trouble
  }

  /** Resolves when the steps are durable, or refused. Repeats it while the store is away: what they did has happened. */
  record(attempt: Attempt, steps: StepWrite[]): Promise<'ok' | 'lease-lost'> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ attempt, steps, resolve, reject })
      if (this.#sending) return
      this.#sending = true
      nextTurn(() => void this.#send())
    })
  }

  close(): void {
    this.#closed = true
  }

  async #send(): Promise<void> {
    while (this.#waiting.length > 0) await this.#write(this.#waiting.splice(0, atOnce))
    this.#sending = false
  }

  async #write(group: Entry[]): Promise<void> {
    for (;;) {
      try {
        const reports = group.map(({ attempt, steps }) => ({ lease: attempt.claimed, steps }))
        const answers = await this.#engine.report(this.#worker, reports)
        group.forEach(({ resolve }, index) => resolve(answers[index] ?? 'lease-lost'))
        return
      } catch (error) {
        this.#trouble(error)
        if (!passes(error)) return this.#writeEach(group, error)
        for (const each of group.filter(({ attempt }) => attempt.ended || this.#closed)) each.reject(error)
        group = group.filter(({ attempt }) => !attempt.ended && !this.#closed)
        if (group.length === 0) return
        await sleep(this.#clock, retryMs)
      }
    }
  }

  /** Something in the group can't be stored: the others must not suffer for it. */
  async #writeEach(group: Entry[], error: unknown): Promise<void> {
    if (group.length === 1) group[0]?.reject(error)
    else for (const each of group) await this.#write([each])
  }
}
