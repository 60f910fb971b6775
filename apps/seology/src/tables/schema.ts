import type { Generated } from 'kysely'

/** The tables as Kysely sees them. JSON columns are text; instants are milliseconds since 1970. */
export interface Schema {
  seology_connection: ConnectionTable
  seology_crawl: CrawlTable
  seology_crawl_fact: CrawlFactTable
  seology_page: PageTable
  seology_link_target: LinkTargetTable
  seology_link: LinkTable
  seology_sitemap_entry: SitemapEntryTable
  seology_issue: IssueTable
}

export type Health = 'unknown' | 'healthy' | 'degraded' | 'critical' | 'unreachable'
export type CrawlState = 'running' | 'finished' | 'failed' | 'cancelled'
export type PageState = 'queued' | 'fetching' | 'done' | 'failed' | 'skipped'

export interface ConnectionTable {
  owner: string
  id: string
  url: string
  health: Health
  last_crawl_id: number | null
  last_crawled_at: number | null
  created_at: number
  updated_at: number
}

export interface CrawlTable {
  id: Generated<number>
  owner: string
  connection_id: string
  job_id: string
  run: number
  epoch: number
  state: CrawlState
  url: string
  options: string
  started_at: number
  finished_at: number | null
  wave: Generated<number>
  taken: Generated<number>
  truncated: Generated<number>
  stopped: string | null
  result: string | null
  error: string | null
}

interface CrawlFactTable {
  crawl_id: number
  name: string
  value: string
}

export interface PageTable {
  id: Generated<number>
  crawl_id: number
  owner: string
  key: string
  fetch_url: string
  state: PageState
  reason: string | null
  depth: number
  rank: number
  discovered_by: string
  discovered_from: string
  wave: number | null
  attempts: Generated<number>
  retry_at: number | null
  fetched_at: number | null
  final_url: string | null
  status: number | null
  content_type: string | null
  error: string | null
  ttfb_ms: number | null
  body_bytes: number | null
  title: string | null
  words: number | null
  text_hash: string | null
  hops: string | null
  facts: string | null
}

interface LinkTargetTable {
  id: Generated<number>
  crawl_id: number
  key: string
  url: string
  internal: number
  verdict: string | null
  status: number | null
  checked_at: number | null
  check: string | null
}

interface LinkTable {
  target_id: number
  source_id: number
  follow: number
  occurrences: number
}

interface SitemapEntryTable {
  crawl_id: number
  position: number
  loc: string
  lastmod: string | null
  alternates: string | null
  file: string
  line: number
}

export interface IssueTable {
  id: Generated<number>
  crawl_id: number
  owner: string
  check_id: string
  subject: string
  variant: string
  severity: number
  category: string
  scope: string
  verdict: string
  page: string | null
  page_id: number | null
  occurrences: number
  evidence: string
  advice: string
  caused_by: string | null
  rule_version: number
  mode: string
  fetched_at: number
}
