import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseRobots } from './robots.ts'
import { patternMatches } from './robots-match.ts'

const file = (...lines: string[]) => parseRobots(lines.join('\n'))
const allowed = (robots: ReturnType<typeof parseRobots>, path: string, token = 'FooBot') =>
  robots.decide(`https://ex.com${path}`, token).allowed

describe('groups', () => {
  it('all groups that name the token merge', () => {
    const robots = file(
      'User-agent: foobot',
      'Disallow: /a',
      '',
      'User-agent: other',
      'Disallow: /',
      '',
      'User-agent: FOOBOT/1.0',
      'Disallow: /b',
    )
    expect(['/a', '/b', '/c'].map(path => allowed(robots, path))).toEqual([false, false, true])
  })

  it('the group for everybody counts only when none names the token', () => {
    const robots = file('User-agent: *', 'Disallow: /', 'User-agent: FooBot', 'Disallow: /x')
    expect(allowed(robots, '/a')).toBe(true)
    expect(allowed(robots, '/a', 'BarBot')).toBe(false)
    expect(allowed(file('User-agent: BarBot', 'Disallow: /'), '/a')).toBe(true)
  })

  it('a record that is no rule does not close a group', () => {
    const robots = file(
      'User-agent: A',
      'Sitemap: https://ex.com/s.xml',
      'Crawl-delay: 2',
      'User-agent: *',
      'Disallow: /',
    )
    expect(allowed(robots, '/x', 'A')).toBe(false)
    expect(robots.sitemaps).toEqual([{ line: 2, text: 'https://ex.com/s.xml' }])
    expect(robots.crawlDelayMs('A')).toBe(2_000)
  })

  it('an empty disallow closes a group and allows all', () => {
    const robots = file('User-agent: A', 'Disallow:', 'User-agent: B', 'Disallow: /')
    expect([allowed(robots, '/x', 'A'), allowed(robots, '/x', 'B')]).toEqual([true, false])
  })

  it('a token is compared whole', () => {
    const robots = file('User-agent: Foo', 'Disallow: /')
    expect([allowed(robots, '/', 'FooBot'), allowed(robots, '/', 'foo')]).toEqual([true, false])
  })
})

describe('matching', () => {
  const decide = (rules: string[], path: string) => allowed(file('User-agent: *', ...rules), path)

  it.each([
    ['the longest pattern wins', ['Disallow: /', 'Allow: /p'], '/page', true],
    ['a tie allows', ['Disallow: /p', 'Allow: /p'], '/p', true],
    ['octets are counted, not characters', ['Disallow: /ツ', 'Allow: /*aaaaaaa'], '/ツaaaaaaa', false],
    ['case counts', ['Disallow: /A'], '/a', true],
    ['the query is part of the target', ['Disallow: /*?s='], '/x?s=1', false],
    ['the end can be anchored', ['Disallow: /*.php$'], '/a.php', false],
    ['what follows the anchor is free', ['Disallow: /*.php$'], '/a.php?x', true],
    ['non-ASCII is encoded before it is compared', ['Disallow: /é'], '/%C3%A9', false],
    ['escapes compare whatever their case', ['Disallow: /%c3%a9'], '/%C3%A9x', false],
    ['an escaped slash is no slash', ['Disallow: /a/b'], '/a%2Fb', true],
    ['an encoded unreserved octet compares decoded', ['Disallow: /%62%61%7A'], '/baz', false],
    ['robots.txt itself is always allowed', ['Disallow: /'], '/robots.txt', true],
    ['a comment ends a line', ['Disallow: /a # b'], '/a', false],
    ['a misspelt disallow counts', ['Disalow: /a'], '/a', false],
    ['white space can stand for the colon', ['Disallow /a'], '/a', false],
  ])('%s', (_, rules, path, expected) => expect(decide(rules, path)).toBe(expected))

  it('Google compares octets literally and opens the directory of an index', () => {
    const robots = file('User-agent: *', 'Disallow: /', 'Allow: /d/index.html', 'Disallow: /%62%61%7A')
    const google = (path: string) => robots.decideLikeGoogle(`https://ex.com${path}`, 'Googlebot')
    expect(google('/d/')).toEqual({ allowed: true, rule: { line: 3, text: 'Allow: /d/index.html' } })
    expect(google('/d/x').allowed).toBe(false)
    expect(google('/baz').rule?.line).toBe(2)
    expect(allowed(robots, '/d/')).toBe(false)
  })

  it('tells the line that decided', () => {
    expect(file('User-agent: *', 'Disallow: /a').decide('https://ex.com/a', 'x').rule).toEqual({
      line: 2,
      text: 'Disallow: /a',
    })
  })

  it('agrees with a regular expression on any pattern', () => {
    const letters = fc
      .array(fc.constantFrom('a', 'b', '/'), { maxLength: 8 })
      .map(list => `/${list.join('')}`)
    const pattern = fc.tuple(fc.array(fc.constantFrom('a', 'b', '/', '*'), { maxLength: 6 }), fc.boolean())
    fc.assert(
      fc.property(pattern, letters, ([parts, anchored], target) => {
        const body = `/${parts.join('')}`
        const expected = new RegExp(`^${body.replaceAll('*', '.*')}${anchored ? '$' : ''}`).test(target)
        expect(patternMatches(body + (anchored ? '$' : ''), target)).toBe(expected)
      }),
      { numRuns: 2_000 },
    )
  })

  it('a hostile pattern takes no time', () => {
    expect(patternMatches(`/${'*a'.repeat(5_000)}b`, `/${'a'.repeat(8_000)}`)).toBe(false)
  })
})

describe('problems', () => {
  const kinds = (...lines: string[]) => file(...lines).problems.map(({ kind, line }) => `${kind}@${line}`)

  it.each([
    ['orphan-rule@1', ['Disallow: /']],
    ['unknown-directive@2', ['User-agent: *', 'Foo: bar']],
    ['misspelled-directive@2', ['User-agent: *', 'Disalow: /a']],
    ['missing-colon@2', ['User-agent: *', 'hello out there']],
    ['invalid-pattern@2', ['User-agent: *', 'Disallow: private']],
    ['invalid-pattern@2', ['User-agent: *', 'Disallow: /a$b']],
    ['invalid-sitemap@1', ['Sitemap: /sitemap.xml']],
    ['invalid-crawl-delay@2', ['User-agent: *', 'Crawl-delay: soon']],
  ])('%s is found', (expected, lines) => expect(kinds(...lines)).toEqual([expected]))

  it('none is found in a correct file with known extensions and a byte order mark', () => {
    expect(
      kinds(
        '\ufeffUser-agent: *',
        'Crawl-delay: 1',
        'Disallow: /a',
        'Host: ex.com',
        'Clean-param: x /',
        '# end',
      ),
    ).toEqual([])
  })

  it('an HTML page brings no rules', () => {
    const robots = file('', '<!DOCTYPE html><html>', 'User-agent: *', 'Disallow: /')
    expect(robots.problems.map(({ kind }) => kind)).toEqual(['html-body'])
    expect(allowed(robots, '/')).toBe(true)
  })

  it('only the first 512,000 bytes count', () => {
    const robots = parseRobots(`User-agent: *\nDisallow: /a\n${'#'.repeat(512_000)}\nDisallow: /b`)
    expect(robots.problems.map(({ kind }) => kind)).toContain('too-large')
    expect([allowed(robots, '/a'), allowed(robots, '/b')]).toEqual([false, true])
  })

  it('any bytes are read without failing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
        expect(typeof parseRobots(bytes).decide('https://ex.com/', 'x').allowed).toBe('boolean')
      }),
    )
  })
})
