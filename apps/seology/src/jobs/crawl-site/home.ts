import { NonRetryableError } from 'millrace'
import type { AuditContext, ProbeFingerprint } from '../../audit/context.ts'
import { thresholds } from '../../audit/thresholds.ts'
import { extractPage } from '../../audit/extract/page.ts'
import { AddressRefusedError } from '../../crawl/address-guard.ts'
import type { FetchedPage } from '../../crawl/page.ts'
import { createSiteScope, type SiteScope } from '../../crawl/site-scope.ts'
import { canonicalize } from '../../crawl/url.ts'
import { findSessionParams } from '../../crawl/url-params.ts'
import { readFact, saveFact } from '../../tables/crawls.ts'
import { SiteUnreachableError } from './ending.ts'
import type { CrawlRun } from './run.ts'

/** What is known of the site before its pages are. */
export interface Site {
  /** The start page as it is crawled. */
  startUrl: string
  homeUrl: string
  scope: SiteScope
  sessionParams: string[]
  /** How the site answers to what does not exist; known before the second wave. */
  probes: readonly ProbeFingerprint[] | null
  readonly context: AuditContext
}

interface HomeFact {
  homeUrl: string
  hosts: string[]
  sessionParams: string[]
}

/** Asks for the start page, to learn where the site lives and what it calls a session. */
export async function findHome(run: CrawlRun): Promise<Site> {
  const { payload, tables, crawl } = run
  const start = canonicalize(payload.url)
  if (start === null) throw new NonRetryableError(`${payload.url} is not a URL that can be crawled`)
  const stored = await readFact<HomeFact>(tables.db, crawl.row.id, 'home')
  const probes = await readFact<ProbeFingerprint[]>(tables.db, crawl.row.id, 'probes')
  if (stored) return siteOf(run, start.fetchUrl, stored, probes)
  await refusePrivate(run, start.fetchUrl)
  await askRobots(run, start.fetchUrl)
  const home = await visitHome(run, start.fetchUrl)
  await crawl.write(trx => saveFact(trx, crawl.row.id, 'home', home))
  return siteOf(run, start.fetchUrl, home, null)
}

function siteOf(
  run: CrawlRun,
  startUrl: string,
  { homeUrl, hosts, sessionParams }: HomeFact,
  probes: readonly ProbeFingerprint[] | null,
): Site {
  const { settings, robots, payload } = run
  const scope = createSiteScope(startUrl, hosts)
  const dropParams = new Set(sessionParams)
  const site: Site = {
    startUrl,
    homeUrl,
    scope,
    sessionParams,
    probes,
    context: {
      canonicalize: (href, base) => canonicalize(href, base, { dropParams }),
      homeUrl,
      isInternal: url => scope.has(url),
      auditedAgent: settings.auditedAgent,
      auditedRobots: url => robots.peek(url)?.engineMayFetch(url) ?? { allowed: true, rule: null },
      thresholds: thresholds(payload.thresholds),
      get probes() {
        return site.probes ?? []
      },
    },
  }
  return site
}

/** Stores which hosts belong to the site by now. */
export async function saveHome(run: CrawlRun, { homeUrl, scope, sessionParams }: Site): Promise<void> {
  const fact: HomeFact = { homeUrl, hosts: scope.hosts(), sessionParams }
  await run.crawl.write(trx => saveFact(trx, run.crawl.row.id, 'home', fact))
}

/** A site whose robots.txt can't even be asked for does not answer at all. */
async function askRobots(run: CrawlRun, url: string): Promise<void> {
  const file = await run.robots.get(url, run.signal)
  if (file.state === 'unreachable' && file.error) throw unreachable(url, file.error)
}

async function visitHome(run: CrawlRun, startUrl: string): Promise<HomeFact> {
  const scope = createSiteScope(startUrl)
  if (!(await run.mayFetch(startUrl, run.signal)))
    return { homeUrl: startUrl, hosts: scope.hosts(), sessionParams: [] }
  const { signal, mayFetch } = run
  const visit = () => run.http.fetchPage(startUrl, { signal, mayFetch })
  const page = await visit()
  if (page.error) await refusePrivate(run, page.finalUrl)
  if (page.error && page.error.kind !== 'robots' && page.error.kind !== 'redirect-loop')
    throw unreachable(page.finalUrl, page.error)
  scope.addStart(page.hops, page.finalUrl)
  // Only two visits can tell an identifier from a session.
  const suspicious = /[?&;](?:sid|session_?id)=/i.test(page.html ?? '')
  const sessionParams = suspicious ? findSessionParams(hrefsOf(run, page), hrefsOf(run, await visit())) : []
  return { homeUrl: page.error ? startUrl : page.finalUrl, hosts: scope.hosts(), sessionParams }
}

function hrefsOf(run: CrawlRun, page: FetchedPage): string[] {
  const options = {
    canonicalize,
    auditedAgent: run.settings.auditedAgent,
    thresholds: thresholds(),
    probes: [],
  }
  const { document } = extractPage({ ...page, hops: [] }, options)
  return document?.links.flatMap(({ fetchUrl }) => fetchUrl ?? []) ?? []
}

function unreachable(url: string, { kind, message }: NonNullable<FetchedPage['error']>): Error {
  return new SiteUnreachableError(`${url} can not be reached: ${message} (${kind})`)
}

/** Says so before anything is asked for; whoever connects makes sure of it again. */
async function refusePrivate({ guard }: CrawlRun, url: string): Promise<void> {
  try {
    await guard.resolve(new URL(url).hostname)
  } catch (error) {
    if (!(error instanceof AddressRefusedError)) return
    throw new NonRetryableError(
      `${url} is not crawled: ${error.message}. Private addresses are crawled only where CRAWL_ALLOW_PRIVATE=1 is set`,
    )
  }
}
