import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { crawlAll, ended, page, startApp, startCrawl, startSite, stored } from './crawl-site-support.ts'

describe('without CRAWL_ALLOW_PRIVATE a crawl', () => {
  let allowed: string | undefined
  beforeEach(() => {
    allowed = process.env['CRAWL_ALLOW_PRIVATE']
    delete process.env['CRAWL_ALLOW_PRIVATE']
  })
  afterEach(() => {
    if (allowed !== undefined) process.env['CRAWL_ALLOW_PRIVATE'] = allowed
  })

  it.each([
    ['a literal', (port: string) => `http://127.0.0.1:${port}/`],
    ['a literal in disguise', (port: string) => `http://0x7f.1:${port}/`],
    ['a name', (port: string) => `http://shop.example:${port}/`],
    ['IPv6', (port: string) => `http://[::ffff:127.0.0.1]:${port}/`],
  ])('of a private address given as %s is refused at once and for good', async (_, urlFor) => {
    await using site = await startSite({ '/': page('Home', []) })
    await using app = await startApp('sqlite', {
      resolver: async () => [{ address: '127.0.0.1', family: 4 }],
    })
    const job = await ended(app, await startCrawl(app, { url: urlFor(new URL(site.url).port) }))
    expect(job).toMatchObject({ state: 'dead', attempt: 1, lastError: { name: 'NonRetryableError' } })
    expect(job.lastError?.message).toContain('CRAWL_ALLOW_PRIVATE=1')
    expect(site.requests).toEqual([])
  })

  it('of a start page that redirects to one is refused, too', async () => {
    await using inside = await startSite({ '/': page('Inside', []) }, '127.0.0.2')
    await using site = await startSite({ '/': { status: 302, headers: { location: inside.url } } })
    await using app = await startApp('sqlite', { alsoAllow: ['127.0.0.1'] })
    const job = await ended(app, await startCrawl(app, { url: site.url }))
    expect(job).toMatchObject({ state: 'dead', attempt: 1, lastError: { name: 'NonRetryableError' } })
    expect(inside.requests).toEqual([])
  })

  it.each(['fetch', 'browser'] as const)(
    'by %s asks none, be it linked, redirected to or part of a page',
    async render => {
      await using inside = await startSite(() => 'secret', '127.0.0.2')
      const sub = `<img src="${inside.url}a.png" alt=""><script src="${inside.url}b.js"></script>
      <iframe src="${inside.url}c"></iframe><link rel="stylesheet" href="${inside.url}d.css">
      <script>fetch('${inside.url}e').catch(() => {})</script>`
      await using site = await startSite({
        '/': page('Home', ['/hop', '/parts', `${inside.url}linked`]),
        '/hop': { status: 302, headers: { location: `${inside.url}hop` } },
        '/parts': page('Parts', [], sub),
      })
      await using app = await startApp('sqlite', { alsoAllow: ['127.0.0.1'] })
      const { crawlId, success } = await crawlAll(app, { url: site.url, render })
      expect(success).toBe(true)
      expect(inside.requests).toEqual([])
      const { pages, targets } = await stored(app.store, crawlId)
      expect(pages).toContainEqual(expect.objectContaining({ key: `${site.url}hop`, state: 'failed' }))
      expect(targets).toContainEqual(
        expect.objectContaining({ url: `${inside.url}linked`, verdict: 'unverified' }),
      )
    },
  )
})
