import { setTimeout as sleep } from 'node:timers/promises'
import { createTrapGuard, type TrapGuard, type TrapRecord } from '../../crawl/traps.ts'
import {
  beginWave,
  type Candidate,
  type FrontierPage,
  inFlight,
  pruneFrontier,
  retries,
  waiting,
} from '../../tables/frontier.ts'
import {
  fetchedBefore,
  type FetchedSummary,
  fetchedIn,
  originsAsked,
  settledKeys,
} from '../../tables/pages.ts'
import { SliceEnded } from './ending.ts'
import { saveHome, type Site } from './home.ts'
import type { CrawlRun } from './run.ts'

/** Pages that are fetched together. All of them are chosen from what the waves before have led to, none from each other. */
export interface CrawlWave {
  number: number
  pages: FrontierPage[]
  /** They have failed before, and keep the wave that they were chosen in at first. */
  again: boolean
}

/**
 * What is crawled next. Waves make the outcome independent of which answer comes first: within one, nothing that is
 * learnt changes what is fetched. They also make it the same after a crash: a wave that was begun is fetched to its end.
 */
export class Frontier {
  readonly #run: CrawlRun
  readonly #site: Site
  readonly #traps: TrapGuard
  /** Chosen or skipped for good. */
  readonly #settled: Set<string>
  #wave: number
  #taken: number
  /** The last wave that was learnt from. */
  #ended: number

  private constructor(run: CrawlRun, site: Site, state: { traps: TrapGuard; settled: Set<string> }) {
    this.#run = run
    this.#site = site
    this.#traps = state.traps
    this.#settled = state.settled
    this.#wave = run.crawl.row.wave
    this.#taken = run.crawl.row.taken
    this.#ended = this.#wave - 1
  }

  /** Rebuilds from the tables what a resumed crawl knew. */
  static async open(run: CrawlRun, site: Site): Promise<Frontier> {
    const { db } = run.tables
    const { id, wave, started_at } = run.crawl.row
    const traps = createTrapGuard({ pageBudget: run.payload.maxPages, now: started_at })
    for (const page of await fetchedBefore(db, id, wave)) traps.record(trapRecord(page))
    for (const origin of await originsAsked(db, id)) await run.robots.get(origin, run.signal)
    return new Frontier(run, site, { traps, settled: new Set(await settledKeys(db, id)) })
  }

  get wave(): number {
    return this.#wave
  }

  get taken(): number {
    return this.#taken
  }

  get traps(): TrapGuard {
    return this.#traps
  }

  isSettled(key: string): boolean {
    return this.#settled.has(key)
  }

  /** A URL as the frontier takes it, with the reason for which it will be passed over, if there is one. */
  candidate(found: Omit<Candidate, 'skip'>): Candidate {
    const { fetchUrl, depth, discoveredFrom, discoveredBy } = found
    const trap = this.#traps.check({ fetchUrl, depth, parentUrl: discoveredFrom || null })
    const robots = this.#run.robots.peek(fetchUrl)?.mayFetch(fetchUrl).allowed === false ? 'robots' : null
    const beyond = depth > this.#run.payload.maxDepth && discoveredBy !== 'sitemap' ? 'max-depth' : null
    const skip = trap ?? robots ?? beyond
    return { key: found.key, fetchUrl, depth, discoveredBy, discoveredFrom, skip }
  }

  /** The wave that a crash has interrupted, else the next; null when there is nothing left to fetch. */
  async next(): Promise<CrawlWave | null> {
    const { tables, crawl } = this.#run
    const begun = await inFlight(tables.db, crawl.row.id)
    if (begun.length > 0)
      return { number: this.#wave, pages: begun, again: begun.some(({ attempts }) => attempts > 0) }
    await this.#endWave()
    return (await this.#choose()) ?? (await this.#chooseAgain())
  }

  /** Learns from the last wave as a whole, in the order in which it was chosen. */
  async #endWave(): Promise<void> {
    const { tables, crawl, payload, log } = this.#run
    if (this.#ended >= this.#wave) return
    const hosts = this.#site.scope.hosts().length
    for (const page of await fetchedIn(tables.db, crawl.row.id, this.#wave)) {
      const quarantined = this.#traps.record(trapRecord(page))
      if (quarantined) log.warn('crawl trap: a pattern of URLs is left out from now on', { ...quarantined })
      this.#site.scope.learn(page.hops ? JSON.parse(page.hops) : [], page.final_url ?? page.fetch_url)
    }
    if (this.#site.scope.hosts().length > hosts) await saveHome(this.#run, this.#site)
    await crawl.write(trx => pruneFrontier(trx, crawl.row.id, 2 * payload.maxPages + 1_000))
    this.#ended = this.#wave
  }

  async #choose(): Promise<CrawlWave | null> {
    const { tables, crawl, payload, settings } = this.#run
    const chosen: FrontierPage[] = []
    const skipped: { id: number; reason: string }[] = []
    const room = Math.min(settings.waveSize, payload.maxPages - this.#taken)
    let after: FrontierPage | undefined
    while (chosen.length < room) {
      const candidates = await waiting(tables.db, crawl.row.id, after, settings.waveSize)
      for (const page of candidates) {
        if (chosen.length >= room || (chosen[0] && !isSameLevel(page, chosen[0]))) break
        const reason = await this.#reasonToSkip(page)
        if (reason === null) chosen.push(page)
        else skipped.push({ id: page.id, reason })
        after = page
      }
      if (candidates.length < settings.waveSize || candidates.at(-1) !== after) break
    }
    if (chosen.length === 0 && skipped.length === 0) return null
    await this.#begin(chosen, skipped, chosen.length)
    return chosen.length > 0 ? { number: this.#wave, pages: chosen, again: false } : null
  }

  async #reasonToSkip({ fetch_url, depth, discovered_from }: FrontierPage): Promise<string | null> {
    const trap = this.#traps.check({ fetchUrl: fetch_url, depth, parentUrl: discovered_from || null })
    if (trap !== null) return trap
    return (await this.#run.robots.mayFetch(fetch_url, this.#run.signal)) ? null : 'robots'
  }

  /** Once nothing new is left: what has failed, after a pause. */
  async #chooseAgain(): Promise<CrawlWave | null> {
    const { tables, crawl, settings } = this.#run
    const pages = await retries(tables.db, crawl.row.id, settings.waveSize)
    const [first] = pages
    if (!first) return null
    this.#run.checkTime()
    const dueAt = Math.max(first.retry_at ?? 0, Date.now())
    const waitMs = dueAt - Date.now()
    if (waitMs > longestSleepMs) throw new SliceEnded(waitMs, 'pages that failed are to be tried again')
    await sleep(waitMs, undefined, { signal: this.#run.signal })
    const due = pages.filter(page => (page.retry_at ?? 0) <= dueAt + sameTimeMs)
    await this.#begin(due, [], 0)
    return { number: this.#wave, pages: due, again: true }
  }

  async #begin(
    chosen: readonly FrontierPage[],
    skipped: readonly { id: number; reason: string }[],
    added: number,
  ): Promise<void> {
    const { crawl } = this.#run
    const [number, taken] = [this.#wave + 1, this.#taken + added]
    await crawl.write(trx => beginWave(trx, crawl.row, { number, taken, chosen, skipped }))
    this.#wave = number
    this.#taken = taken
    for (const { key } of chosen) this.#settled.add(key)
  }
}

/** What is nearer may still come: a page of this level can lead to it. So the next level waits. */
function isSameLevel(a: FrontierPage, b: FrontierPage): boolean {
  return a.rank === b.rank && a.depth === b.depth
}

/** For a longer wait the attempt makes way: it would hold a browser, and a place in its worker, for nothing. */
const longestSleepMs = 10_000

/** Retries that fall due within this time are one wave. */
const sameTimeMs = 1_000

function trapRecord(page: FetchedSummary): TrapRecord {
  return {
    fetchUrl: page.fetch_url,
    parentUrl: page.discovered_from || null,
    contentHash: page.text_hash,
    hops: page.hops ? JSON.parse(page.hops) : [],
  }
}
