import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  browsersUnder,
  count,
  crawlAll,
  ended,
  finished,
  isAlive,
  page,
  type Reply,
  startApp,
  startCrawl,
  startSite,
  stored,
  until,
} from './crawl-site-support.ts'
import { storeKinds } from './stores.ts'

const keysOf = (pages: unknown[], state = 'done') =>
  (pages as { key: string; state: string }[])
    .filter(each => each.state === state)
    .map(({ key }) => new URL(key).pathname + new URL(key).search)

beforeEach(() => {
  process.env['CRAWL_ALLOW_PRIVATE'] = '1'
})
afterEach(() => {
  delete process.env['CRAWL_ALLOW_PRIVATE']
})

describe.each(storeKinds)('a crawl keeps to (%s)', kind => {
  /** Every page leads to ten others, one level further down. */
  const tree = (path: string): string | undefined =>
    /^\/[a-j]{0,6}$/.test(path) && path !== '/sitemap'
      ? page(
          `Page ${path}`,
          [...'abcdefghij'].map(letter => `/${path.slice(1)}${letter}`),
        )
      : undefined

  it('its page budget, nearest pages first and among them by URL', async () => {
    await using site = await startSite(path => tree(path))
    await using app = await startApp(kind)
    const result = await crawlAll(app, { url: site.url, maxPages: 13, maxDepth: 5 })
    expect(result).toMatchObject({ success: true, pagesAnalyzed: 13, endedBy: 'max-pages' })
    const expected = ['/', ...[...'abcdefghij'].map(letter => `/${letter}`), '/aa', '/ab'].sort()
    expect(keysOf((await stored(app.store, result.crawlId)).pages)).toEqual(expected)
  })

  it('its depth', async () => {
    await using site = await startSite(path => (path.length <= 3 ? tree(path) : undefined))
    await using app = await startApp(kind)
    const result = await crawlAll(app, { url: site.url, maxPages: 1_000, maxDepth: 1 })
    expect(result).toMatchObject({ pagesAnalyzed: 11, endedBy: 'max-depth' })
    expect(keysOf((await stored(app.store, result.crawlId)).pages)).toHaveLength(11)
  })

  it('the same pages whatever answers first', async () => {
    let seed = 1
    const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
    const slow = (path: string): Reply | undefined => {
      const body = tree(path)
      return body === undefined ? undefined : { body, delayMs: random() * 20 }
    }
    await using site = await startSite(slow)
    await using app = await startApp(kind)
    const input = { url: site.url, maxPages: 120, maxDepth: 5 }
    const [first, second] = [await crawlAll(app, input), await crawlAll(app, input)]
    expect(await stored(app.store, second.crawlId)).toEqual(await stored(app.store, first.crawlId))
  })

  it('what visitors find before what only the sitemap knows', async () => {
    await using site = await startSite((path, { headers }) => {
      const listed = ['/aa', '/ab', '/c']
        .map(each => `<url><loc>http://${headers.host}${each}</loc></url>`)
        .join('')
      if (path === '/sitemap.xml')
        return {
          headers: { 'content-type': 'application/xml' },
          body: `<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">${listed}</urlset>`,
        }
      if (path === '/') return page('Home', ['/b'])
      return ['/b', '/c', '/aa', '/ab'].includes(path) ? page(path, path === '/b' ? ['/c'] : []) : undefined
    })
    await using app = await startApp(kind)
    const { crawlId } = await crawlAll(app, { url: site.url, maxPages: 4 })
    const { pages } = await stored(app.store, crawlId)
    expect(keysOf(pages)).toEqual(['/', '/aa', '/b', '/c'])
    expect(pages).toContainEqual(
      expect.objectContaining({
        key: `${site.url}c`,
        depth: 2,
        discovered_by: 'link',
        discovered_from: `${site.url}b`,
      }),
    )
    expect(pages).toContainEqual(
      expect.objectContaining({ key: `${site.url}aa`, depth: 1, discovered_by: 'sitemap' }),
    )
  })

  it('robots.txt, and says what it left out', async () => {
    await using site = await startSite({
      '/robots.txt': {
        headers: { 'content-type': 'text/plain' },
        body: 'User-agent: *\nDisallow: /private/\n',
      },
      '/': page('Home', ['/private/a', '/public', '/hop']),
      '/public': page('Public', ['/private/b']),
      '/hop': { status: 302, headers: { location: '/private/c' } },
    })
    await using app = await startApp(kind)
    const { crawlId } = await crawlAll(app, { url: site.url })
    const { pages, targets } = await stored(app.store, crawlId)
    expect(site.requests.filter(path => path.startsWith('/private/'))).toEqual([])
    expect(keysOf(pages, 'skipped')).toEqual(['/private/a', '/private/b'])
    expect(targets).toContainEqual(
      expect.objectContaining({ url: `${site.url}private/a`, verdict: 'unverified' }),
    )
    expect(await app.store.rows(`select error from seology_page where key like '%/hop'`)).toEqual([
      {
        error: expect.stringContaining('robots'),
      },
    ])
  })

  it('one page where sessions differ with each visit', async () => {
    let visits = 0
    const session = () => (visits++).toString(16).padStart(20, 'a1b2c3')
    await using site = await startSite(path =>
      ['/', '/a', '/b'].includes(path.split('?')[0] ?? '')
        ? page(
            `Page ${path.split('?')[0]}`,
            ['/a', '/b'].map(href => `${href}?sid=${session()}`),
          )
        : undefined,
    )
    await using app = await startApp(kind)
    const result = await crawlAll(app, { url: site.url, maxDepth: 10 })
    expect(result).toMatchObject({ pagesAnalyzed: 3, endedBy: 'exhausted' })
    expect(keysOf((await stored(app.store, result.crawlId)).pages)).toEqual(['/', '/a', '/b'])
  })
})

describe.each(storeKinds)('a site that falters (%s)', kind => {
  it('gets two more tries for a page, and what then answers stands', async () => {
    let asked = 0
    await using site = await startSite(path => {
      if (path === '/') return page('Home', ['/moody', '/down'])
      if (path === '/moody')
        return asked++ === 0 ? { status: 503, body: 'later' } : page('Moody', ['/found-late'])
      if (path === '/found-late') return page('Found late', [])
      return path === '/down' ? { status: 500, body: 'no' } : undefined
    })
    await using app = await startApp(kind, { retryDelaysMs: [20, 40] })
    const { crawlId, success } = await crawlAll(app, { url: site.url })
    const { pages, issues } = await stored(app.store, crawlId)
    expect(success).toBe(true)
    expect(pages).toContainEqual(
      expect.objectContaining({ key: `${site.url}moody`, state: 'done', attempts: 2 }),
    )
    expect(pages).toContainEqual(expect.objectContaining({ key: `${site.url}found-late`, state: 'done' }))
    expect(pages).toContainEqual(
      expect.objectContaining({ key: `${site.url}down`, state: 'failed', attempts: 3 }),
    )
    expect(issues).toContainEqual(
      expect.objectContaining({ check_id: 'http-5xx', subject: `${site.url}down` }),
    )
  })

  it('is left alone after five failures in a row; the crawl ends with what it has', async () => {
    const paths = Array.from({ length: 30 }, (_, at) => `/p${String.fromCharCode(97 + at)}`)
    await using site = await startSite(path =>
      path === '/' ? page('Home', paths) : { status: path.startsWith('/p') ? 500 : 404, body: 'no' },
    )
    await using app = await startApp(kind, { concurrency: 1, retryDelaysMs: [] })
    const result = await crawlAll(app, { url: site.url })
    expect(result).toMatchObject({ success: false, pagesAnalyzed: 6, endedBy: 'site-stopped' })
    expect(site.requests.filter(path => path.startsWith('/p')).length).toBe(5)
    expect(await count(app.store, `seology_page where state = 'queued'`)).toBe(25)
  })

  it('that can not be reached fails the job, which may be tried again', async () => {
    const gone = await startSite({})
    await gone[Symbol.asyncDispose]()
    await using app = await startApp(kind)
    const id = await startCrawl(app, { url: gone.url }, { maxAttempts: 1 })
    const job = await ended(app, id)
    expect(job).toMatchObject({ state: 'dead', lastError: { name: 'SiteUnreachableError' } })
    expect(await app.store.rows('select state from seology_crawl')).toMatchObject([{ state: 'failed' }])
    expect(await app.store.rows('select health from seology_connection')).toMatchObject([
      { health: 'unreachable' },
    ])
  })
})

describe.each(storeKinds)('an attempt (%s)', kind => {
  it('that has had its time hands over, until the crawl is whole', async () => {
    const paths = Array.from({ length: 26 }, (_, at) => `/${String.fromCharCode(97 + at)}`)
    const answer = (path: string) =>
      path === '/' || paths.includes(path) ? page(`Page ${path}`, paths) : undefined
    await using site = await startSite(path => {
      const body = answer(path)
      return body === undefined ? undefined : { body, delayMs: 15 }
    })
    await using app = await startApp(kind, { sliceMs: 120, concurrency: 2 })
    const id = await startCrawl(app, { url: site.url })
    const result = await finished(app, id)
    expect(result).toMatchObject({ pagesAnalyzed: 27, endedBy: 'exhausted' })
    const attempts = await app.millrace.attempts(id)
    expect(attempts.filter(({ outcome }) => outcome === 'snoozed').length).toBeGreaterThan(0)
    expect(attempts.every(({ attempt }) => attempt === 1)).toBe(true)
    expect(paths.map(path => site.requests.filter(each => each === path).length)).toEqual(paths.map(() => 1))
  })

  it('that is cancelled stops at once and leaves no browser behind', async () => {
    const paths = Array.from({ length: 40 }, (_, at) => `/slow${String.fromCharCode(97 + at)}`)
    await using site = await startSite(path =>
      path === '/'
        ? page('Home', paths)
        : path.startsWith('/slow')
          ? { body: page(path, []), delayMs: 400 }
          : undefined,
    )
    await using app = await startApp(kind)
    const id = await startCrawl(app, { url: site.url, render: 'browser' })
    await until(
      async () => (await count(app.store, 'seology_page where fetched_at is not null')) > 2,
      'some pages are stored',
    )
    const browsers = browsersUnder(process.pid)
    expect(browsers.length).toBeGreaterThan(0)
    const askedAt = performance.now()
    expect(await app.millrace.cancel(id)).toBe('requested')
    expect((await ended(app, id)).state).toBe('cancelled')
    expect(performance.now() - askedAt).toBeLessThan(4_000)
    await until(() => !browsers.some(isAlive), 'the browser is gone')
    expect(await app.store.rows('select state from seology_crawl')).toMatchObject([{ state: 'cancelled' }])
    const requests = site.requests.length
    await until(() => app.millrace.stats().then(({ total }) => total.running === 0), 'nothing runs')
    expect(site.requests.length).toBe(requests)
  })

  it('at a job that is run again after its end crawls again', async () => {
    await using site = await startSite({ '/': page('Home', []) })
    await using app = await startApp(kind)
    const id = await startCrawl(app, { url: site.url })
    const first = await finished(app, id)
    await app.millrace.retry(id)
    const second = await finished(app, id)
    expect([first.crawlId, second.crawlId]).toEqual([1, 2])
    expect(await app.store.rows('select job_id, run, state from seology_crawl')).toMatchObject([
      { job_id: id, run: 1, state: 'finished' },
      { job_id: id, run: 2, state: 'finished' },
    ])
  })

  it('keeps only the latest crawls of its connection', async () => {
    await using site = await startSite({
      '/': page('Home', ['/a', 'https://elsewhere.invalid/']),
      '/a': page('A', []),
    })
    await using app = await startApp(kind, { keepCrawls: 1 })
    for (let crawl = 1; crawl <= 3; crawl++) await crawlAll(app, { url: site.url })
    await crawlAll(app, { url: site.url, connectionId: 'other' })
    expect(await app.store.rows('select id from seology_crawl order by id')).toMatchObject([
      { id: 2 },
      { id: 3 },
      { id: 4 },
    ])
    for (const table of ['seology_page', 'seology_issue', 'seology_link_target', 'seology_crawl_fact'])
      expect(await count(app.store, `${table} where crawl_id = 1`)).toBe(0)
    expect(
      await count(app.store, 'seology_link where target_id not in (select id from seology_link_target)'),
    ).toBe(0)
  })
})
