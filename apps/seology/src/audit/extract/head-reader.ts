/** Collects document metadata and notices when it fell out of the head. */

import type { CanonicalFact, DocumentFacts, HeadBroken, HreflangFact, RobotsDirective } from '../facts.ts'
import type { ExtractOptions } from './page.ts'
import { parseRobotsMeta, robotsMetaNames } from './robots-directives.ts'
import { attr, collapse, type Element, ownText, snippet, startTag, tokens } from './walk.ts'

export class HeadReader {
  readonly titles: string[] = []
  bodyTitle: string | undefined
  readonly descriptions: string[] = []
  readonly openGraph = new Set<string>()
  readonly robots: RobotsDirective[] = []
  lang: string | null = null
  charset: string | null = null
  viewport: string | null = null
  baseHref: string | null = null

  #canonicals: { raw: string; inBody: boolean }[] = []
  #hreflangs: { code: string; raw: string; inBody: boolean }[] = []
  #refresh: { delaySeconds: number; raw: string } | null = null
  #misplaced = new Set<string>()
  #offender: string | null = null
  #bodyStart: string | null = null
  #fetchedAt: number

  constructor(fetchedAt: number) {
    this.#fetchedAt = fetchedAt
  }

  /** The first thing in the body, element or text: whatever it is, it ended the head. */
  bodyBegins(content: () => string): void {
    this.#bodyStart ??= snippet(content().trim())
  }

  enter(element: Element, inBody: boolean): void {
    switch (element.tagName) {
      case 'html':
        this.lang = attr(element, 'lang')?.trim() ?? null
        break
      case 'base':
        this.baseHref ??= attr(element, 'href')
        break
      case 'title':
        this.#title(collapse(ownText(element)), element, inBody)
        break
      case 'meta':
        this.#meta(element, inBody)
        break
      case 'link':
        this.#link(element, inBody)
        break
    }
  }

  headBroken(): HeadBroken | null {
    return this.#offender === null ? null : { offender: this.#offender, misplaced: [...this.#misplaced] }
  }

  canonicals(base: string, canonicalize: ExtractOptions['canonicalize']): CanonicalFact[] {
    return this.#canonicals.map(({ raw, inBody }) =>
      canonicalFact(raw, base, inBody ? 'body' : 'head', canonicalize),
    )
  }

  hreflangs(base: string, canonicalize: ExtractOptions['canonicalize']): HreflangFact[] {
    return this.#hreflangs.map(({ code, raw, inBody }) => {
      const key = canonicalize(raw, base)?.key ?? null
      return { code, raw: snippet(raw), key, origin: inBody ? 'body' : 'head' }
    })
  }

  metaRefresh(base: string, canonicalize: ExtractOptions['canonicalize']): DocumentFacts['metaRefresh'] {
    if (this.#refresh === null) return null
    const { delaySeconds, raw } = this.#refresh
    const target = raw === '' ? null : canonicalize(raw, base)
    return { delaySeconds, fetchUrl: target?.fetchUrl ?? null, key: target?.key ?? null }
  }

  #title(text: string, element: Element, inBody: boolean): void {
    if (!inBody) {
      this.titles.push(snippet(text))
      return
    }
    this.bodyTitle ??= text
    this.#fell('title', element)
  }

  #meta(element: Element, inBody: boolean): void {
    const content = attr(element, 'content')?.trim() ?? ''
    const name = attr(element, 'name')?.trim().toLowerCase() ?? ''
    const property = attr(element, 'property')?.trim().toLowerCase() ?? ''
    const charset = attr(element, 'charset')
    if (charset) this.charset ??= charset.trim().toLowerCase()
    if (name === 'description') this.descriptions.push(snippet(collapse(content), 2_000))
    else if (name === 'viewport') this.viewport ??= content
    else if (robotsMetaNames.has(name)) {
      this.robots.push(parseRobotsMeta(name, content, inBody ? 'body' : 'head', this.#fetchedAt))
      if (inBody) this.#fell('robots', element)
    }
    if ((property || name).startsWith('og:') && content !== '') this.openGraph.add(property || name)
    const equivalent = attr(element, 'http-equiv')?.trim().toLowerCase()
    if (equivalent === 'content-type') this.charset ??= charsetOf(content)
    else if (equivalent === 'refresh') this.#refresh ??= parseRefresh(content)
  }

  #link(element: Element, inBody: boolean): void {
    const rel = tokens(attr(element, 'rel'))
    const raw = attr(element, 'href')
    if (raw === null) return
    if (rel.includes('canonical')) {
      this.#canonicals.push({ raw: raw.trim(), inBody })
      if (inBody) this.#fell('canonical', element)
    }
    const code = attr(element, 'hreflang')
    if (code !== null && rel.includes('alternate')) {
      this.#hreflangs.push({ code: code.trim(), raw: raw.trim(), inBody })
      if (inBody) this.#fell('hreflang', element)
    }
  }

  #fell(what: string, element: Element): void {
    const own = startTag(element)
    this.#misplaced.add(what)
    this.#offender ??= this.#bodyStart === null || this.#bodyStart === own ? '<body>' : this.#bodyStart
  }
}

export function canonicalFact(
  raw: string,
  base: string,
  origin: CanonicalFact['origin'],
  canonicalize: ExtractOptions['canonicalize'],
): CanonicalFact {
  const url = raw === '' ? null : URL.parse(raw, base)
  return {
    raw: snippet(raw),
    url: url === null ? null : snippet(url.href, 2_048),
    key: url === null ? null : (canonicalize(raw, base)?.key ?? null),
    origin,
  }
}

/** The charset parameter of a content type. */
export function charsetOf(contentType: string): string | null {
  return /charset\s*=\s*["']?([^\s"';]+)/i.exec(contentType)?.[1]?.toLowerCase() ?? null
}

/** `5; url=/b` and its lenient spellings, as the HTML standard reads them. */
function parseRefresh(content: string): { delaySeconds: number; raw: string } | null {
  const match = /^\s*(\d+)(?:\.[\d.]*)?(?:[\s;,]+(?:url\s*=\s*)?(.*))?$/is.exec(content)
  if (!match) return null
  const raw = (match[2] ?? '').trim().replace(/^(["'])(.*?)\1?$/s, '$2')
  return { delaySeconds: Number(match[1]), raw }
}
