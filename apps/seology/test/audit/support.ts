/** Builders for audit tests: a page from its HTML, a context from nothing, findings in short form. */

import {
  type AuditContext,
  auditPage,
  auditSite,
  extractPage,
  type Finding,
  type PageContext,
  type PageFacts,
  type SiteInput,
  thresholds,
} from '../../src/audit/index.ts'
import type { FetchedPage } from '../../src/crawl/page.ts'
import { canonicalize } from '../../src/crawl/url.ts'

export const home = 'https://ex.test/'
export const fetchedAt = Date.UTC(2026, 10, 24)

export function context(overrides: Partial<AuditContext> = {}): AuditContext {
  return {
    canonicalize,
    homeUrl: home,
    isInternal: url => new URL(url).host === 'ex.test',
    auditedAgent: 'googlebot',
    auditedRobots: () => ({ allowed: true, rule: null }),
    thresholds: thresholds(),
    probes: [],
    ...overrides,
  }
}

/** An answer of `https://ex.test/page`, unless told otherwise. */
export function fetched(html: string | null, overrides: Partial<FetchedPage> = {}): FetchedPage {
  const fetchUrl = overrides.fetchUrl ?? `${home}page`
  return {
    fetchUrl,
    finalUrl: overrides.hops?.at(-1)?.location ?? fetchUrl,
    mode: overrides.rendered ? 'browser' : 'fetch',
    fetchedAt,
    status: 200,
    hops: [],
    headers: [['content-type', 'text/html; charset=utf-8']],
    html,
    bodyBytes: html?.length ?? 0,
    ttfbMs: 20,
    attempts: 1,
    error: null,
    ...overrides,
  }
}

/** What a browser adds to a page. */
export function rendered(
  html: string,
  overrides: Partial<NonNullable<FetchedPage['rendered']>> = {},
): NonNullable<FetchedPage['rendered']> {
  return {
    html,
    baseUri: `${home}page`,
    settledBy: 'quiet',
    navigations: [],
    resources: [],
    elementCount: 100,
    transferBytes: 10_000,
    ...overrides,
  }
}

export const words = (count: number, word = 'word') =>
  Array.from({ length: count }, (_, at) => `${word}${at}`).join(' ')

/** A page that every check passes, with room for defects. */
export function cleanHtml({
  head = '',
  body = '',
  url = `${home}page`,
  title = 'A fine page about stoneware',
} = {}): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title>
    <meta name="viewport" content="width=device-width"><meta name="description" content="${title}: ${words(8, 'summary')}">
    <meta property="og:title" content="x"><meta property="og:type" content="x"><meta property="og:url" content="${url}">
    <meta property="og:image" content="x">${head}</head>
    <body><main><h1>Heading</h1><p>${title} ${words(220)}</p>${body}</main></body></html>`
}

export function facts(page: FetchedPage, settings: AuditContext = context()): PageFacts {
  return extractPage(page, settings)
}

export function audit(page: FetchedPage, settings: PageContext = context()): Finding[] {
  return auditPage(extractPage(page, settings), page, settings)
}

/** Runs both stages over a small site. */
export async function auditAll(pages: FetchedPage[], input: Partial<SiteInput> = {}): Promise<Finding[]> {
  const settings = input.context ?? context()
  const all = pages.map(page => ({ facts: extractPage(page, settings), page }))
  const found = all.flatMap(({ facts: own, page }) => auditPage(own, page, settings))
  const site = {
    context: settings,
    complete: false,
    ...input,
    pages: all.map(({ facts: own }) => ({ facts: own })),
  }
  for await (const finding of auditSite(site)) found.push(finding)
  return found
}

/** The failing checks' ids, sorted. */
export function ids(findings: Finding[]): string[] {
  return findings
    .filter(({ verdict }) => verdict === 'fail')
    .map(({ id }) => id)
    .sort()
}

export function only(findings: Finding[], id: string): Finding[] {
  return findings.filter(finding => finding.id === id)
}
