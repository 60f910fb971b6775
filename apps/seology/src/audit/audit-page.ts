import type { FetchedPage } from '../crawl/page.ts'
import type { PageCheck } from './checks/check.ts'
import { pageChecks } from './checks/index.ts'
import type { PageContext } from './context.ts'
import type { PageFacts } from './facts.ts'
import { type CheckInfo, type Finding, type Outcome, ruleVersion } from './finding.ts'
import { type Indexability, indexability } from './indexability.ts'

/** Runs every check that one page alone can answer. `page` must be what `facts` were extracted from. */
export function auditPage(facts: PageFacts, page: FetchedPage, context: PageContext): Finding[] {
  const state = indexability(facts, context)
  const findings: Finding[] = []
  for (const check of pageChecks) {
    const outcome = ask(check, facts, page, state, context)
    if (outcome) findings.push(pageFinding(check, facts, outcome))
  }
  return withRoot(findings)
}

/** What is wrong with the content of a page that doesn't really exist follows from that. */
function withRoot(findings: Finding[]): Finding[] {
  const root = findings.find(({ id, verdict }) => id === 'soft-404' && verdict === 'fail')
  if (!root) return findings
  const { id, subject } = root
  return findings.map(finding =>
    finding.category === 'content' ? { ...finding, causedBy: { id, subject } } : finding,
  )
}

function ask(
  check: PageCheck,
  facts: PageFacts,
  page: FetchedPage,
  state: Indexability,
  context: PageContext,
): Outcome | null {
  if (check.gate === 'answer') return check.run({ facts, page, state, context })
  const open = check.gate === 'html' ? state.htmlOk : state.indexable
  return open && facts.document ? check.run({ facts, page, state, context, document: facts.document }) : null
}

function pageFinding(check: CheckInfo, facts: PageFacts, outcome: Outcome): Finding {
  const { id, severity, category, scope, advice } = check
  return {
    id,
    severity,
    category,
    scope,
    advice,
    subject: facts.fetchUrl,
    page: facts.fetchUrl,
    verdict: 'fail',
    occurrences: 1,
    ruleVersion,
    mode: facts.basis,
    fetchedAt: facts.fetchedAt,
    ...outcome,
  }
}
