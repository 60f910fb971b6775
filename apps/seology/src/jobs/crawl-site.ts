import { defineJob, exponential } from 'millrace'
import { z } from 'zod'
import { type Thresholds, thresholds as allThresholds } from '../audit/thresholds.ts'

const wholeNumber = (least: number, most: number) => z.int().min(least).max(most)

/** One optional member for each threshold that there is. */
const thresholds = z
  .strictObject(
    Object.fromEntries(
      Object.entries(allThresholds()).map(([name, value]) => [
        name,
        (Array.isArray(value)
          ? z.array(z.string().min(1).max(2_048)).max(1_000)
          : z.number().min(0)
        ).optional(),
      ]),
    ),
  )
  .transform(given => given as Partial<Thresholds>)

export const crawlSitePayload = z.object({
  /** The site among its owner's; what is found is listed under it. */
  connectionId: z.string().min(1).max(200),
  url: z.url({ protocol: /^https?$/, hostname: /./ }).max(2_048),
  /** URLs to request, redirects and errors included. */
  maxPages: wholeNumber(1, 10_000).default(100),
  /** Clicks from the start page; what only the sitemap knows counts as one click away. */
  maxDepth: wholeNumber(0, 20).default(3),
  /** `fetch` is many times faster, and blind to what scripts do. */
  render: z.enum(['browser', 'fetch']).default('browser'),
  /** Replaces single limits of the checks. */
  thresholds: thresholds.optional(),
})

export const crawlSiteResult = z.object({
  /** False when the start page could not be crawled, or the site stopped answering on the way. */
  success: z.boolean(),
  pagesAnalyzed: z.int(),
  issuesFound: z.int(),
  /** How many issues of each id. */
  issuesById: z.record(z.string(), z.int()),
  crawlId: z.int(),
  /** What ended it: `exhausted` says that nothing was left to crawl. */
  endedBy: z.enum(['exhausted', 'max-pages', 'max-depth', 'site-stopped']),
})

export type CrawlSitePayload = z.output<typeof crawlSitePayload>
export type CrawlSiteResult = z.output<typeof crawlSiteResult>

/** Crawls one site and stores its pages, links and issues. */
export const crawlSite = defineJob({
  type: 'CRAWL_SITE',
  payload: crawlSitePayload,
  result: crawlSiteResult,
  queue: 'crawl',
  maxAttempts: 3,
  backoff: exponential({ firstMs: 2_000 }),
  timeoutMs: 600_000,
})
