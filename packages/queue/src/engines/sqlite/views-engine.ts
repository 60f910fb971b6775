import type { AuditFilter, AuditRecord, NewAuditEntry } from '../../engine/audit.ts'
import type { FeedPage, NewFeedEntry } from '../../engine/feed.ts'
import type { SeriesQuery, SeriesRow, SeriesSum } from '../../engine/series.ts'
import { appendAudit, audit } from './audit.ts'
import { appendFeed, feedWatched, pruneFeed, readFeed, watchFeed } from './feed.ts'
import { SqliteFlows } from './flow-engine.ts'
import { readSeries, writeSeries } from './series.ts'

/** The part of the engine that keeps what people look at: the feed, the series and the audit log. */
export class SqliteViews extends SqliteFlows {
  async appendFeed(batch: string, entries: NewFeedEntry[]): Promise<void> {
    if (entries.length === 0) return
    // The feed is for people's eyes: it need not hold up anybody by a flush of its own.
    await this.relaxed(store => appendFeed(store, this.clock.now(), batch, entries))
    this.hint({ kind: 'feed' })
  }

  async readFeed(page: { after: number; limit: number }): Promise<FeedPage> {
    return this.read(store => readFeed(store, page))
  }

  async watchFeed(forMs: number): Promise<void> {
    const isNew = await this.relaxed(store => watchFeed(store, this.clock.now(), forMs))
    if (isNew) this.hint({ kind: 'watch' })
  }

  async feedWatched(): Promise<number> {
    return this.read(store => feedWatched(store, this.clock.now()))
  }

  async pruneFeed(limit: number): Promise<boolean> {
    return this.relaxed(store => pruneFeed(store, this.clock.now(), limit))
  }

  async writeSeries(worker: string, rows: SeriesRow[]): Promise<void> {
    if (rows.length > 0) await this.relaxed(store => writeSeries(store, this.kinds, worker, rows))
  }

  async readSeries(query: SeriesQuery): Promise<SeriesSum[]> {
    return this.read(store => readSeries(store, query))
  }

  async appendAudit(entries: NewAuditEntry[]): Promise<void> {
    if (entries.length > 0) await this.write(store => appendAudit(store, this.clock.now(), entries))
  }

  async audit(
    filter: AuditFilter,
    page: { cursor?: string; limit: number },
  ): Promise<{ entries: AuditRecord[]; cursor: string | null }> {
    return this.read(store => audit(store, filter, page))
  }
}
