import { createHttpClient } from '../../crawl/http.ts'
import { createLinkChecker, type LinkCheck } from '../../crawl/links.ts'
import { createPacer } from '../../crawl/politeness.ts'
import { createRobotsStore } from '../../crawl/robots-store.ts'
import {
  checkedUrls,
  countUnchecked,
  reuseChecks,
  storeChecks,
  uncheckedTargets,
} from '../../tables/links.ts'
import type { Frontier } from './frontier.ts'
import { GroupedWrites } from './grouped-writes.ts'
import type { Site } from './home.ts'
import type { CrawlRun } from './run.ts'

const checkedAtOnce = 50
/** Checks a page of the budget; a site that links to more is checked in part. */
const checksPerPage = 20
const leastChecks = 500
/** Such as the share buttons of every page. */
const mostPerForeignHost = 100
/** Other people's hosts get one request at a time, two seconds apart. */
const foreignDelayMs = 2_000
const reusableMs = 7 * 24 * 3_600_000

/** Asks once for every link target that was not crawled as a page. */
export async function checkLinks(run: CrawlRun, site: Site, frontier: Frontier): Promise<void> {
  const { tables, crawl, payload, settings } = run
  const { id, started_at } = crawl.row
  await crawl.write(trx => reuseChecks(trx, crawl.row, started_at - reusableMs))
  const checked = await checkedUrls(tables.db, id)
  const budget = linkBudget(site, payload.maxPages, checked)
  const most = Math.max(leastChecks, payload.maxPages * checksPerPage)
  const expected = Math.min(most, checked.length + (await countUnchecked(tables.db, id)))
  const check = linkChecks(run, site, expected, checked.length)
  let left = most - checked.length
  try {
    for (let after = ''; left > 0; ) {
      run.checkTime()
      if (Date.now() - started_at > settings.maxAgeMs) return
      const targets = await uncheckedTargets(tables.db, id, after, checkedAtOnce)
      if (targets.length === 0) return
      const wanted = targets.filter(({ url }) => isHarmless(frontier, url) && budget(url)).slice(0, left)
      await check.all(wanted.map(({ url }) => url))
      left -= wanted.length
      after = targets.at(-1)?.key ?? after
    }
  } finally {
    await check.close()
  }
}

/** Whether one more check of the URL's host is due: the site's own get as many as it has pages, others a hundred. */
function linkBudget(site: Site, maxPages: number, checked: readonly string[]): (url: string) => boolean {
  const counts = new Map<string, number>()
  const take = (url: string): boolean => {
    const own = site.scope.has(url)
    const bucket = own ? '' : new URL(url).host
    const count = counts.get(bucket) ?? 0
    counts.set(bucket, count + 1)
    return count < (own ? maxPages : mostPerForeignHost)
  }
  for (const url of checked) take(url)
  return take
}

/** Two checkers, as our own site has a pace of its own, and one place where answers are stored. */
function linkChecks(run: CrawlRun, site: Site, expected: number, alreadyChecked: number) {
  const { crawl, signal, guard, settings } = run
  const writes = new GroupedWrites<LinkCheck>(checks =>
    crawl.write(trx => storeChecks(trx, crawl.row.id, checks)),
  )
  const own = createLinkChecker({ http: run.http, robots: run.robots, isInternal: () => true })
  const pacer = createPacer({ connections: 1, minDelayMs: foreignDelayMs })
  const http = createHttpClient({ guard, pacer, userAgent: settings.userAgent })
  const robots = createRobotsStore({ http, token: settings.robotsToken, retryDelaysMs: [] })
  const foreign = createLinkChecker({ http, robots })
  let count = alreadyChecked
  const store = async (result: LinkCheck): Promise<void> => {
    await writes.add({ ...result, key: site.context.canonicalize(result.url)?.key ?? result.key })
    run.progress.link(++count, expected, result.url)
  }
  return {
    async all(urls: readonly string[]): Promise<void> {
      const internal = urls.filter(url => site.scope.has(url))
      const external = urls.filter(url => !site.scope.has(url))
      await Promise.all([
        ...internal.map(async url => store(await own.check(url, signal))),
        foreign.checkAll(external, signal, store),
      ])
    },
    close: () => http.close(),
  }
}

/** A link that a careless site lets a GET act on, or that leads into a trap, is not even asked for. */
function isHarmless(frontier: Frontier, url: string): boolean {
  return frontier.traps.check({ fetchUrl: url, depth: 0, parentUrl: null }) === null
}
