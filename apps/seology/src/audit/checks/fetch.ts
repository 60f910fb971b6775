/** Can the page be fetched, quickly, as one page of its own? */

import type { AuditContext, ProbeFingerprint } from '../context.ts'
import type { PageFacts } from '../facts.ts'
import type { Outcome, SubjectOutcome } from '../finding.ts'
import type { PageEntry, SiteModel } from '../site/model.ts'
import type { PageCheck, PageSubject, SiteCheck } from './check.ts'
import type { Thresholds } from '../thresholds.ts'
import { matchesNotFound } from './not-found.ts'

/** Failures of the network; a robots rule, a refused address or a body too large are none. */
const networkErrors = new Set(['dns', 'connect', 'tls', 'timeout', 'reset', 'protocol'])

export const fetchPageChecks: PageCheck[] = [
  {
    id: 'soft-404',
    category: 'fetch',
    severity: 'high',
    scope: 'page',
    rendering: 'preferred',
    gate: 'answer',
    advice: 'Answer 404 or 410 for pages that do not exist.',
    run: soft404,
  },
  {
    id: 'ttfb-slow',
    category: 'perf',
    severity: 'medium',
    scope: 'page',
    rendering: 'none',
    gate: 'html',
    advice: 'Cache the page or profile the backend.',
    run({ facts, context }) {
      const { ttfbSlowMs, ttfbVerySlowMs, ttfbMinSamples } = context.thresholds
      const samples = [...(context.ttfbSamplesMs ?? [facts.ttfbMs])].sort((a, b) => a - b)
      const median = samples[Math.floor(samples.length / 2)] ?? 0
      if (median <= ttfbSlowMs) return null
      return {
        evidence: {
          medianMs: Math.round(median),
          samplesMs: samples.map(Math.round),
          thresholdMs: ttfbSlowMs,
        },
        severity: median > ttfbVerySlowMs ? 'high' : 'medium',
        verdict: samples.length < ttfbMinSamples ? 'unverified' : 'fail',
      }
    },
  },
  {
    id: 'html-too-large',
    category: 'perf',
    severity: 'high',
    scope: 'page',
    rendering: 'none',
    gate: 'answer',
    advice: 'Shrink the document: what lies beyond the limit is not indexed.',
    run({ facts, context }) {
      const { htmlMaxBytes } = context.thresholds
      const isHtml = /html/i.test(facts.contentType ?? '')
      if (!isHtml || facts.key !== facts.finalKey || facts.status >= 300 || facts.bodyBytes <= htmlMaxBytes)
        return null
      return { evidence: { bytes: facts.bodyBytes, maxBytes: htmlMaxBytes } }
    },
  },
]

export const fetchSiteChecks: SiteCheck[] = [
  {
    id: 'fetch-failed',
    category: 'fetch',
    severity: 'high',
    scope: 'page',
    rendering: 'none',
    advice: 'Make the page reachable again.',
    run(site, { thresholds }) {
      return failures(site, thresholds.siteWideShare, thresholds.fetchFailedMinAttempts, isNetworkFailure)
    },
  },
  {
    id: 'http-5xx',
    category: 'fetch',
    severity: 'high',
    scope: 'page',
    rendering: 'none',
    advice: 'Fix the server error.',
    run(site, { thresholds }) {
      return failures(site, thresholds.siteWideShare, thresholds.serverErrorMinAttempts, isServerError)
    },
  },
]

export function isNetworkFailure(page: PageEntry): boolean {
  return page.error !== null && networkErrors.has(page.error.kind)
}

export function isServerError(page: PageEntry): boolean {
  return page.error === null && page.status >= 500 && page.status <= 599
}

/** Pages that failed; critical on the home page, or when too large a share of the site fails. */
function* failures(
  site: SiteModel,
  siteWideShare: number,
  minAttempts: number,
  failed: (page: PageEntry) => boolean,
): Iterable<SubjectOutcome> {
  const pages = [...site.pages()].filter(failed)
  const siteWide = pages.length / site.pageCount >= siteWideShare
  for (const page of pages) {
    yield {
      subject: page.url,
      ...site.basics(page),
      evidence: {
        status: page.status,
        error: page.error ? `${page.error.kind}: ${page.error.message}`.slice(0, 300) : null,
        attempts: page.attempts,
        retryAfter: page.retryAfter,
        finalUrl: page.finalUrl,
      },
      severity: siteWide || page.key === site.homeKey ? 'critical' : 'high',
      // A server that names a time to come back is down on purpose.
      verdict: page.retryAfter !== null || page.attempts < minAttempts ? 'unverified' : 'fail',
    }
  }
}

function soft404({ facts, state, context }: PageSubject): Outcome | null {
  if (facts.error !== null || facts.status < 200 || facts.status > 299) return null
  const homeKey = context.canonicalize(context.homeUrl)?.key
  if (facts.key === homeKey || context.probes.some(probe => probe.probeUrl === facts.fetchUrl)) return null
  if (facts.key !== facts.finalKey) return redirectedLikeMissing({ facts, context })
  const { document } = facts
  // An application that marks unknown routes noindex has found its own way to say so.
  if (!document || !state.htmlOk || state.noindex !== 'no') return null
  const { soft404Similarity, soft404MaxWords } = context.thresholds
  const match = document.probeSimilarity
  if (match && match.score >= soft404Similarity) {
    const shell = facts.basis === 'raw' && document.hasScript && document.words < 20
    return { evidence: { by: 'similarity', ...match }, ...(shell && { verdict: 'unverified' as const }) }
  }
  const headline = document.headings.find(([level]) => level === 1)?.[1] ?? ''
  const phrase = [document.titles[0] ?? '', headline].find(text =>
    matchesNotFound(text, document.lang ?? 'en'),
  )
  if (phrase === undefined || document.words >= soft404MaxWords) return null
  return { evidence: { by: 'wording', phrase, words: document.words } }
}

/** A redirect to where the host sends every missing page. */
function redirectedLikeMissing({ facts, context }: Pick<PageSubject, 'facts' | 'context'>): Outcome | null {
  const probe = probeWithSameEnd(facts.fetchUrl, facts, context)
  if (!probe) return null
  return { evidence: { by: 'redirect', probeUrl: probe.probeUrl, finalUrl: facts.finalUrl } }
}

/** The probe of a missing page that was redirected to where this URL is; undefined when that proves nothing. */
export function probeWithSameEnd(
  url: string,
  { finalUrl, finalKey }: { finalUrl: string; finalKey: string },
  { probes }: Pick<AuditContext, 'probes'>,
): ProbeFingerprint | undefined {
  const probe = probes.find(({ redirected, finalKey: end }) => redirected && end === finalKey)
  // The same page under another host, scheme, slash or index name is no missing page; neither is a login.
  const samePath = stem(new URL(url).pathname) === stem(new URL(finalUrl).pathname)
  return samePath || /log-?in|sign-?in|auth/i.test(finalUrl) ? undefined : probe
}

function stem(path: string): string {
  return path.replace(/(index|default|home)\.(html?|php|aspx?|jsp)$/i, '').replace(/\/+$/, '')
}

/** Whether a page was slow enough for two more measurements, which `ttfb-slow` asks for before it fails. */
export function needsTtfbSamples(
  facts: Pick<PageFacts, 'ttfbMs' | 'document'>,
  { ttfbSlowMs }: Pick<Thresholds, 'ttfbSlowMs'>,
): boolean {
  return facts.document !== null && facts.ttfbMs > ttfbSlowMs
}
