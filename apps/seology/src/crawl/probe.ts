import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import { getDomain } from 'tldts'
import type { FetchedPage } from './page.ts'

/** `http.fetchPage` and `browser.fetchPage` are both this. */
export type PageFetcher = (url: string, options: { signal: AbortSignal }) => Promise<FetchedPage>

export interface MissingPageProbe {
  /** Directory that was probed, with its final slash. */
  dir: string
  /** Typical extension of its pages, with the dot, or ''. */
  extension: string
  page: FetchedPage
}

export type HostVariant = 'http-apex' | 'http-www' | 'https-apex' | 'https-www'

export interface HostVariantProbe {
  variant: HostVariant
  url: string
  page: FetchedPage
}

const hiddenPages = /\/\.|^\/robots\.txt$/
const pageExtension = /\.(?:html?|php|aspx?|jsp|xhtml|shtml|cfm)$/i

/** The directories (with extension) that most pages lie in, at most `limit`, the root always among them. */
export function probeTargets(pageUrls: readonly string[], limit = 10): { dir: string; extension: string }[] {
  const counts = new Map<string, { dir: string; extension: string; count: number }>()
  for (const pageUrl of pageUrls) {
    const { pathname } = new URL(pageUrl)
    if (hiddenPages.test(pathname)) continue
    const dir = pathname.replace(/[^/]*\/?$/, '') || '/'
    const extension = pageExtension.exec(pathname)?.[0].toLowerCase() ?? ''
    const known = counts.get(dir + extension) ?? { dir, extension, count: 0 }
    counts.set(dir + extension, { ...known, count: known.count + 1 })
  }
  const top = [...counts.values()].sort((a, b) => b.count - a.count).slice(0, limit)
  const targets = top.map(({ dir, extension }) => ({ dir, extension }))
  if (targets.some(({ dir, extension }) => dir === '/' && extension === '')) return targets
  return [{ dir: '/', extension: '' }, ...targets.slice(0, limit - 1)]
}

/** Asks for two random pages that can't exist in each target, to learn what the site answers to a wrong address. */
export async function probeMissingPages(options: {
  siteUrl: string
  pageUrls: readonly string[]
  fetchPage: PageFetcher
  signal: AbortSignal
  probesPerTarget?: number
  maxTargets?: number
  /** Robots rules hold for probes, too. */
  mayFetch?: (url: string, signal: AbortSignal) => Promise<boolean>
  /** 24 hex digits. */
  randomName?: () => string
}): Promise<MissingPageProbe[]> {
  const { fetchPage, signal, mayFetch } = options
  const randomName = options.randomName ?? (() => randomBytes(12).toString('hex'))
  const { origin } = new URL(options.siteUrl)
  const probes: MissingPageProbe[] = []
  for (const { dir, extension } of probeTargets(options.pageUrls, options.maxTargets)) {
    for (let n = 0; n < (options.probesPerTarget ?? 2); n++) {
      const url = `${origin}${dir}${randomName()}${extension}`
      if (mayFetch && !(await mayFetch(url, signal))) continue
      probes.push({ dir, extension, page: await fetchPage(url, { signal }) })
    }
  }
  return probes
}

/** The up to four root URLs of http/https × www/apex; none for addresses, single labels and odd ports. */
export function hostVariants(siteUrl: string): { variant: HostVariant; url: string }[] {
  const { hostname, port } = new URL(siteUrl)
  const name = hostname.replace(/\.+$/, '')
  if (port !== '' || isIP(name.replace(/^\[|\]$/g, '')) !== 0 || !name.includes('.')) return []
  const apex = name.replace(/^www\./, '')
  const variants: { variant: HostVariant; url: string }[] = [
    { variant: 'http-apex', url: `http://${apex}/` },
    { variant: 'https-apex', url: `https://${apex}/` },
  ]
  // `blog.example.com` has no `www.` that anybody expects.
  if (name === apex && getDomain(apex, { allowPrivateDomains: true }) !== apex) return variants
  return [
    ...variants,
    { variant: 'http-www', url: `http://www.${apex}/` },
    { variant: 'https-www', url: `https://www.${apex}/` },
  ]
}

/** Fetches the root of each variant of the host; whether more than one lives is the audit's to judge. */
export async function probeHostVariants(options: {
  siteUrl: string
  fetchPage: PageFetcher
  signal: AbortSignal
}): Promise<HostVariantProbe[]> {
  return Promise.all(
    hostVariants(options.siteUrl).map(async each => ({
      ...each,
      page: await options.fetchPage(each.url, { signal: options.signal }),
    })),
  )
}
