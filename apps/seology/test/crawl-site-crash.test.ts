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

const childPath = fileURLToPath(new URL('crawl-site-child.ts', import.meta.url))

describe('a crawl whose process', { timeout: 120_000 }, () => {
  let site: SampleSite
  let app: TestApp
  const children: ChildProcess[] = []

  beforeEach(async () => {
    site = await startSampleSite()
    app = await startApp({}, false)
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
    const child = fork(childPath, [app.url], {
      execArgv: ['--conditions=millrace-source'],
      env: { ...process.env, CRAWL_ALLOW_PRIVATE: '1' },
    })
    children.push(child)
    const heard: string[] = []
    child.on('message', message => heard.push(String(message)))
    await until(() => heard.includes('working'), 'the child works')
    return { child, heard }
  }

  /** Not while it holds the file: then nobody could write. */
  async function freeze(child: ChildProcess): Promise<void> {
    await until(() => {
      child.kill('SIGSTOP')
      if (isWritable()) return true
      child.kill('SIGCONT')
      return false
    }, 'the child is frozen while it writes nothing')
  }

  function isWritable(): boolean {
    try {
      app.db.exec('BEGIN IMMEDIATE; ROLLBACK')
      return true
    } catch {
      return false
    }
  }

  const fetchedPages = () => count(app.db, 'seology_page where fetched_at is not null')
  const fetchTimes = () =>
    app.db
      .prepare(`select key, fetched_at from seology_page where state = 'done' order by key`)
      .all()
      .map(row => ({ ...row }))

  async function undisturbed(input: CrawlInput) {
    process.env['CRAWL_ALLOW_PRIVATE'] = '1'
    const calm = await startApp()
    try {
      const { crawlId, ...result } = await crawlAll(calm, input)
      return { result, ...stored(calm.db, crawlId) }
    } finally {
      delete process.env['CRAWL_ALLOW_PRIVATE']
      await calm[Symbol.asyncDispose]()
    }
  }

  it.each([
    { render: 'fetch', killAt: [7, 35], payload: { maxPages: 60, maxDepth: 6 } },
    { render: 'browser', killAt: [12], payload: { maxPages: 30, maxDepth: 3 } },
  ] as const)('is killed in mid-crawl by $render finishes with the same pages and issues', async each => {
    const input = { url: site.url, render: each.render, ...each.payload }
    const id = await startCrawl(app, input)
    const before: Map<string, unknown> = new Map()
    for (const pages of each.killAt) {
      const { child } = await startWorker()
      await until(() => fetchedPages() >= pages, `${pages} pages are stored`)
      const browsers = browsersUnder(child.pid as number)
      expect(browsers.length > 0).toBe(each.render === 'browser')
      child.kill('SIGKILL')
      await until(() => child.signalCode !== null, 'the child is dead')
      for (const { key, fetched_at } of fetchTimes()) before.set(String(key), fetched_at)
      expect(fetchedPages()).toBeLessThan(count(app.db, 'seology_page'))
      await until(() => !browsers.some(isAlive), 'its browser is gone')
    }
    await startWorker()
    const { crawlId, ...result } = await finished(app, id)
    expect({ result, ...stored(app.db, crawlId) }).toEqual(await undisturbed(input))
    const after = new Map(fetchTimes().map(({ key, fetched_at }) => [String(key), fetched_at]))
    expect([...before].filter(([key, at]) => after.get(key) !== at)).toEqual([])
    expect(count(app.db, 'seology_crawl')).toBe(1)
  })

  it('is frozen beyond its lease writes nothing when it thaws', async () => {
    const input = { url: site.url, maxPages: 60, maxDepth: 6 }
    const id = await startCrawl(app, input)
    const zombie = await startWorker()
    await until(() => fetchedPages() >= 7, 'some pages are stored')
    await freeze(zombie.child)
    await startWorker()
    const { crawlId } = await finished(app, id)
    const whole = { ...stored(app.db, crawlId), times: fetchTimes() }
    zombie.child.kill('SIGCONT')
    await until(() => zombie.heard.includes('lease-lost'), 'the zombie hears that its lease is lost')
    zombie.child.disconnect()
    await until(() => zombie.child.exitCode !== null, 'the zombie has ended')
    expect(zombie.heard).not.toContain('completed')
    expect({ ...stored(app.db, crawlId), times: fetchTimes() }).toEqual(whole)
    expect(count(app.db, 'seology_crawl')).toBe(1)
  })
})
