import type { Clock, Timer } from '../engine/clock.ts'
import type { Engine, Report } from '../engine/contract.ts'
import type { Attempt, Unsent } from './attempt.ts'

/** Progress is for people's eyes: what is said within this time is written once. */
const gatherMs = 200

/** Writes the progress and logs of running attempts in groups. */
export class Reporter {
  readonly #engine: Engine
  readonly #worker: string
  readonly #clock: Clock
  readonly #lost: (attempt: Attempt) => void
  readonly #trouble: (error: unknown) => void
  readonly #waiting = new Set<Attempt>()
  #timer: Timer | null = null

  constructor(options: {
    engine: Engine
    worker: string
    clock: Clock
    lost: (attempt: Attempt) => void
    trouble: (error: unknown) => void
  }) {
    this.#engine = options.engine
    this.#worker = options.worker
    this.#clock = options.clock
    this.#lost = options.lost
    this.#trouble = options.trouble
  }

  add(attempt: Attempt): void {
    this.#waiting.add(attempt)
    this.#timer ??= this.#clock.after(gatherMs, () => {
      this.#timer = null
      void this.flush()
    })
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
  }

  /** Writes what waits, of one attempt or of all. What can't be written now is kept for the next time. */
  async flush(only?: Attempt): Promise<void> {
    const attempts = only ? [only] : [...this.#waiting]
    const sent = attempts.filter(attempt => (this.#waiting.delete(attempt) || only) && attempt.unsent)
    if (sent.length === 0) return
    const unsent = sent.map(attempt => attempt.unsent as Unsent)
    const reports = sent.map((attempt, index): Report => {
      const { progress, lines, steps } = unsent[index] as Unsent
      attempt.unsent = null
      return {
        lease: attempt.claimed,
        ...(progress ? { progress } : {}),
        ...(lines.length > 0 ? { logLines: lines } : {}),
        ...(steps.length > 0 ? { steps } : {}),
      }
    })
    try {
      const answers = await this.#engine.report(this.#worker, reports)
      answers.forEach((answer, index) => {
        if (answer === 'lease-lost') this.#lost(sent[index] as Attempt)
      })
    } catch (error) {
      this.#trouble(error)
      sent.forEach((attempt, index) => {
        const { progress, lines, steps } = unsent[index] as Unsent
        attempt.unsent = {
          progress: attempt.unsent?.progress ?? progress,
          lines: [...lines, ...(attempt.unsent?.lines ?? [])],
          steps: [...steps, ...(attempt.unsent?.steps ?? [])],
        }
        this.add(attempt)
      })
    }
  }
}
