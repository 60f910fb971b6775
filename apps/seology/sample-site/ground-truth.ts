/**
 * What a crawl of the sample site must find, no more and no less. It is put together from what each page says about
 * itself, never from the output of a crawl.
 */

import { comparePairs } from './content/shop.ts'
import { thisMonth } from './content/workshops.ts'
import type { Defect, Mode } from './page.ts'
import { pages } from './site.ts'
import { specials } from './specials.ts'

/**
 * The payload of the crawl that meets it. The defaults would cut it short: `depth-high` needs pages five clicks away,
 * and `orphan-page` a crawl that ends because there is nothing left. Everything else is at its default; the trap of
 * compared pairs is as large as the sample after which the crawler judges a pattern (50).
 */
export const groundTruthPayload = { maxPages: 200, maxDepth: 6 }

export interface GroundTruth {
  /** Keys of the requested pages as paths (`relativeTo`), redirects and errors included, sorted. */
  pages: string[]
  /** Findings with the verdict `fail`, sorted. */
  findings: { id: string; subject: string }[]
}

export function groundTruth(mode: Mode, now = new Date()): GroundTruth {
  const visible = pages.filter(({ browserOnly }) => mode === 'browser' || !browserOnly)
  const found = [
    ...visible.flatMap(({ path, defects = [] }) => defects.flatMap(defect => finding(defect, path, mode))),
    ...specials.flatMap(({ path, defects }) => defects.flatMap(defect => finding(defect, path, mode))),
    ...elsewhere.flatMap(defect => finding(defect, '', mode)),
  ]
  return {
    pages: [
      ...visible.map(({ path }) => path),
      ...specials.filter(({ crawled }) => crawled).map(({ path }) => path),
      // Parameters in any order are one page.
      '/shop/filter?colour=blue&size=large',
      ...comparePairs.map(pair => `/shop/compare?pair=${pair}`),
      ...months(now).map(month => `/workshops/calendar/${month}`),
      '/gallery/summer-2019',
    ].sort(),
    findings: found.sort((a, b) => (asText(a) < asText(b) ? -1 : 1)),
  }
}

/** Defects of what has no page. */
const elsewhere: Defect[] = [
  // The gallery answers 200 for a picture that it does not have; that the answer is short follows from it.
  { id: 'soft-404', subject: '/gallery/summer-2019' },
  { id: 'content-thin', subject: '/gallery/summer-2019' },
  { id: 'link-external-broken', subject: '(external)/closed-shop' },
  { id: 'robots-txt-invalid', subject: '(site)' },
  { id: 'sitemap-invalid', subject: '/sitemap-archive.xml' },
  { id: 'crawl-trap', subject: '/shop/compare?pair' },
]

/** The calendar has no end; a crawler keeps to two years before and after today. */
function months(now: Date): string[] {
  const [year, month] = thisMonth(now).split('-')
  return [-2, -1, 0, 1, 2].map(shift => `${Number(year) + shift}-${month}`)
}

function finding(defect: Defect, path: string, mode: Mode): { id: string; subject: string }[] {
  if (typeof defect === 'string') return [{ id: defect, subject: path }]
  return defect.mode === undefined || defect.mode === mode
    ? [{ id: defect.id, subject: defect.subject ?? path }]
    : []
}

/** A URL or subject as the ground truth writes it, whatever the port. */
export function relativeTo(site: { url: string; externalUrl: string }, subject: string): string {
  const [own, external] = [site.url, site.externalUrl].map(url => url.slice(0, -1)) as [string, string]
  if (subject === own) return '(site)'
  if (subject.startsWith(`${own}/`)) return subject.slice(own.length)
  return subject.startsWith(`${external}/`) ? `(external)${subject.slice(external.length)}` : subject
}

function asText({ id, subject }: { id: string; subject: string }): string {
  return `${id} ${subject}`
}
