/** URL patterns without an end. */

import type { SubjectOutcome } from '../finding.ts'
import { maxSamples, type SiteCheck } from './check.ts'

export const crawlSiteChecks: SiteCheck[] = [
  {
    id: 'crawl-trap',
    category: 'crawl',
    severity: 'medium',
    scope: 'site',
    rendering: 'none',
    advice: 'Stop generating variants of the same page.',
    *run(site): Iterable<SubjectOutcome> {
      for (const { pattern, fetched, novel, samples } of site.traps) {
        yield {
          subject: pattern,
          page: samples[0] ?? null,
          occurrences: fetched,
          evidence: { fetched, novel, samples: samples.slice(0, maxSamples) },
        }
      }
    },
  },
]
