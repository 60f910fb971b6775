import { siteChecks } from './checks/index.ts'
import type { SiteInput } from './context.ts'
import { type Finding, ruleVersion } from './finding.ts'
import { SiteModel } from './site/model.ts'

/**
 * Runs every check that needs more than one page, over what the crawl stored.
 *
 * Memory grows with the number of distinct URLs (about 2 kB each), not with the pages' sizes; findings are
 * yielded one by one, in the same order for the same input.
 */
export async function* auditSite(input: SiteInput): AsyncGenerator<Finding> {
  const site = await SiteModel.from(input)
  for (const check of siteChecks) {
    const { id, severity, category, scope, advice } = check
    for (const outcome of check.run(site, input.context)) {
      yield {
        id,
        severity,
        category,
        scope,
        advice,
        page: null,
        verdict: 'fail',
        occurrences: 1,
        ruleVersion,
        mode: 'raw',
        fetchedAt: 0,
        ...outcome,
      }
    }
  }
}
