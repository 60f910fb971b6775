import type { HostThrottledError } from '../../crawl/politeness.ts'
import { stoppedBecause } from '../../tables/crawls.ts'
import { abandonWave, countWaiting } from '../../tables/frontier.ts'
import { StoredTargets } from '../../tables/links.ts'
import { type FetchedRow, storePages } from '../../tables/pages.ts'
import { codeOf, SliceEnded } from './ending.ts'
import { fetchPage } from './fetch-page.ts'
import type { CrawlWave, Frontier } from './frontier.ts'
import { GroupedWrites } from './grouped-writes.ts'
import type { Site } from './home.ts'
import { probeMissing } from './probe-missing.ts'
import type { CrawlRun } from './run.ts'

/** Fetches wave after wave until nothing is left, the budget is spent, or the host is given up. */
export async function crawlFrontier(run: CrawlRun, site: Site, frontier: Frontier): Promise<void> {
  const { crawl, tables, settings } = run
  const storedTargets = new StoredTargets()
  const writes = new GroupedWrites<FetchedRow>(async rows => {
    await crawl.write(trx => storePages(trx, crawl.row, rows, storedTargets))
    for (const { links } of rows) storedTargets.add(links)
  })
  if ((await stoppedBecause(tables.db, crawl.row.id)) !== null) return
  try {
    for (;;) {
      run.checkTime()
      if (Date.now() - crawl.row.started_at > settings.maxAgeMs) return await stop(run, 'it has taken a day')
      const wave = await frontier.next()
      if (wave === null) return
      if (wave.number > 1 && site.probes === null) await probeMissing(run, site)
      await fetchWave(run, site, frontier, { wave, writes })
    }
  } catch (error) {
    const { code, message, retryAfterMs } = readEnding(error)
    if (code === 'host-throttled' && retryAfterMs <= longestPauseMs)
      throw new SliceEnded(retryAfterMs, message)
    if (code !== 'host-stopped' && code !== 'host-throttled') throw error
    await stop(run, message)
  }
}

/** A site that asks for a longer one has had enough. */
const longestPauseMs = 3_600_000

function readEnding(error: unknown): { code: string; message: string; retryAfterMs: number } {
  const { message = '', retryAfterMs = 0 } = error as Partial<HostThrottledError>
  return { code: codeOf(error), message, retryAfterMs }
}

async function fetchWave(
  run: CrawlRun,
  site: Site,
  frontier: Frontier,
  { wave, writes }: { wave: CrawlWave; writes: GroupedWrites<FetchedRow> },
): Promise<void> {
  const failed = new AbortController()
  const signal = AbortSignal.any([run.signal, failed.signal])
  const left = [...wave.pages]
  const expected = await expectedPages(run, frontier)
  let fetched = frontier.taken - (wave.again ? 0 : wave.pages.length)
  run.expectFailures(wave.again)
  const work = async (): Promise<void> => {
    for (let page = left.shift(); page && !run.isOverTime(); page = left.shift()) {
      signal.throwIfAborted()
      await writes.add(await fetchPage(run, site, frontier, page, signal))
      if (!wave.again) fetched += 1
      run.progress.page(fetched, expected, page.fetch_url)
    }
  }
  const workers = Array.from({ length: Math.min(run.settings.concurrency, left.length) }, () =>
    work().catch((error: unknown) => {
      failed.abort(error)
      throw error
    }),
  )
  const [firstFailure] = (await Promise.allSettled(workers)).filter(({ status }) => status === 'rejected')
  // Whichever failed first has made the others fail.
  if (firstFailure) throw failed.signal.reason
  if (left.length > 0) run.checkTime()
}

async function expectedPages(run: CrawlRun, frontier: Frontier): Promise<number> {
  const waiting = await countWaiting(run.tables.db, run.crawl.row.id)
  return Math.min(run.payload.maxPages, frontier.taken + waiting)
}

async function stop(run: CrawlRun, why: string): Promise<void> {
  const { crawl, log } = run
  await crawl.write(trx => abandonWave(trx, crawl.row.id, why))
  log.warn(`the crawl ends early: ${why}`)
}
