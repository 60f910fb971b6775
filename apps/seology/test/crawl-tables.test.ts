import { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Finding } from '../src/audit/index.ts'
import { CrawlTakenOverError, type OpenCrawl, openCrawl, readFact, saveFact } from '../src/tables/crawls.ts'
import { addCandidates, beginWave, type Candidate, pruneFrontier, waiting } from '../src/tables/frontier.ts'
import { countIssues, storeIssues } from '../src/tables/issues.ts'
import { answerAt } from '../src/tables/pages.ts'
import { StoredTargets, storeLinks } from '../src/tables/links.ts'
import { openTables, pendingMigrations, type Tables } from '../src/tables/open.ts'
import { makeStore, storeKinds, type TestStore } from './stores.ts'

describe.each(storeKinds)('the tables on %s', kind => {
  let store: TestStore
  let tables: Tables
  const open = (epoch: number, jobId = 'job-1'): Promise<OpenCrawl> =>
    openCrawl(tables, {
      owner: '',
      connectionId: 'c',
      jobId,
      epoch,
      url: 'https://ex.test/',
      options: {},
      now: epoch,
    })
  const found = (path: string, more: Partial<Candidate> = {}): Candidate => ({
    key: `https://ex.test${path}`,
    fetchUrl: `https://ex.test${path}`,
    depth: 1,
    discoveredBy: 'link',
    discoveredFrom: 'https://ex.test/',
    skip: null,
    ...more,
  })

  beforeEach(async () => {
    store = await makeStore(kind)
    tables = await openTables(store.url)
  })
  afterEach(async () => {
    await tables.close()
    await store[Symbol.asyncDispose]()
  })

  it('refuse every write of an attempt that a later one has followed', async () => {
    const zombie = await open(1)
    await zombie.write(trx => addCandidates(trx, zombie.row, [found('/a')]))
    const heir = await open(2)
    expect([heir.row.id, heir.resumed]).toEqual([zombie.row.id, true])
    const late = zombie.write(trx => addCandidates(trx, zombie.row, [found('/b')]))
    await expect(late).rejects.toBeInstanceOf(CrawlTakenOverError)
    await expect(open(1)).rejects.toBeInstanceOf(CrawlTakenOverError)
    await heir.write(trx => addCandidates(trx, heir.row, [found('/c')]))
    const keys = (await waiting(tables.db, heir.row.id, undefined, 10)).map(({ key }) => key)
    expect(keys).toEqual(['https://ex.test/a', 'https://ex.test/c'])
  })

  it('store nothing of a write that fails half-way', async () => {
    const crawl = await open(1)
    const half = crawl.write(async trx => {
      await saveFact(trx, crawl.row.id, 'home', { homeUrl: 'x' })
      throw new Error('on the way')
    })
    await expect(half).rejects.toThrow('on the way')
    expect(await readFact(tables.db, crawl.row.id, 'home')).toBeNull()
  })

  it('keep the nearest origin of a URL, in whatever order it is found', async () => {
    const origins: Partial<Candidate>[] = [
      { depth: 3, discoveredFrom: 'https://ex.test/a' },
      { depth: 1, discoveredBy: 'sitemap', discoveredFrom: '' },
      { depth: 1, discoveredBy: 'canonical', discoveredFrom: 'https://ex.test/a' },
      { depth: 2, discoveredFrom: 'https://ex.test/z', skip: 'growing-path' },
      { depth: 2, discoveredFrom: 'https://ex.test/b', fetchUrl: 'https://ex.test/page?b=1&a=2' },
      { depth: 2, discoveredFrom: 'https://ex.test/b', fetchUrl: 'https://ex.test/page?a=2&b=1' },
    ]
    for (const order of [origins, [...origins].reverse()]) {
      const crawl = await open(1, `job ${order.indexOf(origins[0] as object)}`)
      for (const origin of order)
        await crawl.write(trx => addCandidates(trx, crawl.row, [found('/page', origin)]))
      expect(await waiting(tables.db, crawl.row.id, undefined, 10)).toMatchObject([
        { depth: 2, discovered_from: 'https://ex.test/b', fetch_url: 'https://ex.test/page?a=2&b=1' },
      ])
      const together = await open(1, `together ${crawl.row.id}`)
      await together.write(trx =>
        addCandidates(
          trx,
          together.row,
          order.map(origin => found('/page', origin)),
        ),
      )
      expect(await waiting(tables.db, together.row.id, undefined, 10)).toMatchObject([
        { discovered_from: 'https://ex.test/b', fetch_url: 'https://ex.test/page?a=2&b=1' },
      ])
    }
  })

  it('leave alone what was chosen already', async () => {
    const crawl = await open(1)
    await crawl.write(trx => addCandidates(trx, crawl.row, [found('/page', { depth: 3 })]))
    const chosen = await waiting(tables.db, crawl.row.id, undefined, 10)
    await crawl.write(trx => beginWave(trx, crawl.row, { number: 1, taken: 1, chosen, skipped: [] }))
    await crawl.write(trx => addCandidates(trx, crawl.row, [found('/page', { depth: 1 })]))
    const rows = await tables.db.selectFrom('seology_page').select(['state', 'depth']).execute()
    expect(rows).toEqual([{ state: 'fetching', depth: 3 }])
  })

  it('keep a frontier bounded, the nearest first', async () => {
    const crawl = await open(1)
    const many = Array.from({ length: 50 }, (_, at) => found(`/p${at}`, { depth: 1 + (at % 5) }))
    const traps = many.map(({ key }) => found(`/trap${key.slice(-2)}`, { skip: 'calendar' }))
    await crawl.write(async trx => {
      await addCandidates(trx, crawl.row, [...many, ...traps])
      await pruneFrontier(trx, crawl.row.id, 10)
    })
    const kept = await tables.db.selectFrom('seology_page').select(['state', 'depth']).execute()
    expect(kept.filter(({ state }) => state === 'queued').map(({ depth }) => depth)).toEqual(
      Array(10).fill(1),
    )
    expect(kept.filter(({ state }) => state === 'skipped')).toHaveLength(10)
    const { truncated } = await tables.db
      .selectFrom('seology_crawl')
      .select('truncated')
      .executeTakeFirstOrThrow()
    expect(truncated).toBe(1)
  })

  it("put a page's findings in the place of its earlier ones", async () => {
    const crawl = await open(1)
    const finding = (id: string, verdict: 'fail' | 'unverified' = 'fail'): Finding => ({
      id,
      severity: 'high',
      category: 'content',
      scope: 'page',
      subject: 'https://ex.test/',
      page: 'https://ex.test/',
      verdict,
      evidence: { snippet: 'a "quoted" \u0000 text' },
      advice: 'Mend it.',
      occurrences: 1,
      ruleVersion: 1,
      mode: 'raw',
      fetchedAt: 12.5,
    })
    const store = (findings: Finding[]) =>
      crawl.write(trx => storeIssues(trx, crawl.row, [{ pageId: 7, findings }]))
    await store([finding('title-missing'), finding('h1-missing'), finding('h1-missing')])
    expect((await countIssues(tables.db, crawl.row.id)).byId).toEqual({ 'h1-missing': 1, 'title-missing': 1 })
    await store([finding('h1-missing'), finding('soft-404', 'unverified')])
    expect(await countIssues(tables.db, crawl.row.id)).toMatchObject({ total: 1, byId: { 'h1-missing': 1 } })
  })

  it('are made once by several starters at the same time', async () => {
    await using other = await makeStore(kind)
    const starter = new URL('crawl-tables-starter.ts', import.meta.url)
    const starts = Array.from(
      { length: 4 },
      () =>
        new Promise<string>((resolve, reject) => {
          const worker = new Worker(starter, {
            workerData: other.url,
            execArgv: ['--conditions=millrace-source'],
          })
          worker.once('message', resolve)
          worker.once('error', reject)
        }),
    )
    expect(await Promise.all(starts)).toEqual(['open', 'open', 'open', 'open'])
    expect(await other.rows('select version, name from seology_migration')).toEqual([
      { version: 1, name: '0001_crawls.sql' },
    ])
  })

  it('made by a newer release are refused', async () => {
    await store.rows(`insert into seology_migration values (99, 'later')`)
    const refused = expect.objectContaining({ code: 'version-mismatch' })
    await expect(openTables(store.url)).rejects.toEqual(refused)
    await expect(pendingMigrations(store.url)).rejects.toEqual(refused)
  })

  it('say what they lack, and lack nothing once it was run', async () => {
    await using other = await makeStore(kind)
    const [first, ...rest] = await pendingMigrations(other.url)
    expect([first?.version, first?.name, rest]).toEqual([1, '0001_crawls.sql', []])
    await expect(other.rows('select * from seology_migration')).rejects.toThrow()
    await runScript(other.url, first?.sql ?? '')
    expect(await pendingMigrations(other.url)).toEqual([])
    const opened = await openTables(other.url)
    await opened.close()
  })

  it('hold what no index and no text of a database has room for', async () => {
    const crawl = await open(1)
    const long = `/${'a%20'.repeat(900)}`
    const random = Array.from({ length: 4_000 }, (_, at) => ((at * 7_919) % 9_973).toString(36)).join('')
    const pages = [found(`${long}1`), found(`${long}2`), found(`/${random}`)]
    await crawl.write(async trx => {
      await addCandidates(trx, crawl.row, pages)
      const links = pages.map(({ key }) => ({ key, url: key, internal: true, follow: true, occurrences: 1 }))
      await storeLinks(trx, crawl.row.id, [{ sourceId: 1, links }], new StoredTargets())
    })
    expect(await store.rows('select count(*) as links from seology_link')).toEqual([{ links: 3 }])
    expect(await answerAt(tables.db, crawl.row.id, pages[1]?.key ?? '')).toMatchObject({ fetched_at: null })
    const finding = {
      ...broken,
      subject: `${random} \u0000 \ud800`,
      evidence: { snippet: 'a \u0000 \ud800 b' },
    }
    await crawl.write(trx => storeIssues(trx, crawl.row, [{ pageId: null, findings: [finding, finding] }]))
    expect(await store.rows('select subject, evidence from seology_issue')).toEqual([
      { subject: `${random} \ufffd \ufffd`, evidence: JSON.stringify(finding.evidence) },
    ])
  })

  it('are opened by one of two attempts at the same time, the later in the end', async () => {
    const others = await Promise.all([openTables(store.url), openTables(store.url)])
    const opening = (epoch: number) => ({
      ...{ owner: '', connectionId: 'c', jobId: 'job-2', url: 'https://ex.test/', options: {} },
      epoch,
      now: epoch,
    })
    const opened = await Promise.allSettled(others.map((each, at) => openCrawl(each, opening(at + 1))))
    expect(opened[1]?.status).toBe('fulfilled')
    expect(await store.rows('select run, epoch, state from seology_crawl')).toEqual([
      { run: 1, epoch: 2, state: 'running' },
    ])
    for (const each of others) await each.close()
  })
})

describe('the tables', () => {
  it.each(['file::memory:', 'redis://localhost/0'])('can not be in %s', async store => {
    await expect(openTables(store)).rejects.toMatchObject({ code: 'unsupported' })
  })
})

const broken: Finding = {
  id: 'link-broken',
  severity: 'high',
  category: 'link',
  scope: 'site',
  subject: '',
  page: null,
  verdict: 'fail',
  evidence: {},
  advice: 'Mend it.',
  occurrences: 1,
  ruleVersion: 1,
  mode: 'raw',
  fetchedAt: 12.5,
}

/** As a person would, with the database's own shell. */
async function runScript(url: string, script: string): Promise<void> {
  if (url.startsWith('file:')) {
    using db = new DatabaseSync(url.slice('file:'.length))
    db.exec(script)
    return
  }
  const client = new pg.Client(url)
  await client.connect()
  await client.query(script)
  await client.end()
}
