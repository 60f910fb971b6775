/** Does the page name one sound canonical URL, and is that URL fit to be indexed? */

import { getDomain } from 'tldts'
import type { AuditContext } from '../context.ts'
import type { CanonicalFact } from '../facts.ts'
import type { Evidence, Json, Outcome, Severity, SubjectOutcome } from '../finding.ts'
import { effectiveCanonicals } from '../indexability.ts'
import type { PageEntry, SiteModel } from '../site/model.ts'
import type { DocumentSubject, PageCheck, SiteCheck } from './check.ts'
import { targetFlaw } from './target.ts'

export const canonicalPageChecks: PageCheck[] = [
  {
    id: 'canonical-conflict',
    category: 'canonical',
    severity: 'high',
    scope: 'page',
    rendering: 'preferred',
    gate: 'html',
    advice: 'Keep one canonical, and no noindex beside one that points elsewhere.',
    run: conflict,
  },
  {
    id: 'canonical-invalid',
    category: 'canonical',
    severity: 'high',
    scope: 'page',
    rendering: 'preferred',
    gate: 'html',
    advice: 'Write an absolute URL of this site, without a fragment.',
    run: invalid,
  },
]

export const canonicalSiteChecks: SiteCheck[] = [
  {
    id: 'canonical-target-bad',
    category: 'canonical',
    severity: 'high',
    scope: 'page',
    rendering: 'preferred',
    advice: 'Choose a canonical that answers 200, may be indexed and names itself.',
    run: targets,
  },
  {
    id: 'canonical-to-home',
    category: 'canonical',
    severity: 'medium',
    scope: 'page',
    rendering: 'preferred',
    advice: 'Let the page name itself.',
    *run(site): Iterable<SubjectOutcome> {
      const home = site.page(site.homeKey)
      for (const page of site.pages()) {
        const { canonical } = page.state
        if (!page.state.htmlOk || canonical.kind !== 'elsewhere' || canonical.key !== site.homeKey) continue
        if (new URL(page.url).pathname === '/') continue
        // An alias of the home page is right to name it.
        if (home && home.textHash === page.textHash) continue
        yield {
          subject: page.url,
          ...site.basics(page),
          evidence: {
            canonical: canonical.url,
            textHash: page.textHash,
            homeTextHash: home?.textHash ?? null,
          },
        }
      }
    },
  },
]

function conflict({ facts, state }: DocumentSubject): Outcome | null {
  const canonicals = effectiveCanonicals(facts)
  const distinct = new Set(canonicals.map(({ key, raw }) => key ?? raw))
  const values = canonicals.slice(0, 10).map(({ raw, url, origin }) => ({ raw, url, origin }))
  if (distinct.size > 1) return { evidence: { values } }
  if (state.noindex === 'yes' && state.canonical.kind === 'elsewhere') {
    return { evidence: { values, noindex: true }, variant: 'noindex' }
  }
  return canonicals.length > 1 ? { evidence: { values, identical: true }, severity: 'low' } : null
}

function invalid({ facts }: DocumentSubject): Outcome | null {
  const flaws = effectiveCanonicals(facts).flatMap(canonical =>
    flawsOf(canonical, facts.finalUrl).map(flaw => ({ flaw, canonical })),
  )
  if (flaws.length === 0) return null
  const names = new Set(flaws.map(({ flaw }) => flaw))
  return {
    evidence: {
      flaws: [...names],
      values: flaws.slice(0, 10).map(({ canonical: { raw, url, origin } }): Json => ({ raw, url, origin })),
    },
    severity: severityOf(names),
  }
}

type CanonicalFlaw = 'unparsable' | 'not-http' | 'fragment' | 'relative' | 'cross-domain'

function flawsOf({ raw, url, key }: CanonicalFact, pageUrl: string): CanonicalFlaw[] {
  if (url === null) return ['unparsable']
  if (key === null) return ['not-http']
  const flaws: CanonicalFlaw[] = []
  if (new URL(url).hash !== '') flaws.push('fragment')
  if (!/^https?:/i.test(raw)) flaws.push('relative')
  if (siteOf(url) !== siteOf(pageUrl)) flaws.push('cross-domain')
  return flaws
}

/** A relative canonical or one of another site may be meant; a relative one that leaves the site can't be. */
function severityOf(flaws: ReadonlySet<CanonicalFlaw>): Severity {
  if (flaws.has('unparsable') || flaws.has('not-http') || flaws.has('fragment')) return 'high'
  if (flaws.has('relative')) return flaws.has('cross-domain') ? 'high' : 'low'
  return 'info'
}

/** The registrable domain; for addresses and local names the host with its port. */
function siteOf(url: string): string {
  return getDomain(url) ?? new URL(url).host
}

function* targets(site: SiteModel, context: AuditContext): Iterable<SubjectOutcome> {
  for (const page of site.pages()) {
    const { canonical } = page.state
    if (!page.state.htmlOk || page.state.noindex === 'yes' || canonical.kind !== 'elsewhere') continue
    const flaw = targetFlaw(site, canonical.key, canonical.url)
    const basics = { subject: page.url, ...site.basics(page) }
    const evidence: Evidence = { canonical: canonical.url }
    if (flaw === 'unfetched') {
      // Another site's URLs are not ours to crawl, which says nothing against them.
      if (context.isInternal(canonical.url)) {
        yield { ...basics, evidence: { ...evidence, reason: flaw }, verdict: 'unverified' }
      }
    } else if (flaw) {
      const loop = leadsBack(site, page, canonical.key)
      yield {
        ...basics,
        evidence: { ...evidence, reason: flaw.reason, status: flaw.status },
        ...(loop && { variant: 'loop' }),
        ...(flaw.verdict && { verdict: flaw.verdict }),
        ...(flaw.causedBy && { causedBy: flaw.causedBy }),
      }
    }
  }
}

/** A names B, and B redirects to A. */
function leadsBack(site: SiteModel, page: PageEntry, key: string): boolean {
  const target = site.page(key)
  return target !== undefined && target.finalKey === page.key && target.key !== page.key
}
