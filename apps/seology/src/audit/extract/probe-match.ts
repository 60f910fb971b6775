/** How much a page resembles its host's answer to paths that can't exist. */

import type { ProbeFingerprint } from '../context.ts'
import type { DocumentFacts } from '../facts.ts'
import { jaccard, shingles } from './text.ts'

/** The fingerprint nearest to a text; undefined when there is none to compare with. */
export function bestProbeMatch(
  folded: string,
  probes: readonly ProbeFingerprint[],
): DocumentFacts['probeSimilarity'] {
  const comparable = probes.filter(probe => probe.shingles.length > 0)
  if (comparable.length === 0) return undefined
  const own = shingles(folded)
  let best: DocumentFacts['probeSimilarity']
  for (const probe of comparable) {
    const score = jaccard(own, probe.shingles)
    if (!best || score > best.score)
      best = { probeUrl: probe.probeUrl, score: Math.round(score * 1_000) / 1_000 }
  }
  return best
}
