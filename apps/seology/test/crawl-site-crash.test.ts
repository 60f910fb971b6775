import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type SampleSite, startSampleSite } from '../sample-site/serve.ts'
import {
  browsersUnder,
  type CrawlInput,
  count,
  crawlAll,
  finished,
  isAlive,
  startApp,
  startCrawl,
  stored,
  type TestApp,
  until,
} from './crawl-site-support.ts'
import { storeKinds } from './stores.ts'

const childPath = fileURLToPath(new URL('crawl-site-child.ts', import.meta.url))

describe.each(storeKinds)('a crawl on %s whose process', { timeout: 120_000 }, kind => {
  let site: SampleSite
  let app: TestApp
  const children: ChildProcess[] = []

  beforeEach(async () => {
    site = await startSampleSite()
    app = await startApp(kind, {}, false)
  })
  afterEach(async () => {
    for (const child of children.splice(0)) {
      child.kill('SIGCONT')
      child.kill('SIGKILL')
    }
    await app[Symbol.asyncDispose]()
    await site.close()
  })

  async function startWorker(): Promise<{ child: ChildProcess; heard: string[] }> {
    const child = fork(childPath, [app.store.url], {
      execArgv: ['--conditions=millrace-source'],
      env: { ...process.env, CRAWL_ALLOW_PRIVATE: '1' },
    })
    children.push(child)
    const heard: string[] = []
    child.on('message', message => heard.push(String(message)))
    await until(() => heard.includes('working'), 'the child works')
    return { child, heard }
  }

  /** Not while it holds the file: then nobody could write. What it holds of PostgreSQL is taken from it in time. */
  async function freeze(child: ChildProcess): Promise<void> {
    await until(async () => {
      child.kill('SIGSTOP')
      if (kind === 'postgres' || (await isWritable())) return true
      child.kill('SIGCONT')
      return false
    }, 'the child is frozen while it writes nothing')
  }

  async function isWritable(): Promise<boolean> {
    try {
      await app.store.rows('BEGIN IMMEDIATE')
      await app.store.rows('ROLLBACK')
      return true
    } catch {
      return false
    }
  }

  const fetchedPages = () => count(app.store, 'seology_page where fetched_at is not null')
  const fetchTimes = () =>
    app.store.rows(`select key, fetched_at from seology_page where state = 'done' order by key`)

  async function undisturbed(input: CrawlInput) {
    process.env['CRAWL_ALLOW_PRIVATE'] = '1'
    const calm = await startApp(kind)
    try {
      const { crawlId, ...result } = await crawlAll(calm, input)
      return { result, ...(await stored(calm.store, crawlId)) }
    } finally {
      delete process.env['CRAWL_ALLOW_PRIVATE']
      await calm[Symbol.asyncDispose]()
    }
  }

  const byFetch = { render: 'fetch', killAt: [7, 35], payload: { maxPages: 60, maxDepth: 6 } } as const
  const byBrowser = { render: 'browser', killAt: [12], payload: { maxPages: 30, maxDepth: 3 } } as const

  // The browser knows nothing of the store.
  it.each(kind === 'sqlite' ? [byFetch, byBrowser] : [byFetch])(
    'is killed in mid-crawl by $render finishes with the same pages and issues',
    async each => {
      const input = { url: site.url, render: each.render, ...each.payload }
      const id = await startCrawl(app, input)
      const before: Map<string, unknown> = new Map()
      for (const pages of each.killAt) {
        const { child } = await startWorker()
        await until(async () => (await fetchedPages()) >= pages, `${pages} pages are stored`)
        const browsers = browsersUnder(child.pid as number)
        expect(browsers.length > 0).toBe(each.render === 'browser')
        child.kill('SIGKILL')
        await until(() => child.signalCode !== null, 'the child is dead')
        for (const { key, fetched_at } of await fetchTimes()) before.set(String(key), fetched_at)
        expect(await fetchedPages()).toBeLessThan(await count(app.store, 'seology_page'))
        await until(() => !browsers.some(isAlive), 'its browser is gone')
      }
      await startWorker()
      const { crawlId, ...result } = await finished(app, id)
      expect({ result, ...(await stored(app.store, crawlId)) }).toEqual(await undisturbed(input))
      const after = new Map((await fetchTimes()).map(({ key, fetched_at }) => [String(key), fetched_at]))
      expect([...before].filter(([key, at]) => after.get(key) !== at)).toEqual([])
      expect(await count(app.store, 'seology_crawl')).toBe(1)
    },
  )

  it('is killed beside another worker is finished by that one with the same pages and issues', async () => {
    const input = { url: site.url, maxPages: 60, maxDepth: 6 }
    const workers = [await startWorker(), await startWorker()]
    const id = await startCrawl(app, input)
    await until(async () => (await fetchedPages()) >= 7, 'some pages are stored')
    const [first, second] = workers[0]?.heard.includes('started') ? workers : workers.toReversed()
    expect([first?.heard.includes('started'), second?.heard.includes('started')]).toEqual([true, false])
    first?.child.kill('SIGKILL')
    const { crawlId, ...result } = await finished(app, id)
    expect(second?.heard).toContain('started')
    expect({ result, ...(await stored(app.store, crawlId)) }).toEqual(await undisturbed(input))
    expect((await app.millrace.attempts(id)).map(({ outcome }) => outcome)).toEqual([
      'worker-lost',
      'completed',
    ])
  })

  it('is frozen beyond its lease writes nothing when it thaws', async () => {
    const input = { url: site.url, maxPages: 60, maxDepth: 6 }
    const id = await startCrawl(app, input)
    const zombie = await startWorker()
    await until(async () => (await fetchedPages()) >= 7, 'some pages are stored')
    await freeze(zombie.child)
    await startWorker()
    const { crawlId } = await finished(app, id)
    const whole = { ...(await stored(app.store, crawlId)), times: await fetchTimes() }
    zombie.child.kill('SIGCONT')
    await until(() => zombie.heard.includes('lease-lost'), 'the zombie hears that its lease is lost')
    zombie.child.disconnect()
    await until(() => zombie.child.exitCode !== null, 'the zombie has ended')
    expect(zombie.heard).not.toContain('completed')
    expect({ ...(await stored(app.store, crawlId)), times: await fetchTimes() }).toEqual(whole)
    expect(await count(app.store, 'seology_crawl')).toBe(1)
  })
})
