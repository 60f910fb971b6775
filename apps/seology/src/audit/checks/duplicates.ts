/** Pages that can't be told apart by their title, description or text. Each member of a cluster is a subject. */

import { fold, textHash } from '../extract/text.ts'
import type { SubjectOutcome } from '../finding.ts'
import type { PageEntry, SiteModel } from '../site/model.ts'
import { maxSamples, type SiteCheck } from './check.ts'

export const duplicateSiteChecks: SiteCheck[] = [
  {
    id: 'title-duplicate',
    category: 'content',
    severity: 'medium',
    scope: 'page',
    rendering: 'preferred',
    advice: 'Give each page a title of its own.',
    run(site, { thresholds }) {
      return clusters(
        site,
        page => fold(page.title),
        thresholds.duplicateMinWords,
        page => ({ title: page.title }),
      )
    },
  },
  {
    id: 'description-duplicate',
    category: 'content',
    severity: 'low',
    scope: 'page',
    rendering: 'preferred',
    advice: 'Give each page a description of its own.',
    run(site, { thresholds }) {
      return clusters(
        site,
        page => fold(page.description),
        thresholds.duplicateMinWords,
        page => ({
          description: page.description.slice(0, 300),
        }),
      )
    },
  },
  {
    id: 'duplicate-exact',
    category: 'content',
    severity: 'high',
    scope: 'page',
    rendering: 'preferred',
    advice: 'Canonicalise the copies to one page, or merge them.',
    run(site, { thresholds }) {
      const text = (page: PageEntry) => (page.words >= thresholds.duplicateMinWords ? page.textHash : '')
      return clusters(site, text, null, page => ({ textHash: page.textHash, words: page.words }))
    },
  },
]

/**
 * One outcome for each page of each group that shares a non-empty value.
 * @param minWords where given, a cluster whose pages all have the same text of so many words is caused by that
 */
function* clusters(
  site: SiteModel,
  valueOf: (page: PageEntry) => string,
  minWords: number | null,
  evidenceOf: (page: PageEntry) => { [name: string]: string | number },
): Iterable<SubjectOutcome> {
  const groups = new Map<string, PageEntry[]>()
  for (const page of site.pages()) {
    if (!page.state.indexable || page.redirected || isLaterPage(page.url)) continue
    const value = valueOf(page)
    if (value === '') continue
    const group = groups.get(value)
    if (group) group.push(page)
    else groups.set(value, [page])
  }
  for (const [value, members] of groups) {
    if (members.length < 2 || areTranslations(members)) continue
    const cluster = textHash(value).slice(0, 12)
    const first = members[0] as PageEntry
    const sameText = members.every(page => page.textHash === first.textHash)
    const caused = minWords !== null && sameText && first.words >= minWords
    for (const page of members) {
      yield {
        subject: page.url,
        ...site.basics(page),
        occurrences: members.length,
        evidence: {
          cluster,
          size: members.length,
          ...evidenceOf(page),
          others: members.flatMap(({ url }) => (url === page.url ? [] : url)).slice(0, maxSamples),
        },
        ...(caused && { causedBy: { id: 'duplicate-exact', subject: page.url } }),
      }
    }
  }
}

/** The second and later pages of a list rightly share the first one's title. */
function isLaterPage(url: string): boolean {
  const { pathname, searchParams } = new URL(url)
  const index = searchParams.get('page') ?? searchParams.get('p') ?? /\/page\/(\d+)\/?$/.exec(pathname)?.[1]
  return index !== undefined && index !== null && Number(index) > 1
}

/** Alternates in different languages may share a name, even a text. */
function areTranslations(members: readonly PageEntry[]): boolean {
  const languages = new Set(members.map(({ lang }) => lang.toLowerCase()))
  return languages.size === members.length && members.every(({ hreflangs }) => hreflangs.length > 0)
}
