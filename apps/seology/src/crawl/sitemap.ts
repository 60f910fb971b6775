import type { HttpClient } from './http.ts'
import type { RobotsStore } from './robots-store.ts'
import { readSitemapFile } from './sitemap-file.ts'

export type SitemapKind = 'urlset' | 'index' | 'text' | 'rss' | 'atom' | 'unknown'

export interface SitemapEntry {
  /** As written, entities decoded, trimmed. */
  loc: string
  lastmod: string | null
  /** `xhtml:link rel=alternate` of the entry. */
  alternates: { hreflang: string; href: string }[]
  /** The sitemap file and the line of the entry. */
  file: string
  line: number
}

export type SitemapProblemKind =
  | 'bad-xml'
  | 'html-body'
  | 'unknown-format'
  | 'too-many-urls'
  | 'too-large'
  | 'nested-index'
  | 'foreign-host'
  | 'relative-url'
  | 'invalid-url'
  | 'url-too-long'
  | 'invalid-lastmod'
  | 'future-lastmod'
  | 'too-many-files'
  | 'fetch-failed'

export interface SitemapProblem {
  kind: SitemapProblemKind
  file: string
  /** 1-based; 0 for the whole file. */
  line: number
  detail: string
}

export interface SitemapFile {
  url: string
  foundBy: 'robots' | 'well-known' | 'index' | 'option'
  kind: SitemapKind
  status: number
  bytes: number
  entries: number
}

export interface SitemapReport {
  files: SitemapFile[]
  problems: SitemapProblem[]
  entryCount: number
  /** A file could not be fetched: what is not listed can't be called an orphan. */
  incomplete: boolean
  /** The largest share of entries that carry the same lastmod date, 0 … 1. */
  sameLastmodShare: number
}

export interface ReadSitemapsOptions {
  http: HttpClient
  robots: RobotsStore
  /** Any URL of the site. */
  siteUrl: string
  signal: AbortSignal
  /** Called once an entry that keeps the rules, in file order; return false to stop reading. */
  onEntry(entry: SitemapEntry): boolean | undefined | void
  /** Sitemap URLs beside those of robots.txt and the well-known ones. */
  extra?: readonly string[]
  maxFiles?: number
  /** Problems kept of each kind and file. */
  maxProblems?: number
  now?: number
}

/** A sitemap file that is to be read. */
export interface SitemapTask {
  url: string
  foundBy: SitemapFile['foundBy']
  /** The file that robots.txt or we name, by which its children are submitted. */
  root: string
}

/** Finds and reads all sitemaps of a site (sitemaps.org protocol), reporting entries as they come. */
export async function readSitemaps(options: ReadSitemapsOptions): Promise<SitemapReport> {
  const { robots, signal } = options
  const { origin } = new URL(options.siteUrl)
  const maxFiles = options.maxFiles ?? 500
  const maxProblems = options.maxProblems ?? 20
  const { sitemaps } = await robots.get(options.siteUrl, signal)
  const tasks: SitemapTask[] = [
    ...sitemaps.map(url => ({ url, foundBy: 'robots' as const, root: url })),
    ...(options.extra ?? []).map(url => ({ url, foundBy: 'option' as const, root: url })),
    ...['/sitemap.xml', '/sitemap_index.xml'].map(path => ({
      url: origin + path,
      foundBy: 'well-known' as const,
      root: origin + path,
    })),
  ]

  const report: SitemapReport = {
    files: [],
    problems: [],
    entryCount: 0,
    incomplete: false,
    sameLastmodShare: 0,
  }
  const known = new Set<string>()
  const dates = new Map<string, number>()
  const problemCounts = new Map<string, number>()
  const problem = (kind: SitemapProblemKind, file: string, line: number, detail: string) => {
    const key = `${kind} ${file}`
    const count = (problemCounts.get(key) ?? 0) + 1
    problemCounts.set(key, count)
    if (count <= maxProblems) report.problems.push({ kind, file, line, detail: detail.slice(0, 300) })
  }

  let isStopped = false
  for (let task = tasks.shift(); task !== undefined && !isStopped; task = tasks.shift()) {
    if (known.has(task.url)) continue
    if (report.files.length >= maxFiles) {
      problem('too-many-files', task.url, 0, `more than ${maxFiles} sitemap files`)
      report.incomplete = true
      break
    }
    known.add(task.url)
    const outcome = await readSitemapFile(task, {
      ...options,
      now: options.now ?? Date.now(),
      isKnown: url => known.has(url),
      problem,
      onChild: child => {
        if (!known.has(child)) tasks.push({ url: child, foundBy: 'index', root: task?.root ?? child })
      },
      onEntry: entry => {
        report.entryCount += 1
        const date = entry.lastmod?.slice(0, 10)
        if (date) dates.set(date, (dates.get(date) ?? 0) + 1)
        isStopped = options.onEntry(entry) === false
        return !isStopped
      },
    })
    known.add(outcome.finalUrl)
    if (outcome.isIncomplete) report.incomplete = true
    if (outcome.file !== null) report.files.push(outcome.file)
  }
  if (report.entryCount > 0) report.sameLastmodShare = Math.max(0, ...dates.values()) / report.entryCount
  return report
}
