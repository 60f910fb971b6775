/** Collects the links: what they point to, what they are called, and why some lead nowhere. */

import { isHashRoute, isSuspiciousHref } from '../../crawl/href.ts'
import type { HrefFlaw, LinkFact } from '../facts.ts'
import { isGenericName } from './generic-names.ts'
import { attr, collapse, type Element, snippet, startTag, tokens } from './walk.ts'
import type { ExtractOptions } from './page.ts'

interface Draft {
  element: Element
  href: string
  name: string
  label: string
}

export interface LinkSetting {
  base: string
  pageKey: string
  nofollow: boolean
  language: string
  canonicalize: ExtractOptions['canonicalize']
  hashRouteMinLinks: number
}

export class LinkReader {
  #drafts: Draft[] = []
  #open: { element: Element; href: string; start: number; alt: string } | null = null

  /** Called for every `a` and `area`; `position` is where the text stands. */
  enter(element: Element, position: number): void {
    const href = attr(element, 'href')
    // An anchor without href is a mere placeholder, unless a script makes it clickable.
    if (href === null && attr(element, 'onclick') === null) return
    this.#open = { element, href: href ?? '', start: position, alt: attr(element, 'alt') ?? '' }
  }

  /** Alternative text of an image or a vector graphic; it names the link around it if no text does. */
  alternative(text: string): void {
    if (this.#open) this.#open.alt += ` ${text}`
  }

  leave(element: Element, textSince: (position: number) => string): void {
    const open = this.#open
    if (open?.element !== element) return
    this.#open = null
    const label = collapse(attr(element, 'aria-label') ?? '')
    const name =
      collapse(textSince(open.start)) || collapse(open.alt) || label || collapse(attr(element, 'title') ?? '')
    this.#drafts.push({ element, href: open.href, name, label: label || name })
  }

  /** Resolves what was collected, now that the base is known. */
  links(setting: LinkSetting): LinkFact[] {
    const links = new Map<string, LinkFact>()
    const routes = new Map<string, { fragments: Set<string>; links: LinkFact[] }>()
    for (const draft of this.#drafts) {
      const resolved = resolve(draft, setting)
      if (resolved === null) continue
      const identity = `${draft.href}\n${draft.name}\n${resolved.link.rel ?? ''}`
      const same = links.get(identity)
      if (same) {
        same.count = (same.count ?? 1) + 1
        continue
      }
      links.set(identity, resolved.link)
      if (!isHashRoute(resolved.fragment) || !resolved.link.key) continue
      const group = routes.get(resolved.link.key) ?? { fragments: new Set<string>(), links: [] }
      group.fragments.add(resolved.fragment)
      group.links.push(resolved.link)
      routes.set(resolved.link.key, group)
    }
    for (const group of routes.values()) {
      if (group.fragments.size < setting.hashRouteMinLinks) continue
      for (const link of group.links) link.flaw = 'hash-route'
    }
    return [...links.values()]
  }
}

function resolve(draft: Draft, setting: LinkSetting): { link: LinkFact; fragment: string } | null {
  const { element } = draft
  const href = draft.href.replace(/[\t\n\r]+/g, '').trim()
  const kind = hrefKind(href)
  if (kind === 'other-scheme') return null
  const rel = tokens(attr(element, 'rel'))
  const link: LinkFact = {
    rawHref: snippet(draft.href),
    fetchUrl: null,
    key: null,
    name: snippet(draft.name, 120),
    follow: !setting.nofollow && !rel.some(token => unfollowed.has(token)),
  }
  if (rel.length > 0) link.rel = rel.join(' ')
  if (kind !== 'http')
    return isExempt(element, kind) ? null : { link: flawed(link, element, kind), fragment: '' }
  const url = setting.canonicalize(href, setting.base)
  if (url === null) return { link: flawed(link, element, 'invalid'), fragment: '' }
  const route = isHashRoute(url.fragment)
  if (href.startsWith('#') && url.key === setting.pageKey && !route) return null
  link.fetchUrl = url.fetchUrl
  link.key = url.key
  if (draft.name === '') link.poorText = 'empty'
  else if (isGenericName(draft.name, setting.language) && isGenericName(draft.label, setting.language)) {
    link.poorText = 'generic'
  }
  if (link.poorText || route) link.html = startTag(element)
  return { link, fragment: url.fragment }
}

/** Link types that tell a search engine not to pass through. */
const unfollowed = new Set(['nofollow', 'ugc', 'sponsored'])

function hrefKind(href: string): 'http' | 'other-scheme' | HrefFlaw {
  if (href === '') return 'empty'
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(href)?.[1]?.toLowerCase()
  if (scheme === 'http' || scheme === 'https') return 'http'
  if (scheme === 'javascript') return 'javascript'
  if (scheme === 'file') return 'invalid'
  // `example.com:8080/x` is a host with a port rather than a scheme.
  if (scheme !== undefined && !/^[^:]+\.[^:]+:\d/.test(href)) return 'other-scheme'
  return scheme !== undefined || isSuspiciousHref(href) ? 'suspicious' : 'http'
}

/** As in Lighthouse's audit of crawlable anchors: such anchors are buttons or targets rather than links. */
function isExempt(element: Element, flaw: HrefFlaw): boolean {
  if (flaw !== 'empty' && flaw !== 'javascript') return false
  if (attr(element, 'role')?.trim() || attr(element, 'name')?.trim()) return true
  return flaw === 'empty' && attr(element, 'id') !== null
}

function flawed(link: LinkFact, element: Element, flaw: HrefFlaw): LinkFact {
  return { ...link, flaw, html: startTag(element) }
}
