import { getDomain } from 'tldts'
import type { RedirectHop } from './page.ts'

/** Which hosts (with port) belong to the crawled site. */
export interface SiteScope {
  has(url: string): boolean
  /** The start URL's answer: every host on its redirect chain belongs to the site. */
  addStart(hops: readonly RedirectHop[], finalUrl: string): void
  /** A later redirect into the site: its host joins when it shares the registrable domain (`www.` and apex). */
  learn(hops: readonly RedirectHop[], finalUrl: string): void
  /** Sorted, to be stored; give them back as `hosts` when a crawl resumes. */
  hosts(): string[]
}

/** @param hosts what an earlier run of the same crawl had learnt. */
export function createSiteScope(startUrl: string, hosts: readonly string[] = []): SiteScope {
  const members = new Set<string>([hostOf(startUrl), ...hosts])
  return {
    has: url => members.has(hostOf(url)),
    addStart(hops, finalUrl) {
      for (const hop of hops) members.add(hostOf(hop.url))
      members.add(hostOf(finalUrl))
    },
    learn(hops, finalUrl) {
      if (!members.has(hostOf(finalUrl))) return
      const domain = domainOf(finalUrl)
      if (domain === null) return
      // A link shortener redirects into the site as well, but is not part of it.
      for (const { url } of hops) if (domainOf(url) === domain) members.add(hostOf(url))
    },
    hosts: () => [...members].sort(),
  }
}

/** Without the scheme, so that http and https of one host are one site; the parser drops either's default port. */
function hostOf(url: string): string {
  const { hostname, port } = new URL(url)
  const name = hostname.replace(/\.+$/, '')
  return port === '' ? name : `${name}:${port}`
}

function domainOf(url: string): string | null {
  return getDomain(new URL(url).hostname, { allowPrivateDomains: true })
}
