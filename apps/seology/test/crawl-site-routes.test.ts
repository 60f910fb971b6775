import { createServer, type MillraceServer } from '@millrace/api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { groundTruth, groundTruthPayload } from '../sample-site/ground-truth.ts'
import { type SampleSite, startSampleSite } from '../sample-site/serve.ts'
import { seology } from '../src/main.ts'
import { finished, startCrawl } from './crawl-site-support.ts'
import { makeStore, storeKinds, type TestStore } from './stores.ts'

const adminToken = 'test-token-0123456789'

describe.each(storeKinds)('the routes of seology (%s)', kind => {
  let store: TestStore
  let site: SampleSite
  let server: MillraceServer

  beforeAll(async () => {
    process.env['CRAWL_ALLOW_PRIVATE'] = '1'
    store = await makeStore(kind)
    site = await startSampleSite()
    server = await createServer({
      url: store.url,
      modules: [seology()],
      access: { adminTokens: [adminToken] },
      port: 0,
    })
    await finished(
      server,
      await startCrawl(server, { url: site.url, connectionId: 'shop', ...groundTruthPayload }),
    )
    await finished(server, await startCrawl(server, { url: site.url, connectionId: 'shop', maxPages: 2 }))
    await finished(
      server,
      await startCrawl(server, { url: site.url, connectionId: 'shop', maxPages: 1 }, { tenant: 'ann' }),
    )
  })
  afterAll(async () => {
    delete process.env['CRAWL_ALLOW_PRIVATE']
    await server.close({ deadlineMs: 0 })
    await site.close()
    await store[Symbol.asyncDispose]()
  })

  // oxlint-disable-next-line typescript/no-explicit-any -- a test looks into an answer as it pleases
  async function ask(path: string, token = adminToken): Promise<{ status: number; type: string; body: any }> {
    const response = await fetch(new URL(`/seology/api/sites${path}`, server.url), {
      headers: { authorization: `Bearer ${token}` },
    })
    return {
      status: response.status,
      type: response.headers.get('content-type') ?? '',
      body: await response.json(),
    }
  }

  /** All items of a list, page by page. */
  async function all(path: string, what: 'pages' | 'issues'): Promise<Record<string, unknown>[]> {
    const items: Record<string, unknown>[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const { status, body } = await ask(`${path}&limit=7${cursor === '' ? '' : `&cursor=${cursor}`}`)
      expect(status).toBe(200)
      items.push(...body[what])
      cursor = body.cursor
    }
    return items
  }

  it('say how a site is and what its last crawl came to', async () => {
    const { status, body } = await ask('/shop')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      connectionId: 'shop',
      owner: '',
      url: site.url,
      lastCrawl: {
        id: 2,
        state: 'finished',
        options: { maxPages: 2 },
        result: { success: true, pagesAnalyzed: 2 },
      },
    })
    expect(Date.parse(body.lastCrawledAt)).toBeGreaterThan(Date.parse(body.createdAt))
  })

  it('list the pages of the latest crawl, or of the one asked for', async () => {
    expect((await ask('/shop/pages')).body.pages).toHaveLength(2)
    const pages = await all('/shop/pages?crawl=1', 'pages')
    expect(pages.map(({ url }) => url)).toHaveLength(groundTruth('fetch').pages.length)
    expect(new Set(pages.map(({ url }) => url)).size).toBe(pages.length)
    expect(pages.find(({ url }) => url === `${site.url}shop/discontinued-mug`)).toMatchObject({
      state: 'done',
      status: 404,
      discoveredBy: 'link',
    })
    const skipped = await all('/shop/pages?crawl=1&state=skipped', 'pages')
    expect(skipped.map(({ skippedBecause }) => skippedBecause).sort()).toEqual([
      'calendar',
      'calendar',
      'robots',
    ])
  })

  it('list the issues, the worst first, filtered by severity, id and category', async () => {
    const issues = await all('/shop/issues?crawl=1', 'issues')
    expect(issues).toHaveLength(groundTruth('fetch').findings.length)
    const ranks = issues.map(({ severity }) =>
      ['critical', 'high', 'medium', 'low', 'info'].indexOf(String(severity)),
    )
    expect(ranks).toEqual([...ranks].sort((a, b) => a - b))
    expect(issues[0]).toMatchObject({
      verdict: 'fail',
      evidence: {},
      advice: expect.any(String),
      ruleVersion: 1,
    })

    const only = async (query: string) => all(`/shop/issues?crawl=1&${query}`, 'issues')
    expect(await only('severity=high,low')).toEqual(
      issues.filter(({ severity }) => severity === 'high' || severity === 'low'),
    )
    expect((await only('id=soft-404')).map(({ subject }) => subject)).toEqual([
      `${site.url}gallery/summer-2019`,
    ])
    expect(await only('category=hreflang')).toEqual(issues.filter(({ category }) => category === 'hreflang'))
    expect((await only('verdict=unverified')).every(({ verdict }) => verdict === 'unverified')).toBe(true)
  })

  it('keep owners apart', async () => {
    expect((await ask('/shop/pages?owner=ann')).body).toMatchObject({ crawl: 3, pages: [{ url: site.url }] })
    expect((await ask('/shop?owner=bob')).status).toBe(404)
    expect((await ask('/shop/pages?owner=ann&crawl=1')).status).toBe(404)
  })

  it.each([
    ['/nowhere', 404, 'not-found'],
    ['/nowhere/pages', 404, 'not-found'],
    ['/shop/issues?crawl=99', 404, 'not-found'],
    ['/shop/issues?crawl=x', 400, 'invalid-argument'],
    ['/shop/issues?limit=0', 400, 'invalid-argument'],
    ['/shop/issues?limit=501', 400, 'invalid-argument'],
    ['/shop/issues?severity=terrible', 400, 'invalid-argument'],
    ['/shop/issues?id=A%20B', 400, 'invalid-argument'],
    ['/shop/pages?state=lost', 400, 'invalid-argument'],
    ['/shop/pages?cursor=nonsense', 400, 'invalid-argument'],
    ['/shop/pages?color=red', 400, 'invalid-argument'],
    ['/shop?crawl=1', 400, 'invalid-argument'],
  ])('answer %s with a problem document', async (path, status, code) => {
    const answer = await ask(path)
    expect([answer.status, answer.type, answer.body.code]).toEqual([status, 'application/problem+json', code])
  })

  it('do not take a cursor of another list', async () => {
    const { cursor } = (await ask('/shop/pages?crawl=1&limit=1')).body
    expect((await ask(`/shop/issues?crawl=1&cursor=${cursor}`)).status).toBe(400)
  })

  it('are closed without the admin token', async () => {
    expect((await ask('/shop/issues', 'wrong-token')).status).toBe(401)
  })
})
