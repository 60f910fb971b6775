import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { groundTruth, groundTruthPayload, relativeTo } from '../sample-site/ground-truth.ts'
import { type SampleSite, startSampleSite } from '../sample-site/serve.ts'
import { crawlAll, startApp, type TestApp } from './crawl-site-support.ts'

describe.each([
  ['fetch', 'sqlite'],
  ['browser', 'sqlite'],
  ['fetch', 'postgres'],
] as const)('a crawl of the sample site by %s on %s', (mode, kind) => {
  let site: SampleSite
  let app: TestApp
  let found: { pages: string[]; findings: { id: string; subject: string }[] }
  let result: Awaited<ReturnType<typeof crawlAll>>
  const percents: number[] = []
  const messages: string[] = []

  beforeAll(async () => {
    process.env['CRAWL_ALLOW_PRIVATE'] = '1'
    site = await startSampleSite()
    app = await startApp(kind)
    app.millrace.on('progress', ({ percent, message }) => {
      percents.push(percent)
      messages.push(message ?? '')
    })
    result = await crawlAll(app, { url: site.url, render: mode, ...groundTruthPayload })
    const pages = await app.store.rows(`select key from seology_page where fetched_at is not null`)
    const issues = await app.store.rows(`select check_id, subject from seology_issue where verdict = 'fail'`)
    found = {
      pages: pages.map(({ key }) => relativeTo(site, String(key))).sort(),
      findings: issues
        .map(({ check_id, subject }) => ({
          id: String(check_id),
          subject: relativeTo(site, String(subject)),
        }))
        .sort((a, b) => (`${a.id} ${a.subject}` < `${b.id} ${b.subject}` ? -1 : 1)),
    }
  })
  afterAll(async () => {
    await app[Symbol.asyncDispose]()
    await site.close()
    delete process.env['CRAWL_ALLOW_PRIVATE']
  })

  it('requests exactly the pages that there are', () => {
    expect(found.pages).toEqual(groundTruth(mode).pages)
  })

  it('finds exactly the defects that there are', () => {
    expect(found.findings).toEqual(groundTruth(mode).findings)
  })

  it('adds them up in its result', () => {
    const { pages, findings } = groundTruth(mode)
    const issuesById: Record<string, number> = {}
    for (const { id } of findings) issuesById[id] = (issuesById[id] ?? 0) + 1
    expect(result).toEqual({
      success: true,
      pagesAnalyzed: pages.length,
      issuesFound: findings.length,
      issuesById,
      crawlId: 1,
      endedBy: 'exhausted',
    })
  })

  it('goes from 10 to 90 percent, never back, and says where it is', () => {
    expect(percents[0]).toBeGreaterThanOrEqual(10)
    expect(percents.at(-1)).toBe(90)
    expect(percents).toEqual([...percents].sort((a, b) => a - b))
    expect(
      messages.some(message => /^page \d+ of \d+: http:\/\/127\.0\.0\.1:\d+\/shop\//.test(message)),
    ).toBe(true)
  })

  it('checks each link target once and stores who links to it', async () => {
    const twice = await app.store.rows(`select key from seology_link_target group by key having count(*) > 1`)
    expect(twice).toEqual([])
    const gone = await app.store.rows(
      `select count(*) as links from seology_link join seology_link_target target on target.id = target_id
        where target.url like '%/closed-shop' and verdict = 'broken'`,
    )
    expect(gone).toEqual([{ links: 1 }])
  })

  it('judges the health of the connection', async () => {
    const connection = await app.store.rows('select id, url, health, last_crawl_id from seology_connection')
    expect(connection).toEqual([{ id: 'site', url: site.url, health: 'degraded', last_crawl_id: 1 }])
  })
})
