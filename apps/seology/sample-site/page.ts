/** What a page of the sample site is made of, its defects beside its content. */

export type Mode = 'browser' | 'fetch'

/**
 * One finding that a crawl must make. A bare id is about the page itself; a subject is a path of this site,
 * `(external)/path`, or an href as written.
 */
export type Defect = string | { id: string; subject?: string; mode?: Mode }

export interface Origins {
  /** Without a final slash. */
  own: string
  /** Another site that this one links to. */
  external: string
}

export interface Page {
  path: string
  title: string
  description: string
  /** The inside of `main`. */
  main: (origins: Origins) => string
  /** What a crawl must report, in the order of the text. */
  defects?: Defect[]
  /** False for pages that the sitemap rightly leaves out. */
  listed?: boolean
  /** Only reachable where scripts run. */
  browserOnly?: boolean
  image?: string
  lang?: string | null
  /** Overrides of the template, each of which makes a defect or avoids one. */
  canonical?: ((origins: Origins) => string) | null
  titleTags?: string
  descriptionTag?: string
  robots?: string
  charset?: boolean
  viewport?: boolean
  openGraph?: boolean
  /** Before the canonical. */
  headBefore?: (origins: Origins) => string
  headAfter?: (origins: Origins) => string
  headers?: (origins: Origins) => Record<string, string>
  /** After the footer. */
  bodyEnd?: string
  delayMs?: number
}

/** An answer that is no page of ours. */
export interface Answer {
  status: number
  headers: Record<string, string>
  body: string | Uint8Array
}

/** Each text as a paragraph; what begins with a tag of its own is taken as it is. */
export const paragraphs = (...texts: string[]): string =>
  texts.map(text => (/^<(h\d|p)/.test(text) ? text : `<p>${text}</p>`)).join('\n')

export function escape(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;')
}

/** The picture that heads a page. */
export function figure(name: string, alt: string): string {
  return `<figure><img src="/images/${name}.svg" alt="${escape(alt)}" width="640" height="360"></figure>`
}
