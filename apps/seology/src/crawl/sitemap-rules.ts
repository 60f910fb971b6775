import { getDomain } from 'tldts'
import type { RobotsStore } from './robots-store.ts'
import type { SitemapEntry, SitemapKind, SitemapProblemKind, SitemapTask } from './sitemap.ts'

export interface EntryFault {
  kind: SitemapProblemKind
  detail: string
}

interface LocContext {
  robots: RobotsStore
  siteUrl: string
  signal: AbortSignal
}

const maxLocLength = 2_048

/** What is wrong with a listed URL, or null. */
export async function judgeLoc(
  loc: string,
  task: SitemapTask,
  context: LocContext,
): Promise<EntryFault | null> {
  if (loc === '') return { kind: 'invalid-url', detail: 'an entry without a URL' }
  if (loc.length >= maxLocLength)
    return { kind: 'url-too-long', detail: `${loc.length} characters: ${loc.slice(0, 100)}` }
  const url = URL.parse(loc)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    const isRelative = url === null && !/^[a-z][a-z0-9+.-]*:/i.test(loc)
    return { kind: isRelative ? 'relative-url' : 'invalid-url', detail: loc }
  }
  if (url.origin === new URL(task.url).origin || (await isCrossSubmitted(url, task, context))) return null
  return { kind: 'foreign-host', detail: loc }
}

/** A host's robots.txt may name a sitemap that lies elsewhere, and so vouch for what it says of that host. */
async function isCrossSubmitted(
  url: URL,
  { root, foundBy }: SitemapTask,
  context: LocContext,
): Promise<boolean> {
  if (url.origin === new URL(context.siteUrl).origin && foundBy === 'option') return true
  // Only hosts that are known, or few: a sitemap full of foreign hosts must not make us ask all of them.
  const known = context.robots.peek(url.href)
  if (known === undefined && !sharesDomain(url, new URL(context.siteUrl))) return false
  const { sitemaps } = known ?? (await context.robots.get(url.href, context.signal))
  return sitemaps.includes(root)
}

function sharesDomain(a: URL, b: URL): boolean {
  const domain = getDomain(a.hostname)
  return domain !== null && domain === getDomain(b.hostname)
}

const w3cDate =
  /^\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01])(?:T[0-2]\d:[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?)?)?$/
const futureSlackMs = 24 * 3_600_000

/** The entry's date as ISO text, null when it has none to be trusted. */
export function judgeLastmod(
  { lastmod }: SitemapEntry,
  kind: SitemapKind,
  now: number,
): { lastmod: string | null; fault: EntryFault | null } {
  if (lastmod === null || lastmod === '') return { lastmod: null, fault: null }
  const at = Date.parse(lastmod)
  const isWritten = kind === 'rss' ? !Number.isNaN(at) : w3cDate.test(lastmod) && !Number.isNaN(at)
  if (!isWritten) return { lastmod: null, fault: { kind: 'invalid-lastmod', detail: lastmod } }
  if (at > now + futureSlackMs) return { lastmod: null, fault: { kind: 'future-lastmod', detail: lastmod } }
  return { lastmod: kind === 'rss' ? new Date(at).toISOString() : lastmod, fault: null }
}
