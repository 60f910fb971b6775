/** Collects the visible text: the main text, the headings, and slices of it for link names. */

import { attr, collapse, type Element } from './walk.ts'

const inline = new Set(
  (
    'a abbr acronym b bdi bdo big cite code data del dfn em font i img ins kbd label mark q rp rt ruby s samp ' +
    'small span strike strong sub sup time tt u var wbr'
  ).split(' '),
)

const furniture = new Set(['nav', 'header', 'footer', 'aside'])
const furnitureRoles = new Set(['navigation', 'banner', 'contentinfo', 'complementary'])

const maxHeadings = 60

export class TextReader {
  readonly headings: [level: number, text: string][] = []
  hasForm = false

  #chunks: string[] = []
  #main = ''
  #article = ''
  #body = ''
  #mainDepth = 0
  #articleDepth = 0
  #furnitureDepth = 0
  #heading: { start: number; alt: string } | null = null
  #fields = -1

  enter(element: Element): void {
    const { tagName } = element
    if (!inline.has(tagName)) this.text(' ')
    switch (regionOf(element)) {
      case 'main':
        this.#mainDepth++
        break
      case 'article':
        this.#articleDepth++
        break
      case 'furniture':
        this.#furnitureDepth++
        break
    }
    if (isHeading(tagName)) this.#heading = { start: this.#chunks.length, alt: '' }
    else if (tagName === 'img' && this.#heading) this.#heading.alt += ` ${attr(element, 'alt') ?? ''}`
    else if (tagName === 'form' && this.#furnitureDepth === 0) this.#fields = 0
    else if (this.#fields >= 0 && takesInput(element)) this.#fields++
  }

  text(value: string): void {
    this.#chunks.push(value)
    if (this.#mainDepth > 0) this.#main += value
    if (this.#articleDepth > 0) this.#article += value
    if (this.#furnitureDepth === 0) this.#body += value
  }

  leave(element: Element): void {
    const { tagName } = element
    if (this.#heading && isHeading(tagName)) {
      const text = collapse(this.since(this.#heading.start)) || collapse(this.#heading.alt)
      if (this.headings.length < maxHeadings) this.headings.push([Number(tagName[1]), text.slice(0, 120)])
      this.#heading = null
    } else if (tagName === 'form') {
      if (this.#fields >= 2) this.hasForm = true
      this.#fields = -1
    }
    switch (regionOf(element)) {
      case 'main':
        this.#mainDepth--
        break
      case 'article':
        this.#articleDepth--
        break
      case 'furniture':
        this.#furnitureDepth--
        break
    }
    if (!inline.has(tagName)) this.text(' ')
  }

  /** A position in the text, for `since`. */
  get position(): number {
    return this.#chunks.length
  }

  since(position: number): string {
    return this.#chunks.slice(position).join('')
  }

  /** `main`, else the articles, else the body without navigation, header, footer and asides. */
  mainText(): string {
    return [this.#main, this.#article].find(text => text.trim() !== '') ?? this.#body
  }
}

function regionOf(element: Element): 'main' | 'article' | 'furniture' | null {
  const { tagName } = element
  if (tagName === 'main') return 'main'
  if (tagName === 'article') return 'article'
  if (furniture.has(tagName)) return 'furniture'
  if (element.attrs.length === 0) return null
  const role = attr(element, 'role')
  if (role === null) return null
  return role === 'main' ? 'main' : furnitureRoles.has(role) ? 'furniture' : null
}

function isHeading(tagName: string): boolean {
  return tagName.length === 2 && tagName >= 'h1' && tagName <= 'h6'
}

function takesInput(element: Element): boolean {
  if (element.tagName === 'textarea' || element.tagName === 'select') return true
  if (element.tagName !== 'input') return false
  const type = attr(element, 'type')?.toLowerCase() ?? 'text'
  return !['hidden', 'submit', 'button', 'reset', 'image', 'search'].includes(type)
}
