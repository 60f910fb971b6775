/** Links: where they lead, what they are called, and who is left without one. */

import { classifyStatus } from '../../crawl/status-class.ts'
import type { RedirectHop } from '../../crawl/page.ts'
import type { AuditContext, LinkTarget } from '../context.ts'
import type { Evidence, SubjectOutcome } from '../finding.ts'
import type { Occurrences, Target } from '../site/links.ts'
import type { PageEntry, SiteModel } from '../site/model.ts'
import type { SiteCheck } from './check.ts'
import { probeWithSameEnd } from './fetch.ts'
import { isLoop } from './redirect.ts'

export const linkSiteChecks: SiteCheck[] = [
  {
    id: 'link-internal-broken',
    category: 'link',
    severity: 'high',
    scope: 'link',
    rendering: 'none',
    advice: 'Update or remove the link.',
    *run(site): Iterable<SubjectOutcome> {
      for (const [target, answer] of internalAnswers(site)) {
        if (answer.error !== null || answer.status < 400 || answer.status > 499) continue
        const kind = classifyStatus({ status: answer.status })
        const refused = kind === 'auth' || kind === 'refused' || kind === 'throttled'
        yield {
          ...linked(target.url, target, { status: answer.status, finalUrl: answer.finalUrl }),
          verdict: refused ? 'unverified' : 'fail',
        }
      }
    },
  },
  {
    id: 'link-internal-redirect',
    category: 'redirect',
    severity: 'low',
    scope: 'link',
    rendering: 'none',
    advice: 'Link the final URL.',
    run: redirectedLinks,
  },
  {
    id: 'link-uncrawlable',
    category: 'link',
    severity: 'medium',
    scope: 'link',
    rendering: 'preferred',
    advice: 'Give the link a real href.',
    *run(site): Iterable<SubjectOutcome> {
      for (const entry of site.links.flawed.values()) {
        const { flaw, rawHref, name, html } = entry
        const subject = flaw === 'hash-route' ? (entry.url as string) : rawHref.trim() || '(empty)'
        yield {
          ...linked(subject, entry, { flaw, rawHref, name, html }),
          ...(flaw === 'hash-route' && { variant: flaw }),
        }
      }
    },
  },
  {
    id: 'link-text-poor',
    category: 'link',
    severity: 'low',
    scope: 'link',
    rendering: 'preferred',
    advice: 'Name the destination in the link text.',
    *run(site): Iterable<SubjectOutcome> {
      for (const entry of site.links.poor.values()) {
        const { names, language, html } = entry
        yield linked(entry.url, entry, { names: [...names], language, html })
      }
    },
  },
  {
    id: 'link-external-broken',
    category: 'link',
    severity: 'medium',
    scope: 'link',
    rendering: 'none',
    advice: 'Replace the link.',
    *run(site): Iterable<SubjectOutcome> {
      for (const target of site.links.targets()) {
        const answer = target.internal ? undefined : site.linkTarget(target.key)
        if (!answer || answer.verdict === 'ok' || answer.verdict === 'redirect') continue
        const broken =
          answer.verdict === 'broken' || (answer.verdict === 'suspect' && answer.brokenBefore === true)
        yield {
          ...linked(target.url, target, {
            status: answer.status,
            error: answer.error ? `${answer.error.kind}: ${answer.error.message}`.slice(0, 300) : null,
            finalUrl: answer.finalUrl,
            judged: answer.verdict,
          }),
          fetchedAt: answer.checkedAt,
          verdict: broken ? 'fail' : 'unverified',
        }
      }
    },
  },
  {
    id: 'orphan-page',
    category: 'link',
    severity: 'medium',
    scope: 'page',
    rendering: 'preferred',
    advice: 'Link the page from another one.',
    *run(site): Iterable<SubjectOutcome> {
      if (!site.complete) return
      const { graph } = site
      for (const page of site.pages()) {
        if (!isOwnPage(page) || page.key === site.homeKey || graph.hasInlink(page.key)) continue
        yield {
          subject: page.url,
          ...site.basics(page),
          evidence: { discoveredBy: page.discoveredBy, sitemap: page.sitemap },
        }
      }
    },
  },
  {
    id: 'depth-high',
    category: 'link',
    severity: 'low',
    scope: 'page',
    rendering: 'preferred',
    advice: 'Link the page from one nearer to the home page.',
    *run(site, { thresholds }): Iterable<SubjectOutcome> {
      const { graph } = site
      for (const page of site.pages()) {
        const clicks = graph.clicks(page.key)
        if (clicks === undefined || clicks <= thresholds.depthMaxClicks || !isOwnPage(page)) continue
        yield {
          subject: page.url,
          ...site.basics(page),
          evidence: { clicks, maxClicks: thresholds.depthMaxClicks, path: graph.path(page.key).slice(0, 30) },
        }
      }
    },
  },
]

function isOwnPage(page: PageEntry): boolean {
  return page.state.indexable && !page.redirected
}

function* internalAnswers(site: SiteModel): Iterable<[Target, PageEntry | LinkTarget]> {
  for (const target of site.links.targets()) {
    const answer = target.internal ? (site.page(target.key) ?? site.linkTarget(target.key)) : undefined
    if (answer) yield [target, answer]
  }
}

function* redirectedLinks(site: SiteModel, context: AuditContext): Iterable<SubjectOutcome> {
  for (const [target, answer] of internalAnswers(site)) {
    // A loop, an error and a broken end are reported as what they are.
    if (answer.hops.length === 0 || answer.error !== null || answer.status < 200 || answer.status > 299)
      continue
    if (isLoop(answer, context.thresholds.redirectMaxHops)) continue
    if (context.canonicalize(answer.finalUrl)?.key === answer.key) continue
    if (isLogin(answer) || isLocale(target.url, answer.finalUrl)) continue
    // Where missing pages are redirected, the redirect is the smaller matter.
    const missing = 'finalKey' in answer && probeWithSameEnd(answer.url, answer, context) !== undefined
    yield {
      ...linked(target.url, target, {
        status: (answer.hops[0] as RedirectHop).status,
        hops: answer.hops.length,
        finalUrl: answer.finalUrl,
      }),
      ...(missing && { causedBy: { id: 'soft-404', subject: answer.url } }),
    }
  }
}

function isLogin({ url, finalUrl }: { url: string; finalUrl: string }): boolean {
  const gate = /\/(log-?in|sign-?in|sso|oauth2?|auth|account|session)(\/|\?|$)/i
  return gate.test(url) || gate.test(finalUrl)
}

/** The same path with a language put in front, chosen for the visitor. */
function isLocale(from: string, to: string): boolean {
  const source = new URL(from).pathname
  const match = /^\/[a-z]{2}(-[a-z]{2})?(\/.*)?$/i.exec(new URL(to).pathname)
  return match !== null && (match[2] ?? '/').replace(/\/$/, '') === source.replace(/\/$/, '')
}

function linked(subject: string, entry: Occurrences, evidence: Evidence): SubjectOutcome {
  return {
    subject,
    page: entry.sources[0] ?? null,
    occurrences: entry.count,
    evidence: { ...evidence, sources: entry.sources, sourceCount: entry.count },
  }
}
