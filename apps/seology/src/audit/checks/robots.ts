/** robots.txt: reachable, sane, and not in the way of rendering (RFC 9309). */

import type { RobotsReport } from '../context.ts'
import type { SubjectOutcome } from '../finding.ts'
import type { SiteModel } from '../site/model.ts'
import { maxSamples, type PageCheck, type SiteCheck } from './check.ts'

/** What breaks a file; unknown records are permitted extensions. */
const faults = new Set([
  'html-body',
  'orphan-rule',
  'too-large',
  'line-too-long',
  'missing-colon',
  'misspelled-directive',
  'invalid-pattern',
  'invalid-sitemap',
])

export const robotsPageChecks: PageCheck[] = [
  {
    id: 'blocked-resources',
    category: 'robots',
    severity: 'medium',
    scope: 'page',
    rendering: 'required',
    gate: 'html',
    advice: 'Allow the scripts and style sheets that the page needs in order to render.',
    run({ page, context }) {
      const blocked = (page.rendered?.resources ?? []).flatMap(({ url, type }) => {
        if ((type !== 'script' && type !== 'stylesheet') || !context.isInternal(url)) return []
        const { allowed, rule } = context.auditedRobots(url)
        return allowed
          ? []
          : [{ url: url.slice(0, 300), type, rule: rule?.text ?? null, line: rule?.line ?? null }]
      })
      if (blocked.length === 0) return null
      return { evidence: { count: blocked.length, resources: blocked.slice(0, maxSamples) } }
    },
  },
]

export const robotsSiteChecks: SiteCheck[] = [
  {
    id: 'robots-txt-unreachable',
    category: 'robots',
    severity: 'critical',
    scope: 'site',
    rendering: 'none',
    advice: 'Answer 200 with the rules, or 404 if there are none: on errors search engines stop crawling.',
    *run(site): Iterable<SubjectOutcome> {
      for (const file of ownFiles(site)) {
        if (file.state !== 'unreachable' && !file.fromLastGood) continue
        yield about(file, {
          status: file.status,
          error: file.error?.message ?? null,
          attempts: file.attempts,
        })
      }
    },
  },
  {
    id: 'robots-disallow-all',
    category: 'robots',
    severity: 'critical',
    scope: 'site',
    rendering: 'none',
    advice: 'Remove the rule that keeps search engines from the whole site.',
    *run(site, { auditedRobots, auditedAgent, thresholds }): Iterable<SubjectOutcome> {
      for (const file of ownFiles(site)) {
        if (file.state !== 'rules' || thresholds.stagingHosts.includes(new URL(file.origin).host)) continue
        const { allowed, rule } = auditedRobots(`${file.origin}/`)
        if (allowed) continue
        yield about(file, { agent: auditedAgent, line: rule?.line ?? null, rule: rule?.text ?? null })
      }
    },
  },
  {
    id: 'robots-txt-invalid',
    category: 'robots',
    severity: 'medium',
    scope: 'site',
    rendering: 'none',
    advice: 'Correct the syntax.',
    *run(site): Iterable<SubjectOutcome> {
      for (const file of ownFiles(site)) {
        const lines = file.problems.filter(({ kind }) => faults.has(kind))
        if (lines.length === 0) continue
        const samples = lines.slice(0, maxSamples)
        yield about(file, {
          count: lines.length,
          lines: samples.map(({ kind, line, text }) => ({ kind, line, text: text.slice(0, 300) })),
        })
      }
    },
  },
]

function ownFiles(site: SiteModel): RobotsReport[] {
  return site.robots.filter(file => site.context.isInternal(file.url))
}

function about(file: RobotsReport, evidence: SubjectOutcome['evidence']): SubjectOutcome {
  return { subject: file.origin, evidence: { url: file.url, ...evidence }, fetchedAt: file.fetchedAt }
}
