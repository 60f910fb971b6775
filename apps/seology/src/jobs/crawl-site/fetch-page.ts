import { auditPage } from '../../audit/audit-page.ts'
import { needsTtfbSamples } from '../../audit/checks/fetch.ts'
import type { PageContext } from '../../audit/context.ts'
import { extractPage } from '../../audit/extract/page.ts'
import type { PageFacts } from '../../audit/facts.ts'
import { headerValue } from '../../crawl/http.ts'
import type { FetchedPage } from '../../crawl/page.ts'
import { parseRetryAfter } from '../../crawl/politeness.ts'
import type { DiscoveredBy, FrontierPage } from '../../tables/frontier.ts'
import type { FoundLink } from '../../tables/links.ts'
import type { FetchedRow } from '../../tables/pages.ts'
import type { Frontier } from './frontier.ts'
import type { Site } from './home.ts'
import type { CrawlRun } from './run.ts'

/** Fetches one page and judges it: everything that is stored of it in one piece. */
export async function fetchPage(
  run: CrawlRun,
  site: Site,
  frontier: Frontier,
  page: FrontierPage,
  signal: AbortSignal,
): Promise<FetchedRow> {
  const attempts = page.attempts + 1
  const fetched = { ...(await run.visit(page.fetch_url, signal)), attempts }
  const facts = extractPage(fetched, site.context)
  const context: PageContext = {
    ...site.context,
    ttfbSamplesMs: await firstByteSamples(run, site, facts, signal),
  }
  return {
    page,
    facts,
    retryAt: retryAt(fetched, run.retryDelaysMs),
    findings: auditPage(facts, fetched, context),
    candidates: foundIn(facts, page, site)
      .filter(({ key }) => !frontier.isSettled(key))
      .map(found => frontier.candidate({ ...found, discoveredFrom: page.fetch_url })),
    links: linksOf(facts, site),
  }
}

/** One slow answer proves little: what seems slow is asked twice more. */
async function firstByteSamples(
  run: CrawlRun,
  site: Site,
  facts: PageFacts,
  signal: AbortSignal,
): Promise<number[]> {
  const samples = [facts.ttfbMs]
  const { thresholds } = site.context
  if (!needsTtfbSamples(facts, thresholds)) return samples
  while (samples.length < thresholds.ttfbMinSamples) {
    const answer = await run.http.open(facts.finalUrl, { signal })
    if (!answer.ok) break
    answer.discard()
    samples.push(answer.ttfbMs)
  }
  return samples
}

const passing = new Set(['dns', 'connect', 'tls', 'timeout', 'reset', 'protocol', 'browser'])
// A site that asks for more is judged by the next crawl.
const longestRetryAfterMs = 3_600_000

/** When a page that failed for a reason that may pass is tried again; null when it is not. */
function retryAt(
  { status, error, attempts, headers }: FetchedPage,
  delaysMs: readonly number[],
): number | null {
  const delayMs = delaysMs[attempts - 1]
  const mayPass = error === null ? status >= 500 || status === 429 : passing.has(error.kind)
  if (!mayPass || delayMs === undefined) return null
  const askedMs = parseRetryAfter(headerValue(headers, 'retry-after'), Date.now()) ?? 0
  return askedMs > longestRetryAfterMs ? null : Date.now() + Math.max(askedMs, delayMs)
}

interface Found {
  key: string
  fetchUrl: string
  depth: number
  discoveredBy: DiscoveredBy
}

/** Every URL of the site that a page leads to. What it does by itself is no click. */
function foundIn(facts: PageFacts, { depth }: FrontierPage, { context, scope }: Site): Found[] {
  const found: Found[] = []
  const add = (fetchUrl: string, key: string, at: number, discoveredBy: DiscoveredBy) => {
    if (scope.has(fetchUrl)) found.push({ key, fetchUrl, depth: at, discoveredBy })
  }
  const addHref = (href: string, at: number, discoveredBy: DiscoveredBy) => {
    const url = context.canonicalize(href)
    if (url) add(url.fetchUrl, url.key, at, discoveredBy)
  }
  if (facts.hops.length > 0 && facts.error === null) addHref(facts.finalUrl, depth, 'redirect')
  if (facts.clientRedirect) addHref(facts.clientRedirect.to, depth, 'redirect')
  const { document } = facts
  if (document === null) return found
  for (const { fetchUrl, key, follow } of document.links)
    if (fetchUrl !== null && key !== null && follow) add(fetchUrl, key, depth + 1, 'link')
  for (const { url } of document.canonicals) if (url !== null) addHref(url, depth + 1, 'canonical')
  for (const { key } of document.hreflangs) if (key !== null) addHref(key, depth + 1, 'hreflang')
  return found
}

function linksOf({ document }: PageFacts, { scope }: Site): FoundLink[] {
  const links = new Map<string, FoundLink>()
  for (const { key, fetchUrl, follow, count = 1 } of document?.links ?? []) {
    if (key === null || fetchUrl === null) continue
    const known = links.get(key)
    if (known) {
      known.occurrences += count
      known.follow ||= follow
      if (fetchUrl < known.url) known.url = fetchUrl
    } else links.set(key, { key, url: fetchUrl, internal: scope.has(fetchUrl), follow, occurrences: count })
  }
  return [...links.values()]
}
