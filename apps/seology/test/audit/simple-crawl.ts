/** The least crawler that can feed the audit: breadth first over `fetch`, one request at a time, no politeness. */

import {
  type AuditContext,
  auditPage,
  auditSite,
  extractPage,
  type Finding,
  finalAnswer,
  fingerprint,
  type LinkTarget,
  type PageFacts,
  type ProbeFingerprint,
  thresholds,
} from '../../src/audit/index.ts'
import type { FetchedPage, RedirectHop } from '../../src/crawl/page.ts'
import { parseRobots } from '../../src/crawl/robots.ts'
import type { SitemapEntry, SitemapProblem } from '../../src/crawl/sitemap.ts'
import { createTrapGuard } from '../../src/crawl/traps.ts'
import { canonicalize } from '../../src/crawl/url.ts'

export interface SimpleCrawl {
  pages: PageFacts[]
  findings: Finding[]
}

export async function simpleCrawl(
  startUrl: string,
  limits: { maxPages: number; maxDepth: number },
  get: (url: string) => Promise<FetchedPage> = plainGet,
): Promise<SimpleCrawl> {
  const { origin } = new URL(startUrl)
  const robotsText = await (await fetch(`${origin}/robots.txt`)).text()
  const robots = parseRobots(robotsText)
  const probes: ProbeFingerprint[] = []
  const context: AuditContext = {
    canonicalize,
    homeUrl: startUrl,
    isInternal: url => new URL(url).origin === origin,
    auditedAgent: 'googlebot',
    auditedRobots: url => robots.decideLikeGoogle(url, 'googlebot'),
    thresholds: thresholds(),
    probes,
  }
  for (const dir of ['/', '/shop/', '/gallery/']) {
    const probe = fingerprint(await get(`${origin}${dir}0f1e2d3c4b5a69788796a5b4`), context)
    if (probe) probes.push(probe)
  }
  const guard = createTrapGuard({ pageBudget: limits.maxPages, now: Date.now() })
  const sitemap = await readSitemap(`${origin}/sitemap.xml`)
  const seen = new Set<string>()
  const queue: { url: string; depth: number; parentUrl: string | null }[] = []
  const enqueue = (href: string, depth: number, parentUrl: string | null) => {
    const url = canonicalize(href)
    if (!url || seen.has(url.key) || !context.isInternal(url.fetchUrl) || depth > limits.maxDepth) return
    if (!robots.decide(url.fetchUrl, 'millrace').allowed) return
    if (guard.check({ fetchUrl: url.fetchUrl, depth, parentUrl }) !== null) return
    seen.add(url.key)
    queue.push({ url: url.fetchUrl, depth, parentUrl })
  }
  enqueue(startUrl, 0, null)
  for (const { loc } of sitemap.entries) enqueue(loc, 0, null)
  const pages: PageFacts[] = []
  const findings: Finding[] = []
  const external = new Set<string>()
  for (const { url, depth, parentUrl } of queue) {
    if (pages.length >= limits.maxPages) break
    const answer = await get(url)
    const samples =
      answer.ttfbMs > 800
        ? [answer.ttfbMs, (await get(url)).ttfbMs, (await get(url)).ttfbMs]
        : [answer.ttfbMs]
    const take = (page: FetchedPage) => {
      const facts = extractPage(page, context)
      pages.push(facts)
      findings.push(...auditPage(facts, page, { ...context, ttfbSamplesMs: samples }))
      guard.record({ fetchUrl: facts.fetchUrl, parentUrl, contentHash: facts.document?.textHash ?? null })
      for (const link of facts.document?.links ?? []) {
        if (!link.fetchUrl) continue
        if (context.isInternal(link.fetchUrl)) enqueue(link.fetchUrl, depth + 1, url)
        else external.add(link.fetchUrl)
      }
    }
    take(answer)
    const final = canonicalize(answer.finalUrl)
    if (answer.hops.length > 0 && !answer.error && final && !seen.has(final.key)) {
      seen.add(final.key)
      take(finalAnswer(answer))
    }
  }
  const site = auditSite({
    context,
    pages: pages.map(facts => ({ facts })),
    linkTargets: await Promise.all([...external].map(checkLink)),
    sitemapEntries: sitemap.entries,
    sitemap: { files: sitemap.files, problems: sitemap.problems, incomplete: false },
    robots: [
      {
        origin,
        url: `${origin}/robots.txt`,
        state: 'rules',
        status: 200,
        error: null,
        attempts: 1,
        fetchedAt: 0,
        problems: robots.problems,
        fromLastGood: false,
      },
    ],
    traps: guard.quarantined(),
    complete: queue.length <= limits.maxPages,
  })
  for await (const finding of site) findings.push(finding)
  return { pages, findings }
}

async function plainGet(fetchUrl: string): Promise<FetchedPage> {
  const hops: RedirectHop[] = []
  let url = fetchUrl
  for (;;) {
    const startedAt = performance.now()
    const response = await fetch(url, { redirect: 'manual' })
    const ttfbMs = performance.now() - startedAt
    const body = await response.text()
    const location = response.headers.get('location')
    const page: FetchedPage = {
      fetchUrl,
      finalUrl: url,
      mode: 'fetch',
      fetchedAt: Date.now(),
      status: response.status,
      hops,
      headers: [...response.headers],
      html: /html/.test(response.headers.get('content-type') ?? '') ? body : null,
      bodyBytes: Buffer.byteLength(body),
      ttfbMs,
      // What repeating it would come to, without the waiting.
      attempts: response.status >= 500 ? 3 : 1,
      error: null,
    }
    if (response.status < 300 || response.status > 399 || location === null) return page
    const target = new URL(location, url).href
    hops.push({ url, status: response.status, location: target })
    if (hops.some(hop => hop.url === target)) {
      return { ...page, error: { kind: 'redirect-loop', message: 'it comes back to where it was' } }
    }
    url = target
  }
}

async function checkLink(url: string): Promise<LinkTarget> {
  const { status } = await fetch(url)
  const verdict = status < 400 ? 'ok' : status === 403 ? 'unverified' : 'broken'
  return { url, key: url, verdict, status, finalUrl: url, hops: [], error: null, checkedAt: 0 }
}

interface Sitemap {
  entries: SitemapEntry[]
  problems: SitemapProblem[]
  files: { url: string; foundBy: 'robots'; kind: 'urlset'; status: number; bytes: number; entries: number }[]
}

async function readSitemap(indexUrl: string): Promise<Sitemap> {
  const sitemap: Sitemap = { entries: [], problems: [], files: [] }
  for (const file of locs(await (await fetch(indexUrl)).text())) {
    const text = await (await fetch(file)).text()
    sitemap.files.push({
      url: file,
      foundBy: 'robots',
      kind: 'urlset',
      status: 200,
      bytes: text.length,
      entries: 0,
    })
    for (const loc of locs(text)) {
      const own = new URL(loc).origin === new URL(indexUrl).origin
      if (own) sitemap.entries.push({ loc, lastmod: null, alternates: [], file, line: 0 })
      else sitemap.problems.push({ kind: 'foreign-host', file, line: 0, detail: loc })
    }
  }
  return sitemap
}

function locs(xml: string): string[] {
  return [...xml.matchAll(/<loc>(.*?)<\/loc>/g)].map(match => match[1] as string)
}
