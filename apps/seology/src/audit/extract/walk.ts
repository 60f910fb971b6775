/** A depth-first pass over a parse5 tree that neither recurses (documents nest deeply) nor enters templates. */

import { type DefaultTreeAdapterTypes, html, parse } from 'parse5'

export type Element = DefaultTreeAdapterTypes.Element
type Parent = DefaultTreeAdapterTypes.ParentNode
type Node = DefaultTreeAdapterTypes.ChildNode

export interface Visitor {
  /** Returning false skips the element's content; `leave` is called all the same. */
  enter(element: Element): boolean
  leave(element: Element): void
  text(value: string): void
}

/** Parses as a browser with scripting does: what stands in `noscript` is text, not elements. */
export function parseHtml(source: string): DefaultTreeAdapterTypes.Document {
  return parse(source, { scriptingEnabled: true })
}

/**
 * Visits every element and text of the tree in document order. Comments and template contents are left out; so are
 * declarative shadow roots, unless `shadowRoots` says that they stand for what a browser has attached.
 */
export function walk(root: Parent, visitor: Visitor, shadowRoots = false): void {
  const parents: Parent[] = [root]
  const elements: (Element | null)[] = [null]
  const positions: number[] = [0]
  while (parents.length > 0) {
    const depth = parents.length - 1
    const parent = parents[depth] as Parent
    const position = positions[depth] as number
    const node: Node | undefined = parent.childNodes[position]
    if (node === undefined) {
      parents.pop()
      positions.pop()
      const element = elements.pop()
      if (element) visitor.leave(element)
      continue
    }
    positions[depth] = position + 1
    if (node.nodeName === '#text') visitor.text((node as DefaultTreeAdapterTypes.TextNode).value)
    else if ('tagName' in node) {
      const shadow = shadowRoots ? shadowRoot(node) : null
      const entered = visitor.enter(node)
      if (shadow || entered) {
        parents.push(shadow ?? node)
        elements.push(node)
        positions.push(0)
      } else visitor.leave(node)
    }
  }
}

function shadowRoot(node: Element): Parent | null {
  if (!('content' in node) || attr(node, 'shadowrootmode') === null) return null
  return (node as DefaultTreeAdapterTypes.Template).content
}

/** An attribute's value, or null when it is absent. Names are lower case. */
export function attr(element: Element, name: string): string | null {
  for (const attribute of element.attrs) if (attribute.name === name) return attribute.value
  return null
}

export function isHtml(element: Element): boolean {
  return element.namespaceURI === html.NS.HTML
}

/** The element's start tag as it would be written, at most 300 characters. */
export function startTag(element: Element): string {
  let tag = `<${element.tagName}`
  for (const { name, value } of element.attrs) tag += value === '' ? ` ${name}` : ` ${name}="${value}"`
  return snippet(`${tag}>`)
}

/** Cuts evidence to what a row should hold. */
export function snippet(text: string, maxLength = 300): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength - 1)}…`
}

/** White space collapsed and trimmed, as a browser shows it. */
export function collapse(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

/** The whole text directly inside an element, for `title` and `script`. */
export function ownText(element: Element): string {
  let text = ''
  for (const child of element.childNodes) {
    if (child.nodeName === '#text') text += (child as DefaultTreeAdapterTypes.TextNode).value
  }
  return text
}

/** A token list attribute such as `rel`, lower-cased. */
export function tokens(value: string | null): string[] {
  return value ? value.toLowerCase().split(/\s+/).filter(Boolean) : []
}
