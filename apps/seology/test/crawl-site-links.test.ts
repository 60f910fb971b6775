import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  crawlAll,
  finished,
  page,
  startApp,
  startCrawl,
  startSite,
  stored,
  until,
} from './crawl-site-support.ts'
import { storeKinds } from './stores.ts'

beforeEach(() => {
  process.env['CRAWL_ALLOW_PRIVATE'] = '1'
})
afterEach(() => {
  delete process.env['CRAWL_ALLOW_PRIVATE']
})

describe.each(storeKinds)('the links of a crawl (%s)', kind => {
  it('are asked for once each, however many pages have them', async () => {
    await using other = await startSite(
      { '/fine': 'here', '/gone': { status: 410, body: 'gone' } },
      '127.0.0.2',
    )
    const shared = [
      `${other.url}fine`,
      `${other.url}fine#part`,
      `${other.url}fine?utm_source=x`,
      `${other.url}gone`,
    ]
    await using site = await startSite({
      '/': page('Home', ['/a', '/b', ...shared]),
      '/a': page('A', ['/', ...shared]),
      '/b': page('B', ['/', ...shared]),
    })
    await using app = await startApp(kind)
    const { crawlId } = await crawlAll(app, { url: site.url })
    const { targets, links, issues } = await stored(app.store, crawlId)
    expect(other.requests.filter(path => path.startsWith('/fine'))).toEqual(['/fine'])
    expect(targets).toContainEqual(
      expect.objectContaining({ url: `${other.url}fine`, verdict: 'ok', internal: 0 }),
    )
    expect(links).toContainEqual(
      expect.objectContaining({ source: `${site.url}a`, target: `${other.url}fine`, occurrences: 3 }),
    )
    expect(issues).toContainEqual(
      expect.objectContaining({
        check_id: 'link-external-broken',
        subject: `${other.url}gone`,
        occurrences: 3,
      }),
    )
  })

  it('that were in order are taken on trust by the next crawl, the others are asked for again', async () => {
    await using other = await startSite(
      { '/fine': 'here', '/gone': { status: 404, body: 'gone' } },
      '127.0.0.2',
    )
    await using site = await startSite({ '/': page('Home', [`${other.url}fine`, `${other.url}gone`]) })
    await using app = await startApp(kind)
    const first = await crawlAll(app, { url: site.url })
    const asked = other.requests.filter(path => path === '/gone').length
    const second = await crawlAll(app, { url: site.url })
    expect(other.requests.filter(path => path === '/fine')).toHaveLength(1)
    expect(other.requests.filter(path => path === '/gone')).toHaveLength(2 * asked)
    expect(await stored(app.store, second.crawlId)).toEqual(await stored(app.store, first.crawlId))
  })

  it('to a host that fails are broken when a crawl a day before has found the same', async () => {
    await using other = await startSite(
      path => (path === '/robots.txt' ? undefined : { status: 500, body: 'no' }),
      '127.0.0.2',
    )
    await using site = await startSite({ '/': page('Home', [`${other.url}down`]) })
    await using app = await startApp(kind)
    const verdicts = async () => {
      const { crawlId } = await crawlAll(app, { url: site.url })
      const issues = await app.store.rows(
        `select verdict from seology_issue where crawl_id = ? and check_id = 'link-external-broken'`,
        crawlId,
      )
      return issues.map(({ verdict }) => verdict)
    }
    expect(await verdicts()).toEqual(['unverified'])
    expect(await verdicts()).toEqual(['unverified'])
    await app.store.rows('update seology_link_target set checked_at = checked_at - 2 * 86400000')
    expect(await verdicts()).toEqual(['fail'])
  })

  it('that log out, or lead into a trap, are left alone', async () => {
    const harmful = ['/logout', '/cart?action=add-to-cart', '/calendar/2999-01']
    await using site = await startSite({ '/': page('Home', harmful) })
    await using app = await startApp(kind)
    await crawlAll(app, { url: site.url })
    expect(site.requests.filter(path => harmful.includes(path))).toEqual([])
  })
})

describe.each(storeKinds)('a site that asks to come back later (%s)', kind => {
  it('is come back to, and costs the job no attempt', async () => {
    let busy = true
    await using site = await startSite(path => {
      if (path === '/') return page('Home', ['/a', '/b', '/c'])
      if (!['/a', '/b', '/c'].includes(path)) return undefined
      return busy ? { status: 429, headers: { 'retry-after': '900' }, body: 'busy' } : page(path, [])
    })
    await using app = await startApp(kind, { concurrency: 1 })
    const id = await startCrawl(app, { url: site.url })
    await until(
      async () => (await app.millrace.attempts(id))[0]?.outcome === 'snoozed',
      'the attempt makes way',
    )
    const waiting = await app.millrace.get(id)
    expect(waiting?.state).toBe('queued')
    expect((waiting?.runAt ?? 0) - Date.now()).toBeGreaterThan(600_000)
    busy = false
    await app.store.rows('update seology_page set retry_at = 0 where retry_at is not null')
    await app.millrace.reschedule(id, { runAt: Date.now() })
    expect(await finished(app, id)).toMatchObject({ success: true, pagesAnalyzed: 4 })
    expect((await app.millrace.get(id))?.attempt).toBe(1)
    expect(await app.store.rows('select count(*) as pages from seology_page where status = 200')).toEqual([
      {
        pages: 4,
      },
    ])
  })
})
