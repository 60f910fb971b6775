/** Does each URL lead straight to its page? */

import type { RedirectHop } from '../../crawl/page.ts'
import type { PageFacts } from '../facts.ts'
import type { Json, SubjectOutcome } from '../finding.ts'
import type { PageCheck, SiteCheck } from './check.ts'

export const redirectPageChecks: PageCheck[] = [
  {
    id: 'redirect-loop',
    category: 'redirect',
    severity: 'high',
    scope: 'page',
    rendering: 'none',
    gate: 'answer',
    advice: 'Break the loop: let the URL answer 200 or redirect once to a page that does.',
    run({ facts, context }) {
      return isLoop(facts, context.thresholds.redirectMaxHops) ? { evidence: { chain: chain(facts) } } : null
    },
  },
  {
    id: 'redirect-chain',
    category: 'redirect',
    severity: 'medium',
    scope: 'page',
    rendering: 'none',
    gate: 'answer',
    advice: 'Redirect straight to the final URL.',
    run({ facts, context }) {
      const { redirectMaxHops, redirectChainMinHops } = context.thresholds
      if (facts.error !== null || isLoop(facts, redirectMaxHops)) return null
      const hops = facts.hops.filter(hop => !isHstsUpgrade(hop))
      if (hops.length < redirectChainMinHops) return null
      return { evidence: { hops: hops.length, chain: chain(facts), finalUrl: facts.finalUrl } }
    },
  },
  {
    id: 'redirect-client',
    category: 'redirect',
    severity: 'medium',
    scope: 'page',
    rendering: 'required',
    gate: 'answer',
    advice: 'Redirect with 301 or 308 instead.',
    run({ facts, page }) {
      if (facts.clientRedirect === null) return null
      const { via, to } = facts.clientRedirect
      const seen = page.rendered !== undefined && page.rendered.navigations.length > 0
      const navigations = (page.rendered?.navigations ?? [])
        .slice(0, 10)
        .map(({ from, to }) => ({ from, to }))
      return { evidence: { via, to, navigations }, verdict: seen ? 'fail' : 'unverified' }
    },
  },
]

export const redirectSiteChecks: SiteCheck[] = [
  {
    id: 'host-variants-live',
    category: 'redirect',
    severity: 'high',
    scope: 'site',
    rendering: 'none',
    advice: 'Redirect every variant of the host with 301 to one origin.',
    *run(site, { homeUrl }): Iterable<SubjectOutcome> {
      const live = site.hostVariants.filter(({ facts }) => facts.status === 200 && facts.hops.length === 0)
      if (live.length < 2) return
      const hashes = live.map(({ facts }) => facts.document?.textHash ?? null)
      const titles = live.map(({ facts }) => facts.document?.titles[0] ?? null)
      // Another site under the other name is no duplicate; what differs in both can't be told from one.
      const alike = hasRepeat(hashes) || hasRepeat(titles)
      yield {
        subject: new URL(homeUrl).origin,
        evidence: {
          results: site.hostVariants.map(({ variant, facts }) => ({
            variant,
            url: facts.fetchUrl,
            status: facts.status,
            finalUrl: facts.finalUrl,
            textHash: facts.document?.textHash ?? null,
          })),
        },
        verdict: alike ? 'fail' : 'unverified',
      }
    },
  },
]

/** A URL asked twice, more hops than engines follow, or a client that gave up for such a reason. */
export function isLoop(facts: Pick<PageFacts, 'hops' | 'error' | 'finalUrl'>, maxHops: number): boolean {
  if (facts.error?.kind === 'redirect-loop' || facts.hops.length > maxHops) return true
  const urls = facts.hops.map(hop => hop.url)
  return new Set(urls).size < urls.length
}

/** The browser's own upgrade to https, which no server answered. */
function isHstsUpgrade({ url, status, location }: RedirectHop): boolean {
  return status === 307 && url.startsWith('http:') && location === url.replace(/^http:/, 'https:')
}

function chain(facts: PageFacts): Json {
  return facts.hops.slice(0, 12).map(({ url, status, location }) => ({ url, status, location }))
}

function hasRepeat(values: (string | null)[]): boolean {
  const known = values.filter(value => value !== null)
  return new Set(known).size < known.length
}
