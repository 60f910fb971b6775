import type { FeedEntry, FeedPage } from '../engine/feed.ts'
import type { FeedReader, Listener } from './feed-reader.ts'

/** What a follower has not taken yet; above this it is let go, and told so by a gap. */
const queueMost = 1_000
const pageMost = 1_000

/** Entries up to `seq` may be missing: what is shown of the store has to be read anew. */
export interface FeedGap {
  event: 'gap'
  seq: number
}

export type FeedItem = FeedEntry | FeedGap

export interface FollowerOptions {
  after: number | undefined
  wanted: (entry: FeedEntry) => boolean
  signal: AbortSignal | undefined
  /** Opens the store, and the reader that all share; null when nobody follows any more by then. */
  reader: () => Promise<FeedReader | null>
  read: (page: { after: number; limit: number }) => Promise<FeedPage>
  left: (follower: Follower) => void
}

/**
 * One who follows the feed. It begins at once, whether or not anybody iterates yet, and ends with its signal, with
 * `return()` (a loop that is left calls it), or when the application's side is closed.
 */
export class Follower implements AsyncIterableIterator<FeedItem>, Listener {
  /**
   * Resolves when nothing that comes can be missed any more, with the `seq` that it follows from. Of one that has ended
   * before, that says nothing.
   */
  readonly started: Promise<number>
  readonly #options: FollowerOptions
  #reader: FeedReader | null = null
  #queue: FeedItem[] = []
  /** How far it has been handed what there is. */
  #at = 0
  /** It still takes what came before it began, at its own pace. */
  #behind = false
  #ended = false
  #failed: { error: unknown } | null = null
  #wake: () => void = () => {}

  constructor(options: FollowerOptions) {
    this.#options = options
    this.#at = options.after ?? 0
    this.#ended = options.signal?.aborted ?? false
    this.started = this.#start()
    this.started.catch(error => {
      this.#failed = { error }
      this.end()
    })
    if (!this.#ended) options.signal?.addEventListener('abort', this.end, { once: true })
  }

  async #start(): Promise<number> {
    // Nobody would ever stop what is begun for one that has ended.
    const reader = this.#ended ? null : await this.#options.reader()
    if (reader === null) return this.#at
    this.#reader = reader
    this.#at = this.#options.after ?? reader.at
    if (this.#ended) return this.#at
    this.#behind = this.#at !== reader.at
    if (!this.#behind) reader.join(this)
    return this.#at
  }

  /** Everything up to here was taken, or was not wanted. Null while something waits to be taken. */
  get seen(): number | null {
    return this.#queue.length === 0 && !this.#failed && this.#reader ? this.#at : null
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<FeedItem, undefined>> {
    await this.#ready()
    const item = this.#queue.shift()
    return item ? { done: false, value: item } : { done: true, value: undefined }
  }

  /** All that has come, as soon as there is something; nothing when it has ended. */
  async take(): Promise<FeedItem[]> {
    await this.#ready()
    const items = this.#queue
    this.#queue = []
    return items
  }

  /** Resolves when the queue holds something, or it has ended and the queue is empty. */
  async #ready(): Promise<void> {
    if (!this.#ended) await this.started.catch(() => {})
    for (;;) {
      if (this.#failed) {
        const { error } = this.#failed
        this.#failed = null
        throw error
      }
      if (this.#ended || this.#queue.length > 0) return
      if (this.#behind) await this.#catchUp()
      else
        await new Promise<void>(resolve => {
          this.#wake = resolve
        })
    }
  }

  return(): Promise<IteratorResult<FeedItem, undefined>> {
    this.end()
    return Promise.resolve({ done: true, value: undefined })
  }

  readonly end = (): void => {
    if (this.#ended) return
    this.#ended = true
    this.#queue = []
    this.#options.signal?.removeEventListener('abort', this.end)
    this.#options.left(this)
    this.#wake()
  }

  /** A page of what the common reader knows, or of the store; at its end it goes on with all others. */
  async #catchUp(): Promise<void> {
    const reader = this.#reader as FeedReader
    const recent = reader.recent(this.#at)
    if (recent) this.offer(recent)
    else {
      const { entries, pruned, last } = await this.#options.read({ after: this.#at, limit: pageMost })
      if (this.#ended) return
      if (this.#at < pruned || this.#at > last) this.gap(this.#at > last ? last : pruned)
      this.offer(entries)
    }
    if (this.#at < reader.at) return
    this.#behind = false
    reader.join(this)
  }

  offer(entries: readonly FeedEntry[]): void {
    for (const entry of entries) {
      if (entry.seq <= this.#at) continue
      this.#at = entry.seq
      if (!this.#options.wanted(entry)) continue
      if (this.#queue.length < queueMost) this.#queue.push(entry)
      else this.#queue = [{ event: 'gap', seq: entry.seq }]
    }
    if (this.#queue.length > 0) this.#wake()
  }

  gap(seq: number): void {
    this.#at = seq
    this.#queue = [{ event: 'gap', seq }]
    this.#wake()
  }
}
