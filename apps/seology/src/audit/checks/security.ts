/** Is everything served over https? */

import type { SubjectOutcome } from '../finding.ts'
import { maxSamples, type PageCheck, type SiteCheck } from './check.ts'

export const securityPageChecks: PageCheck[] = [
  {
    id: 'insecure-content',
    category: 'security',
    severity: 'high',
    scope: 'page',
    rendering: 'required',
    gate: 'html',
    advice: 'Serve every resource and form target over https.',
    run({ facts, page, document }) {
      if (!facts.finalUrl.startsWith('https:')) return null
      const found = new Map(document.mixedContent.map(({ url, via }) => [url, via]))
      for (const { url, type } of page.rendered?.resources ?? []) {
        if (url.startsWith('http:') && !found.has(url)) found.set(url.slice(0, 300), type)
      }
      if (found.size === 0) return null
      const samples = [...found].slice(0, maxSamples).map(([url, via]) => ({ url, via }))
      return { evidence: { count: found.size, resources: samples } }
    },
  },
]

export const securitySiteChecks: SiteCheck[] = [
  {
    id: 'http-not-https',
    category: 'security',
    severity: 'high',
    scope: 'site',
    rendering: 'none',
    advice: 'Serve the site over https and redirect http to it with 301.',
    *run(site): Iterable<SubjectOutcome> {
      const origins = new Map<string, { count: number; sample: string }>()
      for (const page of site.pages()) {
        if (!page.state.htmlOk || !page.finalUrl.startsWith('http:')) continue
        const { origin, hostname } = new URL(page.finalUrl)
        if (isLoopback(hostname)) continue
        const known = origins.get(origin)
        origins.set(origin, { count: (known?.count ?? 0) + 1, sample: known?.sample ?? page.finalUrl })
      }
      for (const [origin, { count, sample }] of origins) {
        yield { subject: origin, page: sample, evidence: { pages: count, sample } }
      }
    },
  },
]

function isLoopback(hostname: string): boolean {
  return /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/i.test(hostname)
}
