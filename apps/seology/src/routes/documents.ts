import type { CrawlRow } from '../tables/crawls.ts'
import { severities } from '../tables/issues.ts'
import type { ConnectionRow, IssueRow, PageListRow } from '../tables/lists.ts'

export function siteDocument(connection: ConnectionRow, lastCrawl: object | null) {
  return {
    connectionId: connection.id,
    owner: connection.owner,
    url: connection.url,
    health: connection.health,
    lastCrawledAt: instant(connection.last_crawled_at),
    createdAt: instant(connection.created_at),
    lastCrawl,
  }
}

export function crawlDocument(crawl: CrawlRow) {
  return {
    id: crawl.id,
    jobId: crawl.job_id,
    state: crawl.state,
    url: crawl.url,
    options: JSON.parse(crawl.options) as unknown,
    startedAt: instant(crawl.started_at),
    finishedAt: instant(crawl.finished_at),
    stoppedBecause: crawl.stopped,
    result: crawl.result === null ? null : (JSON.parse(crawl.result) as unknown),
    error: crawl.error,
  }
}

export function pageDocument(page: PageListRow) {
  return {
    url: page.fetch_url,
    finalUrl: page.final_url,
    state: page.state,
    skippedBecause: page.reason,
    status: page.status,
    contentType: page.content_type,
    error: page.error === null ? null : (JSON.parse(page.error) as unknown),
    title: page.title,
    words: page.words,
    bodyBytes: page.body_bytes,
    ttfbMs: page.ttfb_ms === null ? null : Math.round(page.ttfb_ms),
    depth: page.depth,
    discoveredBy: page.discovered_by,
    discoveredFrom: page.discovered_from || null,
    attempts: page.attempts,
    fetchedAt: instant(page.fetched_at),
  }
}

export function issueDocument(issue: IssueRow) {
  return {
    id: issue.check_id,
    severity: severities[issue.severity - 1],
    category: issue.category,
    scope: issue.scope,
    verdict: issue.verdict,
    subject: issue.subject,
    variant: issue.variant || null,
    page: issue.page,
    occurrences: issue.occurrences,
    evidence: JSON.parse(issue.evidence) as unknown,
    advice: issue.advice,
    causedBy: issue.caused_by === null ? null : (JSON.parse(issue.caused_by) as unknown),
    mode: issue.mode,
    ruleVersion: issue.rule_version,
    fetchedAt: instant(issue.fetched_at || null),
  }
}

function instant(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}
