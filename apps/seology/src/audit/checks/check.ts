/** The shape of a check, for either stage. */

import type { FetchedPage } from '../../crawl/page.ts'
import type { AuditContext, PageContext } from '../context.ts'
import type { DocumentFacts, PageFacts } from '../facts.ts'
import type { CheckInfo, Gate, Outcome, SubjectOutcome } from '../finding.ts'
import type { Indexability } from '../indexability.ts'
import type { SiteModel } from '../site/model.ts'

/** What a page check sees. */
export interface PageSubject {
  facts: PageFacts
  page: FetchedPage
  state: Indexability
  context: PageContext
}

/** The same behind the gates `html` and `indexable`, where there is a document. */
export interface DocumentSubject extends PageSubject {
  document: DocumentFacts
}

interface AnswerCheck extends CheckInfo {
  gate: 'answer'
  run(subject: PageSubject): Outcome | null
}

interface DocumentCheck extends CheckInfo {
  gate: Exclude<Gate, 'answer'>
  run(subject: DocumentSubject): Outcome | null
}

/** A check that one page alone can answer. */
export type PageCheck = AnswerCheck | DocumentCheck

/** A check that needs the whole crawl. */
export interface SiteCheck extends CheckInfo {
  run(site: SiteModel, context: AuditContext): Iterable<SubjectOutcome>
}

/** Lists in evidence are samples. */
export const maxSamples = 10
