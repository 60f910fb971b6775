import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAddressGuard } from '../../src/crawl/address-guard.ts'
import { createHttpClient, type HttpClient } from '../../src/crawl/http.ts'
import { hostVariants, probeHostVariants, probeMissingPages, probeTargets } from '../../src/crawl/probe.ts'
import { startSite, type TestSite } from './site.ts'

const { signal } = new AbortController()
let site: TestSite
let http: HttpClient
beforeAll(async () => {
  site = await startSite({})
  http = createHttpClient({ guard: createAddressGuard({ allowPrivate: true }), userAgent: 'TestBot/1.0' })
})
afterAll(async () => {
  await http.close()
  await site.close()
})

describe('missing pages', () => {
  const urls = ['/', '/a.html', '/shop/1.php', '/shop/2.php', '/blog/x', '/blog/y', '/blog/z/'].map(
    path => `http://ex.com${path}`,
  )

  it('are looked for where the pages are, and at the root', () => {
    expect(probeTargets(urls, 3)).toEqual([
      { dir: '/blog/', extension: '' },
      { dir: '/shop/', extension: '.php' },
      { dir: '/', extension: '' },
    ])
    expect(probeTargets(urls, 2)).toEqual([
      { dir: '/', extension: '' },
      { dir: '/blog/', extension: '' },
    ])
    expect(probeTargets([])).toEqual([{ dir: '/', extension: '' }])
  })

  it('are asked for twice each, by names that robots.txt lets pass', async () => {
    let n = 0
    const probes = await probeMissingPages({
      siteUrl: site.origin,
      pageUrls: [`${site.origin}/shop/1.php`, `${site.origin}/closed/1`],
      fetchPage: http.fetchPage,
      signal,
      mayFetch: async url => !url.includes('/closed/'),
      randomName: () => `n${++n}`,
    })
    expect(probes.map(({ page }) => [page.fetchUrl.replace(site.origin, ''), page.status])).toEqual([
      ['/n1', 404],
      ['/n2', 404],
      ['/shop/n3.php', 404],
      ['/shop/n4.php', 404],
    ])
  })
})

describe('host variants', () => {
  it.each([
    [
      'https://www.ex.com/a',
      ['http://ex.com/', 'https://ex.com/', 'http://www.ex.com/', 'https://www.ex.com/'],
    ],
    [
      'https://ex.co.uk/',
      ['http://ex.co.uk/', 'https://ex.co.uk/', 'http://www.ex.co.uk/', 'https://www.ex.co.uk/'],
    ],
    ['https://blog.ex.com/', ['http://blog.ex.com/', 'https://blog.ex.com/']],
    ['http://127.0.0.1/', []],
    ['http://[::1]/', []],
    ['http://localhost/', []],
    ['https://ex.com:8443/', []],
  ])('of %s', (url, expected) => expect(hostVariants(url).map(each => each.url)).toEqual(expected))

  it('are fetched', async () => {
    const asked: string[] = []
    const probes = await probeHostVariants({
      siteUrl: 'https://blog.ex.com/',
      signal,
      fetchPage: async (url, options) => {
        asked.push(url)
        return http.fetchPage(site.origin, options)
      },
    })
    expect(probes.map(({ variant, page }) => [variant, page.status])).toEqual([
      ['http-apex', 404],
      ['https-apex', 404],
    ])
    expect(asked).toEqual(['http://blog.ex.com/', 'https://blog.ex.com/'])
  })
})
