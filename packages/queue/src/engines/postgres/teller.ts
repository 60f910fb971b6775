import type { Clock } from '../../engine/clock.ts'
import type { Hint, RescuedJob, SettleAnswer, Settlement } from '../../engine/contract.ts'
import type { Moved } from './settlements.ts'
import { wake } from './wakeups.ts'

/** A completion is told to other processes at most this often: who awaits results looks once for all of them. */
const tellMs = 25

/** Tells this process what its own calls have changed, and says who it is to the others. */
export class Teller {
  readonly #clock: Clock
  readonly #from: string
  readonly #emit: (hint: Hint) => void
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(options: { clock: Clock; from: string; emit: (hint: Hint) => void }) {
    this.#clock = options.clock
    this.#from = options.from
    this.#emit = options.emit
  }

  /** What is said to others, and by whom. */
  say(what: keyof typeof wake): string {
    return `${wake[what]} ${this.#from}`
  }

  /** Many settle a thousand times a second; who awaits a result is told of it all the same, a moment later. */
  toldLately(): boolean {
    const now = this.#clock.monotonic()
    if (now - this.#toldAt < tellMs && this.#clock.real) return true
    this.#toldAt = now
    return false
  }

  feed(kind: 'watch' | 'feed'): void {
    this.#emit({ kind })
  }

  ready(queue: string | null): void {
    this.#emit({ kind: 'ready', queue })
  }

  moved({ skipped, ready, asked }: Moved, ended: readonly string[] = []): void {
    const ids = new Set([...ended, ...skipped])
    if (ids.size > 0) this.#emit({ kind: 'settled', ids })
    if (ready) this.ready(null)
    if (asked) this.#emit({ kind: 'cancel' })
  }

  settled(settlements: readonly Settlement[], answers: readonly SettleAnswer[], moved: Moved): void {
    const ended: string[] = []
    let ready = moved.ready
    settlements.forEach(({ lease, outcome }, index) => {
      if (answers[index] !== 'settled') return
      ended.push(lease.id)
      // A wait that is over at once is among what moved.
      if (!['complete', 'dead', 'wait'].includes(outcome.kind)) ready = true
    })
    this.moved({ ...moved, ready }, ended)
  }

  /** What followed in the flows of those that ended is not told one by one: it is rare. */
  rescued(rescued: readonly RescuedJob[]): void {
    if (rescued.length === 0) return
    if (rescued.some(job => job.now !== 'queued')) {
      this.#emit({ kind: 'settled', ids: null })
      this.#emit({ kind: 'cancel' })
    }
    this.ready(null)
  }
}
