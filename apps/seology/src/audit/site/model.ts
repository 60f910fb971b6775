/** What the site stage keeps of the whole crawl: about two kilobytes a page, never its HTML or link texts. */

import type { RedirectHop } from '../../crawl/page.ts'
import type {
  AuditContext,
  HostVariantResult,
  LinkTarget,
  RobotsReport,
  SiteInput,
  SitePage,
} from '../context.ts'
import type { HreflangFact, PageFacts, RobotsDirective } from '../facts.ts'
import type { Basis } from '../finding.ts'
import { type Indexability, indexability } from '../indexability.ts'
import { type Graph, linkGraph } from './graph.ts'
import { LinkTable } from './links.ts'

/** One crawled URL, reduced. */
export interface PageEntry {
  /** The URL that was requested. */
  url: string
  key: string
  finalUrl: string
  finalKey: string
  status: number
  hops: RedirectHop[]
  /** It leads to another page, by HTTP. */
  redirected: boolean
  clientRedirect: PageFacts['clientRedirect']
  error: PageFacts['error']
  attempts: number
  retryAfter: string | null
  basis: Basis
  fetchedAt: number
  discoveredBy: string | null
  state: Indexability
  /** Only kept where the page says noindex. */
  robots: RobotsDirective[]
  title: string
  description: string
  lang: string
  words: number
  textHash: string
  hreflangs: HreflangFact[]
  /** The sitemap file that lists the URL. */
  sitemap: string | null
  /** Ids (in the link table) of the followed internal targets. */
  followed: Int32Array
}

/** A sitemap entry that engines may not fetch. */
export interface BlockedEntry {
  url: string
  sitemap: string
  rule: string | null
}

const maxBlockedEntries = 1_000

export class SiteModel {
  readonly context: AuditContext
  readonly homeKey: string
  readonly links: LinkTable
  readonly complete: boolean
  readonly robots: readonly RobotsReport[]
  readonly hostVariants: readonly HostVariantResult[]
  readonly traps: NonNullable<SiteInput['traps']>
  readonly sitemap: NonNullable<SiteInput['sitemap']>
  readonly blockedEntries: BlockedEntry[] = []

  #graph: Graph | null = null
  #pages = new Map<string, PageEntry>()
  #linkTargets = new Map<string, LinkTarget>()

  constructor(input: SiteInput) {
    const { context } = input
    this.context = context
    this.homeKey = context.canonicalize(context.homeUrl)?.key ?? context.homeUrl
    this.links = new LinkTable(context)
    this.complete = input.complete
    this.robots = input.robots ?? []
    this.hostVariants = input.hostVariants ?? []
    this.traps = input.traps ?? []
    this.sitemap = input.sitemap ?? { files: [], problems: [], incomplete: false }
  }

  /** Reads the input to its end, pages first: the other rows refer to them. */
  static async from(input: SiteInput): Promise<SiteModel> {
    const site = new SiteModel(input)
    for await (const page of input.pages) site.#addPage(page)
    for await (const target of input.linkTargets ?? []) site.#linkTargets.set(target.key, target)
    for await (const entry of input.sitemapEntries ?? []) {
      site.#addSitemapEntry(entry.loc, entry.file, entry.alternates)
    }
    return site
  }

  get pageCount(): number {
    return this.#pages.size
  }

  get graph(): Graph {
    this.#graph ??= linkGraph(this)
    return this.#graph
  }

  pages(): Iterable<PageEntry> {
    return this.#pages.values()
  }

  page(key: string): PageEntry | undefined {
    return this.#pages.get(key)
  }

  /** The page that a visitor of this URL ends on, if it was crawled. */
  landing(key: string): PageEntry | undefined {
    let page = this.#pages.get(key)
    for (let step = 0; page && step < 5; step++) {
      const next = page.clientRedirect
        ? (this.context.canonicalize(page.clientRedirect.to)?.key ?? page.key)
        : page.finalKey
      if (next === page.key) return page
      page = this.#pages.get(next)
    }
    return page
  }

  /** How a link target answered that was not crawled as a page. */
  linkTarget(key: string): LinkTarget | undefined {
    return this.#linkTargets.get(key)
  }

  /** The URL under which a crawled page links to this key; null when none does. */
  linkedUrl(key: string): string | null {
    return this.links.target(key)?.url ?? null
  }

  /** What a page's finding carries beside its evidence. */
  basics(page: PageEntry): { page: string; mode: Basis; fetchedAt: number } {
    return { page: page.url, mode: page.basis, fetchedAt: page.fetchedAt }
  }

  #addPage({ facts, discoveredBy }: SitePage): void {
    const state = indexability(facts, this.context)
    const document = state.htmlOk ? facts.document : null
    this.#pages.set(facts.key, {
      url: facts.fetchUrl,
      key: facts.key,
      finalUrl: facts.finalUrl,
      finalKey: facts.finalKey,
      status: facts.status,
      hops: facts.hops,
      redirected: facts.finalKey !== facts.key,
      clientRedirect: facts.clientRedirect,
      error: facts.error,
      attempts: facts.attempts,
      retryAfter: facts.retryAfter,
      basis: facts.basis,
      fetchedAt: facts.fetchedAt,
      discoveredBy: discoveredBy ?? null,
      state,
      robots: state.noindex === 'no' ? [] : facts.robots,
      title: document?.titles.find(Boolean) ?? '',
      description: document?.descriptions.find(Boolean) ?? '',
      lang: document?.lang ?? '',
      words: document?.words ?? 0,
      textHash: document?.textHash ?? '',
      hreflangs: document?.hreflangs.filter(({ origin }) => origin !== 'body') ?? [],
      sitemap: null,
      followed: this.links.add(facts.fetchUrl, document?.links ?? [], document?.lang ?? ''),
    })
  }

  #addSitemapEntry(loc: string, file: string, alternates: { hreflang: string; href: string }[]): void {
    const url = this.context.canonicalize(loc)
    if (url === null) return
    const page = this.#pages.get(url.key)
    const { allowed, rule } = this.context.auditedRobots(url.fetchUrl)
    if (!allowed && this.blockedEntries.length < maxBlockedEntries) {
      this.blockedEntries.push({ url: url.fetchUrl, sitemap: file, rule: rule?.text ?? null })
    }
    if (!page) return
    page.sitemap ??= file
    for (const { hreflang, href } of alternates) {
      const key = this.context.canonicalize(href, loc)?.key ?? null
      page.hreflangs.push({ code: hreflang, raw: href, key, origin: 'sitemap' })
    }
  }
}
