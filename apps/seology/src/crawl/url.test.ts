import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isHashRoute, isSuspiciousHref } from './href.ts'
import { canonicalize } from './url.ts'
import { findSessionParams } from './url-params.ts'
import { urlPattern } from './url-pattern.ts'

const base = 'https://ex.com/dir/page'
const fetchUrl = (href: string, from = base) => canonicalize(href, from)?.fetchUrl
const key = (href: string, from = base) => canonicalize(href, from)?.key

describe('canonicalize', () => {
  it.each([
    ['HTTPS://EX.com:443/A/../b', 'https://ex.com/b'],
    ['http://ex.com:80/', 'http://ex.com/'],
    ['http://ex.com:8080', 'http://ex.com:8080/'],
    ['https://ex.com./a', 'https://ex.com/a'],
    ['https://faß.de/', 'https://xn--fa-hia.de/'],
    ['https://u:p@ex.com/', 'https://ex.com/'],
    ['/%41%7e%2f%c3%a9', 'https://ex.com/A~%2F%C3%A9'],
    ['/é', 'https://ex.com/%C3%A9'],
    ['/|^', 'https://ex.com/%7C%5E'],
    ['/%7c%5E', 'https://ex.com/%7C%5E'],
    ['/`{}"', 'https://ex.com/%60%7B%7D%22'],
    ['"  /sp\nace "'.slice(1, -1), 'https://ex.com/space'],
    ['/a//b', 'https://ex.com/a//b'],
    ['/a/', 'https://ex.com/a/'],
    ['/a?', 'https://ex.com/a'],
    ['/a#top', 'https://ex.com/a'],
    ['/a#:~:text=x', 'https://ex.com/a'],
    ['/a?q=a+b', 'https://ex.com/a?q=a+b'],
    ['/a?q=a%20b', 'https://ex.com/a?q=a%20b'],
    ['/a?b=2&utm_source=x&a=1&GCLID=3', 'https://ex.com/a?b=2&a=1'],
    ['/a?utm_source=x', 'https://ex.com/a'],
    ['/a?ref=1&page=2', 'https://ex.com/a?ref=1&page=2'],
    ['/a;jsessionid=ABC.node1?x=1', 'https://ex.com/a?x=1'],
    ['/a;jsessionid=ABC/b;v=1', 'https://ex.com/a/b;v=1'],
    ['/a?PHPSESSID=1&ASPSESSIONIDQQ=2&cfid=3&CFTOKEN=4&x=5', 'https://ex.com/a?x=5'],
    ['/a?sid=0123456789abcdef', 'https://ex.com/a?sid=0123456789abcdef'],
  ])('requests %s as %s', (href, expected) => {
    expect(fetchUrl(href)).toBe(expected)
  })

  it('sorts parameters by name in the key only, stable for repeated names', () => {
    expect(canonicalize('/a?b=2&a=2&b=1&a=1', base)).toMatchObject({
      fetchUrl: 'https://ex.com/a?b=2&a=2&b=1&a=1',
      key: 'https://ex.com/a?a=2&a=1&b=2&b=1',
    })
  })

  it('keeps the order of a query without values or with semicolons', () => {
    expect(key('/a?z&b=1')).toBe('https://ex.com/a?z&b=1')
    expect(key('/a?z=1;b=2&a=3')).toBe('https://ex.com/a?z=1;b=2&a=3')
  })

  it('gives Chromium’s and Node’s spelling of one href the same key', () => {
    expect(key('/|^?q=|')).toBe(key('/%7C%5E?q=%7C'))
  })

  it('refuses what is not http', () => {
    for (const href of ['mailto:a@b', 'javascript:0', 'ftp://x/', 'http://', 'http://a b/', 'data:,x'])
      expect(canonicalize(href, base)).toBeNull()
  })

  it('resolves against a foreign base, the empty href too', () => {
    expect(fetchUrl('', 'https://other.example/x/')).toBe('https://other.example/x/')
  })

  it('reports userinfo and the fragment', () => {
    expect(canonicalize('https://u@ex.com/#!/a')).toMatchObject({ hadUserinfo: true, fragment: '#!/a' })
  })

  it('drops session parameters that are known for the site', () => {
    expect(canonicalize('/a?SID=1&b=2', base, { dropParams: new Set(['sid']) })?.fetchUrl).toBe(
      'https://ex.com/a?b=2',
    )
  })

  it('changes nothing when applied to its own result', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '%',
        '%4',
        '%41',
        '%2f',
        '%25',
        '%%',
        '/',
        '//',
        '.',
        '..',
        '?',
        '&',
        '=',
        ';',
        '+',
        '|',
        '{',
      ),
      fc.constantFrom('utm_a=1', 'b=2', 'a', ';jsessionid=x', '#', '%ff', 'é', "'", '\\', ' ', 'JSESSIONID='),
      fc.string({ unit: 'binary', maxLength: 3 }),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), pieces => {
        const once = canonicalize(`https://ex.com/${pieces.join('')}`)
        if (once === null) return
        const twice = canonicalize(once.fetchUrl)
        expect(twice).toMatchObject({ fetchUrl: once.fetchUrl, key: once.key })
        expect(canonicalize(once.key)?.key).toBe(once.key)
      }),
      { numRuns: 3_000 },
    )
  })
})

describe('isSuspiciousHref', () => {
  it.each([
    'ht!tp://x',
    'www.ex.com',
    'www.ex.com/a',
    'example.com/a',
    'info@ex.com',
    'http//ex.com/',
    'http;//ex.com',
  ])('flags %s', href => expect(isSuspiciousHref(href)).toBe(true))
  it.each([
    '/a',
    'a.html',
    'README.md',
    'run.sh',
    '../x',
    'a/b',
    '?q',
    '#f',
    '',
    'https://x',
    'mailto:a@b.c',
    '//ex.com/',
    'page',
    '.',
    'v1.2',
    'shop.php?x',
  ])('lets %s pass', href => expect(isSuspiciousHref(href)).toBe(false))
})

it('a hash route is told from an anchor', () => {
  expect([isHashRoute('#!/a'), isHashRoute('#/a'), isHashRoute('#a'), isHashRoute('')]).toEqual([
    true,
    true,
    false,
    false,
  ])
})

describe('findSessionParams', () => {
  const visit = (sid: string) => [`https://ex.com/a?x=1&sid=${sid}`, 'https://ex.com/b']
  it('names a long value that changes between visits', () => {
    expect(findSessionParams(visit('0123456789abcdef'), visit('fedcba9876543210'))).toEqual(['sid'])
  })
  it('ignores a value that stays or is short', () => {
    expect(findSessionParams(visit('0123456789abcdef'), visit('0123456789abcdef'))).toEqual([])
    expect(findSessionParams(visit('12'), visit('13'))).toEqual([])
  })
})

describe('urlPattern', () => {
  it.each([
    ['https://ex.com/p/12?b=1&a=2&b=3', 'https://ex.com/p/{n}?a&b'],
    ['https://ex.com/2024-05-01/x', 'https://ex.com/{date}/x'],
    ['https://ex.com/cal/2024/05', 'https://ex.com/cal/{n}/{n}'],
    ['https://ex.com/page-7.html', 'https://ex.com/page-{n}.html'],
    ['https://ex.com/i/9f86d081884c7d65', 'https://ex.com/i/{id}'],
    ['https://ex.com/i/123e4567-e89b-12d3-a456-426614174000', 'https://ex.com/i/{id}'],
    ['https://ex.com/facade/deadbeef', 'https://ex.com/facade/deadbeef'],
  ])('%s has the pattern %s', (url, pattern) => expect(urlPattern(url)).toBe(pattern))
})
