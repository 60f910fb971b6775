import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createAddressGuard } from '../../src/crawl/address-guard.ts'
import { createHttpClient, type HttpClient } from '../../src/crawl/http.ts'
import { createLinkChecker, type LinkCheck, type LinkCheckerOptions } from '../../src/crawl/links.ts'
import { createPacer } from '../../src/crawl/politeness.ts'
import { createRobotsStore, type RobotsStore } from '../../src/crawl/robots-store.ts'
import { type Handler, redirectTo, startSite, type TestSite } from './site.ts'

const { signal } = new AbortController()
let site: TestSite
let http: HttpClient
let robots: RobotsStore
let busy = 0
let heard = () => {}

const status =
  (code: number, headers: Record<string, string> = {}): Handler =>
  (_, response) =>
    response.writeHead(code, headers).end()

beforeAll(async () => {
  site = await startSite({
    '/robots.txt': 'User-agent: *\nDisallow: /private',
    '/ok': 'fine',
    '/moved': redirectTo('/ok', 301),
    '/moved-gone': redirectTo('/gone', 301),
    '/moved-private': redirectTo('/private', 301),
    '/gone': status(404),
    '/really-gone': status(410),
    '/no-head': (request, response) => response.writeHead(request.method === 'HEAD' ? 405 : 200).end(),
    '/no-range': (request, response) =>
      response.writeHead(request.method === 'HEAD' ? 404 : request.headers.range ? 416 : 200).end(),
    '/login': status(401),
    '/refused': status(403),
    '/teapot': status(418),
    '/broken': status(500),
    '/challenge': status(403, { 'cf-mitigated': 'challenge' }),
    '/throttled': status(429, { 'retry-after': '3600' }),
    '/busy': (_, response) => response.writeHead(++busy > 1 ? 200 : 429, { 'retry-after': '0' }).end(),
    '/head-resets': (request, response) =>
      request.method === 'HEAD' ? request.socket.destroy() : response.end('x'),
    '/hang': () => heard(),
    '/private': 'private',
  })
})
// Each with a pacer of its own: what a host asked for in one test must not slow the next.
beforeEach(() => {
  site.requests.length = 0
  http = createHttpClient({
    guard: createAddressGuard({ alsoAllow: ['127.0.0.1'] }),
    userAgent: 'TestBot/1.0',
    pacer: createPacer({ maxConsecutiveFailures: 1_000 }),
  })
  robots = createRobotsStore({ http, token: 'TestBot', retryDelaysMs: [] })
})
afterEach(() => http.close())
afterAll(() => site.close())

const checker = (options: Partial<LinkCheckerOptions> = {}) => createLinkChecker({ http, robots, ...options })
const check = (path: string, options: Partial<LinkCheckerOptions> = {}) =>
  checker(options).check(site.origin + path, signal)

describe('a verdict', () => {
  it.each([
    ['/ok', 'ok', 'ok', ['HEAD']],
    ['/moved', 'redirect', 'ok', ['HEAD']],
    ['/gone', 'broken', 'gone', ['HEAD', 'GET-range', 'GET']],
    ['/really-gone', 'broken', 'gone', ['HEAD', 'GET-range', 'GET']],
    ['/moved-gone', 'broken', 'gone', ['HEAD', 'GET-range', 'GET']],
    ['/no-head', 'ok', 'ok', ['HEAD', 'GET-range']],
    ['/no-range', 'ok', 'ok', ['HEAD', 'GET-range', 'GET']],
    ['/head-resets', 'ok', 'ok', ['HEAD', 'GET-range']],
    ['/login', 'unverified', 'auth', ['HEAD', 'GET-range', 'GET']],
    ['/refused', 'unverified', 'refused', ['HEAD', 'GET-range', 'GET']],
    ['/challenge', 'unverified', 'refused', ['HEAD', 'GET-range', 'GET']],
    ['/teapot', 'unverified', 'client-error', ['HEAD', 'GET-range', 'GET']],
    ['/broken', 'suspect', 'server-error', ['HEAD', 'GET-range', 'GET']],
    ['/busy', 'ok', 'ok', ['HEAD', 'GET']],
    ['/private', 'unverified', 'network', []],
    ['/moved-private', 'unverified', 'network', ['HEAD']],
  ])('on %s is %s', async (path, verdict, statusClass, methods) => {
    const answer = await check(path)
    expect(answer).toMatchObject({ verdict, statusClass })
    expect(answer.requests.map(({ method }) => method)).toEqual(methods)
  })

  it('on an internal link is harder', async () => {
    expect(await check('/teapot', { isInternal: () => true })).toMatchObject({
      verdict: 'broken',
      status: 418,
    })
  })

  it('waits for the next crawl when a host asks for more time, and asks it nothing more', async () => {
    expect(await check('/throttled')).toMatchObject({
      verdict: 'unverified',
      statusClass: 'throttled',
      retryAfterMs: 3_600_000,
    })
    site.requests.length = 0
    expect(await check('/ok')).toMatchObject({ verdict: 'unverified', requests: [] })
    expect(site.requests).toEqual([])
  })

  it('on a host that is not there is suspect, on a private address none', async () => {
    expect(await checker().check('http://127.0.0.1:1/', signal)).toMatchObject({
      verdict: 'suspect',
      error: { kind: 'connect' },
    })
    expect(await checker().check('http://127.0.0.2:1/', signal)).toMatchObject({
      verdict: 'unverified',
      error: { kind: 'address-refused' },
    })
  })

  it('after a timeout is suspect', async () => {
    expect(await check('/hang', { timeoutMs: 30 })).toMatchObject({
      verdict: 'suspect',
      error: { kind: 'timeout' },
    })
  })
})

describe('each distinct URL', () => {
  it('is asked once', async () => {
    const results: LinkCheck[] = []
    const urls = ['/ok?b=1&a=2', '/ok?a=2&b=1&utm_source=x', '/ok?b=1&a=2#top', '/gone'].map(
      path => site.origin + path,
    )
    await checker().checkAll(urls, signal, result => void results.push(result))
    expect(results.map(({ verdict }) => verdict)).toEqual(['ok', 'broken'])
    expect(site.requests.filter(line => line.includes('/ok'))).toEqual(['HEAD /ok?b=1&a=2'])
  })

  it('is not asked at all when it is known', async () => {
    const known = await check('/ok')
    site.requests.length = 0
    expect(await check('/ok', { known: key => (key === known.key ? known : undefined) })).toBe(known)
    expect(site.requests).toEqual([])
  })
})

it('an abort ends it at once', async () => {
  const abort = new AbortController()
  const arrived = new Promise<void>(resolve => {
    heard = resolve
  })
  const running = checker().checkAll([`${site.origin}/hang`], abort.signal, () => {})
  await arrived
  abort.abort(new Error('enough'))
  await expect(running).rejects.toThrow('enough')
})
