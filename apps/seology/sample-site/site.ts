/** Which answer each URL has. */

import { journalPages } from './content/journal.ts'
import { comparePage, comparePairs, filterPage, shopPages } from './content/shop.ts'
import { missingPicture, studioPages } from './content/studio.ts'
import { visitPages } from './content/visit.ts'
import { calendarPage, workshopPages } from './content/workshops.ts'
import type { Answer, Origins, Page } from './page.ts'
import { archiveSitemap, asset, pagesSitemap, robotsTxt, sitemapIndex, specials } from './specials.ts'
import { renderPage } from './template.ts'

/** Every page with an address of its own. */
export const pages: readonly Page[] = [
  ...studioPages,
  ...shopPages,
  ...workshopPages,
  ...journalPages,
  ...visitPages,
]

const byPath = new Map(pages.map(page => [page.path, page]))
const specialByPath = new Map(specials.map(special => [special.path, special]))

/** What the sample site answers, and after how long. */
export function respond(url: URL, origins: Origins): { answer: Answer; delayMs: number } {
  const page = pageAt(url)
  if (page) return { answer: html(200, page, origins), delayMs: page.delayMs ?? 0 }
  return { answer: fileAt(url.pathname, origins) ?? failure(url.pathname), delayMs: 0 }
}

/** What the other site answers. */
export function respondExternal(path: string): Answer {
  const status = path === '/members-only' ? 403 : path === '/' || external.has(path) ? 200 : 404
  return {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8' },
    body: `<!doctype html><html lang="en"><head><title>Another site</title></head><body><p>${status}</p></body></html>`,
  }
}

const external = new Set(['/suppliers', '/essays/on-wheels'])

function pageAt(url: URL): Page | undefined {
  const { pathname, searchParams } = url
  const pair = searchParams.get('pair')
  if (pathname === comparePage.path && pair !== null)
    return comparePairs.includes(pair) ? comparePage : undefined
  if (pathname === filterPage.path) return filterPage
  const month = /^\/workshops\/calendar\/(\d{4})-(0[1-9]|1[0-2])$/.exec(pathname)
  if (month) return calendarPage(Number(month[1]), month[2] as string)
  const known = byPath.get(pathname)
  // The gallery has a page for everything, even for what it has not.
  return known ?? (pathname.startsWith('/gallery/') ? missingPicture(pathname) : undefined)
}

function fileAt(path: string, origins: Origins): Answer | null {
  switch (path) {
    case '/robots.txt':
      return file('text/plain; charset=utf-8', robotsTxt(origins))
    case '/sitemap.xml':
      return file('application/xml', sitemapIndex(origins))
    case '/sitemap-pages.xml':
      return file('application/xml', pagesSitemap(pages, origins))
    case '/sitemap-archive.xml':
      return file('application/xml', archiveSitemap(origins))
    default:
      return asset(path)
  }
}

function file(type: string, body: string): Answer {
  return { status: 200, headers: { 'content-type': type }, body }
}

function html(status: number, page: Page, origins: Origins): Answer {
  const charset = page.charset === false ? '' : '; charset=utf-8'
  return {
    status,
    headers: { 'content-type': `text/html${charset}`, ...page.headers?.(origins) },
    body: renderPage(page, origins),
  }
}

function failure(path: string): Answer {
  const special = specialByPath.get(path)
  const status = special?.status ?? 404
  const headers: Record<string, string> = { 'content-type': 'text/html; charset=utf-8' }
  if (special?.location) headers.location = special.location
  return { status, headers, body: `<!doctype html><title>${status}</title><p>${status}</p>` }
}
