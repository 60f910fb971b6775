import { describe, expect, it } from 'vitest'
import {
  audit,
  auditAll,
  cleanHtml,
  context,
  facts,
  fetched,
  fetchedAt,
  home,
  ids,
  only,
  rendered,
} from '../../../test/audit/support.ts'
import { indexability } from '../indexability.ts'

const state = (html: string, headers: [string, string][] = []) =>
  indexability(facts(fetched(html, { headers: [['content-type', 'text/html'], ...headers] })), context())

describe('a head that ends early', () => {
  const html =
    '<head><title>t</title><div class="x">x</div><link rel=canonical href=/other><meta name=robots content=noindex></head><p>text'

  it('is reported with its first offender, and loses its canonical', () => {
    const found = facts(fetched(html))
    expect(found.document?.headBroken).toEqual({
      offender: '<div class="x">',
      misplaced: ['canonical', 'robots'],
    })
    expect(state(html)).toMatchObject({
      noindex: 'possible',
      canonical: { kind: 'absent' },
      indexable: false,
    })
    expect(ids(audit(fetched(html)))).toEqual(['head-broken'])
  })

  it('is not caused by an image in noscript, since scripting is on', () => {
    const page = facts(
      fetched(
        '<head><noscript><img src=x></noscript><link rel=canonical href="https://ex.test/page"></head>',
      ),
    )
    expect(page.document?.headBroken).toBeNull()
    expect(page.document?.canonicals).toMatchObject([{ origin: 'head' }])
  })

  it('is blamed for a title in the body; a graphic has titles of its own', () => {
    const html = '<head></head><body><svg><title>s</title></svg><title>late</title><p>x</p></body>'
    expect(ids(audit(fetched(html))).filter(id => /title|head-/.test(id))).toEqual(['head-broken'])
  })
})

describe('robots directives', () => {
  it('do not count inside noscript', () => {
    const html =
      '<head><noscript><meta name=robots content=noindex><link rel=canonical href=/b></noscript></head>'
    expect(state(html)).toMatchObject({ noindex: 'no', canonical: { kind: 'absent' }, indexable: true })
  })

  it('are read whatever their case, and negatives win over an agent of its own', () => {
    const html = cleanHtml({
      head: '<meta name="ROBOTS" content="NoIndex , nofollow"><meta name="googlebot" content="index">',
    })
    expect(state(html).noindex).toBe('yes')
    expect(ids(audit(fetched(html)))).toEqual(['robots-directives-conflict'])
  })

  it('of one header line do not leak into the next, and an expiry date is no agent', () => {
    const headers: [string, string][] = [
      ['content-type', 'text/html'],
      ['x-robots-tag', 'googlebot: nofollow'],
      ['x-robots-tag', 'otherbot: noindex'],
      ['x-robots-tag', 'unavailable_after: Friday, 25 Jun 2100 15:00:00 GMT'],
    ]
    const page = fetched(cleanHtml({ body: '<a href="/x">a fine place</a>' }), { headers })
    expect(indexability(facts(page), context()).indexable).toBe(true)
    expect(facts(page).document?.links[0]?.follow).toBe(false)
    expect(ids(audit(page))).toEqual([])
  })

  it('with an expiry date in the past mean noindex', () => {
    const date = new Date(fetchedAt - 1_000).toUTCString()
    expect(state('<p>x', [['x-robots-tag', `unavailable_after: ${date}`]]).noindex).toBe('yes')
  })
})

describe('canonicals', () => {
  it('resolve against the first base, off-site if it says so', async () => {
    const html = cleanHtml({
      head: '<base href="https://other.example/x/"><link rel="canonical" href="page">',
      body: '<a href="#f">a section of the page</a><a href="more">another page of ours</a>',
    })
    const page = facts(fetched(html))
    expect(page.document?.canonicals[0]?.url).toBe('https://other.example/x/page')
    expect(page.document?.links.map(link => link.fetchUrl)).toEqual([
      'https://other.example/x/',
      'https://other.example/x/more',
    ])
    expect(only(audit(fetched(html)), 'canonical-invalid')).toMatchObject([
      { severity: 'high', evidence: { flaws: ['relative', 'cross-domain'] } },
    ])
  })

  it('come from the Link header too, whose URLs may hold commas', () => {
    const headers: [string, string][] = [
      ['content-type', 'text/html'],
      ['link', '<https://ex.test/a,b;c>; rel="canonical"; title="x, y"'],
    ]
    const page = fetched(cleanHtml({ head: '<link rel="canonical" href="https://ex.test/z">' }), { headers })
    expect(facts(page).document?.canonicals.map(({ url }) => url)).toEqual([
      'https://ex.test/a,b;c',
      'https://ex.test/z',
    ])
    expect(ids(audit(page))).toEqual(['canonical-conflict'])
  })
})

describe('links', () => {
  it('that resolve to something nobody meant are flawed and have no URL; odd ones keep one key', async () => {
    const body =
      '<a href="ht!tp://x">one</a><a href="www.ex.com">two</a><a href="/|^">three</a>' +
      '<a href="  /sp\nace ">four</a><a href="/five" aria-label="The fifth"><svg><path/></svg></a>'
    const page = fetched(
      cleanHtml({ body, title: '日本語のとても長い題名がここにありますので幅を測ってください' }),
    )
    expect(facts(page).document?.links.map(({ flaw, key, name }) => [flaw, key, name])).toEqual([
      ['suspicious', null, 'one'],
      ['suspicious', null, 'two'],
      [undefined, 'https://ex.test/%7C%5E', 'three'],
      [undefined, 'https://ex.test/space', 'four'],
      [undefined, 'https://ex.test/five', 'The fifth'],
    ])
    const found = await auditAll([page])
    expect(ids(found)).toEqual(['link-uncrawlable', 'link-uncrawlable', 'title-length'])
    expect(only(found, 'title-length')[0]?.evidence).toMatchObject({ px: 600, characters: 30 })
  })

  it('in templates, comments and noscript do not exist; mail addresses and anchors are left out', () => {
    const body =
      '<template><a href="/t">t</a></template><!-- <a href="/c">c</a> --><noscript><a href="/n">n</a></noscript>' +
      '<a href="mailto:x@ex.test">mail</a><a href="#top">top</a><a>placeholder</a><a href="/real">The real one</a>'
    expect(facts(fetched(cleanHtml({ body }))).document?.links.map(({ rawHref }) => rawHref)).toEqual([
      '/real',
    ])
  })

  it('in open shadow roots count where a browser has rendered them', () => {
    const html = cleanHtml({
      body: '<x-nav><template shadowrootmode="open"><a href="/deep">The deep one</a></template></x-nav>',
    })
    expect(facts(fetched(html)).document?.links).toEqual([])
    const [link] = facts(fetched(html, { rendered: rendered(html) })).document?.links ?? []
    expect(link).toMatchObject({ rawHref: '/deep', name: 'The deep one' })
  })

  it.each([
    ['<a href="/x"><img src="x" alt="Our kiln"></a>', 'Our kiln', undefined],
    ['<a href="/x" title="Opening hours"><img src="x" alt=""></a>', 'Opening hours', undefined],
    ['<a href="/x"><svg><title>Basket</title></svg></a>', 'Basket', undefined],
    ['<a href="/x"></a>', '', 'empty'],
    ['<a href="/x">Read more »</a>', 'Read more »', 'generic'],
    ['<a href="/x" aria-label="Read more about glazes">Read more</a>', 'Read more', undefined],
  ])('are named by text, image, label or title: %s', (body, name, poorText) => {
    const link = facts(fetched(cleanHtml({ body }))).document?.links[0]
    expect([link?.name, link?.poorText]).toEqual([name, poorText])
  })

  it.each([
    ['<a href="javascript:void(0)">x</a>', 'javascript'],
    ['<a href="">x</a>', 'empty'],
    ['<a onclick="go()">x</a>', 'empty'],
    ['<a href="http://">x</a>', 'invalid'],
    ['<a href="file:///c:/x">x</a>', 'invalid'],
    ['<a role="button" href="javascript:void(0)">x</a>', 'none'],
    ['<a id="target" href="">x</a>', 'none'],
  ])('that lead nowhere say why: %s', (body, flaw) => {
    expect(facts(fetched(cleanHtml({ body }))).document?.links[0]?.flaw ?? 'none').toBe(flaw)
  })

  it('of a script router are flawed from three on', async () => {
    const routes = (count: number) =>
      Array.from({ length: count }, (_, at) => `<a href="#/view/${at}">View number ${at}</a>`).join('')
    expect(ids(await auditAll([fetched(cleanHtml({ body: routes(2) }))]))).toEqual([])
    expect(ids(await auditAll([fetched(cleanHtml({ body: routes(3) }))]))).toEqual(['link-uncrawlable'])
  })

  it('resolve against the base that the browser reports', () => {
    const html = cleanHtml({ body: '<a href="next">The next place</a>' })
    const page = fetched(html, { rendered: rendered(html, { baseUri: `${home}p/q?x=1` }) })
    expect(facts(page).document?.links[0]?.key).toBe('https://ex.test/p/next')
    expect(facts(page)).toMatchObject({
      key: 'https://ex.test/page',
      clientRedirect: null,
      basis: 'rendered',
    })
  })
})

describe('an instant meta refresh', () => {
  const raw = cleanHtml({ head: '<meta http-equiv="refresh" content="0; url=/b">', title: '' })

  it('is a redirect in the browser, whose second document is not taken for the first', () => {
    const page = fetched(raw, {
      rendered: rendered(cleanHtml({ title: 'The title of b' }), {
        navigations: [{ from: 'https://ex.test/page', to: 'https://ex.test/b' }],
      }),
    })
    expect(facts(page).document?.titles).toEqual([''])
    expect(ids(audit(page))).toEqual(['redirect-client'])
  })

  it('is unverified without a browser', () => {
    expect(audit(fetched(raw))).toMatchObject([{ id: 'redirect-client', verdict: 'unverified' }])
  })
})

describe('extraction', () => {
  it('survives ten thousand nested elements and yields plain JSON', () => {
    const page = facts(fetched(`<body>${'<div>'.repeat(10_000)}deep<a href="/x">The deep link</a>`))
    expect(page.document?.links).toHaveLength(1)
    expect(JSON.parse(JSON.stringify(page))).toEqual(page)
  })

  it('counts words of languages that do not space them', () => {
    const html = '<html lang="ja"><body><main>吾輩は猫である。名前はまだ無い。</main></body></html>'
    expect(facts(fetched(html)).document?.words).toBeGreaterThan(6)
  })

  it('takes the main text without the furniture around it', () => {
    const html = '<body><nav>one two</nav><p>three four five</p><footer>six</footer></body>'
    expect(facts(fetched(html)).document?.words).toBe(3)
  })

  it('gives a redirect no document', () => {
    const hop = { url: `${home}old`, status: 301, location: `${home}new` }
    const page = facts(fetched(cleanHtml(), { fetchUrl: `${home}old`, hops: [hop] }))
    expect(page).toMatchObject({ document: null, finalUrl: `${home}new` })
  })

  it('leaves a bot challenge unjudged', () => {
    const page = facts(fetched('<title>Just a moment...</title>', { status: 200 }))
    expect(page).toMatchObject({ challenged: true, document: null })
  })
})
