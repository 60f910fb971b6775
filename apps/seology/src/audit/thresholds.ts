/** Every number that a check compares with. All can be overridden, one by one. */
export interface Thresholds {
  /** Attempts that must have failed before a fetch error or a 5xx counts; fewer are `unverified`. */
  fetchFailedMinAttempts: number
  serverErrorMinAttempts: number
  /** Share of the crawled pages from which fetch errors and 5xx become critical. */
  siteWideShare: number
  ttfbSlowMs: number
  ttfbVerySlowMs: number
  ttfbMinSamples: number
  htmlMaxBytes: number
  redirectMaxHops: number
  redirectChainMinHops: number
  /** Jaccard similarity with the missing-page template. */
  soft404Similarity: number
  soft404MaxWords: number
  titleMaxPx: number
  titleMinPx: number
  titleFontPx: number
  descriptionMaxPx: number
  descriptionMinPx: number
  descriptionFontPx: number
  thinWords: number
  duplicateMinWords: number
  depthMaxClicks: number
  hashRouteMinLinks: number
  imageMaxBytes: number
  pageMaxBytes: number
  pageMaxElements: number
  robotsMaxBytes: number
  sitemapMaxUrls: number
  sitemapMaxBytes: number
  /** Paths (prefixes ending in `*`, or exact) whose noindex is deliberate. */
  noindexAllowed: string[]
  /** Hosts (exact) on which `Disallow: /` is deliberate. */
  stagingHosts: string[]
}

/** The published limits; sources: Google Search Central, RFC 9309, sitemaps.org, Screaming Frog, Lighthouse. */
const defaultThresholds: Readonly<Thresholds> = {
  fetchFailedMinAttempts: 2,
  serverErrorMinAttempts: 3,
  siteWideShare: 0.05,
  ttfbSlowMs: 800,
  ttfbVerySlowMs: 1_800,
  ttfbMinSamples: 3,
  htmlMaxBytes: 2_000_000,
  redirectMaxHops: 10,
  redirectChainMinHops: 2,
  soft404Similarity: 0.9,
  soft404MaxWords: 150,
  titleMaxPx: 561,
  titleMinPx: 200,
  titleFontPx: 20,
  descriptionMaxPx: 985,
  descriptionMinPx: 400,
  descriptionFontPx: 14,
  thinWords: 200,
  duplicateMinWords: 50,
  depthMaxClicks: 4,
  hashRouteMinLinks: 3,
  imageMaxBytes: 102_400,
  pageMaxBytes: 5_120_000,
  pageMaxElements: 1_400,
  robotsMaxBytes: 512_000,
  sitemapMaxUrls: 50_000,
  sitemapMaxBytes: 52_428_800,
  noindexAllowed: [],
  stagingHosts: [],
}

/** The defaults with some of them replaced. */
export function thresholds(overrides: Partial<Thresholds> = {}): Thresholds {
  return { ...defaultThresholds, ...overrides }
}
