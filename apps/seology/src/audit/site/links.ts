/** All links of the crawl by target: how often, from where, and what is wrong with them. */

import type { AuditContext } from '../context.ts'
import type { HrefFlaw, LinkFact } from '../facts.ts'

const maxSources = 10

/** Where something occurs: the first few pages, and how many there are. */
export interface Occurrences {
  sources: string[]
  count: number
  /** The page counted last, since a page counts once. */
  last: string
}

export interface Target extends Occurrences {
  id: number
  key: string
  /** As first linked. */
  url: string
  internal: boolean
}

export interface FlawedHref extends Occurrences {
  rawHref: string
  flaw: HrefFlaw
  name: string
  html: string
  url: string | null
}

export interface PoorText extends Occurrences {
  url: string
  names: Set<string>
  language: string
  html: string
}

export class LinkTable {
  readonly flawed = new Map<string, FlawedHref>()
  readonly poor = new Map<string, PoorText>()

  #targets = new Map<string, Target>()
  #byId: Target[] = []
  #context: AuditContext

  constructor(context: AuditContext) {
    this.#context = context
  }

  targets(): readonly Target[] {
    return this.#byId
  }

  target(key: string): Target | undefined {
    return this.#targets.get(key)
  }

  byId(id: number): Target {
    return this.#byId[id] as Target
  }

  /** Takes in one page's links; answers the ids of the internal ones that a crawler follows. */
  add(source: string, links: readonly LinkFact[], language: string): Int32Array {
    const followed = new Set<number>()
    for (const link of links) {
      if (link.flaw) this.#flaw(source, link, link.flaw)
      if (link.key === null || link.fetchUrl === null) continue
      const target = this.#target(link.key, link.fetchUrl)
      occurs(target, source)
      if (link.follow && target.internal) followed.add(target.id)
      if (link.poorText) this.#poorText(source, link, link.key, link.fetchUrl, language)
    }
    return Int32Array.from(followed)
  }

  #target(key: string, url: string): Target {
    let target = this.#targets.get(key)
    if (!target) {
      const internal = this.#context.isInternal(url)
      target = { id: this.#byId.length, key, url, internal, sources: [], count: 0, last: '' }
      this.#targets.set(key, target)
      this.#byId.push(target)
    }
    return target
  }

  #flaw(source: string, link: LinkFact, flaw: HrefFlaw): void {
    // Hash routes of one page are one matter; other flawed hrefs are told apart as written.
    const identity = flaw === 'hash-route' ? `#${link.key}` : link.rawHref.trim()
    let entry = this.flawed.get(identity)
    if (!entry) {
      const { rawHref, name, html = '', fetchUrl: url } = link
      this.flawed.set(identity, (entry = { rawHref, flaw, name, html, url, sources: [], count: 0, last: '' }))
    }
    occurs(entry, source)
  }

  #poorText(source: string, link: LinkFact, key: string, url: string, language: string): void {
    let entry = this.poor.get(key)
    if (!entry) {
      this.poor.set(
        key,
        (entry = { url, names: new Set(), language, html: link.html ?? '', sources: [], count: 0, last: '' }),
      )
    }
    if (entry.names.size < maxSources) entry.names.add(link.name)
    occurs(entry, source)
  }
}

/** Counts a page once, however often it says the same. */
function occurs(entry: Occurrences, source: string): void {
  if (entry.last === source) return
  entry.last = source
  entry.count++
  if (entry.sources.length < maxSources) entry.sources.push(source)
}
