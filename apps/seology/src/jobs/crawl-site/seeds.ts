import { readSitemaps, type SitemapEntry, type SitemapReport } from '../../crawl/sitemap.ts'
import { readFact, saveFact } from '../../tables/crawls.ts'
import { addCandidates, type Candidate } from '../../tables/frontier.ts'
import { storeSitemapEntries } from '../../tables/sitemap-entries.ts'
import type { Frontier } from './frontier.ts'
import type { Site } from './home.ts'
import type { CrawlRun } from './run.ts'

/** Stored of the sitemaps beyond what can be crawled: findings name what they list wrongly. */
const entriesPerPage = 5
const leastEntries = 10_000

/** Fills the frontier with the start page and what the sitemaps list. */
export async function readSeeds(run: CrawlRun, site: Site, frontier: Frontier): Promise<SitemapReport> {
  const { tables, crawl, payload } = run
  const stored = await readFact<SitemapReport>(tables.db, crawl.row.id, 'sitemap')
  if (stored) return stored
  const most = Math.max(leastEntries, payload.maxPages * entriesPerPage)
  const entries: SitemapEntry[] = []
  const report = await readSitemaps({
    http: run.http,
    robots: run.robots,
    siteUrl: site.homeUrl,
    signal: run.signal,
    onEntry: entry => entries.push(entry) < most,
    now: crawl.row.started_at,
  })
  const seeds = [startCandidate(site), ...entries.flatMap(entry => listedCandidate(entry, site, frontier))]
  await crawl.write(async trx => {
    await storeSitemapEntries(trx, crawl.row.id, entries)
    await addCandidates(trx, crawl.row, seeds)
    await saveFact(trx, crawl.row.id, 'sitemap', report)
  })
  run.log.info('sitemaps read', { files: report.files.length, entries: entries.length })
  return report
}

function startCandidate({ startUrl, context }: Site): Candidate {
  const key = context.canonicalize(startUrl)?.key ?? startUrl
  return { key, fetchUrl: startUrl, depth: 0, discoveredBy: 'start', discoveredFrom: '', skip: null }
}

function listedCandidate({ loc }: SitemapEntry, site: Site, frontier: Frontier): Candidate[] {
  const url = site.context.canonicalize(loc)
  if (url === null || !site.scope.has(url.fetchUrl)) return []
  return [frontier.candidate({ ...url, depth: 1, discoveredBy: 'sitemap', discoveredFrom: '' })]
}
