import { describe, expect, it } from 'vitest'
import { canonical, entry, failing, link, page, redirect, run } from '../../../test/audit/site.ts'
import { cleanHtml, fetched, home, ids, only } from '../../../test/audit/support.ts'
import type { LinkTarget } from '../context.ts'

describe('failures', () => {
  it('count after enough attempts, and are critical on the home page', async () => {
    const error = { kind: 'timeout', message: 'no answer' } as const
    const rest = Array.from({ length: 40 }, (_, at) => page(`/p${at}`))
    expect(ids(await run([...rest, failing('/a', 0, { error })]))).toEqual(['fetch-failed'])
    expect(await run([...rest, failing('/a', 0, { error, attempts: 1 })])).toMatchObject([
      { verdict: 'unverified' },
    ])
    expect(await run([...rest, failing('/a', 500)])).toMatchObject([{ id: 'http-5xx', severity: 'high' }])
    expect(await run([...rest, failing('/', 500)])).toMatchObject([{ severity: 'critical' }])
    expect(await run([page('/'), failing('/a', 500)])).toMatchObject([{ severity: 'critical' }])
  })

  it('that name a time to come back are unverified', async () => {
    const busy = failing('/a', 503, { headers: [['retry-after', '120']] })
    expect(await run([busy])).toMatchObject([{ id: 'http-5xx', verdict: 'unverified' }])
  })
})

describe('links', () => {
  it('to a 404 are reported once for all their sources; a refused target is unverified', async () => {
    const found = await run([
      page('/', link('/gone') + link('/a')),
      page('/a', link('/gone')),
      failing('/gone', 404),
    ])
    expect(found).toMatchObject([
      { id: 'link-internal-broken', subject: `${home}gone`, occurrences: 2, page: home, verdict: 'fail' },
    ])
    expect(await run([page('/', link('/gone')), failing('/gone', 403)])).toMatchObject([
      { verdict: 'unverified' },
    ])
  })

  it('to a redirect are reported, unless it leads to a login or a language', async () => {
    const to = (from: string, final: string) => run([page('/', link(from)), redirect(from, final)]).then(ids)
    expect(await to('/old', '/new')).toEqual(['link-internal-redirect'])
    expect(await to('/old', '/login')).toEqual([])
    expect(await to('/shop', '/en/shop')).toEqual([])
  })

  it('to a page that sets a cookie and redirects to itself are sound, and so is the page', async () => {
    const self = page('/self', '', { hops: [{ url: `${home}self`, status: 302, location: `${home}self` }] })
    expect(ids(await run([page('/', link('/self')), self]))).toEqual([])
  })

  it('to a redirect that ends in a 404 are broken and nothing else', async () => {
    expect(ids(await run([page('/', link('/old')), redirect('/old', '/gone', 404)]))).toEqual([
      'link-internal-broken',
    ])
  })

  it('to other sites are broken by a GET, or by two crawls', async () => {
    const url = 'https://other.example/x'
    const check = (overrides: Partial<LinkTarget>) =>
      run([page('/', link(url))], {
        linkTargets: [
          {
            url,
            key: url,
            verdict: 'broken',
            status: 404,
            finalUrl: url,
            hops: [],
            error: null,
            checkedAt: 1,
            ...overrides,
          },
        ],
      })
    expect(ids(await check({}))).toEqual(['link-external-broken'])
    expect(await check({ verdict: 'suspect' })).toMatchObject([{ verdict: 'unverified' }])
    expect(ids(await check({ verdict: 'suspect', brokenBefore: true }))).toEqual(['link-external-broken'])
    expect(await check({ verdict: 'unverified', status: 999 })).toMatchObject([{ verdict: 'unverified' }])
    expect(await check({ verdict: 'ok', status: 200 })).toEqual([])
  })

  it('with poor names are gathered by target', async () => {
    const pages = [page('/', link('/a', 'here')), page('/a', link('/a', 'Read more'))]
    expect(await run(pages)).toMatchObject([
      {
        id: 'link-text-poor',
        subject: `${home}a`,
        occurrences: 2,
        evidence: { names: ['here', 'Read more'] },
      },
    ])
  })
})

describe('the link graph', () => {
  const chain = (length: number) =>
    Array.from({ length }, (_, at) =>
      page(at === 0 ? '/' : `/p${at}`, at < length - 1 ? link(`/p${at + 1}`) : ''),
    )

  it('is too deep from five clicks on; a redirect on the way is no click', async () => {
    expect(ids(await run(chain(5)))).toEqual([])
    const found = await run(chain(6))
    expect(found).toMatchObject([{ id: 'depth-high', subject: `${home}p5`, evidence: { clicks: 5 } }])
    expect(found[0]?.evidence.path).toHaveLength(6)
    const viaRedirect = [page('/', link('/r')), redirect('/r', '/p1'), ...chain(5).slice(1)]
    expect(only(await run(viaRedirect), 'depth-high')).toEqual([])
  })

  it('has orphans only where the crawl was complete, and links of a page to itself do not help', async () => {
    const pages = [page('/', link('/a')), page('/a'), page('/lost', link('/lost'))]
    expect(ids(await run(pages))).toEqual([])
    expect(await run(pages, { complete: true })).toMatchObject([
      { id: 'orphan-page', subject: `${home}lost` },
    ])
    const nofollow = [page('/', '<a rel="nofollow" href="/a">The page</a>'), page('/a')]
    expect(ids(await run(nofollow, { complete: true }))).toEqual(['orphan-page'])
  })
})

describe('canonical targets', () => {
  const a = page('/a', '', { head: canonical('/b') })

  it.each([
    ['is fine', [page('/b')], []],
    ['is gone', [failing('/b', 404)], ['canonical-target-bad']],
    ['redirects', [redirect('/b', '/c')], ['canonical-target-bad']],
    [
      'may not be indexed',
      [page('/b', '', { head: '<meta name="robots" content="noindex">' })],
      ['canonical-target-bad'],
    ],
    ['names another', [page('/b', '', { head: canonical('/c') }), page('/c')], ['canonical-target-bad']],
    ['was not fetched', [], []],
  ])('a target that %s', async (_, others, expected) => {
    expect(ids(await run([a, ...others]))).toEqual(expected)
  })

  it('a target that redirects back is a loop', async () => {
    expect(await run([a, redirect('/b', '/a')])).toMatchObject([
      { id: 'canonical-target-bad', variant: 'loop' },
    ])
  })

  it('a broken target that is linked is explained by the broken link', async () => {
    const found = await run([page('/', link('/b')), a, failing('/b', 404)])
    expect(only(found, 'canonical-target-bad')[0]?.causedBy).toEqual({
      id: 'link-internal-broken',
      subject: `${home}b`,
    })
  })

  it('the home page is no canonical for others, unless they are copies of it', async () => {
    const homePage = page('/', 'home text')
    const other = page('/a', '', { head: canonical('/') })
    expect(ids(await run([homePage, other]))).toEqual(['canonical-to-home'])
    const copy = { ...homePage, fetchUrl: `${home}index.html`, finalUrl: `${home}index.html` }
    expect(
      ids(
        await run([
          homePage,
          { ...copy, html: `${copy.html}`.replace('</head>', `${canonical('/')}</head>`) },
        ]),
      ),
    ).toEqual([])
  })
})

describe('hreflang', () => {
  const alternate = (code: string, path: string) =>
    `<link rel="alternate" hreflang="${code}" href="${home}${path.slice(1)}">`

  it('wants valid codes and links in return, pair by pair', async () => {
    const a = page('/a', '', {
      head: alternate('en', '/a') + alternate('de', '/b') + alternate('en-UK', '/c'),
    })
    const found = await run([a, page('/b', '', { head: alternate('de', '/b') })])
    expect(ids(found)).toEqual(['hreflang-invalid', 'hreflang-no-return'])
    expect(only(found, 'hreflang-no-return')[0]).toMatchObject({
      subject: `${home}a`,
      evidence: { pairs: [{ code: 'de', url: `${home}b` }] },
    })
  })

  it('may be said in the page by one and in the sitemap by the other', async () => {
    const a = page('/a', '', { head: alternate('en', '/a') + alternate('de', '/b') })
    const both = [
      { hreflang: 'en', href: `${home}a` },
      { hreflang: 'de', href: `${home}b` },
    ]
    expect(ids(await run([a, page('/b')], { sitemapEntries: [entry('/b', both)] }))).toEqual([])
  })

  it('wants the page itself in the list, absolute URLs, and one URL a code', async () => {
    const heads = [
      alternate('de', '/b'),
      alternate('en', '/a') + '<link rel="alternate" hreflang="de" href="/b">',
      alternate('en', '/a') + alternate('EN', '/c'),
    ]
    for (const head of heads) expect(ids(await run([page('/a', '', { head })]))).toEqual(['hreflang-invalid'])
  })

  it('wants targets that can be indexed', async () => {
    const a = page('/a', '', { head: alternate('en', '/a') + alternate('de', '/b') })
    expect(ids(await run([a, failing('/b', 404)]))).toEqual(['hreflang-target-bad'])
    expect(ids(await run([a, page('/b', '', { head: canonical('/a') })]))).toEqual(['hreflang-target-bad'])
  })
})

describe('duplicates', () => {
  const copy = (path: string, head = '') => fetched(cleanHtml({ head }), { fetchUrl: home + path.slice(1) })

  it('are found by text, and explain equal titles and descriptions', async () => {
    const found = await run([copy('/a'), copy('/b')])
    expect(ids(found)).toEqual([
      'description-duplicate',
      'description-duplicate',
      'duplicate-exact',
      'duplicate-exact',
      'title-duplicate',
      'title-duplicate',
    ])
    expect(only(found, 'title-duplicate')[0]?.causedBy).toEqual({
      id: 'duplicate-exact',
      subject: `${home}a`,
    })
  })

  it('are not found among canonicalised pages, later pages of a list and translations', async () => {
    expect(ids(await run([copy('/a'), copy('/b', canonical('/a'))]))).toEqual([])
    expect(ids(await run([copy('/a'), copy('/a?page=2')]))).toEqual([])
    const set = (['en', 'de'] as const)
      .map(code => `<link rel="alternate" hreflang="${code}" href="${home}${code}">`)
      .join('')
    const german = copy('/de', set)
    const translated = [
      copy('/en', set),
      { ...german, html: `${german.html}`.replace('lang="en"', 'lang="de"') },
    ]
    expect(ids(await run(translated))).toEqual([])
  })

  it('compare titles by their folded form', async () => {
    const titled = (path: string, title: string) =>
      page(path, '', {}).html?.replace(/<title>.*?</, `<title>${title}<`) as string
    const pages = [
      fetched(titled('/a', 'Our Straße and its ﬁne pots'), { fetchUrl: `${home}a` }),
      fetched(titled('/b', 'OUR STRASSE  and its fine pots'), { fetchUrl: `${home}b` }),
    ]
    expect(ids(await run(pages))).toEqual(['title-duplicate', 'title-duplicate'])
  })
})
