import { describe, expect, it } from 'vitest'
import { entry, failing, link, page, redirect, run } from '../../../test/audit/site.ts'
import {
  cleanHtml,
  context,
  facts,
  fetched,
  fetchedAt,
  home,
  ids,
  only,
} from '../../../test/audit/support.ts'
import type { RobotsReport, SiteInput } from '../context.ts'

describe('sitemaps', () => {
  it('list only pages that can be indexed; the cause is named', async () => {
    const noindex = page('/hidden', '', { head: '<meta name="robots" content="noindex">' })
    const input = {
      sitemapEntries: ['/hidden', '/gone', '/old', '/fine', '/private'].map(path => entry(path)),
    }
    const settings = context({
      auditedRobots: url => ({
        allowed: !url.includes('private'),
        rule: { line: 2, text: 'Disallow: /private' },
      }),
    })
    const pages = [
      page('/', link('/old')),
      noindex,
      failing('/gone', 404),
      redirect('/old', '/fine'),
      page('/fine'),
    ]
    const found = await run(pages, { ...input, context: settings })
    expect(
      only(found, 'sitemap-url-bad').map(({ subject, evidence, causedBy }) => [
        subject,
        evidence.reason,
        causedBy?.id,
      ]),
    ).toEqual([
      [`${home}private`, 'blocked', undefined],
      [`${home}hidden`, 'noindex', 'noindex-important'],
      [`${home}gone`, 'status', undefined],
      [`${home}old`, 'redirect', 'link-internal-redirect'],
    ])
    expect(only(found, 'noindex-important')).toMatchObject([{ subject: `${home}hidden`, severity: 'high' }])
  })

  it('have their own faults told file by file; guessed files that are pages are none', async () => {
    const file = {
      url: `${home}sitemap.xml`,
      foundBy: 'robots',
      kind: 'urlset',
      status: 200,
      bytes: 10,
      entries: 0,
    } as const
    const guess = { ...file, url: `${home}sitemap_index.xml`, foundBy: 'well-known' } as const
    const problems = [
      { kind: 'bad-xml', file: file.url, line: 4, detail: 'unclosed tag' },
      { kind: 'future-lastmod', file: file.url, line: 5, detail: '2099' },
      { kind: 'html-body', file: guess.url, line: 0, detail: '' },
    ] as const
    const found = await run([], {
      sitemap: { files: [file, guess], problems: [...problems], incomplete: false },
    })
    expect(found).toMatchObject([{ id: 'sitemap-invalid', subject: file.url, evidence: { count: 1 } }])
  })
})

describe('the site', () => {
  const robots = (overrides: Partial<RobotsReport>): Partial<SiteInput> => ({
    robots: [
      {
        origin: 'https://ex.test',
        url: `${home}robots.txt`,
        state: 'rules',
        status: 200,
        error: null,
        attempts: 1,
        fetchedAt,
        problems: [],
        fromLastGood: false,
        ...overrides,
      },
    ],
  })

  it('has its robots.txt judged', async () => {
    expect(ids(await run([], robots({})))).toEqual([])
    expect(ids(await run([], robots({ state: 'unreachable', status: 503 })))).toEqual([
      'robots-txt-unreachable',
    ])
    const problems = [
      { kind: 'orphan-rule', line: 1, text: 'Disallow: /x' },
      { kind: 'unknown-directive', line: 2, text: 'Clean-param: x' },
    ] as const
    expect(await run([], robots({ problems: [...problems] }))).toMatchObject([
      { id: 'robots-txt-invalid', evidence: { count: 1 } },
    ])
    const closed = context({
      auditedRobots: () => ({ allowed: false, rule: { line: 2, text: 'Disallow: /' } }),
    })
    expect(ids(await run([], { ...robots({}), context: closed }))).toEqual(['robots-disallow-all'])
  })

  it('answers under one host only, unless the others are different sites', async () => {
    const at = (variant: 'https-www' | 'https-apex', url: string, html: string) => ({
      variant,
      facts: facts(fetched(html, { fetchUrl: url })),
    })
    const www = (html: string) => [
      at('https-apex', home, cleanHtml()),
      at('https-www', 'https://www.ex.test/', html),
    ]
    expect(ids(await run([], { hostVariants: www(cleanHtml()) }))).toEqual(['host-variants-live'])
    expect(await run([], { hostVariants: www('<title>Parked</title>') })).toMatchObject([
      { verdict: 'unverified' },
    ])
  })

  it('is served over https, except on loopback', async () => {
    const at = (origin: string) =>
      run([fetched(cleanHtml(), { fetchUrl: `${origin}/` })], {
        context: context({ isInternal: () => true, homeUrl: `${origin}/` }),
      }).then(ids)
    expect(await at('http://ex.test')).toEqual(['http-not-https'])
    expect(await at('http://127.0.0.1:8080')).toEqual([])
    expect(await at('http://localhost')).toEqual([])
  })

  it('has its quarantined patterns reported', async () => {
    const traps = [
      { pattern: '/calendar?month={n}', fetched: 50, novel: 1, samples: [`${home}calendar?month=1`] },
    ]
    expect(await run([], { traps })).toMatchObject([{ id: 'crawl-trap', subject: '/calendar?month={n}' }])
  })

  it('must not hide its home page', async () => {
    const found = await run([page('/', '', { head: '<meta name="robots" content="noindex">' })])
    expect(found).toMatchObject([{ id: 'noindex-important', severity: 'critical' }])
  })
})
