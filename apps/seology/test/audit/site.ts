/** Builders for tests of the site stage: pages of `https://ex.test` by path, and what links them. */

import type { SiteInput } from '../../src/audit/index.ts'
import type { FetchedPage } from '../../src/crawl/page.ts'
import { auditAll, cleanHtml, fetched, home, words } from './support.ts'

export const link = (path: string, text = `The page at ${path}`) => `<a href="${path}">${text}</a>`
export const page = (path: string, body = '', overrides: Partial<FetchedPage> & { head?: string } = {}) =>
  fetched(
    cleanHtml({
      body: `${body}<p>${words(30, `of${path.replace(/\W/g, '')}`)}</p>`,
      head: overrides.head,
      title: `The one and only page at ${path}`,
    }),
    { fetchUrl: home + path.slice(1), ...overrides },
  )
export const failing = (path: string, status: number, overrides: Partial<FetchedPage> = {}) =>
  fetched(null, { fetchUrl: home + path.slice(1), status, attempts: 3, ...overrides })
export const redirect = (from: string, to: string, status = 200) =>
  fetched(null, {
    fetchUrl: home + from.slice(1),
    status,
    hops: [{ url: home + from.slice(1), status: 301, location: home + to.slice(1) }],
  })
export const run = (pages: FetchedPage[], input: Partial<SiteInput> = {}) => auditAll(pages, input)
export const canonical = (path: string) => `<link rel="canonical" href="${home}${path.slice(1)}">`
export const entry = (path: string, alternates: { hreflang: string; href: string }[] = []) => ({
  loc: home + path.slice(1),
  lastmod: null,
  alternates,
  file: `${home}sitemap.xml`,
  line: 3,
})
