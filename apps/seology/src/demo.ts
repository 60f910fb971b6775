import type { DemoSummary, ModuleDemo, PreparedDemo } from '@millrace/api'
import type { Severity } from './audit/finding.ts'
import { crawlSite, crawlSiteResult } from './jobs/crawl-site.ts'
import { severityRank } from './tables/issues.ts'

const connectionId = 'demo'

/** A crawl of the bundled sample site. */
export const demo: ModuleDemo = {
  title: 'Crawling a small shop with a real browser, and finding what is wrong with it',
  environment: { CRAWL_ALLOW_PRIVATE: '1' },
  async prepare(): Promise<PreparedDemo> {
    const [{ startSampleSite }, { groundTruthPayload }, { checkCatalogue }] = await Promise.all([
      import('../sample-site/serve.ts'),
      import('../sample-site/ground-truth.ts'),
      import('./audit/checks/index.ts'),
    ])
    const severityOf = new Map(checkCatalogue.map(({ id, severity }) => [id, severity]))
    const site = await startSampleSite()
    return {
      setting: `a sample site with known defects at ${site.url}`,
      type: crawlSite.type,
      payload: { connectionId, url: site.url, ...groundTruthPayload },
      summarize: result => summarize(result, severityOf),
      close: () => site.close(),
    }
  },
}

/** The worst first. */
function summarize(result: unknown, severityOf: ReadonlyMap<string, Severity>): DemoSummary {
  const { pagesAnalyzed, issuesFound, issuesById } = crawlSiteResult.parse(result)
  const rows = Object.entries(issuesById).map(([id, found]): [string, Severity, number] => [
    id,
    severityOf.get(id) ?? 'info',
    found,
  ])
  rows.sort(
    ([a, x, found], [b, y, count]) => severityRank(x) - severityRank(y) || count - found || (a < b ? -1 : 1),
  )
  return {
    headline: `${issuesFound} issues on ${pagesAnalyzed} pages`,
    tables: [{ columns: ['issue', 'severity', 'found'], rows }],
    paths: [`/seology/api/sites/${connectionId}/pages`, `/seology/api/sites/${connectionId}/issues`],
  }
}
