import { atMost } from '../engine/clock.ts'
import { QueueError } from '../engine/errors.ts'
import type { FeedEntry } from '../engine/feed.ts'
import type { LifecycleEvents } from '../events.ts'
import type { Millrace } from '../queue.ts'
import { feedEntry } from './feed-entry.ts'
import { checkPlace, type FeedFilter, feedFilter } from './feed-filter.ts'
import { FeedReader } from './feed-reader.ts'
import { Follower } from './follower.ts'
import { Journal } from './journal.ts'
import { Watch } from './watch.ts'

/** A store that does not answer must not keep a process. */
const patienceMs = 5_000
const pageMost = 1_000

export interface FeedRead {
  entries: FeedEntry[]
  /** Hand it back as `after` for what comes next. */
  last: number
  /** Entries between `after` and these are missing, or `after` is no place in this store: read anew what you show. */
  gap: boolean
}

/**
 * What happens to jobs, in whatever process, in one order, for those who want to see it live.
 *
 * Processes write it down only while somebody watches, and for ten minutes after; it keeps 15 minutes and at most 100,000
 * entries. It is for people's eyes: an entry can be missing after a crash or when a store could not keep up (then there
 * is a `missed` or a gap, wherever that can be told), and a job never waits for it. A process without a worker learns that
 * somebody watches when it enqueues, and asks at most every ten seconds. An event is written when it was told in its
 * process, so a job that was enqueued in a caller's transaction may appear before that commits, and a worker's `started`
 * may stand before the `enqueued` of another process.
 */
export class Feed {
  readonly #millrace: Millrace
  readonly #watch: Watch
  readonly #journal: Journal
  readonly #followers = new Set<Follower>()
  #reader: FeedReader | null = null
  /** The end of the reader before. */
  #resting: Promise<void> = Promise.resolve()
  #closed = false

  constructor(millrace: Millrace) {
    this.#millrace = millrace
    const { engine, clock, events, newId } = millrace
    const trouble = (error: unknown): void => {
      if (!this.#closed) events.emit('trouble', { where: 'the feed', error })
    }
    this.#watch = new Watch({ engine, clock, trouble, changed: watched => this.#journal.listen(watched) })
    const watched = (): boolean => this.#watch.on
    this.#journal = new Journal({ engine, clock, events, newId, watched, trouble })
  }

  /**
   * A page of what happened after a `seq`, the oldest first; without `after`, from the oldest that is kept. Asking is
   * watching. A page may be empty although more follows when a filter let nothing through: `last` has moved then.
   */
  async read(options: FeedFilter & { after?: number; limit?: number } = {}): Promise<FeedRead> {
    const { limit = 100 } = options
    if (!Number.isInteger(limit) || limit < 1 || limit > pageMost)
      throw new QueueError(
        'invalid-argument',
        `limit must be a whole number from 1 to ${pageMost}, not ${limit}`,
      )
    const after = options.after === undefined ? null : checkPlace(options.after)
    const wanted = feedFilter(options)
    await this.#millrace.open()
    await this.#watch.say()
    const page = await this.#millrace.engine.readFeed({ after: after ?? 0, limit: pageMost })
    const beyond = after !== null && after > page.last
    const found = page.entries.filter(wanted)
    const entries = found.slice(0, limit)
    const seen = found.length > limit ? entries.at(-1) : page.entries.at(-1)
    const start = beyond ? page.last : Math.max(after ?? 0, page.pruned)
    return {
      entries,
      last: seen?.seq ?? start,
      gap: beyond || (after !== null && after < page.pruned),
    }
  }

  /**
   * Everything that happens from now on, or after a `seq`, until `signal` fires. However many follow in a process, it
   * reads the store once. One who does not take 1,000 entries in time gets a gap in their place. Iterating throws what
   * the store answered when it could not be begun.
   */
  follow(options: FeedFilter & { after?: number; signal?: AbortSignal } = {}): Follower {
    const follower = new Follower({
      after: options.after === undefined ? undefined : checkPlace(options.after),
      wanted: feedFilter(options),
      signal: options.signal,
      reader: () => this.#begin(),
      read: page => this.#millrace.engine.readFeed(page),
      left: each => this.#left(each),
    })
    if (!options.signal?.aborted) this.#followers.add(follower)
    return follower
  }

  async #begin(): Promise<FeedReader | null> {
    await this.#millrace.open()
    // The last one has left meanwhile, and with nobody to leave it a reader would read for ever.
    if (this.#followers.size === 0) return null
    const { engine, clock, events } = this.#millrace
    const trouble = (error: unknown): void => events.emit('trouble', { where: 'following the feed', error })
    const reader = (this.#reader ??= new FeedReader({ engine, clock, watch: this.#watch, trouble }))
    await reader.begin()
    return reader
  }

  #left(follower: Follower): void {
    this.#followers.delete(follower)
    this.#reader?.leave(follower)
    if (this.#followers.size > 0) return
    this.#resting = this.#reader?.close() ?? this.#resting
    this.#reader = null
  }

  /**
   * For the parts that make events: asks whether somebody watches, if that was not done a moment ago. Otherwise null.
   * @internal
   */
  learn(): Promise<void> | null {
    return this.#watch.learn()
  }

  /** Somebody may have begun to watch. @internal */
  look(): void {
    void this.#watch.look()
  }

  /** A job was enqueued while this process is still asking whether anybody watches. @internal */
  enqueued(job: LifecycleEvents['enqueued'], asking: Promise<void>): void {
    if (this.#journal.listening) return
    void asking.then(() => {
      if (this.#watch.on) this.#journal.add(feedEntry('enqueued', job))
    })
  }

  /** Writes what waits. Never throws. @internal */
  async flush(): Promise<void> {
    await atMost(this.#millrace.clock, patienceMs, this.#journal.flushed())
  }

  /** Ends all who follow. @internal */
  async close(): Promise<void> {
    for (const follower of [...this.#followers]) follower.end()
    await atMost(this.#millrace.clock, patienceMs, this.#resting)
    await this.flush()
    this.#closed = true
    this.#journal.close()
  }
}
