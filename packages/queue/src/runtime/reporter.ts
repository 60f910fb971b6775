import { atMost, type Clock, type Timer } from '../engine/clock.ts'
import type { Engine, Report } from '../engine/contract.ts'
import type { Attempt, Unsent } from './attempt.ts'

/** Progress is for people's eyes: what is said within this time is written once. */
const gatherMs = 200
/** What is never answered must not keep an attempt from being settled. */
const patienceMs = 5_000

/** What is on its way, and is given back to its attempt when it does not arrive. */
interface Parcel {
  attempt: Attempt
  unsent: Unsent
}

/** Writes the progress and logs of running attempts in groups. */
export class Reporter {
  readonly #engine: Engine
  readonly #worker: string
  readonly #clock: Clock
  readonly #lost: (attempt: Attempt) => void
  readonly #trouble: (error: unknown) => void
  readonly #waiting = new Set<Attempt>()
  /** One report of an attempt at a time: what it says later must not be written sooner. */
  readonly #sending = new Map<Attempt, Promise<void>>()
  #timer: Timer | null = null
  #stopped = false

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
    if (this.#stopped) return
    this.#waiting.add(attempt)
    this.#timer ??= this.#clock.after(gatherMs, () => {
      this.#timer = null
      void this.flush()
    })
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    this.#timer = null
  }

  isSending(attempt: Attempt): boolean {
    return this.#sending.has(attempt)
  }

  /** Writes what waits. What can't be written now is kept for the next time. */
  async flush(): Promise<void> {
    void this.#send([...this.#waiting].filter(attempt => !this.isSending(attempt)))
    await Promise.all(this.#sending.values())
  }

  /** Writes all that an attempt has still to say. A report that is on its way would be refused after its end. */
  async finish(attempt: Attempt): Promise<void> {
    const sending = this.#sending.get(attempt)
    if (sending) await atMost(this.#clock, patienceMs, sending)
    await this.#send([attempt])
  }

  #send(attempts: Attempt[]): Promise<void> {
    const parcels = attempts.flatMap((attempt): Parcel[] => {
      const { unsent } = attempt
      this.#waiting.delete(attempt)
      attempt.unsent = null
      return unsent ? [{ attempt, unsent }] : []
    })
    if (parcels.length === 0) return Promise.resolve()
    const sending = this.#write(parcels).finally(() => this.#sent(parcels, sending))
    for (const { attempt } of parcels) this.#sending.set(attempt, sending)
    return sending
  }

  #sent(parcels: Parcel[], sending: Promise<void>): void {
    for (const { attempt } of parcels) {
      if (this.#sending.get(attempt) === sending) this.#sending.delete(attempt)
      if (attempt.unsent) this.add(attempt)
    }
  }

  async #write(parcels: Parcel[]): Promise<void> {
    try {
      const answers = await this.#engine.report(this.#worker, parcels.map(reportOf))
      answers.forEach((answer, index) => {
        if (answer === 'lease-lost') this.#lost((parcels[index] as Parcel).attempt)
      })
    } catch (error) {
      this.#trouble(error)
      for (const parcel of parcels) giveBack(parcel)
    }
  }
}

function reportOf({ attempt, unsent }: Parcel): Report {
  const { progress, lines, steps } = unsent
  return {
    lease: attempt.claimed,
    ...(progress ? { progress } : {}),
    ...(lines.length > 0 ? { logLines: lines } : {}),
    ...(steps.length > 0 ? { steps } : {}),
  }
}

/** Before what the attempt has said meanwhile. */
function giveBack({ attempt, unsent: { progress, lines, steps } }: Parcel): void {
  attempt.unsent = {
    progress: attempt.unsent?.progress ?? progress,
    lines: [...lines, ...(attempt.unsent?.lines ?? [])],
    steps: [...steps, ...(attempt.unsent?.steps ?? [])],
  }
}
