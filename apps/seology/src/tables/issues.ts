import { type Kysely, sql } from 'kysely'
import type { Finding, Severity } from '../audit/index.ts'
import type { CrawlRow } from './crawls.ts'
import { each } from './json-rows.ts'
import type { Trx } from './open.ts'
import type { Schema } from './schema.ts'

/** As stored: 1 is the worst. */
export const severities: readonly Severity[] = ['critical', 'high', 'medium', 'low', 'info']

export function severityRank(severity: Severity): number {
  return severities.indexOf(severity) + 1
}

/** Stores findings in place of what was stored before for the same pages, or for the site (`pageId` null). */
export async function storeIssues(
  trx: Trx,
  crawl: CrawlRow,
  groups: readonly { pageId: number | null; findings: readonly Finding[] }[],
): Promise<void> {
  const pageIds = groups.flatMap(({ pageId }) => (pageId === null ? [] : [[pageId]]))
  if (pageIds.length > 0)
    await sql`
      delete from seology_issue
      where page_id in (select cast(value ->> 0 as bigint) from ${each(trx, pageIds)} as page)`.execute(trx)
  const rows = new Map<string, unknown[]>()
  for (const { pageId, findings } of groups)
    for (const finding of findings) {
      const row = issueRow(finding, pageId)
      const identity = JSON.stringify(row.slice(0, 3))
      if (!rows.has(identity)) rows.set(identity, row)
    }
  if (rows.size === 0) return
  await sql`
    insert into seology_issue (crawl_id, owner, check_id, subject, variant, severity, category, scope, verdict, page,
      page_id, occurrences, evidence, advice, caused_by, rule_version, mode, fetched_at)
    select ${crawl.id}, ${crawl.owner}, value ->> 0, value ->> 1, value ->> 2, cast(value ->> 3 as integer), value ->> 4,
      value ->> 5, value ->> 6, value ->> 7, cast(value ->> 8 as bigint), cast(value ->> 9 as integer), value ->> 10,
      value ->> 11, value ->> 12, cast(value ->> 13 as integer), value ->> 14, cast(value ->> 15 as bigint)
    from ${each(trx, [...rows.values()])} as finding where true
    on conflict do nothing`.execute(trx)
}

function issueRow(finding: Finding, pageId: number | null): unknown[] {
  return [
    finding.id,
    finding.subject,
    finding.variant ?? '',
    severityRank(finding.severity),
    finding.category,
    finding.scope,
    finding.verdict,
    finding.page,
    pageId,
    finding.occurrences,
    JSON.stringify(finding.evidence),
    finding.advice,
    finding.causedBy ? JSON.stringify(finding.causedBy) : null,
    finding.ruleVersion,
    finding.mode,
    Math.round(finding.fetchedAt),
  ]
}

/** Forgets what the site stage found, before it is found again. */
export async function clearSiteIssues(trx: Trx, crawlId: number): Promise<void> {
  await trx.deleteFrom('seology_issue').where('crawl_id', '=', crawlId).where('page_id', 'is', null).execute()
}

export interface IssueCounts {
  total: number
  byId: Record<string, number>
  bySeverity: Record<Severity, number>
}

/** Failed checks only: what could not be verified is no issue. */
export async function countIssues(db: Kysely<Schema>, crawlId: number): Promise<IssueCounts> {
  const rows = await db
    .selectFrom('seology_issue')
    .select(({ fn }) => ['check_id', 'severity', fn.countAll<number>().as('issues')])
    .where('crawl_id', '=', crawlId)
    .where('verdict', '=', 'fail')
    .groupBy(['check_id', 'severity'])
    .orderBy('check_id')
    .execute()
  const counts: IssueCounts = {
    total: 0,
    byId: {},
    bySeverity: { critical: 0, high: 0, medium: 0, low: 0, info: 0 },
  }
  for (const { check_id, severity, issues } of rows) {
    const count = Number(issues)
    counts.total += count
    counts.byId[check_id] = (counts.byId[check_id] ?? 0) + count
    const name = severities[severity - 1]
    if (name) counts.bySeverity[name] += count
  }
  return counts
}
