import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { createAddressGuard } from '../../src/crawl/address-guard.ts'
import { createHttpClient } from '../../src/crawl/http.ts'
import { createRobotsStore } from '../../src/crawl/robots-store.ts'
import { type ReadSitemapsOptions, readSitemaps, type SitemapEntry } from '../../src/crawl/sitemap.ts'
import { type Handler, redirectTo, startSite } from './site.ts'

const { signal } = new AbortController()
const now = Date.UTC(2026, 10, 23)
const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

const sends =
  (body: string | Buffer, type = 'application/xml'): Handler =>
  (_, response) =>
    response.writeHead(200, { 'content-type': type }).end(body)

/** Bodies may say ORIGIN. */
async function read(
  routes: Record<string, string | Buffer | Handler>,
  options: Partial<ReadSitemapsOptions> = {},
) {
  let origin = ''
  const site = await startSite(
    Object.fromEntries(
      Object.entries(routes).map(([path, body]): [string, Handler] => [
        path,
        typeof body === 'function'
          ? body
          : (request, response) =>
              sends(typeof body === 'string' ? body.replaceAll('ORIGIN', origin) : body)(request, response),
      ]),
    ),
  )
  origin = site.origin
  const http = createHttpClient({
    guard: createAddressGuard({ allowPrivate: true }),
    userAgent: 'TestBot/1.0',
  })
  closers.push(http.close, site.close)
  const robots = createRobotsStore({ http, token: 'TestBot', retryDelaysMs: [] })
  const entries: SitemapEntry[] = []
  const report = await readSitemaps({
    http,
    robots,
    siteUrl: `${origin}/`,
    signal,
    now,
    onEntry: entry => void entries.push(entry),
    ...options,
  })
  const locs = entries.map(({ loc }) => loc.replace(origin, ''))
  const problems = report.problems.map(
    ({ kind, file, line }) => `${kind} ${file.replace(origin, '')}:${line}`,
  )
  return { report, entries, locs, problems, site }
}

const urlset = (...urls: string[]) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n${urls.join('\n')}\n</urlset>`
const url = (path: string, more = '') => `<url><loc>ORIGIN${path}</loc>${more}</url>`

describe('discovery', () => {
  it('reads what robots.txt lists and the well-known places, each once', async () => {
    const { locs, report, problems } = await read({
      '/robots.txt': 'Sitemap: ORIGIN/a.xml\nSitemap: ORIGIN/sitemap.xml',
      '/a.xml': urlset(url('/1')),
      '/sitemap.xml': urlset(url('/2')),
      '/sitemap_index.xml': redirectTo('/a.xml'),
    })
    expect(locs).toEqual(['/1', '/2'])
    expect(report.files.map(({ foundBy, kind, entries }) => [foundBy, kind, entries])).toEqual([
      ['robots', 'urlset', 1],
      ['robots', 'urlset', 1],
    ])
    expect(problems).toEqual([])
  })

  it('takes a missing well-known file, or a page in its place, for none', async () => {
    const { report } = await read({ '/sitemap.xml': '<!doctype html><p>not found' })
    expect(report).toMatchObject({ files: [], problems: [], incomplete: false })
  })

  it('tells a listed file that cannot be had, and that the report is incomplete', async () => {
    const { report, problems } = await read({ '/robots.txt': 'Sitemap: ORIGIN/gone.xml' })
    expect(problems).toEqual(['fetch-failed /gone.xml:0'])
    expect(report.incomplete).toBe(true)
  })

  it('does not read well-known files that robots.txt forbids', async () => {
    const { site } = await read({ '/robots.txt': 'User-agent: *\nDisallow: /sitemap' })
    expect(site.requests).toEqual(['GET /robots.txt'])
  })
})

describe('formats', () => {
  it('an index leads to its files, which may be gzip by their bytes alone', async () => {
    const { locs, report } = await read({
      '/sitemap.xml':
        '<sitemapindex><sitemap><loc>ORIGIN/1.xml.gz</loc></sitemap><sitemap><loc>ORIGIN/2.txt</loc></sitemap></sitemapindex>',
      '/1.xml.gz': (request, response) =>
        sends(gzipSync(urlset(url('/zipped')).replaceAll('ORIGIN', `http://${request.headers.host}`)))(
          request,
          response,
        ),
      '/2.txt': '\ufeffORIGIN/t1\r\nORIGIN/t2\n',
    })
    expect(locs).toEqual(['/zipped', '/t1', '/t2'])
    expect(report.files.map(({ kind }) => kind)).toEqual(['index', 'urlset', 'text'])
  })

  it('RSS and Atom are sitemaps, too', async () => {
    const { entries, locs } = await read({
      '/robots.txt': 'Sitemap: ORIGIN/rss\nSitemap: ORIGIN/atom',
      '/rss':
        '<rss><channel><link>ORIGIN/</link><item><title>x</title><link>ORIGIN/r1</link><pubDate>Mon, 02 Nov 2026 10:00:00 GMT</pubDate></item></channel></rss>',
      '/atom':
        '<feed xmlns="http://www.w3.org/2005/Atom"><link href="ORIGIN/"/><entry><link rel="self" href="ORIGIN/self"/><link href="ORIGIN/a1"/><updated>2026-11-01T00:00:00Z</updated></entry></feed>',
    })
    expect(locs).toEqual(['/r1', '/a1'])
    expect(entries.map(({ lastmod }) => lastmod)).toEqual([
      '2026-11-02T10:00:00.000Z',
      '2026-11-01T00:00:00Z',
    ])
  })

  it('prefixes, CDATA, entities, comments and other namespaces are understood', async () => {
    const { entries, locs, problems } = await read({
      '/sitemap.xml': `<?xml version="1.0"?><!-- <url> --><sm:urlset xmlns:sm="s" xmlns:image="i" xmlns:xhtml="x">
        <sm:url><sm:loc><![CDATA[ORIGIN/a?b=1&c=2]]></sm:loc><image:image><image:loc>ORIGIN/i.png</image:loc></image:image>
        <xhtml:link rel="alternate" hreflang="de" href="ORIGIN/de?a=1&amp;b=2"/><sm:lastmod>2026-11-01</sm:lastmod></sm:url>
        <sm:url><sm:loc> ORIGIN/d?e=&#38;f&#x26;g </sm:loc></sm:url></sm:urlset>`,
    })
    expect(locs).toEqual(['/a?b=1&c=2', '/d?e=&f&g'])
    expect(entries[0]).toMatchObject({ lastmod: '2026-11-01', line: 2, alternates: [{ hreflang: 'de' }] })
    expect(entries[0]?.alternates[0]?.href).toMatch(/\/de\?a=1&b=2$/)
    expect(problems).toEqual([])
  })
})

describe('problems are told with file and line', () => {
  it.each([
    ['bad-xml', '<urlset>\n<url><loc>ORIGIN/a</loc></url>\n<url><loc>ORIGIN/b</url>\n</urlset>', 3],
    ['bad-xml', '<urlset>\n<url><loc>ORIGIN/a</loc></url>\n<url><loc>ORIGIN/b?c&d</loc></url>\n</urlset>', 3],
    ['bad-xml', '<urlset>\n<url><loc>ORIGIN/a</loc></url>\n', 3],
    ['bad-xml', '<!DOCTYPE x [<!ENTITY e "boom">]>\n<urlset><url><loc>ORIGIN/&e;</loc></url></urlset>', 2],
    ['unknown-format', '<foo/>', 1],
    ['unknown-format', 'hello there', 1],
    ['html-body', '<!DOCTYPE html><html></html>', 1],
    ['relative-url', urlset('<url><loc>/a</loc></url>'), 3],
    ['invalid-url', urlset('<url><loc>ftp://x/</loc></url>'), 3],
    ['invalid-url', urlset('<url><lastmod>2026-01-01</lastmod></url>'), 3],
    ['foreign-host', urlset('<url><loc>https://other.example/</loc></url>'), 3],
    ['url-too-long', urlset(url(`/${'x'.repeat(2_048)}`)), 3],
    ['invalid-lastmod', urlset(url('/a', '<lastmod>01.11.2026</lastmod>')), 3],
    ['future-lastmod', urlset(url('/a', '<lastmod>2026-11-25</lastmod>')), 3],
  ])('%s', async (kind, body, line) => {
    expect((await read({ '/robots.txt': 'Sitemap: ORIGIN/s.xml', '/s.xml': body })).problems).toEqual([
      `${kind} /s.xml:${line}`,
    ])
  })

  it('what stood before the fault counts', async () => {
    const { locs } = await read({
      '/sitemap.xml': '<urlset><url><loc>ORIGIN/a</loc></url><url><loc>ORIGIN/b</url></urlset>',
    })
    expect(locs).toEqual(['/a'])
  })

  it('an index inside an index is not followed', async () => {
    const index = (path: string) => `<sitemapindex><sitemap><loc>ORIGIN${path}</loc></sitemap></sitemapindex>`
    const { problems, site } = await read({ '/sitemap.xml': index('/2.xml'), '/2.xml': index('/3.xml') })
    expect(problems).toEqual(['nested-index /2.xml:1'])
    expect(site.requests).not.toContain('GET /3.xml')
  })

  it('more than 50,000 URLs and more than 50 MiB unzipped end the reading', async () => {
    const many = `${Array.from({ length: 50_001 }, (_, n) => `ORIGIN/${n}`).join('\n')}\n`
    const first = await read({ '/robots.txt': 'Sitemap: ORIGIN/s.txt', '/s.txt': many })
    expect([first.locs.length, first.problems]).toEqual([50_000, ['too-many-urls /s.txt:50001']])
    const bomb = gzipSync(`<urlset>${`<x></x>${' '.repeat(900_000)}`.repeat(60)}`)
    const second = await read({ '/robots.txt': 'Sitemap: ORIGIN/s.gz', '/s.gz': bomb })
    expect(second.problems).toEqual(['too-large /s.gz:0'])
  })
})

it('a sitemap elsewhere speaks for the host whose robots.txt names it', async () => {
  const other = await startSite({ '/s.xml': sends('x') })
  closers.push(other.close)
  let origin = ''
  other.server.removeAllListeners('request')
  other.server.on('request', (_, response) => response.end(urlset(url('/a')).replaceAll('ORIGIN', origin)))
  const { locs, problems } = await read({
    '/robots.txt': (request, response) => {
      origin = `http://${request.headers.host}`
      response.end(`Sitemap: ${other.origin}/s.xml`)
    },
  })
  expect([locs, problems]).toEqual([['/a'], []])
})

it('one date on all entries is measured', async () => {
  const dated = (n: number, date: string) => url(`/${n}`, `<lastmod>${date}</lastmod>`)
  const { report } = await read({
    '/sitemap.xml': urlset(
      dated(1, '2026-11-01'),
      dated(2, '2026-11-01T10:00:00Z'),
      dated(3, '2026-10-01'),
      url('/4'),
    ),
  })
  expect(report).toMatchObject({ entryCount: 4, sameLastmodShare: 0.5 })
})

it('the reader of the entries can stop the reading', async () => {
  const { report, site } = await read(
    {
      '/robots.txt': 'Sitemap: ORIGIN/1.txt',
      '/1.txt': 'ORIGIN/a\nORIGIN/b\nORIGIN/c',
      '/sitemap.xml': urlset(url('/d')),
    },
    { onEntry: entry => !entry.loc.endsWith('/b') },
  )
  expect(report.entryCount).toBe(2)
  expect(site.requests).not.toContain('GET /sitemap.xml')
})
