import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Finding } from '../src/audit/index.ts'
import { CrawlTakenOverError, type OpenCrawl, openCrawl, readFact, saveFact } from '../src/tables/crawls.ts'
import { addCandidates, beginWave, type Candidate, pruneFrontier, waiting } from '../src/tables/frontier.ts'
import { countIssues, storeIssues } from '../src/tables/issues.ts'
import { openTables, type Tables } from '../src/tables/open.ts'

describe('the tables', () => {
  let folder: string
  let url: string
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
    folder = await mkdtemp(join(tmpdir(), 'seology-tables-'))
    url = `file:${join(folder, 'millrace.db')}`
    tables = openTables(url)
  })
  afterEach(async () => {
    await tables.close()
    await rm(folder, { recursive: true, force: true })
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
    const other = `file:${join(folder, 'other.db')}`
    const starter = new URL('crawl-tables-starter.ts', import.meta.url)
    const starts = Array.from(
      { length: 4 },
      () =>
        new Promise<string>((resolve, reject) => {
          const worker = new Worker(starter, {
            workerData: other,
            execArgv: ['--conditions=millrace-source'],
          })
          worker.once('message', resolve)
          worker.once('error', reject)
        }),
    )
    expect(await Promise.all(starts)).toEqual(['open', 'open', 'open', 'open'])
    const db = new DatabaseSync(join(folder, 'other.db'))
    expect(db.prepare('select version, name from seology_migration').all()).toMatchObject([
      { version: 1, name: '0001_crawls.sql' },
    ])
    db.prepare(`insert into seology_migration values (99, 'later')`).run()
    db.close()
    expect(() => openTables(other)).toThrow(expect.objectContaining({ code: 'version-mismatch' }))
  })

  it.each(['file::memory:', 'postgres://localhost/x'])('need a file: %s is unsupported', store => {
    expect(() => openTables(store)).toThrow(expect.objectContaining({ code: 'unsupported' }))
  })
})
