/** Sitemaps: well-formed, and listing only what may be indexed (sitemaps.org). */

import type { SitemapProblemKind } from '../../crawl/sitemap.ts'
import type { SubjectOutcome } from '../finding.ts'
import type { PageEntry, SiteModel } from '../site/model.ts'
import { maxSamples, type SiteCheck } from './check.ts'
import { targetFlaw } from './target.ts'

/** What makes a file invalid; doubtful dates and fetch errors do not. */
const faults = new Set<SitemapProblemKind>([
  'bad-xml',
  'html-body',
  'unknown-format',
  'too-many-urls',
  'too-large',
  'nested-index',
  'foreign-host',
  'relative-url',
  'invalid-url',
  'url-too-long',
])

export const sitemapSiteChecks: SiteCheck[] = [
  {
    id: 'sitemap-invalid',
    category: 'sitemap',
    severity: 'medium',
    scope: 'site',
    rendering: 'none',
    advice: 'Regenerate the sitemap.',
    *run(site): Iterable<SubjectOutcome> {
      for (const file of site.sitemap.files) {
        const problems = site.sitemap.problems.filter(
          problem =>
            problem.file === file.url && faults.has(problem.kind) && !isGuess(file.foundBy, problem.kind),
        )
        if (problems.length === 0) continue
        yield {
          subject: file.url,
          evidence: {
            count: problems.length,
            entries: file.entries,
            bytes: file.bytes,
            problems: problems
              .slice(0, maxSamples)
              .map(({ kind, line, detail }) => ({ kind, line, detail: detail.slice(0, 300) })),
          },
        }
      }
    },
  },
  {
    id: 'sitemap-url-bad',
    category: 'sitemap',
    severity: 'medium',
    scope: 'page',
    rendering: 'preferred',
    advice: 'List only canonical URLs that answer 200 and may be indexed.',
    *run(site): Iterable<SubjectOutcome> {
      for (const { url, sitemap, rule } of site.blockedEntries) {
        yield { subject: url, page: url, evidence: { sitemap, reason: 'blocked', rule } }
      }
      for (const page of site.pages()) if (page.sitemap !== null) yield* listed(site, page, page.sitemap)
    },
  },
]

/** Many sites answer unknown paths with a page; a sitemap that nobody declared isn't one. */
function isGuess(foundBy: string, kind: SitemapProblemKind): boolean {
  return foundBy === 'well-known' && (kind === 'html-body' || kind === 'unknown-format')
}

function* listed(site: SiteModel, page: PageEntry, sitemap: string): Iterable<SubjectOutcome> {
  const flaw = targetFlaw(site, page.key, page.url)
  if (flaw === null || flaw === 'unfetched' || flaw.reason === 'blocked') return
  yield {
    subject: page.url,
    ...site.basics(page),
    evidence: { sitemap, reason: flaw.reason, status: flaw.status, finalUrl: page.finalUrl },
    ...(flaw.verdict && { verdict: flaw.verdict }),
    ...(flaw.causedBy && { causedBy: flaw.causedBy }),
  }
}
