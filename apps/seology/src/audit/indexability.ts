/** The two gates every check stands behind: is this HTML of the site's own, and may it be indexed? */

import type { AuditContext } from './context.ts'
import type { CanonicalFact, PageFacts } from './facts.ts'

type Noindex = 'no' | 'yes' | 'possible'

export interface Indexability {
  /** Final 2xx, HTML, complete, no bot challenge, and no redirect, neither by HTTP nor by the document itself. */
  htmlOk: boolean
  /** `possible`: the directive stands in the body, where an engine may or may not heed it. */
  noindex: Noindex
  blocked: boolean
  canonical: CanonicalState
  indexable: boolean
}

/** `self` or absent; `elsewhere` names one other URL; `unclear` when several differ. */
type CanonicalState =
  | { kind: 'absent' | 'self' | 'unclear' }
  | { kind: 'elsewhere'; key: string; url: string }

/** Judges a page as the audited engine would. */
export function indexability(facts: PageFacts, context: AuditContext): Indexability {
  const htmlOk = facts.document !== null && facts.clientRedirect === null
  const noindex = effectiveNoindex(facts, context.auditedAgent)
  const blocked = !context.auditedRobots(facts.finalUrl).allowed
  const canonical = canonicalState(facts)
  const own = canonical.kind === 'absent' || canonical.kind === 'self'
  return { htmlOk, noindex, blocked, canonical, indexable: htmlOk && noindex === 'no' && !blocked && own }
}

/** Rules addressed to the agent and to everybody are united; negatives win. */
function effectiveNoindex(facts: PageFacts, agent: string): Noindex {
  let possible = false
  for (const rule of facts.robots) {
    if (rule.agent !== '*' && rule.agent !== agent) continue
    if (!rule.directives.includes('noindex') && !rule.directives.includes('none')) continue
    if (rule.origin !== 'body') return 'yes'
    possible = true
  }
  return possible ? 'possible' : 'no'
}

/** Canonicals that an engine reads: those of the header and the head, never those in the body. */
export function effectiveCanonicals(facts: PageFacts): CanonicalFact[] {
  return facts.document?.canonicals.filter(canonical => canonical.origin !== 'body') ?? []
}

function canonicalState(facts: PageFacts): CanonicalState {
  const keys = new Map<string, string>()
  for (const { key, url } of effectiveCanonicals(facts)) if (key && url) keys.set(key, url)
  if (keys.size === 0) return { kind: 'absent' }
  if (keys.size > 1) return { kind: 'unclear' }
  const [[key, url]] = [...keys] as [[string, string]]
  return key === facts.finalKey ? { kind: 'self' } : { kind: 'elsewhere', key, url }
}
