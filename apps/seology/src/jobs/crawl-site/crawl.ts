import { type HandlerContext, isQueueError } from 'millrace'
import { type OpenCrawl, openCrawl } from '../../tables/crawls.ts'
import type { Tables } from '../../tables/open.ts'
import { pruneCrawls } from '../../tables/prune.ts'
import type { CrawlSitePayload, CrawlSiteResult } from '../crawl-site.ts'
import { auditCrawl } from './audit-crawl.ts'
import { checkLinks } from './check-links.ts'
import { crawlFrontier } from './crawl-frontier.ts'
import { SliceEnded } from './ending.ts'
import { endWithJob, giveUp, summarize } from './finish.ts'
import { Frontier } from './frontier.ts'
import { findHome } from './home.ts'
import { crawlProgress } from './progress.ts'
import { type CrawlRun, createRun } from './run.ts'
import { readSeeds } from './seeds.ts'
import type { CrawlSettings } from './settings.ts'
import type { Slots } from './slots.ts'

export type CrawlContext = HandlerContext<CrawlSitePayload, CrawlSiteResult>

/** What all crawls of a process share. */
export interface CrawlHouse {
  tables: Tables
  settings: CrawlSettings
  browsers: Slots
}

const databaseAwayMs = 2_000

/** One attempt at a crawl: opens it or takes it up where an earlier attempt left it, and goes on to its end. */
export async function crawl(context: CrawlContext, house: CrawlHouse): Promise<CrawlSiteResult> {
  const { job, payload } = context
  const { tables } = house
  const opened = await openCrawl(tables, {
    owner: job.tenant,
    connectionId: payload.connectionId,
    jobId: job.id,
    epoch: job.epoch,
    url: payload.url,
    options: payload,
    now: Date.now(),
  })
  try {
    return await attempt(context, house, opened)
  } catch (error) {
    if (error instanceof SliceEnded) return context.snooze(error.resumeInMs, error.message)
    // That the database was away is not the site's doing: it costs the job no attempt.
    if (isQueueError(error, 'unavailable')) return context.snooze(databaseAwayMs, error.message)
    await giveUp(tables, opened, job, error)
    throw error
  }
}

async function attempt(
  context: CrawlContext,
  house: CrawlHouse,
  opened: OpenCrawl,
): Promise<CrawlSiteResult> {
  const { payload, signal, log } = context
  const { tables, settings } = house
  if (opened.resumed) log.info('the crawl goes on', { crawl: opened.row.id, wave: opened.row.wave })
  else await pruneCrawls(tables, opened.row, settings.keepCrawls, signal)
  const progress = crawlProgress(context.progress)
  const run = createRun({ ...house, payload, signal, log, progress, crawl: opened })
  try {
    const { result, health } = await crawlWhole(run)
    return await context.complete(endWithJob(run, { result, health }))
  } finally {
    await run.close()
  }
}

async function crawlWhole(run: CrawlRun): ReturnType<typeof summarize> {
  const site = await findHome(run)
  const frontier = await Frontier.open(run, site)
  const sitemap = await readSeeds(run, site, frontier)
  await crawlFrontier(run, site, frontier)
  await checkLinks(run, site, frontier)
  const endedBy = await auditCrawl(run, site, frontier, sitemap)
  return summarize(run, site, endedBy)
}
