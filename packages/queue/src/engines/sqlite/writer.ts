import { type Clock, sleep } from '../../engine/clock.ts'
import { QueueError } from '../../engine/errors.ts'
import { asQueueError, isBusy, isReadOnly } from './sqlite-errors.ts'
import { memory, type Store } from './store.ts'

interface Write {
  work: (store: Store) => unknown
  alone: boolean
  relaxed: boolean
  resolve: (value: never) => void
  reject: (error: unknown) => void
}

interface WriteOptions {
  /** Shares no transaction, so that it runs only once. */
  alone?: boolean
  /**
   * Acknowledges nothing to anybody outside: a claim, a heartbeat. A power cut may undo it, together with the process
   * that it was for; until the next durable write it need not reach the disk.
   */
  relaxed?: boolean
}

/** How long a write waits for other processes before it is refused. */
const patienceMs = 15_000
const crowdLeast = 4
/** At most so many turns of the event loop share a transaction. */
const turnsMost = 12

/**
 * All writes of one connection. Those that are asked for in the same turn of the event loop, and in the next ones of a
 * crowd, share one transaction and so one fsync. A write that throws takes nobody along: the group is rolled back and each is run by itself, so a
 * write must change nothing but the database until it is committed.
 */
export class Writer {
  readonly #store: Store
  readonly #path: string
  readonly #clock: Clock
  #waiting: Write[] = []
  #scheduled = false
  /** How many writes the last group was closed with. */
  #crowd = 0
  #running: Promise<void> | null = null
  #closed = false
  #mayOnlyRead = false

  constructor(store: Store, path: string, clock: Clock) {
    this.#store = store
    this.#path = path
    this.#clock = clock
  }

  /** Resolves with what `work` answered once that is durable. */
  write<T>(work: (store: Store) => T, options: WriteOptions = {}): Promise<T> {
    if (this.#closed) return Promise.reject(new QueueError('closed', 'the engine is closed'))
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({
        work,
        resolve,
        reject,
        alone: options.alone ?? false,
        relaxed: options.relaxed ?? false,
      })
      if (this.#scheduled) return
      this.#scheduled = true
      setImmediate(() => this.#gather(0, 1))
    })
  }

  /** Where writes come in crowds, as from many connections, the group is closed by the first turn that brings no more. */
  #gather(before: number, turn: number): void {
    const count = this.#waiting.length
    if (this.#crowd >= crowdLeast && count > before && turn < turnsMost) {
      setImmediate(() => this.#gather(count, turn + 1))
      return
    }
    this.#crowd = count
    this.#scheduled = false
    this.#running ??= this.#flush().finally(() => {
      this.#running = null
    })
  }

  /** Finishes what was asked for, and takes nothing more. */
  async close(): Promise<void> {
    this.#closed = true
    while (this.#waiting.length > 0 || this.#running) {
      if (this.#running) await this.#running
      else await new Promise(resolve => setImmediate(resolve))
    }
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup()
      try {
        const answers = await this.#commit(group)
        group.forEach((write, index) => write.resolve(answers[index] as never))
      } catch (error) {
        // A lock has been waited for once, for all of them, and nothing has run.
        if (group.length === 1 || isBusy(error))
          for (const write of group) write.reject(asQueueError(error, this.#path))
        else await this.#each(group)
      }
    }
  }

  #takeGroup(): Write[] {
    const first = this.#waiting.findIndex(write => write.alone)
    const size = first === -1 ? this.#waiting.length : Math.max(1, first)
    return this.#waiting.splice(0, size)
  }

  async #each(group: Write[]): Promise<void> {
    for (const write of group) {
      try {
        const [answer] = await this.#commit([write])
        write.resolve(answer as never)
      } catch (error) {
        write.reject(asQueueError(error, this.#path))
      }
    }
  }

  async #commit(group: Write[]): Promise<unknown[]> {
    await this.#begin({ relaxed: group.every(write => write.relaxed) })
    // Beginning may have renewed the connection.
    const { db } = this.#store
    try {
      const answers = group.map(write => write.work(this.#store))
      db.exec('COMMIT')
      return answers
    } catch (error) {
      // SQLite has rolled back by itself after some errors (disk full, I/O).
      if (db.isTransaction) db.exec('ROLLBACK')
      this.#mayOnlyRead = isReadOnly(error)
      throw error
    }
  }

  /** Perhaps the file may be written by now. */
  #renew(): void {
    this.#mayOnlyRead = false
    if (this.#path !== memory) this.#store.renew(this.#path)
  }

  /** Only here is another process's lock met: whoever has begun a write transaction will commit. */
  async #begin(options: { relaxed: boolean }): Promise<void> {
    const startedAt = this.#clock.monotonic()
    for (let tries = 0; ; tries++) {
      try {
        if (!this.#store.db.isOpen || this.#mayOnlyRead) this.#renew()
        this.#store.relax(options.relaxed)
        this.#store.db.exec('BEGIN IMMEDIATE')
        return
      } catch (error) {
        this.#mayOnlyRead = isReadOnly(error)
        if (!isBusy(error) || this.#clock.monotonic() - startedAt > patienceMs) throw error
        // Not a blocking wait: the lock may be held by this very process, in a transaction that awaits something.
        await sleep(this.#clock, Math.min(50, 2 + tries * 2))
      }
    }
  }
}
