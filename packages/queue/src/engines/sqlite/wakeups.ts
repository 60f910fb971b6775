import type { Clock, Timer } from '../../engine/clock.ts'
import type { Hint } from '../../engine/contract.ts'
import type { Store } from './store.ts'

/**
 * How often to ask whether another connection has written. `PRAGMA data_version` reads a counter in shared memory, so
 * 28 looks a second cost a fraction of a percent of a core, and another process's job starts within 50 ms.
 */
const lookMs = 35

/** Tells listeners at once what this engine did, and soon that another process did something. */
export class Wakeups {
  readonly #store: Store
  readonly #clock: Clock
  readonly #listeners = new Set<(hint: Hint) => void>()
  #timer: Timer | null = null
  #version = -1

  constructor(store: Store, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  subscribe(listener: (hint: Hint) => void): () => void {
    this.#listeners.add(listener)
    if (!this.#timer && this.#clock.real) {
      this.#version = this.#read()
      this.#look()
    }
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.close()
    }
  }

  emit(hint: Hint): void {
    for (const listener of this.#listeners) {
      try {
        listener(hint)
      } catch {
        // A hint may be lost: whoever fails to take one looks by itself later. What was written stays written.
      }
    }
  }

  close(): void {
    this.#timer?.cancel()
    this.#timer = null
  }

  #look(): void {
    this.#timer = this.#clock.after(lookMs, () => {
      this.#look()
      const version = this.#read()
      if (version === this.#version) return
      this.#version = version
      this.emit({ kind: 'ready', queue: null })
      this.emit({ kind: 'cancel' })
      this.emit({ kind: 'settled', ids: null })
      this.emit({ kind: 'watch' })
      this.emit({ kind: 'feed' })
    })
    // Waiting for others must not keep a process alive that is otherwise done.
    this.#timer.unref?.()
  }

  #read(): number {
    if (!this.#store.db.isOpen) return this.#version
    try {
      return this.#store.get<{ data_version: number }>('PRAGMA data_version')?.data_version ?? -1
    } catch {
      return this.#version
    }
  }
}
