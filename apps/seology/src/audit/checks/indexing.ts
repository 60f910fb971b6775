/** Do robots directives say what is meant? */

import type { RobotsDirective } from '../facts.ts'
import type { Json, SubjectOutcome } from '../finding.ts'
import type { PageCheck, SiteCheck } from './check.ts'

/** Directives that contradict each other. */
const opposites: [string[], string[]][] = [
  [
    ['index', 'all'],
    ['noindex', 'none'],
  ],
  [
    ['follow', 'all'],
    ['nofollow', 'none'],
  ],
]

export const indexingPageChecks: PageCheck[] = [
  {
    id: 'robots-directives-conflict',
    category: 'index',
    severity: 'medium',
    scope: 'page',
    rendering: 'preferred',
    gate: 'html',
    advice: 'Keep one robots directive per search engine.',
    run({ facts, context }) {
      const agents = new Set([context.auditedAgent, ...facts.robots.map(({ agent }) => agent)])
      agents.delete('*')
      for (const agent of agents) {
        const rules = facts.robots.filter(rule => rule.agent === '*' || rule.agent === agent)
        const said = new Set(rules.flatMap(({ directives }) => directives))
        const clash = opposites.some(sides => sides.every(side => side.some(name => said.has(name))))
        if (clash) return { evidence: { agent, directives: asJson(rules) } }
      }
      return null
    },
  },
]

export const indexingSiteChecks: SiteCheck[] = [
  {
    id: 'noindex-important',
    category: 'index',
    severity: 'high',
    scope: 'page',
    rendering: 'preferred',
    advice: 'Drop the noindex, or the sitemap entry.',
    *run(site, { thresholds }): Iterable<SubjectOutcome> {
      for (const page of site.pages()) {
        const home = page.key === site.homeKey
        if (!page.state.htmlOk || page.state.noindex === 'no' || page.state.blocked) continue
        if (!home && !page.sitemap) continue
        if (isAllowed(new URL(page.url).pathname, thresholds.noindexAllowed)) continue
        yield {
          subject: page.url,
          ...site.basics(page),
          evidence: {
            noindex: page.state.noindex,
            directives: asJson(page.robots),
            sitemap: page.sitemap,
            home,
          },
          severity: home ? 'critical' : 'high',
        }
      }
    },
  },
]

function asJson(rules: readonly RobotsDirective[]): Json {
  return rules.slice(0, 10).map(({ agent, directives, origin }) => ({ agent, directives, origin }))
}

function isAllowed(path: string, patterns: readonly string[]): boolean {
  return patterns.some(pattern =>
    pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern,
  )
}
