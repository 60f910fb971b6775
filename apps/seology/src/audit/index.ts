/**
 * The audit: from what was fetched to what is wrong with it. Pure: no network, no database, no clock.
 *
 *     const facts = extractPage(page, context)          // once a page; JSON, to be stored
 *     const findings = auditPage(facts, page, context)  // at once
 *     for await (const finding of auditSite(input)) …   // at the end, over the stored facts
 */

export { auditPage } from './audit-page.ts'
export { auditSite } from './audit-site.ts'
export { checkCatalogue } from './checks/index.ts'
export type * from './context.ts'
export { extractPage, finalAnswer } from './extract/page.ts'
export { fingerprint } from './extract/probe.ts'
export type * from './facts.ts'
export type * from './finding.ts'
export { thresholds } from './thresholds.ts'
