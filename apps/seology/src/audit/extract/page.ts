/** From an answer to its facts. */

import type { FetchedPage } from '../../crawl/page.ts'
import type { AuditContext } from '../context.ts'
import type { DocumentFacts, PageFacts } from '../facts.ts'
import { type DocumentSource, readDocument } from './document.ts'
import { charsetOf } from './head-reader.ts'
import { parseRobotsHeader } from './robots-directives.ts'

/** What extraction needs of the audit's settings; an `AuditContext` serves as it is. */
export type ExtractOptions = Pick<AuditContext, 'canonicalize' | 'auditedAgent' | 'thresholds' | 'probes'>

/** Titles of interstitials that stand in for the site's own page. */
const challengeTitles =
  /^(just a moment\.\.\.|attention required! \| cloudflare|ddos-guard|are you a robot\?)$/i

/**
 * Reduces one answer to its facts. Never throws on bad HTML.
 *
 * A redirected answer yields the redirect's facts without a document; `finalAnswer` gives the other half.
 */
export function extractPage(page: FetchedPage, options: ExtractOptions): PageFacts {
  return readPage(page, options).facts
}

/** The facts and the normalised main text, which is too long to be stored with them. */
export function readPage(page: FetchedPage, options: ExtractOptions): { facts: PageFacts; mainText: string } {
  const key = options.canonicalize(page.fetchUrl)?.key ?? page.fetchUrl
  const finalKey = options.canonicalize(page.finalUrl)?.key ?? page.finalUrl
  const contentType = header(page, 'content-type')
  // A redirect that leads back to the same page (a cookie test, say) leaves it the page's own answer.
  const source = key === finalKey ? documentSource(page, finalKey, contentType) : null
  const reading = source === null ? null : readDocument(source.input, options)
  const challenged =
    header(page, 'cf-mitigated') === 'challenge' || challengeTitles.test(reading?.document.titles[0] ?? '')
  const document = challenged ? null : (reading?.document ?? null)
  const facts: PageFacts = {
    version: 1,
    fetchUrl: page.fetchUrl,
    key,
    finalUrl: page.finalUrl,
    finalKey,
    renderMode: page.mode,
    basis: source?.basis ?? 'raw',
    fetchedAt: page.fetchedAt,
    status: page.status,
    hops: page.hops,
    clientRedirect: clientRedirect(page, document, finalKey, options),
    error: page.error,
    attempts: page.attempts,
    ttfbMs: page.ttfbMs,
    bodyBytes: page.bodyBytes,
    contentType,
    retryAfter: header(page, 'retry-after'),
    challenged,
    robots: reading?.robots ?? headerRobots(page),
    document,
  }
  return { facts, mainText: reading?.mainText ?? '' }
}

/**
 * A redirected answer seen as its final URL's own, so that one request can serve both rows: the source's facts
 * carry the redirect, the final URL's the content.
 */
export function finalAnswer(page: FetchedPage): FetchedPage {
  return { ...page, fetchUrl: page.finalUrl, hops: [] }
}

/** Null unless the answer is complete HTML. */
function documentSource(
  page: FetchedPage,
  finalKey: string,
  contentType: string | null,
): { input: DocumentSource; basis: PageFacts['basis'] } | null {
  if (page.error !== null || page.status < 200 || page.status > 299) return null
  if (page.html === null || !isHtmlType(contentType)) return null
  // Once another document took its place, the rendered DOM is that one's.
  const rendered = page.rendered && page.rendered.navigations.length === 0 ? page.rendered : null
  return {
    basis: rendered ? 'rendered' : 'raw',
    input: {
      html: rendered?.html ?? page.html,
      finalUrl: page.finalUrl,
      finalKey,
      baseUri: rendered?.baseUri ?? null,
      fetchedAt: page.fetchedAt,
      linkHeaders: headers(page, 'link'),
      headerRobots: headerRobots(page),
      headerCharset: charsetOf(contentType ?? ''),
    },
  }
}

function clientRedirect(
  page: FetchedPage,
  document: DocumentFacts | null,
  finalKey: string,
  options: ExtractOptions,
): PageFacts['clientRedirect'] {
  const refresh = document?.metaRefresh
  const instant = refresh?.delaySeconds === 0 && refresh.fetchUrl !== null && refresh.key !== finalKey
  const navigation = page.rendered?.navigations.find(
    ({ to }) => (options.canonicalize(to)?.key ?? to) !== finalKey,
  )
  if (navigation) return { via: instant ? 'meta-refresh' : 'script', to: navigation.to }
  return instant ? { via: 'meta-refresh', to: refresh.fetchUrl as string } : null
}

function isHtmlType(contentType: string | null): boolean {
  const type = contentType?.split(';')[0]?.trim().toLowerCase()
  return type === 'text/html' || type === 'application/xhtml+xml'
}

function headerRobots(page: FetchedPage): PageFacts['robots'] {
  return headers(page, 'x-robots-tag').flatMap(line => parseRobotsHeader(line, page.fetchedAt))
}

function headers(page: FetchedPage, wanted: string): string[] {
  return page.headers.filter(([name]) => name === wanted).map(([, value]) => value)
}

function header(page: FetchedPage, wanted: string): string | null {
  return headers(page, wanted)[0] ?? null
}
