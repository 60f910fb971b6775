import { describe, expect, it } from 'vitest'
import { crawlSitePayload } from './crawl-site.ts'

const read = (payload: object) =>
  crawlSitePayload.safeParse({ connectionId: 'c', url: 'https://example.com', ...payload })

describe('the payload of CRAWL_SITE', () => {
  it('has defaults for all but the connection and the URL', () => {
    expect(read({}).data).toEqual({
      connectionId: 'c',
      url: 'https://example.com',
      maxPages: 100,
      maxDepth: 3,
      render: 'browser',
    })
  })

  it.each([
    { url: 'ftp://example.com' },
    { url: 'example.com' },
    { url: 'javascript:alert(1)' },
    { url: `https://example.com/${'a'.repeat(2_100)}` },
    { connectionId: '' },
    { maxPages: 0 },
    { maxPages: 10_001 },
    { maxPages: 1.5 },
    { maxDepth: -1 },
    { render: 'print' },
    { thresholds: { noSuchThreshold: 1 } },
    { thresholds: { titleMaxPx: 'wide' } },
    { thresholds: { noindexAllowed: 5 } },
  ])('refuses %j', payload => {
    expect(read(payload).success).toBe(false)
  })

  it('takes single thresholds', () => {
    const thresholds = { titleMaxPx: 600, noindexAllowed: ['/draft/*'] }
    expect(read({ thresholds }).data?.thresholds).toEqual(thresholds)
  })
})
