import type { ResolvedAddress } from '../../crawl/address-guard.ts'

/** How crawls behave that the payload does not say. */
export interface CrawlOptions {
  /** `Name/1.0 (+https://host/bot)`; robots.txt is read for the name. Default `CRAWL_USER_AGENT`, else MillraceSeology. */
  userAgent?: string
  /** Pages under way at a time; the pace towards one site is kept in any case. Default 8. */
  concurrency?: number
  /** Browsers at a time in this process; further crawls wait. Default 2. */
  maxBrowsers?: number
  /** Crawls of one connection that are kept. Default 10. */
  keepCrawls?: number
  /** Single addresses that may be crawled although they are not public. */
  alsoAllow?: readonly string[]
  /** Name resolution, the system's by default. */
  resolver?: (hostname: string) => Promise<ResolvedAddress[]>
  /** Waits before a page that failed for a reason that may pass is tried again. Default 30 s and 120 s. */
  retryDelaysMs?: readonly number[]
  /** After this long an attempt stores where it is and hands the rest to the next. Default: 80 % of the job's time. */
  sliceMs?: number
}

export interface CrawlSettings extends Required<Omit<CrawlOptions, 'resolver' | 'retryDelaysMs'>> {
  resolver: CrawlOptions['resolver']
  retryDelaysMs: CrawlOptions['retryDelaysMs']
  /** Private, loopback and link-local addresses may be crawled. */
  allowPrivate: boolean
  /** What robots.txt calls us. */
  robotsToken: string
  /** Whose view the findings take. */
  auditedAgent: string
  /** Pages that are chosen together, from what all earlier ones have led to. */
  waveSize: number
  /** After this long a crawl ends with what it has. */
  maxAgeMs: number
}

const minuteMs = 60_000

/** Reads the environment now, not when the module was loaded: a demo sets it later. */
export function crawlSettings(options: CrawlOptions, timeoutMs: number | null): CrawlSettings {
  const userAgent = options.userAgent ?? (process.env['CRAWL_USER_AGENT'] || 'MillraceSeology/0.1')
  return {
    userAgent,
    robotsToken: /^[A-Za-z_-]+/.exec(userAgent)?.[0] ?? 'MillraceSeology',
    auditedAgent: 'googlebot',
    concurrency: options.concurrency ?? 8,
    maxBrowsers: options.maxBrowsers ?? 2,
    keepCrawls: options.keepCrawls ?? 10,
    alsoAllow: options.alsoAllow ?? [],
    resolver: options.resolver,
    retryDelaysMs: options.retryDelaysMs,
    sliceMs: options.sliceMs ?? 0.8 * (timeoutMs ?? 10 * minuteMs),
    allowPrivate: process.env['CRAWL_ALLOW_PRIVATE'] === '1',
    waveSize: 50,
    maxAgeMs: 24 * 60 * minuteMs,
  }
}
