import { resolve as resolvePath } from 'node:path'
import { type Clock, systemClock } from '../../engine/clock.ts'
import type { Capabilities, Health, Hint } from '../../engine/contract.ts'
import { QueueError } from '../../engine/errors.ts'
import { enqueue } from './enqueue.ts'
import { Enqueuer } from './enqueuer.ts'
import type { Effects } from './flow-changes.ts'
import { Kinds } from './kinds.ts'
import { asQueueError } from './sqlite-errors.ts'
import { memory, migrate, openStore, type Store } from './store.ts'
import { Wakeups } from './wakeups.ts'
import { Writer } from './writer.ts'

export interface SqliteOptions {
  /** A file's path, or `:memory:` for a store that ends with the engine. */
  path: string
  clock?: Clock
}

interface Opened {
  store: Store
  writer: Writer
  enqueuer: Enqueuer
  wakeups: Wakeups
  schemaVersion: number
}

/** An open store with what every operation needs: how to read, to write, and to tell listeners what was done. */
export class SqliteConnection {
  readonly capabilities: Capabilities = {
    transactions: true,
    clock: 'process',
    claimByType: true,
    attemptHistory: true,
    retention: 'by-type',
    flows: 'transactional',
    concurrencyKeys: false,
    finders: true,
    virtualTime: true,
  }
  readonly #path: string
  protected readonly clock: Clock
  protected readonly kinds = new Kinds()
  #opened: Opened | null = null
  #closed = false
  /** Whether a claim will probably find something, so that looking first would be wasted. */
  protected likely = false

  constructor(options: SqliteOptions) {
    this.#path = options.path === memory ? memory : resolvePath(options.path)
    this.clock = options.clock ?? systemClock
  }

  async open(options: { migrate?: boolean } = {}): Promise<void> {
    if (this.#closed) throw closed()
    if (this.#opened) return
    const store = openStore(this.#path)
    try {
      const schemaVersion = migrate(store, this.#path, { apply: options.migrate ?? true })
      this.kinds.refresh(store)
      const writer = new Writer(store, this.#path, this.clock)
      this.#opened = {
        store,
        schemaVersion,
        writer,
        enqueuer: new Enqueuer(writer, (within, jobs) => enqueue(within, this.kinds, this.clock.now(), jobs)),
        wakeups: new Wakeups(store, this.clock),
      }
    } catch (error) {
      store.close()
      throw error
    }
  }

  async health(): Promise<Health> {
    try {
      const { schemaVersion } = this.parts()
      this.read(store => store.get('SELECT count(*) FROM millrace_queue'))
      return { ok: true, engine: 'sqlite', durability: 'durable', schemaVersion, notes: [] }
    } catch (error) {
      const note = error instanceof Error ? error.message : String(error)
      return { ok: false, engine: 'sqlite', durability: 'durable', schemaVersion: 0, notes: [note] }
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    const opened = this.#opened
    if (!opened) return
    opened.wakeups.close()
    await opened.writer.close()
    this.#opened = null
    opened.store.close()
  }

  protected learnKinds(jobs: { queue: string; type: string }[]): void {
    // After the commit: by now the engine may have been closed.
    const store = this.#opened?.store
    if (store && jobs.some(job => this.kinds.find(job.queue, job.type) === undefined))
      this.kinds.refresh(store)
  }

  subscribe(listener: (hint: Hint) => void): () => void {
    return this.parts().wakeups.subscribe(listener)
  }

  protected hint(hint: Hint): void {
    if (hint.kind === 'ready') this.likely = true
    this.#opened?.wakeups.emit(hint)
  }

  /** What followed for others, once it is committed. */
  protected tell(effects: Effects | null): void {
    if (!effects) return
    if (effects.settled.length > 0) this.hint({ kind: 'settled', ids: new Set(effects.settled) })
    if (effects.ready) this.hint({ kind: 'ready', queue: null })
    if (effects.cancel) this.hint({ kind: 'cancel' })
  }

  protected write<T>(work: (store: Store) => T): Promise<T> {
    return this.parts().writer.write(work)
  }

  /** A write that a power cut may undo. */
  protected relaxed<T>(work: (store: Store) => T): Promise<T> {
    return this.parts().writer.write(work, { relaxed: true })
  }

  protected read<T>(work: (store: Store) => T): T {
    return this.guard(() => work(this.parts().store))
  }

  protected guard<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw asQueueError(error, this.#path)
    }
  }

  protected parts(): Opened {
    if (this.#closed) throw closed()
    if (!this.#opened) throw new QueueError('closed', 'the engine is not open yet: call open() first')
    return this.#opened
  }
}

function closed(): QueueError {
  return new QueueError('closed', 'the engine is closed')
}
