/**
 * What one answer said, reduced to what the checks read. Plain JSON, made to be stored in a row and read back
 * without the HTML.
 */

import type { FetchErrorKind, RedirectHop, RenderMode } from '../crawl/page.ts'
import type { Basis } from './finding.ts'

/** Where a robots directive, a canonical or an hreflang entry stood. */
export type Origin = 'header' | 'head' | 'body' | 'sitemap'

export interface RobotsDirective {
  /** Lower-cased agent token; `*` for everybody. */
  agent: string
  /** Lower-cased directive names without values, e.g. `noindex`, `max-snippet:50` keeps its value. */
  directives: string[]
  origin: Origin
}

export interface CanonicalFact {
  raw: string
  /** Resolved, fragment kept; null when it can't be parsed. */
  url: string | null
  /** What it is compared by; null when it is no http(s) URL. */
  key: string | null
  origin: Origin
}

export interface HreflangFact {
  code: string
  raw: string
  key: string | null
  origin: Origin
}

/** Why an href leads no crawler anywhere. */
export type HrefFlaw = 'empty' | 'javascript' | 'invalid' | 'suspicious' | 'hash-route'

/**
 * One distinct link of a page; identical ones (same href, name and rel) are counted together. Anchors within the
 * page, `mailto:`, `tel:` and their like are left out.
 */
export interface LinkFact {
  /** As written, at most 300 characters. */
  rawHref: string
  /** What to request for it; null when the flaw means that it must not be followed. */
  fetchUrl: string | null
  /** What it is deduplicated by; null when `fetchUrl` is. */
  key: string | null
  /** Text, else image alt, else aria-label, else title; at most 120 characters. */
  name: string
  rel?: string
  /** True when a crawler should pass through: neither its `rel` nor the page says nofollow. */
  follow: boolean
  count?: number
  flaw?: HrefFlaw
  poorText?: 'empty' | 'generic'
  /** The start tag, only kept where a flaw must be shown. */
  html?: string
}

export interface HeadBroken {
  /** The start tag or text that ended the head. */
  offender: string
  /** The metadata that fell into the body, as `canonical`, `robots`, `hreflang`, `title`. */
  misplaced: string[]
}

export interface ImagesFact {
  total: number
  withoutAlt: number
  withoutAltSamples: string[]
  withoutSize: number
  withoutSizeSamples: string[]
}

export interface JsonLdFact {
  types: string[]
  problem?: 'unparsable' | 'no-type'
  message?: string
  snippet?: string
}

/** What the HTML said. */
export interface DocumentFacts {
  /** `document.baseURI`: what hrefs were resolved against. */
  baseUri: string
  /** HTML-namespace titles of the head, in order, white space collapsed. */
  titles: string[]
  /** The first HTML title below the body, where the head has none. */
  bodyTitle?: string
  descriptions: string[]
  lang: string | null
  charset: string | null
  viewport: string | null
  canonicals: CanonicalFact[]
  hreflangs: HreflangFact[]
  headBroken: HeadBroken | null
  metaRefresh: { delaySeconds: number; fetchUrl: string | null; key: string | null } | null
  /** Heading level and text (or image alt), in document order, at most 60. */
  headings: [level: number, text: string][]
  links: LinkFact[]
  images: ImagesFact
  openGraph: string[]
  jsonLd: JsonLdFact[]
  /** URLs of http resources and form targets in an https page. */
  mixedContent: { url: string; via: string }[]
  /** A form of two fields or more outside the page's furniture: such pages may be short. */
  hasForm: boolean
  hasScript: boolean
  /** Words of the main text (`main`, else `article`, else the body without its furniture). */
  words: number
  /** SHA-256 of the normalised main text, hexadecimal. */
  textHash: string
  /** The best match among the host's missing-page fingerprints, if there were any. */
  probeSimilarity?: { probeUrl: string; score: number }
}

/** The whole of what is known about one requested URL. */
export interface PageFacts {
  version: 1
  fetchUrl: string
  key: string
  finalUrl: string
  finalKey: string
  renderMode: RenderMode
  /** Which HTML `document` describes. */
  basis: Basis
  fetchedAt: number
  status: number
  hops: RedirectHop[]
  /** Another document that takes this one's place by itself: an instant meta refresh or a script's navigation. */
  clientRedirect: { via: 'meta-refresh' | 'script'; to: string } | null
  error: { kind: FetchErrorKind; message: string } | null
  attempts: number
  ttfbMs: number
  bodyBytes: number
  contentType: string | null
  retryAfter: string | null
  /** A bot challenge answered in the site's place. */
  challenged: boolean
  robots: RobotsDirective[]
  /**
   * Null when the answer carried no judgeable HTML: an error, a non-2xx, another type, a challenge, a redirect
   * (the final URL carries its own facts).
   */
  document: DocumentFacts | null
}
