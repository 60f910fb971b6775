/** The registry: every check, by stage. */

import type { CheckInfo } from '../finding.ts'
import { canonicalPageChecks, canonicalSiteChecks } from './canonical.ts'
import type { PageCheck, SiteCheck } from './check.ts'
import { contentPageChecks } from './content.ts'
import { crawlSiteChecks } from './crawl.ts'
import { duplicateSiteChecks } from './duplicates.ts'
import { fetchPageChecks, fetchSiteChecks } from './fetch.ts'
import { headPageChecks } from './head.ts'
import { hreflangSiteChecks } from './hreflang.ts'
import { indexingPageChecks, indexingSiteChecks } from './indexing.ts'
import { linkSiteChecks } from './link.ts'
import { mediaPageChecks } from './media.ts'
import { redirectPageChecks, redirectSiteChecks } from './redirect.ts'
import { robotsPageChecks, robotsSiteChecks } from './robots.ts'
import { securityPageChecks, securitySiteChecks } from './security.ts'
import { sitemapSiteChecks } from './sitemap.ts'

export const pageChecks: readonly PageCheck[] = [
  ...fetchPageChecks,
  ...redirectPageChecks,
  ...securityPageChecks,
  ...indexingPageChecks,
  ...robotsPageChecks,
  ...canonicalPageChecks,
  ...headPageChecks,
  ...contentPageChecks,
  ...mediaPageChecks,
]

export const siteChecks: readonly SiteCheck[] = [
  ...fetchSiteChecks,
  ...redirectSiteChecks,
  ...securitySiteChecks,
  ...indexingSiteChecks,
  ...robotsSiteChecks,
  ...canonicalSiteChecks,
  ...hreflangSiteChecks,
  ...duplicateSiteChecks,
  ...linkSiteChecks,
  ...crawlSiteChecks,
  ...sitemapSiteChecks,
]

/** What every check is about, e.g. for a page of documentation. */
export const checkCatalogue: readonly CheckInfo[] = [...pageChecks, ...siteChecks].map(
  ({ id, category, severity, scope, rendering, advice }) => ({
    id,
    category,
    severity,
    scope,
    rendering,
    advice,
  }),
)
