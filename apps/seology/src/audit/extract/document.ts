/** One pass over the document, handing each element to the readers it concerns. */

import type { CanonicalFact, DocumentFacts, HreflangFact, RobotsDirective } from '../facts.ts'
import { canonicalFact, HeadReader } from './head-reader.ts'
import { parseLinkHeader } from './link-header.ts'
import { LinkReader } from './link-reader.ts'
import { MediaReader } from './media-reader.ts'
import type { ExtractOptions } from './page.ts'
import { bestProbeMatch } from './probe-match.ts'
import { pageNofollow } from './robots-directives.ts'
import { countWords, fold, textHash } from './text.ts'
import { TextReader } from './text-reader.ts'
import {
  attr,
  type Element,
  isHtml,
  ownText,
  parseHtml,
  snippet,
  startTag,
  tokens,
  type Visitor,
  walk,
} from './walk.ts'

/** Elements whose text nobody sees; with scripting on, `noscript` is one of them. */
const unseen = new Set([
  'script',
  'style',
  'noscript',
  'template',
  'iframe',
  'noframes',
  'noembed',
  'title',
  'textarea',
  'datalist',
])

export interface DocumentSource {
  html: string
  finalUrl: string
  finalKey: string
  /** What the browser reported; null to work it out from the first `base`. */
  baseUri: string | null
  fetchedAt: number
  linkHeaders: string[]
  headerRobots: RobotsDirective[]
  headerCharset: string | null
}

export interface DocumentReading {
  document: DocumentFacts
  robots: RobotsDirective[]
  /** Normalised main text. */
  mainText: string
}

/** Reads the document; its robots directives come apart, since they join those of the headers. */
export function readDocument(source: DocumentSource, options: ExtractOptions): DocumentReading {
  const visitor = new DocumentVisitor(source.fetchedAt)
  walk(parseHtml(source.html), visitor, source.baseUri !== null)
  const { head, texts, links, media } = visitor
  const { canonicalize } = options
  const base = source.baseUri ?? baseFrom(head.baseHref, source.finalUrl)
  const robots = [...source.headerRobots, ...head.robots]
  const language = head.lang ?? 'en'
  const mainText = texts.mainText()
  const folded = fold(mainText)
  const fromHeader = headerLinks(source, canonicalize)
  const similarity = bestProbeMatch(folded, options.probes)
  const document: DocumentFacts = {
    baseUri: base,
    titles: head.titles,
    descriptions: head.descriptions,
    lang: head.lang,
    charset: source.headerCharset ?? head.charset ?? (source.html.startsWith('\uFEFF') ? 'utf-8' : null),
    viewport: head.viewport,
    canonicals: [...fromHeader.canonicals, ...head.canonicals(base, canonicalize)],
    hreflangs: [...fromHeader.hreflangs, ...head.hreflangs(base, canonicalize)],
    headBroken: head.headBroken(),
    metaRefresh: head.metaRefresh(base, canonicalize),
    headings: texts.headings,
    links: links.links({
      base,
      pageKey: source.finalKey,
      nofollow: pageNofollow(robots, options.auditedAgent),
      language,
      canonicalize,
      hashRouteMinLinks: options.thresholds.hashRouteMinLinks,
    }),
    images: media.images,
    openGraph: [...head.openGraph],
    jsonLd: media.jsonLd,
    mixedContent: source.finalUrl.startsWith('https:') ? media.mixedContent(base) : [],
    hasForm: texts.hasForm,
    hasScript: media.hasScript,
    words: countWords(mainText, language),
    textHash: textHash(folded),
  }
  if (head.bodyTitle !== undefined && head.titles.length === 0) document.bodyTitle = head.bodyTitle
  if (similarity) document.probeSimilarity = similarity
  return { document, robots, mainText: folded }
}

class DocumentVisitor implements Visitor {
  readonly head: HeadReader
  readonly texts = new TextReader()
  readonly links = new LinkReader()
  readonly media = new MediaReader()
  #inBody = false

  constructor(fetchedAt: number) {
    this.head = new HeadReader(fetchedAt)
  }

  enter(element: Element): boolean {
    if (!isHtml(element)) {
      // A vector graphic's title names the link around it; the rest of it is no document content.
      if (element.tagName === 'svg') this.links.alternative(graphicTitle(element))
      return false
    }
    const { tagName } = element
    if (tagName === 'body') {
      this.#inBody = true
      return true
    }
    if (this.#inBody) {
      this.head.bodyBegins(() => startTag(element))
      this.texts.enter(element)
    }
    if (isMetadata(tagName)) this.head.enter(element, this.#inBody)
    if (tagName === 'a' || tagName === 'area') this.links.enter(element, this.texts.position)
    else {
      if (tagName === 'img') this.links.alternative(attr(element, 'alt') ?? '')
      this.media.enter(element)
    }
    return !unseen.has(tagName)
  }

  leave(element: Element): void {
    if (!this.#inBody || !isHtml(element)) return
    const { tagName } = element
    if (tagName === 'body') return
    if (tagName === 'a' || tagName === 'area')
      this.links.leave(element, position => this.texts.since(position))
    this.texts.leave(element)
  }

  text(value: string): void {
    if (!this.#inBody) return
    if (value.trim() !== '') this.head.bodyBegins(() => value)
    this.texts.text(value)
  }
}

function isMetadata(tagName: string): boolean {
  return ['html', 'base', 'title', 'meta', 'link'].includes(tagName)
}

function graphicTitle(graphic: Element): string {
  const title = graphic.childNodes.find((node): node is Element => node.nodeName === 'title')
  return title ? ownText(title) : ''
}

/** The document's base URI: its first `base` with an href, resolved against the URL. */
function baseFrom(baseHref: string | null, url: string): string {
  const base = baseHref === null ? null : URL.parse(baseHref.trim(), url)
  // The standard refuses these two as a base.
  if (base === null || base.protocol === 'data:' || base.protocol === 'javascript:') return url
  return base.href
}

function headerLinks(
  source: DocumentSource,
  canonicalize: ExtractOptions['canonicalize'],
): Pick<DocumentFacts, 'canonicals' | 'hreflangs'> {
  const canonicals: CanonicalFact[] = []
  const hreflangs: HreflangFact[] = []
  for (const { target, params } of source.linkHeaders.flatMap(parseLinkHeader)) {
    // A link with another context says nothing about this document.
    if (params.anchor !== undefined) continue
    const rel = tokens(params.rel ?? null)
    if (rel.includes('canonical')) {
      canonicals.push(canonicalFact(target, source.finalUrl, 'header', canonicalize))
    } else if (rel.includes('alternate') && params.hreflang !== undefined) {
      const key = canonicalize(target, source.finalUrl)?.key ?? null
      hreflangs.push({ code: params.hreflang.trim(), raw: snippet(target), key, origin: 'header' })
    }
  }
  return { canonicals, hreflangs }
}
