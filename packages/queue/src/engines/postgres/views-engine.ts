import type { AuditFilter, AuditRecord, NewAuditEntry } from '../../engine/audit.ts'
import type { FeedPage, NewFeedEntry } from '../../engine/feed.ts'
import type { SeriesQuery, SeriesRow, SeriesSum } from '../../engine/series.ts'
import { appendAudit, audit } from './audit.ts'
import { appendFeed, feedWatched, pruneFeed, readFeed, watchFeed } from './feed.ts'
import { PostgresFlows } from './flow-engine.ts'
import { readSeries, writeSeries } from './series.ts'

/** Others are told of what was appended at most this often: who follows looks again soon, as long as it finds something. */
const tellMs = 50

/** The part of the engine that keeps what people look at: the feed, the series and the audit log. */
export class PostgresViews extends PostgresFlows {
  #toldAt = Number.NEGATIVE_INFINITY

  async appendFeed(batch: string, entries: NewFeedEntry[]): Promise<void> {
    this.parts()
    if (entries.length === 0) return
    const monotonicMs = this.clock.monotonic()
    const tells = monotonicMs - this.#toldAt >= tellMs
    if (tells) this.#toldAt = monotonicMs
    const context = { now: this.store.now(), wake: tells ? this.teller.say('feed') : null }
    await this.store.persist(() => appendFeed(this.store, context, batch, entries))
    this.teller.feed('feed')
  }

  async readFeed(page: { after: number; limit: number }): Promise<FeedPage> {
    return readFeed(this.db(), page)
  }

  async watchFeed(forMs: number): Promise<void> {
    this.parts()
    const context = { now: this.store.now(), wake: this.teller.say('watch') }
    await this.store.persist(() => watchFeed(this.store, context, forMs))
    this.parts().claimer.forgetRest()
    this.teller.feed('watch')
  }

  async feedWatched(): Promise<number> {
    return this.parts().claimer.rest()?.watchedForMs ?? feedWatched(this.store, this.store.now())
  }

  async pruneFeed(limit: number): Promise<boolean> {
    this.parts()
    return this.store.persist(() => pruneFeed(this.store, this.store.now(), limit))
  }

  async writeSeries(worker: string, rows: SeriesRow[]): Promise<void> {
    this.parts()
    if (rows.length > 0) await this.store.persist(() => writeSeries(this.store, this.kinds, worker, rows))
  }

  async readSeries(query: SeriesQuery): Promise<SeriesSum[]> {
    return readSeries(this.db(), query)
  }

  async appendAudit(entries: NewAuditEntry[]): Promise<void> {
    this.parts()
    if (entries.length > 0) await this.store.persist(() => appendAudit(this.store, this.store.now(), entries))
  }

  async audit(
    filter: AuditFilter,
    page: { cursor?: string; limit: number },
  ): Promise<{ entries: AuditRecord[]; cursor: string | null }> {
    return audit(this.db(), filter, page)
  }
}
