/**
 * Seology: crawls a site as a durable job and says what keeps it from being found.
 *
 *     createServer({ modules: [seology()] })
 */

import type { Module } from '@millrace/api'
import { Hono } from 'hono'
import { handle, QueueError } from 'millrace'
import { demo } from './demo.ts'
import { crawlSite } from './jobs/crawl-site.ts'
import { type CrawlOptions, crawlSettings } from './jobs/crawl-site/settings.ts'
import { createSlots } from './jobs/crawl-site/slots.ts'
import { siteRoutes } from './routes/sites.ts'
import type { Tables } from './tables/open.ts'

export {
  type CrawlSitePayload,
  type CrawlSiteResult,
  crawlSite,
  crawlSitePayload,
  crawlSiteResult,
} from './jobs/crawl-site.ts'
export type { CrawlOptions } from './jobs/crawl-site/settings.ts'

/** The application as a module: its jobs, handlers, tables, routes and demo. */
export function seology(options: CrawlOptions = {}): Module {
  const browsers = createSlots(options.maxBrowsers ?? 2)
  let tables: Tables | null = null
  const opened = (): Tables => {
    if (tables) return tables
    throw new QueueError('closed', 'the module seology is not open')
  }
  return {
    name: 'seology',
    jobs: [crawlSite],
    handlers: [
      handle(crawlSite, async context => {
        // Parsers, network and browser are loaded by whoever crawls, not by whoever only asks for a crawl.
        const { crawl } = await import('./jobs/crawl-site/crawl.ts')
        const settings = crawlSettings(options, crawlSite.timeoutMs)
        return crawl(context, { tables: opened(), settings, browsers })
      }),
    ],
    async open({ url }) {
      const { openTables } = await import('./tables/open.ts')
      tables = await openTables(url)
    },
    migrations: {
      pending: async url => (await import('./tables/open.ts')).pendingMigrations(url),
      async apply(url) {
        const { openTables } = await import('./tables/open.ts')
        await (await openTables(url)).close()
      },
    },
    routes: () => new Hono().route('/api/sites', siteRoutes(opened())),
    async close() {
      await tables?.close()
      tables = null
    },
    example: {
      type: crawlSite.type,
      payload: { connectionId: 'example', url: 'https://example.com/', maxPages: 10 },
    },
    demo,
  }
}
