import { describe, expect, it } from 'vitest'
import {
  audit,
  cleanHtml,
  context,
  fetched,
  home,
  ids,
  only,
  rendered,
  words,
} from '../../../test/audit/support.ts'
import type { ProbeFingerprint } from '../context.ts'
import { fingerprint } from '../extract/probe.ts'
import { thresholds } from '../thresholds.ts'
import { isHreflang, isLanguageTag } from './language-codes.ts'
import { textWidthPx } from './text-width.ts'

const found = (html: string) => ids(audit(fetched(html)))
const title = (text: string) => cleanHtml().replace(/<title>.*?<\/title>/, `<title>${text}</title>`)
const description = (text: string) =>
  cleanHtml().replace(/name="description" content=".*?"/, `name="description" content="${text}"`)

it('finds nothing wrong with a clean page', () => {
  expect(found(cleanHtml())).toEqual([])
})

describe('content', () => {
  it.each([
    ['title-missing', title('  ')],
    ['title-multiple', cleanHtml({ head: '<title>And another one</title>' })],
    ['title-length', title('Pots')],
    ['title-length', title(words(20))],
    ['description-missing', description('')],
    ['description-length', description('Too short')],
    ['description-length', description(words(60))],
    ['h1-missing', cleanHtml().replace('<h1>Heading</h1>', '<h1> </h1>')],
    ['h1-multiple', cleanHtml({ body: '<h1>Another</h1>' })],
    ['heading-skip', cleanHtml({ body: '<h3>Too deep</h3>' })],
    ['content-thin', cleanHtml().replace(words(220), words(150))],
    ['lang-missing', cleanHtml().replace(' lang="en"', '')],
    ['lang-invalid', cleanHtml().replace('lang="en"', 'lang="english"')],
    ['viewport-missing', cleanHtml().replace('name="viewport"', 'name="other"')],
    ['open-graph-missing', cleanHtml().replace('og:image', 'og:other')],
    ['image-alt-missing', cleanHtml({ body: '<img src="a.png" width="1" height="1">' })],
    ['image-dimensions-missing', cleanHtml({ body: '<img src="a.png" alt="A pot" width="1">' })],
    ['jsonld-invalid', cleanHtml({ body: '<script type="application/ld+json">{"a":}</script>' })],
    ['jsonld-invalid', cleanHtml({ body: '<script type="application/ld+json">{"name":"x"}</script>' })],
    ['canonical-invalid', cleanHtml({ head: '<link rel="canonical" href="/page">' })],
    ['canonical-invalid', cleanHtml({ head: '<link rel="canonical" href="https://ex.test/page#a">' })],
    ['canonical-invalid', cleanHtml({ head: '<link rel="canonical" href="">' })],
    [
      'canonical-conflict',
      cleanHtml({ head: '<link rel="canonical" href="https://ex.test/page">'.repeat(2) }),
    ],
  ])('%s is found in its example', (id, html) => {
    expect(found(html)).toEqual([id])
  })

  it.each([
    [
      'an h1 that is an image with a text',
      cleanHtml().replace('Heading<', '<img src="a" alt="The logo" width="1" height="1"><'),
    ],
    ['an empty alt', cleanHtml({ body: '<img src="a" alt="" width="1" height="1">' })],
    ['a size by style', cleanHtml({ body: '<img src="a" alt="" style="aspect-ratio: 3/2">' })],
    [
      'a short page with a form',
      cleanHtml({ body: '<form><input><textarea></textarea></form>' }).replace(words(220), 'x'),
    ],
    [
      'a graph of typed items',
      cleanHtml({
        body: '<script type="application/ld+json">{"@graph":[{"@type":"A"},{"@id":"#b"}]}</script>',
      }),
    ],
    ['a self canonical', cleanHtml({ head: '<link rel="canonical" href="https://ex.test/page">' })],
    ['a scripted language', cleanHtml().replace('lang="en"', 'lang="zh-Hant-TW"')],
    ['a title in a graphic', cleanHtml({ body: '<svg><title>x</title></svg>' })],
  ])('accepts %s', (_, html) => {
    expect(found(html)).toEqual([])
  })

  it('says nothing about the content of pages that are not to be indexed', () => {
    expect(found('<meta name=robots content=noindex><title></title>')).toEqual([])
    expect(found('<link rel=canonical href="https://ex.test/other"><title></title>')).toEqual([])
  })

  it('misses a charset only where the header has none either', () => {
    const bare = cleanHtml().replace('<meta charset="utf-8">', '')
    expect(found(bare)).toEqual([])
    expect(ids(audit(fetched(bare, { headers: [['content-type', 'text/html']] })))).toEqual([
      'charset-missing',
    ])
  })

  it('takes thresholds from the context', () => {
    const settings = context({ thresholds: thresholds({ thinWords: 10_000 }) })
    expect(ids(audit(fetched(cleanHtml()), settings))).toEqual(['content-thin'])
  })

  it('a noindex beside a foreign canonical is a conflict', () => {
    const head = '<meta name="robots" content="noindex"><link rel="canonical" href="https://ex.test/other">'
    expect(found(cleanHtml({ head }))).toEqual(['canonical-conflict'])
  })

  it('a canonical on another site is only an observation', () => {
    const html = cleanHtml({ head: '<link rel="canonical" href="https://other.example/page">' })
    expect(audit(fetched(html))).toMatchObject([{ id: 'canonical-invalid', severity: 'info' }])
  })
})

describe('widths and codes', () => {
  it('measures a text as Arial sets it', () => {
    expect(textWidthPx('The quick brown fox jumps over the lazy dog', 20)).toBe(396)
    expect(textWidthPx('é日Ж', 10)).toBe(25)
  })

  it.each(['en', 'en-GB', 'zh-Hant', 'ZH-hant-tw', 'x-default', 'es-419'])('%s is an hreflang', code => {
    expect(isHreflang(code)).toBe(true)
  })

  it.each(['en-UK', 'xx', 'english', 'en_GB', 'gb', 'eng', ''])('%s is no hreflang', code => {
    expect(isHreflang(code)).toBe(false)
  })

  it.each([
    ['en', true],
    ['de-CH-1996', true],
    ['sr-Latn', true],
    ['fil', true],
    ['en_GB', false],
    ['english', false],
    ['en-UK', false],
  ])('lang %s is valid: %s', (tag, valid) => {
    expect(isLanguageTag(tag)).toBe(valid)
  })
})

describe('answers', () => {
  const hop = (from: string, to: string, status = 301) => ({ url: home + from, status, location: home + to })

  it('two redirects are a chain, one is none', () => {
    const chain = fetched(null, { fetchUrl: `${home}a`, hops: [hop('a', 'b'), hop('b', 'c')] })
    expect(ids(audit(chain))).toEqual(['redirect-chain'])
    expect(ids(audit(fetched(null, { fetchUrl: `${home}a`, hops: [hop('a', 'b')] })))).toEqual([])
  })

  it('the upgrade by HSTS is no hop', () => {
    const upgrade = { url: 'http://ex.test/a', status: 307, location: 'https://ex.test/a' }
    expect(ids(audit(fetched(null, { fetchUrl: upgrade.url, hops: [upgrade, hop('a', 'b')] })))).toEqual([])
  })

  it('a repeated URL is a loop, and no chain besides', () => {
    const loop = fetched(null, {
      fetchUrl: `${home}a`,
      status: 301,
      hops: [hop('a', 'b'), hop('b', 'a'), hop('a', 'b')],
    })
    expect(ids(audit(loop))).toEqual(['redirect-loop'])
    const given = fetched(null, { status: 0, error: { kind: 'redirect-loop', message: 'too many' } })
    expect(ids(audit(given))).toEqual(['redirect-loop'])
  })

  it('slowness needs three samples, and is high above 1.8 s', () => {
    const slow = (ttfbSamplesMs: number[]) => audit(fetched(cleanHtml()), { ...context(), ttfbSamplesMs })
    expect(slow([900, 100, 120])).toEqual([])
    expect(slow([900])).toMatchObject([{ id: 'ttfb-slow', verdict: 'unverified' }])
    expect(slow([900, 100, 950])).toMatchObject([{ id: 'ttfb-slow', severity: 'medium', verdict: 'fail' }])
    expect(slow([2_000, 2_000, 950])).toMatchObject([{ severity: 'high' }])
  })

  it('HTML is too large above two million bytes, even if reading it was given up', () => {
    expect(ids(audit(fetched(cleanHtml(), { bodyBytes: 2_000_001 })))).toEqual(['html-too-large'])
    const cut = fetched('<p>', { bodyBytes: 15_000_000, error: { kind: 'too-large', message: '' } })
    expect(ids(audit(cut))).toEqual(['html-too-large'])
    expect(
      ids(audit(fetched(null, { bodyBytes: 3_000_000, headers: [['content-type', 'video/mp4']] }))),
    ).toEqual([])
  })
})

describe('missing pages that answer 200', () => {
  const missing = (extra = '') =>
    cleanHtml().replace(/<h1>.*<\/p>/, `<h1>Oops</h1><p>${words(80, 'sorry')} ${extra}</p>`)
  const probe = fingerprint(
    fetched(missing(), { fetchUrl: `${home}0123456789abcdef` }),
    context(),
  ) as ProbeFingerprint
  const settings = context({ probes: [probe] })

  it('are found by their likeness to what a random path answers', () => {
    expect(ids(audit(fetched(missing('almost')), settings))).toContain('soft-404')
    expect(ids(audit(fetched(cleanHtml({ title: 'How to fix a 404' })), settings))).not.toContain('soft-404')
  })

  it('are accepted when they say noindex', () => {
    const html = missing().replace('<meta charset', '<meta name="robots" content="noindex"><meta charset')
    expect(ids(audit(fetched(html), settings))).toEqual([])
  })

  it('are found by their wording where they are short', () => {
    const html = cleanHtml({ title: 'Page not found, we are sorry' })
    expect(ids(audit(fetched(html)))).toEqual([])
    expect(ids(audit(fetched(html.replace(words(220), 'Sorry'))))).toContain('soft-404')
  })

  it('are found by a redirect to where random paths go, but not under another name of the same page', () => {
    const toHome = (from: string) =>
      fetched(null, {
        fetchUrl: home + from,
        hops: [{ url: home + from, status: 302, location: `${home}all` }],
      })
    const catchAll = { ...probe, redirected: true, finalKey: `${home}all`, shingles: [] }
    const redirecting = context({ probes: [catchAll] })
    expect(ids(audit(toHome('gone'), redirecting))).toEqual(['soft-404'])
    expect(ids(audit(toHome('all/'), redirecting))).toEqual([])
    expect(ids(audit(toHome('gone')))).toEqual([])
  })

  it('leave no fingerprint where random paths are refused', () => {
    expect(fingerprint(fetched('x', { status: 404 }), context())).toBeNull()
  })
})

describe('in the browser', () => {
  const inBrowser = (overrides: Parameters<typeof rendered>[1], html = cleanHtml()) =>
    audit(fetched(html, { rendered: rendered(html, overrides) }))
  const resource = { url: `${home}a.js`, type: 'script', status: 200, transferBytes: 1_000 }

  it('heavy images and heavy pages are found', () => {
    const image = { url: `${home}a.jpg`, type: 'image', status: 200, transferBytes: 102_401 }
    expect(ids(inBrowser({ resources: [image] }))).toEqual(['image-heavy'])
    expect(ids(inBrowser({ resources: [{ ...image, type: 'media' }] }))).toEqual([])
    expect(ids(inBrowser({ transferBytes: 5_120_001 }))).toEqual(['page-weight'])
    expect(ids(inBrowser({ elementCount: 1_401 }))).toEqual(['page-weight'])
  })

  it('scripts of the site that search engines may not load are found', () => {
    const settings = context({
      auditedRobots: url => ({ allowed: !url.endsWith('.js'), rule: { line: 2, text: 'Disallow: /*.js' } }),
    })
    const html = cleanHtml()
    const run = (url: string) =>
      audit(fetched(html, { rendered: rendered(html, { resources: [{ ...resource, url }] }) }), settings)
    expect(ids(run(`${home}a.js`))).toEqual(['blocked-resources'])
    expect(ids(run('https://cdn.example/a.js'))).toEqual([])
  })

  it('what an https page loads over http is insecure, links are not', () => {
    const [http] = only(
      inBrowser({ resources: [{ ...resource, url: 'http://ex.test/a.js' }] }),
      'insecure-content',
    )
    expect(http?.evidence).toMatchObject({ count: 1 })
    const html = cleanHtml({
      body: '<a href="http://ex.test/x">An old address</a><form action="http://ex.test/send"></form>',
    })
    expect(only(audit(fetched(html)), 'insecure-content')[0]?.evidence).toMatchObject({
      resources: [{ url: 'http://ex.test/send', via: 'form action' }],
    })
  })
})
