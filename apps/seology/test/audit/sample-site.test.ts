import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { groundTruth, groundTruthPayload, relativeTo } from '../../sample-site/ground-truth.ts'
import { type SampleSite, startSampleSite } from '../../sample-site/serve.ts'
import { checkCatalogue } from '../../src/audit/index.ts'
import { type SimpleCrawl, simpleCrawl } from './simple-crawl.ts'

describe('the sample site', () => {
  let site: SampleSite
  let crawl: SimpleCrawl

  beforeAll(async () => {
    site = await startSampleSite()
    crawl = await simpleCrawl(site.url, groundTruthPayload)
  })
  afterAll(() => site.close())

  it('has exactly the pages of its ground truth', () => {
    const paths = crawl.pages.map(({ key }) => relativeTo(site, key)).sort()
    expect(paths).toEqual(groundTruth('fetch').pages)
  })

  it('has exactly the defects of its ground truth', () => {
    const found = crawl.findings
      .filter(({ verdict }) => verdict === 'fail')
      .map(({ id, subject }) => `${id} ${relativeTo(site, subject)}`)
      .sort()
    expect(found).toEqual(groundTruth('fetch').findings.map(({ id, subject }) => `${id} ${subject}`))
  })

  it('names causes that are findings themselves', () => {
    const known = new Set(crawl.findings.map(({ id, subject }) => `${id} ${subject}`))
    const causes = crawl.findings.flatMap(({ causedBy }) =>
      causedBy ? [`${causedBy.id} ${causedBy.subject}`] : [],
    )
    expect(causes.length).toBeGreaterThan(4)
    expect(causes.filter(cause => !known.has(cause))).toEqual([])
  })

  it('shows every check that a site on loopback can show', () => {
    const shown = new Set(
      [...groundTruth('fetch').findings, ...groundTruth('browser').findings].map(({ id }) => id),
    )
    const notHere = checkCatalogue.map(({ id }) => id).filter(id => !shown.has(id))
    // No https, one host, a robots.txt that lets the crawl happen; failing connections would end it.
    expect(notHere.sort()).toEqual([
      'fetch-failed',
      'host-variants-live',
      'http-not-https',
      'insecure-content',
      'robots-disallow-all',
      'robots-txt-unreachable',
    ])
  })
})
