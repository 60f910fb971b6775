/** Language alternates: only indexable pages that name themselves take part (Google's rule). */

import type { HreflangFact } from '../facts.ts'
import type { Json, SubjectOutcome } from '../finding.ts'
import type { PageEntry, SiteModel } from '../site/model.ts'
import { maxSamples, type SiteCheck } from './check.ts'
import { isHreflang } from './language-codes.ts'
import { targetFlaw } from './target.ts'

export const hreflangSiteChecks: SiteCheck[] = [
  {
    id: 'hreflang-invalid',
    category: 'hreflang',
    severity: 'medium',
    scope: 'page',
    rendering: 'preferred',
    advice: 'Use ISO codes and absolute URLs, one URL per code, and list the page itself.',
    *run(site): Iterable<SubjectOutcome> {
      for (const page of sources(site)) {
        const flaws = invalidEntries(page)
        if (flaws.length === 0) continue
        const evidence = { count: flaws.length, flaws: flaws.slice(0, maxSamples) }
        yield { subject: page.url, ...site.basics(page), evidence }
      }
    },
  },
  {
    id: 'hreflang-no-return',
    category: 'hreflang',
    severity: 'medium',
    scope: 'page',
    rendering: 'preferred',
    advice: 'Let the alternate list this page too.',
    *run(site): Iterable<SubjectOutcome> {
      for (const page of sources(site)) {
        const pairs = alternates(page).flatMap(({ code, key }) => {
          const other = site.page(key)
          // An unfit target is reported as such; it could not return anything.
          if (!other?.state.indexable || other.redirected) return []
          return other.hreflangs.some(back => back.key === page.key) ? [] : [{ code, url: other.url }]
        })
        if (pairs.length === 0) continue
        yield {
          subject: page.url,
          ...site.basics(page),
          evidence: { count: pairs.length, pairs: pairs.slice(0, maxSamples) },
        }
      }
    },
  },
  {
    id: 'hreflang-target-bad',
    category: 'hreflang',
    severity: 'medium',
    scope: 'page',
    rendering: 'preferred',
    advice: 'Name alternates that answer 200, may be indexed and are their own canonical.',
    run: badTargets,
  },
]

function* sources(site: SiteModel): Iterable<PageEntry> {
  for (const page of site.pages()) {
    if (page.hreflangs.length > 0 && page.state.indexable && !page.redirected) yield page
  }
}

/** Valid entries that point to other pages, each target once. */
function alternates(page: PageEntry): { code: string; key: string; raw: string }[] {
  const found = new Map<string, { code: string; key: string; raw: string }>()
  for (const { code, key, raw } of page.hreflangs) {
    if (key !== null && key !== page.key && isHreflang(code) && !found.has(key))
      found.set(key, { code, key, raw })
  }
  return [...found.values()]
}

function invalidEntries(page: PageEntry): Json[] {
  const flaws: Json[] = []
  const keys = new Map<string, string>()
  for (const entry of page.hreflangs) {
    const { code, raw, key } = entry
    if (!isHreflang(code)) flaws.push({ flaw: 'bad-code', code, url: raw })
    if (isRelative(entry)) flaws.push({ flaw: 'relative-url', code, url: raw })
    else if (key === null) flaws.push({ flaw: 'bad-url', code, url: raw })
    const folded = code.toLowerCase()
    const before = keys.get(folded)
    if (key !== null && before !== undefined && before !== key) {
      flaws.push({ flaw: 'two-urls', code, url: raw, other: before })
    }
    if (key !== null) keys.set(folded, key)
  }
  if (!page.hreflangs.some(({ key }) => key === page.key))
    flaws.push({ flaw: 'no-self', code: null, url: page.url })
  return flaws
}

function isRelative({ raw }: HreflangFact): boolean {
  return !/^[a-z][a-z0-9+.-]*:/i.test(raw)
}

function* badTargets(site: SiteModel): Iterable<SubjectOutcome> {
  for (const page of sources(site)) {
    const flaws = alternates(page).flatMap(({ code, key, raw }) => {
      const flaw = targetFlaw(site, key, key)
      return flaw === null || flaw === 'unfetched' ? [] : [{ code, url: raw, flaw }]
    })
    const first = flaws[0]
    if (!first) continue
    const caused = flaws.every(({ flaw }) => flaw.causedBy) ? first.flaw.causedBy : undefined
    yield {
      subject: page.url,
      ...site.basics(page),
      evidence: {
        count: flaws.length,
        targets: flaws
          .slice(0, maxSamples)
          .map(({ code, url, flaw }) => ({ code, url, reason: flaw.reason, status: flaw.status })),
      },
      ...(flaws.every(({ flaw }) => flaw.verdict) && { verdict: 'unverified' as const }),
      ...(caused && { causedBy: caused }),
    }
  }
}
