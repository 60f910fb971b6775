import type { Clock, Timer } from './engine/clock.ts'
import type { Engine, JobRecord } from './engine/contract.ts'
import { QueueError } from './engine/errors.ts'
import { isTerminal } from './job/state.ts'

/** How often a waiter looks by itself. Hints make it faster; this is what it relies on. */
const pollMs = 1_000

interface Waiter {
  resolve(record: JobRecord): void
  reject(error: unknown): void
}

/** Waits for jobs to finish. All waiters share one look at the store. */
export class ResultWaiter {
  readonly #engine: Engine
  readonly #clock: Clock
  readonly #waiting = new Map<string, Set<Waiter>>()
  #unsubscribe: (() => void) | null = null
  #poll: Timer | null = null
  #looking = false
  #again = false

  constructor(engine: Engine, clock: Clock) {
    this.#engine = engine
    this.#clock = clock
  }

  wait(id: string, options: { timeoutMs?: number; signal?: AbortSignal }): Promise<JobRecord> {
    return new Promise((resolve, reject) => {
      const { signal, timeoutMs } = options
      if (signal?.aborted) return reject(signal.reason)
      const leave = (): void => {
        timer?.cancel()
        signal?.removeEventListener('abort', onAbort)
        const waiters = this.#waiting.get(id)
        waiters?.delete(waiter)
        if (waiters?.size === 0) this.#waiting.delete(id)
        if (this.#waiting.size === 0) this.#rest()
      }
      const waiter: Waiter = {
        resolve: record => (leave(), resolve(record)),
        reject: error => (leave(), reject(error)),
      }
      const onAbort = (): void => waiter.reject(signal?.reason)
      const timer =
        timeoutMs === undefined
          ? null
          : this.#clock.after(timeoutMs, () =>
              waiter.reject(
                new QueueError('timeout', `job ${id} did not finish within ${timeoutMs} ms; it goes on`),
              ),
            )
      signal?.addEventListener('abort', onAbort, { once: true })
      const waiters = this.#waiting.get(id) ?? new Set()
      this.#waiting.set(id, waiters.add(waiter))
      this.#wake()
      void this.#look()
    })
  }

  close(): void {
    const closed = new QueueError(
      'closed',
      'the queue was closed while a result was awaited; the job goes on',
    )
    for (const waiters of [...this.#waiting.values()])
      for (const waiter of [...waiters]) waiter.reject(closed)
  }

  #wake(): void {
    this.#unsubscribe ??= this.#engine.subscribe(hint => {
      if (hint.kind !== 'settled') return
      if (hint.ids === null || [...this.#waiting.keys()].some(id => hint.ids?.has(id))) void this.#look()
    })
    this.#poll ??= this.#clock.after(pollMs, () => {
      this.#poll = null
      this.#wake()
      void this.#look()
    })
  }

  #rest(): void {
    this.#poll?.cancel()
    this.#poll = null
    this.#unsubscribe?.()
    this.#unsubscribe = null
  }

  async #look(): Promise<void> {
    this.#again = true
    if (this.#looking) return
    this.#looking = true
    while (this.#again && this.#waiting.size > 0) {
      this.#again = false
      const ids = [...this.#waiting.keys()]
      try {
        const records = await this.#engine.get(ids)
        ids.forEach((id, index) => this.#tell(id, records[index] ?? null))
      } catch (error) {
        // An engine that is away for a moment is asked again at the next poll; a refusal is final.
        if (!(error instanceof QueueError) || error.code !== 'unavailable')
          for (const id of ids) for (const waiter of [...(this.#waiting.get(id) ?? [])]) waiter.reject(error)
      }
    }
    this.#looking = false
  }

  #tell(id: string, record: JobRecord | null): void {
    if (record && !isTerminal(record.state)) return
    for (const waiter of [...(this.#waiting.get(id) ?? [])])
      if (record) waiter.resolve(record)
      else
        waiter.reject(
          new QueueError('not-found', `no job ${id}: never enqueued here, or pruned by its retention`),
        )
  }
}
