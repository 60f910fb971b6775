import { afterEach, describe, expect, it } from 'vitest'
import { crawlSite, crawlSitePayload, seology } from '../src/main.ts'
import { groundTruth } from '../sample-site/ground-truth.ts'
import { finished, startApp } from './crawl-site-support.ts'

describe('the demo', () => {
  afterEach(() => {
    delete process.env['CRAWL_ALLOW_PRIVATE']
  })

  it('serves the sample site and sums up what its crawl has found', async () => {
    const { demo } = seology()
    Object.assign(process.env, demo?.environment)
    const prepared = await demo?.prepare()
    if (!prepared) throw new Error('there is no demo')
    try {
      await using app = await startApp('sqlite')
      const payload = { ...crawlSitePayload.parse(prepared.payload), render: 'fetch' as const }
      const { id } = await app.millrace.enqueue(crawlSite, payload)
      const summary = prepared.summarize(await finished(app, id))
      const { pages, findings } = groundTruth('fetch')
      expect(summary.headline).toBe(`${findings.length} issues on ${pages.length} pages`)
      const [table] = summary.tables
      expect(table?.rows.reduce((sum, [, , found]) => sum + Number(found), 0)).toBe(findings.length)
      expect(summary.paths).toEqual(['/seology/api/sites/demo/pages', '/seology/api/sites/demo/issues'])
    } finally {
      await prepared.close()
    }
  })
})
