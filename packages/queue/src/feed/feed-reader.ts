import { type Clock, nextTurn } from '../engine/clock.ts'
import type { Engine } from '../engine/contract.ts'
import type { FeedEntry } from '../engine/feed.ts'
import { Loop } from '../runtime/loop.ts'
import type { Watch } from './watch.ts'

/** Less than a follower has room for. */
const pageMost = 500
/** The newest entries are kept in memory for those who come back: as many. */
const recentMost = 2_000
/** How often to look when nothing is heard; sooner while entries come. */
const pollMs = 1_000
const flowMs = 100

/** Who is handed what the reader reads. */
export interface Listener {
  offer(entries: readonly FeedEntry[]): void
  /** Entries up to here may be missing. */
  gap(seq: number): void
}

/** Reads the feed once for all who follow it in this process. */
export class FeedReader {
  readonly #engine: Engine
  readonly #watch: Watch
  readonly #listeners = new Set<Listener>()
  readonly #loop: Loop
  #unhint: (() => void) | null = null
  #begun: Promise<void> | null = null
  #closed = false
  /** Entries above `#from`, up to `#at`, are `#recent`. */
  #recent: FeedEntry[] = []
  #from = 0
  #at = 0

  constructor(options: { engine: Engine; clock: Clock; watch: Watch; trouble: (error: unknown) => void }) {
    this.#engine = options.engine
    this.#watch = options.watch
    this.#loop = new Loop({
      clock: options.clock,
      intervalMs: pollMs,
      tick: () => this.#tick(),
      trouble: options.trouble,
    })
  }

  /** How far it has read. */
  get at(): number {
    return this.#at
  }

  /** Resolves when the feed is watched and the newest entries are read. */
  begin(): Promise<void> {
    this.#begun ??= this.#begin().catch(error => {
      this.#begun = null
      throw error
    })
    return this.#begun
  }

  async #begin(): Promise<void> {
    await this.#watch.say()
    const { pruned, last } = await this.#engine.readFeed({ after: 0, limit: 0 })
    this.#from = this.#at = Math.max(pruned, last - recentMost)
    while (this.#at < last && (await this.#read()) > 0);
    if (this.#closed) return
    this.#unhint = this.#engine.subscribe(hint => {
      if (hint.kind === 'feed') this.#loop.nudge()
    })
    this.#loop.start()
  }

  /** Hands over what comes from now on. */
  join(listener: Listener): void {
    this.#listeners.add(listener)
  }

  /** The first of the newest entries after `after`; null when it does not know what came then. */
  recent(after: number): FeedEntry[] | null {
    if (after < this.#from || after > this.#at) return null
    // Places are given without gaps.
    return this.#recent.slice(after - this.#from, after - this.#from + pageMost)
  }

  /** Answers whether nobody is left. */
  leave(listener: Listener): boolean {
    this.#listeners.delete(listener)
    return this.#listeners.size === 0
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#unhint?.()
    await this.#loop.stop()
  }

  async #tick(): Promise<number> {
    await this.#watch.say()
    let found = false
    while (!this.#closed && (await this.#read()) > 0) {
      found = true
      // Who follows and does nothing else must not fall behind by one burst.
      await new Promise<void>(nextTurn)
    }
    return found ? flowMs : pollMs
  }

  /** Answers how many entries there were. */
  async #read(): Promise<number> {
    const { entries, pruned, last } = await this.#engine.readFeed({ after: this.#at, limit: pageMost })
    if (this.#at < pruned || this.#at > last) this.#skip(this.#at > last ? last : pruned)
    if (entries.length === 0) return 0
    this.#at = (entries.at(-1) as FeedEntry).seq
    this.#recent.push(...entries)
    if (this.#recent.length > 2 * recentMost) {
      this.#recent = this.#recent.slice(-recentMost)
      this.#from = (this.#recent[0] as FeedEntry).seq - 1
    }
    for (const listener of this.#listeners) listener.offer(entries)
    return entries.length
  }

  /** What it was about to read is gone, or this is another store than before. */
  #skip(to: number): void {
    this.#recent = []
    this.#from = this.#at = to
    for (const listener of this.#listeners) listener.gap(to)
  }
}
