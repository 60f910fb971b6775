/** The document's declarations: head intact, language, encoding, viewport. */

import { isLanguageTag } from './language-codes.ts'
import type { PageCheck } from './check.ts'

export const headPageChecks: PageCheck[] = [
  {
    id: 'head-broken',
    category: 'head',
    severity: 'high',
    scope: 'page',
    rendering: 'preferred',
    gate: 'html',
    advice: 'Move the metadata before the element that ends the head.',
    run({ document: { headBroken } }) {
      if (headBroken === null) return null
      return { evidence: { offender: headBroken.offender, misplaced: headBroken.misplaced } }
    },
  },
  {
    id: 'lang-missing',
    category: 'content',
    severity: 'low',
    scope: 'page',
    rendering: 'preferred',
    gate: 'indexable',
    advice: 'Declare the language: <html lang="…">.',
    run({ document: { lang } }) {
      return lang === null || lang === '' ? { evidence: { lang } } : null
    },
  },
  {
    id: 'lang-invalid',
    category: 'content',
    severity: 'low',
    scope: 'page',
    rendering: 'preferred',
    gate: 'indexable',
    advice: 'Use a BCP 47 tag such as en or en-GB.',
    run({ document: { lang } }) {
      return lang === null || lang === '' || isLanguageTag(lang)
        ? null
        : { evidence: { lang: lang.slice(0, 100) } }
    },
  },
  {
    id: 'charset-missing',
    category: 'content',
    severity: 'low',
    scope: 'page',
    rendering: 'none',
    gate: 'indexable',
    advice: 'Declare the encoding: <meta charset="utf-8"> or the Content-Type header.',
    run({ facts, document: { charset } }) {
      return charset === null ? { evidence: { contentType: facts.contentType } } : null
    },
  },
  {
    id: 'viewport-missing',
    category: 'content',
    severity: 'medium',
    scope: 'page',
    rendering: 'preferred',
    gate: 'indexable',
    advice: 'Add <meta name="viewport" content="width=device-width, initial-scale=1">.',
    run({ document: { viewport } }) {
      return viewport === null || viewport === '' ? { evidence: { viewport } } : null
    },
  },
]
