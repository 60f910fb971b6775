/** Collects images, structured data and what an https page loads or posts to over http. */

import type { ImagesFact, JsonLdFact } from '../facts.ts'
import { readJsonLd } from './json-ld.ts'
import { attr, type Element, ownText, snippet, startTag, tokens } from './walk.ts'

const maxSamples = 10

/** Attributes through which an element loads or posts; anchors are no mixed content. */
const loading: Record<string, string[]> = {
  script: ['src'],
  img: ['src', 'srcset'],
  iframe: ['src'],
  audio: ['src'],
  video: ['src', 'poster'],
  source: ['src', 'srcset'],
  track: ['src'],
  embed: ['src'],
  object: ['data'],
  form: ['action'],
  input: ['src', 'formaction'],
  button: ['formaction'],
}

const loadingRels = new Set(['stylesheet', 'icon', 'preload', 'modulepreload', 'manifest', 'prefetch'])

export class MediaReader {
  readonly images: ImagesFact = {
    total: 0,
    withoutAlt: 0,
    withoutAltSamples: [],
    withoutSize: 0,
    withoutSizeSamples: [],
  }
  readonly jsonLd: JsonLdFact[] = []
  hasScript = false

  #references: { value: string; via: string }[] = []

  enter(element: Element): void {
    const { tagName } = element
    if (tagName === 'img') this.#image(element)
    else if (tagName === 'script') this.#script(element)
    if (tagName === 'link' && tokens(attr(element, 'rel')).some(token => loadingRels.has(token))) {
      this.#refer(attr(element, 'href'), 'link href')
    }
    const attributes = loading[tagName]
    if (attributes) for (const name of attributes) this.#refer(attr(element, name), `${tagName} ${name}`)
  }

  /** What resolves to http, each URL once. Only asked for https pages. */
  mixedContent(base: string): { url: string; via: string }[] {
    const found = new Map<string, string>()
    for (const { value, via } of this.#references) {
      for (const candidate of via.endsWith('srcset') ? sources(value) : [value]) {
        const url = URL.parse(candidate, base)
        if (url?.protocol === 'http:' && found.size < 20) found.set(url.href, via)
      }
    }
    return [...found].map(([url, via]) => ({ url: snippet(url), via }))
  }

  #image(element: Element): void {
    const { images } = this
    images.total++
    if (attr(element, 'alt') === null) {
      images.withoutAlt++
      if (images.withoutAltSamples.length < maxSamples) images.withoutAltSamples.push(startTag(element))
    }
    if (!hasSize(element)) {
      images.withoutSize++
      if (images.withoutSizeSamples.length < maxSamples) images.withoutSizeSamples.push(startTag(element))
    }
  }

  #script(element: Element): void {
    const type = (attr(element, 'type') ?? '').toLowerCase().split(';')[0]?.trim()
    if (type === 'application/ld+json') this.jsonLd.push(readJsonLd(ownText(element)))
    else if (type === '' || type === 'module' || type?.endsWith('javascript')) this.hasScript = true
  }

  #refer(value: string | null, via: string): void {
    if (value !== null && value !== '') this.#references.push({ value, via })
  }
}

/** Both attributes, or a style that reserves the space. */
function hasSize(element: Element): boolean {
  if (attr(element, 'width')?.trim() && attr(element, 'height')?.trim()) return true
  const style = attr(element, 'style') ?? ''
  return (
    /aspect-ratio\s*:/i.test(style) ||
    (/(^|[;\s])width\s*:/i.test(style) && /(^|[;\s])height\s*:/i.test(style))
  )
}

function sources(srcset: string): string[] {
  return srcset.split(/,\s+/).map(candidate => candidate.trim().split(/\s+/)[0] ?? '')
}
