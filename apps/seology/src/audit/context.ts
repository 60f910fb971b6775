/** What the audit is told about the site; pure values and functions, in the crawler's own shapes. */

import type { LinkCheck } from '../crawl/links.ts'
import type { HostVariant } from '../crawl/probe.ts'
import type { RobotsDecision } from '../crawl/robots.ts'
import type { RobotsFile } from '../crawl/robots-store.ts'
import type { SitemapEntry, SitemapReport } from '../crawl/sitemap.ts'
import type { QuarantinedPattern } from '../crawl/traps.ts'
import type { CanonicalUrl } from '../crawl/url.ts'
import type { PageFacts } from './facts.ts'
import type { Thresholds } from './thresholds.ts'

/** The missing-page template of a host, as one random path answered it. JSON, to be stored. */
export interface ProbeFingerprint {
  probeUrl: string
  status: number
  finalKey: string
  redirected: boolean
  title: string
  words: number
  /** 32-bit hashes of the main text's shingles, sorted. */
  shingles: number[]
}

/** Settings of one crawl's audit. */
export interface AuditContext {
  /** The crawler's `canonicalize` with its options bound, so that both sides agree on a URL's identity. */
  canonicalize(href: string, base?: string): CanonicalUrl | null
  /** The start page after redirects. */
  homeUrl: string
  /** Whether a URL belongs to the crawled site (`SiteScope.has`). */
  isInternal(url: string): boolean
  /** Lower-case token of the search engine whose view the findings take, e.g. `googlebot`. */
  auditedAgent: string
  /** What robots.txt tells that engine (`RobotsFile.engineMayFetch`); allowed when unknown. */
  auditedRobots(url: string): RobotsDecision
  thresholds: Thresholds
  /** What `fingerprint` made of the probes that were answered with 2xx or a redirect. */
  probes: readonly ProbeFingerprint[]
}

/** What `auditPage` may be told about a page beyond its facts. */
export interface PageContext extends AuditContext {
  /** All first-byte times measured for the page, its own included; fewer than three leave `ttfb-slow` unverified. */
  ttfbSamplesMs?: readonly number[]
}

/** One crawled URL as the site stage reads it. */
export interface SitePage {
  facts: PageFacts
  /** How the crawl came to it, e.g. `link`, `sitemap`; quoted as evidence. */
  discoveredBy?: string
}

/** How one link target that is no crawled page answered. */
export interface LinkTarget
  extends Pick<
    LinkCheck,
    'url' | 'key' | 'verdict' | 'status' | 'finalUrl' | 'hops' | 'error' | 'checkedAt'
  > {
  /** An earlier crawl, at least a day before, found it broken too: a `suspect` becomes broken. */
  brokenBefore?: boolean
}

/** What is reported about one robots.txt. */
export type RobotsReport = Pick<
  RobotsFile,
  'origin' | 'url' | 'state' | 'status' | 'error' | 'attempts' | 'fetchedAt' | 'problems' | 'fromLastGood'
>

/** One of http/https × www/apex, as it answered. */
export interface HostVariantResult {
  variant: HostVariant
  facts: PageFacts
}

/** Rows that may come from a database cursor. */
export type Rows<T> = Iterable<T> | AsyncIterable<T>

/** Everything the end of a crawl knows; each `Rows` is read exactly once and never held whole. */
export interface SiteInput {
  context: AuditContext
  /** One for every requested URL, redirects and failures included. */
  pages: Rows<SitePage>
  linkTargets?: Rows<LinkTarget>
  sitemapEntries?: Rows<SitemapEntry>
  sitemap?: Pick<SitemapReport, 'files' | 'problems' | 'incomplete'>
  robots?: readonly RobotsReport[]
  hostVariants?: readonly HostVariantResult[]
  traps?: readonly QuarantinedPattern[]
  /** False when the crawl ended by its budget: then nothing can be called an orphan. */
  complete: boolean
}
