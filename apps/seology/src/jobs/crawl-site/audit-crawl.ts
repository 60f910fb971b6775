import { auditSite } from '../../audit/audit-site.ts'
import type { HostVariantResult, RobotsReport } from '../../audit/context.ts'
import { extractPage } from '../../audit/extract/page.ts'
import type { Finding } from '../../audit/finding.ts'
import { probeHostVariants } from '../../crawl/probe.ts'
import type { SitemapReport } from '../../crawl/sitemap.ts'
import { isTruncated, readFact, saveFact, stoppedBecause } from '../../tables/crawls.ts'
import { clearSiteIssues, storeIssues } from '../../tables/issues.ts'
import { readChecks } from '../../tables/links.ts'
import { countPages, originsAsked, readPages } from '../../tables/pages.ts'
import { readSitemapEntries } from '../../tables/sitemap-entries.ts'
import type { CrawlSiteResult } from '../crawl-site.ts'
import type { Frontier } from './frontier.ts'
import type { Site } from './home.ts'
import type { CrawlRun } from './run.ts'

const storedAtOnce = 500
const suspectForMs = 24 * 3_600_000

/** Judges what needs more than one page. Doing it again stores the same. */
export async function auditCrawl(
  run: CrawlRun,
  site: Site,
  frontier: Frontier,
  sitemap: SitemapReport,
): Promise<CrawlSiteResult['endedBy']> {
  const { tables, crawl, progress } = run
  const { id, started_at } = crawl.row
  progress.audit()
  const endedBy = await howItEnded(run)
  const hostVariants = await readHostVariants(run, site)
  const robots = await robotsReports(run, site)
  await crawl.write(trx => clearSiteIssues(trx, id))
  const store = (findings: readonly Finding[]) =>
    crawl.write(trx => storeIssues(trx, crawl.row, [{ pageId: null, findings }]))
  let found: Finding[] = []
  const judged = auditSite({
    context: site.context,
    pages: readPages(tables.db, id),
    linkTargets: readChecks(tables.db, crawl.row, started_at - suspectForMs),
    sitemapEntries: readSitemapEntries(tables.db, id),
    sitemap,
    robots,
    hostVariants,
    traps: frontier.traps.quarantined(),
    complete: endedBy === 'exhausted',
  })
  for await (const finding of judged) {
    run.signal.throwIfAborted()
    found.push(finding)
    if (found.length < storedAtOnce) continue
    await store(found)
    found = []
  }
  await store(found)
  return endedBy
}

async function howItEnded({ tables, crawl }: CrawlRun): Promise<CrawlSiteResult['endedBy']> {
  const { id } = crawl.row
  if ((await stoppedBecause(tables.db, id)) !== null) return 'site-stopped'
  const { waiting, beyondDepth } = await countPages(tables.db, id)
  if (waiting > 0 || (await isTruncated(tables.db, id))) return 'max-pages'
  return beyondDepth > 0 ? 'max-depth' : 'exhausted'
}

async function readHostVariants(run: CrawlRun, site: Site): Promise<HostVariantResult[]> {
  const { tables, crawl, http, mayFetch, signal } = run
  const stored = await readFact<HostVariantResult[]>(tables.db, crawl.row.id, 'host-variants')
  if (stored) return stored
  const probes = await probeHostVariants({
    siteUrl: site.homeUrl,
    fetchPage: (url, options) => http.fetchPage(url, { ...options, mayFetch }),
    signal,
  })
  const variants = probes.map(({ variant, page }) => ({ variant, facts: extractPage(page, site.context) }))
  await crawl.write(trx => saveFact(trx, crawl.row.id, 'host-variants', variants))
  return variants
}

async function robotsReports(run: CrawlRun, site: Site): Promise<RobotsReport[]> {
  const asked = await originsAsked(run.tables.db, run.crawl.row.id)
  const origins = new Set([new URL(site.homeUrl).origin, ...asked])
  const reports: RobotsReport[] = []
  for (const origin of [...origins].sort()) {
    const { url, state, status, error, attempts, fetchedAt, problems, fromLastGood } = await run.robots.get(
      origin,
      run.signal,
    )
    reports.push({ origin, url, state, status, error, attempts, fetchedAt, problems, fromLastGood })
  }
  return reports
}
