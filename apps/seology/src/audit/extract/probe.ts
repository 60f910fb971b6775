/** Fingerprints of a host's answer to paths that can't exist. */

import type { FetchedPage } from '../../crawl/page.ts'
import type { ProbeFingerprint } from '../context.ts'
import { type ExtractOptions, finalAnswer, readPage } from './page.ts'
import { shingles } from './text.ts'

/** How a host answers a path that can't exist; null when it does so soundly (an error status) or not at all. */
export function fingerprint(page: FetchedPage, options: ExtractOptions): ProbeFingerprint | null {
  if (page.error !== null || page.status < 200 || page.status > 299) return null
  const { facts, mainText } = readPage(finalAnswer(page), { ...options, probes: [] })
  return {
    probeUrl: page.fetchUrl,
    status: page.status,
    finalKey: facts.finalKey,
    redirected: page.hops.length > 0,
    title: facts.document?.titles[0] ?? '',
    words: facts.document?.words ?? 0,
    shingles: shingles(mainText),
  }
}
