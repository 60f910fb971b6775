import { NonRetryableError, type RunningJob } from 'millrace'
import { answerAt, countPages } from '../../tables/pages.ts'
import { type CrawlEnd, CrawlTakenOverError, endStatements } from '../../tables/crawls.ts'
import { countIssues } from '../../tables/issues.ts'
import type { Tables } from '../../tables/open.ts'
import type { OpenCrawl } from '../../tables/crawls.ts'
import type { Health } from '../../tables/schema.ts'
import type { CrawlSiteResult } from '../crawl-site.ts'
import { codeOf, SiteUnreachableError } from './ending.ts'
import type { Site } from './home.ts'
import type { CrawlRun } from './run.ts'

/** Adds up what is stored. */
export async function summarize(
  run: CrawlRun,
  site: Site,
  endedBy: CrawlSiteResult['endedBy'],
): Promise<{ result: CrawlSiteResult; health: Health }> {
  const { tables, crawl } = run
  const { id } = crawl.row
  const { fetched } = await countPages(tables.db, id)
  const { total, byId, bySeverity } = await countIssues(tables.db, id)
  const homeAnswered = await isAnswered(tables, id, site)
  return {
    result: {
      success: homeAnswered && endedBy !== 'site-stopped',
      pagesAnalyzed: fetched,
      issuesFound: total,
      issuesById: byId,
      crawlId: id,
      endedBy,
    },
    health: homeAnswered ? healthOf(bySeverity) : 'unreachable',
  }
}

async function isAnswered(tables: Tables, crawlId: number, site: Site): Promise<boolean> {
  const key = site.context.canonicalize(site.homeUrl)?.key ?? site.homeUrl
  const home = await answerAt(tables.db, crawlId, key)
  return home?.error === null && home.status !== null && home.status >= 200 && home.status < 300
}

function healthOf({ critical, high }: { critical: number; high: number }): Health {
  if (critical > 0) return 'critical'
  return high > 0 ? 'degraded' : 'healthy'
}

/**
 * Ends the crawl in the transaction that completes its job: a finished crawl with an unfinished job is then always one
 * that somebody has asked for again.
 */
export function endWithJob(
  { tables, crawl }: CrawlRun,
  { result, health }: { result: CrawlSiteResult; health: Health },
): (tx: unknown) => CrawlSiteResult | Promise<CrawlSiteResult> {
  const { ended, judged } = endStatements(tables.db, crawl.row, {
    state: 'finished',
    now: Date.now(),
    result,
    health,
  })
  const statements = [ended.compile(), judged.compile()]
  return tx =>
    tables.runIn(tx, statements, ([changed]) => {
      if (changed !== 1) throw new CrawlTakenOverError(`crawl ${crawl.row.id}`)
      return result
    })
}

/** Notes how the crawl ended when no further attempt will follow. Says nothing when one may, or when it is not ours. */
export async function giveUp(
  tables: Tables,
  crawl: OpenCrawl,
  job: RunningJob,
  error: unknown,
): Promise<void> {
  const end = endAfter(error, job)
  if (end === null) return
  const { ended, judged } = endStatements(tables.db, crawl.row, end)
  try {
    await crawl.write(async trx => {
      await trx.executeQuery(ended)
      await trx.executeQuery(judged)
    })
  } catch (problem) {
    if (!(problem instanceof CrawlTakenOverError)) throw problem
  }
}

function endAfter(error: unknown, job: RunningJob): CrawlEnd | null {
  const code = codeOf(error)
  const now = Date.now()
  if (code === 'job-cancelled') return { state: 'cancelled', now, error: 'the job was cancelled' }
  if (code === 'lease-lost' || code === 'closed' || code === 'crawl-taken-over') return null
  const isLast = error instanceof NonRetryableError || job.attempt >= job.maxAttempts
  if (!isLast) return null
  const message = error instanceof Error ? error.message : String(error)
  const unreachable = error instanceof SiteUnreachableError ? ({ health: 'unreachable' } as const) : {}
  return { state: 'failed', now, error: message.slice(0, 1_000), ...unreachable }
}
