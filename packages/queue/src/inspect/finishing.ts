import type { Clock, Timer } from '../engine/clock.ts'
import type { Engine, Hint } from '../engine/contract.ts'
import { isQueueError } from '../engine/errors.ts'
import { isTerminal, type TerminalState } from '../job/state.ts'

/** `gone`: somebody removed it. */
export type End = TerminalState | 'gone'

/** How often all are looked at. Hints make it faster; this is what it relies on. */
const pollMs = 1_000
/** Hints can come a thousand a second. The more jobs a look reads, the further it is from the next. */
const looksApartMs = 100
const moreApartMs = 0.2
const askedAtOnce = 500

/**
 * How jobs end, as they do: each turn of the iteration is what has ended since the one before. Over when all have, or
 * when the signal fires.
 */
export class Finishing implements AsyncIterable<End[]> {
  readonly #engine: Engine
  readonly #clock: Clock
  readonly #left: Set<string>
  readonly #signal: AbortSignal | undefined
  /** Named by hints since the last look; null: any. */
  #named: Set<string> | null = null
  #wake: () => void = () => {}

  constructor(engine: Engine, clock: Clock, ids: readonly string[], signal?: AbortSignal) {
    this.#engine = engine
    this.#clock = clock
    this.#left = new Set(ids)
    this.#signal = signal
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<End[]> {
    const unsubscribe = this.#engine.subscribe(hint => this.#hear(hint))
    const onAbort = (): void => this.#wake()
    this.#signal?.addEventListener('abort', onAbort)
    try {
      while (this.#left.size > 0 && !this.#signal?.aborted) {
        // A hint can name what the look under way has found meanwhile.
        const asked = [...(this.#named ?? this.#left)].filter(id => this.#left.has(id))
        this.#named = new Set()
        const ends = await this.#look(asked)
        if (ends.length > 0) yield ends
        else if (this.#left.size > 0) await this.#rest()
      }
    } finally {
      unsubscribe()
      this.#signal?.removeEventListener('abort', onAbort)
    }
  }

  #hear(hint: Hint): void {
    if (hint.kind !== 'settled') return
    if (hint.ids === null) this.#named = null
    else for (const id of hint.ids) if (this.#left.has(id)) this.#named?.add(id)
    if (this.#named === null || this.#named.size > 0) this.#wake()
  }

  async #look(ids: string[]): Promise<End[]> {
    const ends: End[] = []
    for (let from = 0; from < ids.length; from += askedAtOnce) {
      const chunk = ids.slice(from, from + askedAtOnce)
      const records = await this.#engine.get(chunk).catch(error => {
        // Away for a moment: it is asked again at the next poll.
        if (isQueueError(error, 'unavailable')) return null
        throw error
      })
      if (records === null) return ends
      chunk.forEach((id, index) => {
        const state = records[index]?.state ?? 'gone'
        if (state !== 'gone' && !isTerminal(state)) return
        this.#left.delete(id)
        ends.push(state)
      })
    }
    return ends
  }

  /** Until a hint, at the latest a poll, when all are looked at. Not shorter than looks may be apart. */
  #rest(): Promise<void> {
    return new Promise(resolve => {
      const startedMs = this.#clock.monotonic()
      let early: Timer | null = null
      const end = (): void => {
        this.#wake = () => {}
        early?.cancel()
        poll.cancel()
        resolve()
      }
      const poll = this.#clock.after(pollMs, () => {
        this.#named = null
        end()
      })
      this.#wake = () => {
        const apartMs = looksApartMs + Math.round(moreApartMs * (this.#named ?? this.#left).size)
        const waitedMs = this.#clock.monotonic() - startedMs
        if (this.#signal?.aborted || waitedMs >= apartMs) end()
        else early ??= this.#clock.after(Math.ceil(apartMs - waitedMs), end)
      }
      // What was heard while the look was under way.
      if (this.#named === null || this.#named.size > 0 || this.#signal?.aborted) this.#wake()
    })
  }
}
