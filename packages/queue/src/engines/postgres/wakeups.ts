import type { Client } from 'pg'
import { atMost, type Clock, type Timer } from '../../engine/clock.ts'
import type { Hint } from '../../engine/contract.ts'
import { destroy, part } from './connections.ts'
import type { Queries } from './queries.ts'
import type { Store } from './store.ts'

/** How soon to try again when the listening connection broke. */
const retryMs = 500
/** A listening connection hears nothing when it is broken in a quiet way: it is asked this often, and given this long. */
const pingMs = 7_000
const pongMs = 4_000
/** Without LISTEN, how often to look. */
const lookMs = 80
/** A virtual clock's second must not cost ten questions. */
const virtualLookMs = 1_000

/** Where a store's wake-ups are said. */
export function channelOf(storeId: string): string {
  return `millrace:${storeId}`
}

/** What is said to all who listen, and by whom: a process does not wake itself. */
export const wake = {
  ready: 'ready',
  settled: 'settled',
  cancel: 'cancel',
  /** Said by the database: jobs have ended, and others are ready for that. */
  moved: 'moved',
  /** Said by the database: and some that run are asked to stop. */
  all: 'all',
  watch: 'watch',
  feed: 'feed',
} as const

const ready: Hint = { kind: 'ready', queue: null }
const settled: Hint = { kind: 'settled', ids: null }
const cancel: Hint = { kind: 'cancel' }
const watch: Hint = { kind: 'watch' }
const feed: Hint = { kind: 'feed' }
const everything: Hint[] = [ready, cancel, settled, watch, feed]
const hints: Record<string, Hint[] | undefined> = {
  [wake.ready]: [ready],
  [wake.settled]: [settled],
  [wake.cancel]: [cancel],
  [wake.moved]: [settled, ready],
  [wake.all]: [ready, cancel, settled],
  [wake.watch]: [watch],
  [wake.feed]: [feed],
}

/** Tells listeners at once what this engine did, and soon what other processes did. */
export class Wakeups {
  readonly #store: Store
  readonly #clock: Clock
  readonly #channel: string
  readonly #from: string
  readonly #look: () => Promise<Hint[]>
  readonly #expect: (hint: Hint) => void
  readonly #listeners = new Set<(hint: Hint) => void>()
  #client: Client | null = null
  #timer: Timer | null = null
  /** Whether the listening connection stands. */
  #listening = false
  #askedAt = Number.NEGATIVE_INFINITY
  /** Whether a question is under way on the listening connection. */
  #asking = false
  #closed = false
  #started = false

  constructor(options: {
    store: Store
    clock: Clock
    channel: string
    /** Who this process is. */
    from: string
    /** Without LISTEN: what has happened since the last look. */
    look: () => Promise<Hint[]>
    /** Called before the listeners are. */
    expect: (hint: Hint) => void
  }) {
    this.#store = options.store
    this.#clock = options.clock
    this.#channel = options.channel
    this.#from = options.from
    this.#look = options.look
    this.#expect = options.expect
    this.#store.onSilence(() => this.#drop(this.#client))
  }

  subscribe(listener: (hint: Hint) => void): () => void {
    this.#listeners.add(listener)
    if (!this.#started) {
      this.#started = true
      if (this.#store.listens) void this.#listen()
      else this.#lookLater()
    }
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size > 0 || this.#store.listens) return
      this.#started = false
      this.#timer?.cancel()
    }
  }

  emit(hint: Hint): void {
    this.#expect(hint)
    for (const listener of [...this.#listeners]) {
      try {
        listener(hint)
      } catch {
        // A hint may be lost: whoever fails to take one looks by itself later. What was written stays written.
      }
    }
  }

  /**
   * The listening connection, for what an idle worker asks: each question shows that it stands, so that nobody has to ask
   * for that alone. Null while it does not.
   */
  quiet(): Queries | null {
    const client = this.#client
    if (!client || !this.#listening || this.#closed) return null
    const db = this.#store.over(client)
    const ask = async <T>(question: (on: Queries) => Promise<T>): Promise<T> => {
      // A connection takes one question at a time; the second goes over another.
      if (this.#asking) return question(this.#store)
      this.#asking = true
      try {
        const answer = await question(db)
        this.#askedAt = this.#clock.monotonic()
        return answer
      } catch (error) {
        this.#drop(client)
        throw error
      } finally {
        this.#asking = false
      }
    }
    return {
      all: (sql, values) => ask(on => on.all(sql, values)),
      rows: (sql, values) => ask(on => on.rows(sql, values)),
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    const client = this.#client
    this.#client = null
    if (client) await part(this.#clock, client)
  }

  async #listen(): Promise<void> {
    if (this.#store.single) return this.#listenOnPool()
    const client = this.#store.client()
    this.#client = client
    client.on('error', () => {})
    client.on('end', () => this.#again(client))
    client.on('notification', ({ payload }) => this.#hear(payload))
    try {
      await client.connect()
      await client.query(`LISTEN "${this.#channel}"`)
      this.#listening = true
      // What was said before nobody heard.
      this.#all()
      this.#ping(client)
    } catch {
      this.#drop(client)
    }
  }

  /** Everything goes over one connection, and when that is made anew, so is the listening. */
  async #listenOnPool(): Promise<void> {
    const heard = (payload: string | undefined): void => this.#hear(payload)
    await this.#store.listen(this.#channel, { heard, renewed: () => this.#all() }).catch(() => {})
  }

  #again(client: Client): void {
    if (this.#client !== client || this.#closed) return
    this.#client = null
    this.#listening = false
    this.#timer?.cancel()
    this.#timer = this.#clock.after(retryMs, () => void this.#listen())
    this.#timer.unref?.()
  }

  #drop(client: Client | null): void {
    if (!client) return
    destroy(client)
    this.#again(client)
  }

  #ping(client: Client): void {
    if (!this.#clock.real || this.#closed || this.#client !== client) return
    this.#timer?.cancel()
    this.#timer = this.#clock.after(pingMs, () => {
      if (this.#asking || this.#clock.monotonic() - this.#askedAt < pingMs) return this.#ping(client)
      this.#asking = true
      let answered = false
      const asked = client.query('SELECT 1').then(() => {
        answered = true
      })
      void atMost(this.#clock, pongMs, asked).then(() => {
        this.#asking = false
        if (answered) return this.#ping(client)
        this.#drop(client)
        // What nobody uses is probably no better, and its next user need not be the one to find out.
        this.#store.dropIdle()
      })
    })
    this.#timer.unref?.()
  }

  #lookLater(): void {
    if (this.#closed) return
    this.#timer?.cancel()
    this.#timer = this.#clock.after(this.#clock.real ? lookMs : virtualLookMs, () => {
      const looked = this.#look().then(
        found => found.forEach(hint => this.emit(hint)),
        () => {},
      )
      void looked.then(() => {
        if (this.#started) this.#lookLater()
      })
    })
    this.#timer.unref?.()
  }

  #hear(payload: string | undefined): void {
    const [what = '', from] = (payload ?? '').split(' ')
    if (from === this.#from) return
    for (const hint of hints[what] ?? []) this.emit(hint)
  }

  #all(): void {
    for (const hint of everything) this.emit(hint)
  }
}
