import { createHash } from 'node:crypto'
import type { ProbeFingerprint } from '../../audit/context.ts'
import { fingerprint } from '../../audit/extract/probe.ts'
import { type PageFetcher, probeMissingPages } from '../../crawl/probe.ts'
import { saveFact } from '../../tables/crawls.ts'
import { knownUrls } from '../../tables/pages.ts'
import type { Site } from './home.ts'
import type { CrawlRun } from './run.ts'

const urlsLookedAt = 2_000

/** Learns how the site answers to what does not exist, before pages are compared with that. */
export async function probeMissing(run: CrawlRun, site: Site): Promise<void> {
  const { crawl, tables, signal, log } = run
  const probes = await probeMissingPages({
    siteUrl: site.homeUrl,
    pageUrls: await knownUrls(tables.db, crawl.row.id, urlsLookedAt),
    fetchPage: soundOrVisited(run),
    mayFetch: run.mayFetch,
    signal,
    randomName: nameMaker(crawl.row.job_id),
  })
  const found: ProbeFingerprint[] = []
  for (const { page } of probes) {
    const made = fingerprint(page, { ...site.context, probes: [] })
    if (made) found.push(made)
  }
  await crawl.write(trx => saveFact(trx, crawl.row.id, 'probes', found))
  site.probes = found
  log.info('asked for pages that do not exist', { asked: probes.length, answeredAsIfTheyDid: found.length })
}

/** An error status needs no rendering to be sound. */
function soundOrVisited(run: CrawlRun): PageFetcher {
  return async (url, options) => {
    const page = await run.http.fetchPage(url, { ...options, mayFetch: run.mayFetch })
    const isSound = page.error !== null || page.status >= 300
    return isSound || run.payload.render === 'fetch' ? page : run.visit(url, options.signal)
  }
}

/** Names that nobody guesses and that an interrupted crawl asks for again. */
function nameMaker(seed: string): () => string {
  let count = 0
  return () => createHash('sha256').update(`${seed} ${count++}`).digest('hex').slice(0, 24)
}
