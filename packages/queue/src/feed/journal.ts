import { type Clock, nextTurn, type Timer } from '../engine/clock.ts'
import type { Engine } from '../engine/contract.ts'
import { isQueueError } from '../engine/errors.ts'
import { feedBatchMost, type FeedEvent, feedEvents, type NewFeedEntry } from '../engine/feed.ts'
import type { Events } from '../events.ts'
import { feedEntry } from './feed-entry.ts'

/** Above this many waiting entries, further ones are only counted. */
const waitingMost = 10_000
/** While the store fails, how soon to try again. */
const retryMs = 1_000
/** What is too old is deleted after so many appends, or after this long; twice as many at a time. */
const pruneEvery = 500
const pruneMs = 60_000

type Waiting = Omit<NewFeedEntry, 'agoMs'> & { heardMs: number }

/**
 * Writes this process's events into the feed while somebody watches. At once when nothing is being written, and
 * otherwise with the next batch. What can't be written is dropped and counted: a job never waits for its feed.
 */
export class Journal {
  readonly #engine: Engine
  readonly #clock: Clock
  readonly #events: Events
  readonly #newId: () => string
  readonly #watched: () => boolean
  readonly #trouble: (error: unknown) => void
  #waiting: Waiting[] = []
  #missed = 0
  #scheduled = false
  #writing: Promise<void> | null = null
  #retry: Timer | null = null
  #closed = false
  #stops: (() => void)[] | null = null
  #appends = 0
  #prunedMs = Number.NEGATIVE_INFINITY

  constructor(options: {
    engine: Engine
    clock: Clock
    events: Events
    newId: () => string
    watched: () => boolean
    trouble: (error: unknown) => void
  }) {
    this.#engine = options.engine
    this.#clock = options.clock
    this.#events = options.events
    this.#newId = options.newId
    this.#watched = options.watched
    this.#trouble = options.trouble
  }

  get listening(): boolean {
    return this.#stops !== null
  }

  /** Begins or ends to listen. While it does not, nobody makes events for it. */
  listen(on: boolean): void {
    if (on === (this.#stops !== null)) return
    if (on) this.#stops = feedEvents.map(name => this.#hear(name))
    else {
      for (const stop of this.#stops ?? []) stop()
      this.#stops = null
    }
  }

  #hear(name: FeedEvent): () => void {
    return this.#events.on(name, told => {
      if (this.#watched()) this.add(feedEntry(name, told))
      else this.listen(false)
    })
  }

  add(entry: Omit<NewFeedEntry, 'agoMs'>): void {
    if (this.#waiting.length >= waitingMost) {
      this.#missed++
      return
    }
    this.#waiting.push({ ...entry, heardMs: this.#clock.monotonic() })
    if (this.#scheduled || this.#writing || this.#retry || this.#closed) return
    this.#scheduled = true
    nextTurn(() => {
      this.#scheduled = false
      void this.#start()
    })
  }

  #start(): Promise<void> {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null
      // Added while the last turn of the writing was ending.
      if (this.#waiting.length > 0 && !this.#retry && !this.#closed) void this.#start()
    })
    return this.#writing
  }

  /** Resolves when everything that was added is written, or given up. */
  async flushed(): Promise<void> {
    this.#retry?.cancel()
    this.#retry = null
    await this.#start()
  }

  close(): void {
    this.#closed = true
    this.listen(false)
    this.#retry?.cancel()
    this.#retry = null
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0 || this.#missed > 0) {
      if (!(await this.#append())) break
      await this.#prune()
    }
  }

  /** Answers whether it went well. */
  async #append(): Promise<boolean> {
    const monotonicMs = this.#clock.monotonic()
    const taken = this.#waiting.splice(0, feedBatchMost - 1)
    const batch: NewFeedEntry[] = taken.map(({ heardMs, ...entry }) => ({
      ...entry,
      agoMs: monotonicMs - heardMs,
    }))
    const missed = this.#missed
    // It stands before what came later: who reads that far knows that something is missing.
    if (missed > 0) batch.unshift(missedEntry(missed))
    this.#missed = 0
    try {
      await this.#engine.appendFeed(this.#newId(), batch)
      this.#appends++
      return true
    } catch (error) {
      this.#missed += missed + taken.length
      this.#trouble(error)
      if (isQueueError(error, 'closed')) this.close()
      else this.#retryLater()
      return false
    }
  }

  #retryLater(): void {
    this.#retry = this.#clock.after(retryMs, () => {
      this.#retry = null
      void this.#start()
    })
    this.#retry.unref?.()
  }

  async #prune(): Promise<void> {
    const now = this.#clock.monotonic()
    if (this.#appends < pruneEvery && now - this.#prunedMs < pruneMs) return
    this.#appends = 0
    this.#prunedMs = now
    try {
      if (await this.#engine.pruneFeed(2 * pruneEvery)) this.#prunedMs = Number.NEGATIVE_INFINITY
    } catch (error) {
      this.#trouble(error)
    }
  }
}

function missedEntry(count: number): NewFeedEntry {
  return { event: 'missed', id: null, type: '', queue: '', tenant: '', data: { count }, agoMs: 0 }
}
