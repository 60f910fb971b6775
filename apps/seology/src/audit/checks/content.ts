/** Titles, descriptions, headings and the amount of text of one page. */

import type { PageCheck } from './check.ts'
import { textWidthPx } from './text-width.ts'

export const contentPageChecks: PageCheck[] = [
  {
    id: 'title-missing',
    category: 'content',
    severity: 'high',
    scope: 'page',
    rendering: 'preferred',
    gate: 'indexable',
    advice: 'Write a unique title.',
    run({ document: { titles, bodyTitle } }) {
      if (titles.some(Boolean) || bodyTitle) return null
      return { evidence: { titles } }
    },
  },
  {
    id: 'title-multiple',
    category: 'content',
    severity: 'low',
    scope: 'page',
    rendering: 'preferred',
    gate: 'indexable',
    advice: 'Keep one title.',
    run({ document: { titles } }) {
      return titles.length > 1 ? { evidence: { titles: titles.slice(0, 10) } } : null
    },
  },
  {
    id: 'title-length',
    category: 'content',
    severity: 'low',
    scope: 'page',
    rendering: 'preferred',
    gate: 'indexable',
    advice: 'Keep the title within what a result page shows, the meaning first.',
    run({ document: { titles }, context: { thresholds } }) {
      const title = titles[0]
      if (!title) return null
      const px = textWidthPx(title, thresholds.titleFontPx)
      const { titleMinPx: minPx, titleMaxPx: maxPx } = thresholds
      if (px >= minPx && px <= maxPx) return null
      const evidence = { title, px, characters: [...title].length, minPx, maxPx }
      return { evidence, severity: px < minPx ? 'info' : 'low' }
    },
  },
  {
    id: 'description-missing',
    category: 'content',
    severity: 'low',
    scope: 'page',
    rendering: 'preferred',
    gate: 'indexable',
    advice: 'Summarise the page in a meta description.',
    run({ document: { descriptions } }) {
      return descriptions.some(Boolean) ? null : { evidence: { descriptions } }
    },
  },
  {
    id: 'description-length',
    category: 'content',
    severity: 'info',
    scope: 'page',
    rendering: 'preferred',
    gate: 'indexable',
    advice: 'Rewrite the description if it is cut off or says too little.',
    run({ document: { descriptions }, context: { thresholds } }) {
      const description = descriptions.find(Boolean)
      if (description === undefined) return null
      const px = textWidthPx(description, thresholds.descriptionFontPx)
      const { descriptionMinPx: minPx, descriptionMaxPx: maxPx } = thresholds
      if (px >= minPx && px <= maxPx) return null
      return {
        evidence: {
          description: description.slice(0, 300),
          px,
          characters: [...description].length,
          minPx,
          maxPx,
        },
      }
    },
  },
  {
    id: 'h1-missing',
    category: 'content',
    severity: 'low',
    scope: 'page',
    rendering: 'preferred',
    gate: 'indexable',
    advice: 'Add one h1 that names the page.',
    run({ document: { headings } }) {
      if (headings.some(([level, text]) => level === 1 && text !== '')) return null
      return { evidence: { outline: outline(headings) } }
    },
  },
  {
    id: 'h1-multiple',
    category: 'content',
    severity: 'low',
    scope: 'page',
    rendering: 'preferred',
    gate: 'indexable',
    advice: 'Keep one h1 and make the others h2.',
    run({ document: { headings } }) {
      const first = headings.filter(([level, text]) => level === 1 && text !== '')
      return first.length > 1 ? { evidence: { count: first.length, outline: outline(first) } } : null
    },
  },
  {
    id: 'heading-skip',
    category: 'content',
    severity: 'info',
    scope: 'page',
    rendering: 'preferred',
    gate: 'indexable',
    advice: 'Let each heading be at most one level below the one before it.',
    run({ document: { headings } }) {
      const skips = headings.flatMap(([level, text], at) => {
        const before = headings[at - 1]
        return before && level > before[0] + 1 ? [`h${before[0]} → h${level}: ${text}`] : []
      })
      return skips.length > 0 ? { evidence: { count: skips.length, skips: skips.slice(0, 10) } } : null
    },
  },
  {
    id: 'content-thin',
    category: 'content',
    severity: 'low',
    scope: 'page',
    rendering: 'preferred',
    gate: 'indexable',
    advice: 'Expand the page or merge it with another.',
    run({ document: { words, hasForm }, context: { thresholds } }) {
      if (hasForm || words >= thresholds.thinWords) return null
      return { evidence: { words, minWords: thresholds.thinWords } }
    },
  },
  {
    id: 'open-graph-missing',
    category: 'social',
    severity: 'info',
    scope: 'page',
    rendering: 'preferred',
    gate: 'indexable',
    advice: 'Add og:title, og:type, og:image and og:url, so that shared links show a preview.',
    run({ document: { openGraph } }) {
      const missing = ['og:title', 'og:type', 'og:image', 'og:url'].filter(
        name => !openGraph.some(found => found === name || found === `${name}:url`),
      )
      return missing.length > 0 ? { evidence: { missing } } : null
    },
  },
]

function outline(headings: readonly [number, string][]): string[] {
  return headings.slice(0, 10).map(([level, text]) => `h${level}: ${text}`)
}
