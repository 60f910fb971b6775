import { afterEach, describe, expect, it } from 'vitest'
import { createAddressGuard } from '../../src/crawl/address-guard.ts'
import { createHttpClient } from '../../src/crawl/http.ts'
import { createRobotsStore, type RobotsStoreOptions } from '../../src/crawl/robots-store.ts'
import { type Handler, redirectTo, startSite } from './site.ts'

const { signal } = new AbortController()
const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function storeFor(robots: Handler | string, options: Partial<RobotsStoreOptions> = {}, more = {}) {
  const site = await startSite({ '/robots.txt': robots, ...more })
  const http = createHttpClient({
    guard: createAddressGuard({ allowPrivate: true }),
    userAgent: 'TestBot/1.0',
  })
  closers.push(site.close, http.close)
  const store = createRobotsStore({ http, token: 'TestBot', retryDelaysMs: [0, 0], ...options })
  return { site, store, file: () => store.get(site.origin, signal) }
}

const answer =
  (status: number, body = ''): Handler =>
  (_, response) =>
    response.writeHead(status).end(body)

describe('the status of robots.txt decides', () => {
  it.each([
    [200, 'rules', false, 1],
    [401, 'none', true, 1],
    [404, 'none', true, 1],
    [410, 'none', true, 1],
    [304, 'none', true, 1],
    [429, 'unreachable', false, 3],
    [500, 'unreachable', false, 3],
    [503, 'unreachable', false, 3],
  ])('%i gives %s', async (status, state, allowed, attempts) => {
    const { site, store, file } = await storeFor(answer(status, 'User-agent: *\nDisallow: /x'))
    expect(await file()).toMatchObject({ state, status, attempts })
    expect(await store.mayFetch(`${site.origin}/x`, signal)).toBe(allowed)
    expect((await file()).engineMayFetch(`${site.origin}/x`).allowed).toBe(allowed)
  })

  it('five redirects are followed, six are a missing file', async () => {
    const hops = Object.fromEntries([1, 2, 3, 4, 5].map(n => [`/r${n}`, redirectTo(`/r${n + 1}`)]))
    const rules = { ...hops, '/r5': answer(200, 'User-agent: *\nDisallow: /') }
    expect(await (await storeFor(redirectTo('/r1'), {}, rules)).file()).toMatchObject({ state: 'rules' })
    expect(await (await storeFor(redirectTo('/r1'), {}, hops)).file()).toMatchObject({ state: 'none' })
  })

  it('no answer is unreachable, and a good copy of today stands in', async () => {
    const broken: Handler = request => request.socket.destroy()
    const { file } = await storeFor(broken)
    expect(await file()).toMatchObject({ state: 'unreachable', status: 0, error: { kind: 'reset' } })
    for (const [ageMs, allowed] of [
      [3_600_000, true],
      [25 * 3_600_000, false],
    ] as const) {
      const lastGood = new Map<string, { text: string; fetchedAt: number }>()
      const { site, store } = await storeFor(broken, { lastGood })
      lastGood.set(site.origin, { text: 'User-agent: *\nDisallow: /x', fetchedAt: Date.now() - ageMs })
      expect(await store.mayFetch(`${site.origin}/a`, signal)).toBe(allowed)
      expect(await store.mayFetch(`${site.origin}/x`, signal)).toBe(false)
    }
  })
})

it('the file is fetched once an origin, however many ask', async () => {
  const { site, store } = await storeFor('User-agent: *\nDisallow: /x')
  await Promise.all(['/a', '/b', '/c'].map(path => store.mayFetch(site.origin + path, signal)))
  expect(store.peek(site.origin)?.state).toBe('rules')
  expect(site.requests).toEqual(['GET /robots.txt'])
})

it('our token and the engine’s are judged apart', async () => {
  const { site, file } = await storeFor(
    'User-agent: TestBot\nDisallow: /ours\n\nUser-agent: Googlebot\nDisallow: /',
  )
  const robots = await file()
  expect([
    robots.mayFetch(`${site.origin}/`).allowed,
    robots.mayFetch(`${site.origin}/ours`).allowed,
  ]).toEqual([true, false])
  expect(robots.engineMayFetch(`${site.origin}/`)).toEqual({
    allowed: false,
    rule: { line: 5, text: 'Disallow: /' },
  })
})

it('a crawl-delay is capped, and the cap is told', async () => {
  const { file } = await storeFor('User-agent: *\nCrawl-delay: 45')
  expect(await file()).toMatchObject({ crawlDelayMs: 30_000, crawlDelayCapped: true })
  expect(await (await storeFor('User-agent: *\nCrawl-delay: 1.5')).file()).toMatchObject({
    crawlDelayMs: 1_500,
    crawlDelayCapped: false,
  })
})

it('sitemaps are listed once, HTML brings none', async () => {
  const { file } = await storeFor('Sitemap: https://a.example/s.xml\nSitemap: https://a.example/s.xml')
  expect((await file()).sitemaps).toEqual(['https://a.example/s.xml'])
  const html = await (await storeFor('<!doctype html>Sitemap: https://a.example/s.xml')).file()
  expect([html.sitemaps, html.problems[0]?.kind]).toEqual([[], 'html-body'])
})

it('an abort of the first who asked does not fail the others', async () => {
  let answerNow = () => {}
  const arrived = new Promise<void>(resolve => {
    answerNow = resolve
  })
  let requests = 0
  const { site, store } = await storeFor((_, response) => {
    requests += 1
    if (requests > 1) response.end('User-agent: *\nDisallow: /x')
    else answerNow()
  })
  const abort = new AbortController()
  const first = store.get(site.origin, abort.signal)
  const second = store.get(site.origin, signal)
  await arrived
  abort.abort(new Error('stop'))
  await expect(first).rejects.toThrow('stop')
  expect((await second).state).toBe('rules')
})
