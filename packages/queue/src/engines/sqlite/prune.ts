import type { RetentionRule } from '../../job/retention.ts'
import { type Phase, terminalCode } from './codes.ts'
import { forget, goneColumns, type GoneRow } from './forget.ts'
import { CounterChanges, tallyMs } from './counters.ts'
import { pruneAudit } from './audit.ts'
import { pruneFeed } from './feed.ts'
import type { Kinds } from './kinds.ts'
import { pruneSeries } from './series.ts'
import type { Store } from './store.ts'

const talliesKeptMs = 35 * 24 * 3_600_000
const workersKeptMs = 35 * 24 * 3_600_000

/** Deletes a small batch of what the rules no longer keep, oldest first. Inside a write. */
export function prune(
  store: Store,
  kinds: Kinds,
  now: number,
  request: { rules: RetentionRule[]; limit: number },
): { removed: number; more: boolean } {
  const counters = new CounterChanges()
  let left = request.limit
  for (const { kind, rule } of rulesByKind(kinds, request.rules)) {
    if (left <= 0) break
    const code = terminalCode[rule.state]
    const seqs = outdated(store, now, { kind, code, rule, limit: left })
    if (seqs.length === 0) continue
    const numbers = JSON.stringify(seqs)
    const gone = store.rows<GoneRow>(
      `DELETE FROM millrace_history WHERE seq IN (SELECT value FROM json_each(?)) RETURNING ${goneColumns}`,
      numbers,
    )
    forget(store, now, gone)
    counters.add(kind, code, -gone.length)
    left -= gone.length
  }
  counters.write(store, now)
  const housekeeping = tidy(store, now, request.limit)
  return { removed: request.limit - left, more: left <= 0 || housekeeping }
}

function rulesByKind(kinds: Kinds, rules: RetentionRule[]): { kind: number; rule: RetentionRule }[] {
  const named = new Set(rules.filter(rule => rule.type !== null).map(rule => `${rule.state} ${rule.type}`))
  return kinds
    .all()
    .flatMap(({ kind, type }) =>
      rules
        .filter(rule => (rule.type === null ? !named.has(`${rule.state} ${type}`) : rule.type === type))
        .map(rule => ({ kind, rule })),
    )
}

/** The oldest jobs of a kind and state that are over the rule's count or age, but for those whose flow has not finished. */
function outdated(
  store: Store,
  now: number,
  of: { kind: number; code: Phase; rule: RetentionRule; limit: number },
): number[] {
  const { maxAgeMs, maxCount } = of.rule
  const counter = store.get<{ count: number }>(
    'SELECT count FROM millrace_counter WHERE kind = ? AND phase = ?',
    of.kind,
    of.code,
  )
  const excess = maxCount === undefined ? 0 : Math.max(0, (counter?.count ?? 0) - maxCount)
  const seqs: number[] = []
  let walked = 0
  let above = 0
  while (seqs.length < of.limit) {
    const oldest = store.rows<[seq: number, finishedAt: number, flowRuns: number]>(
      `SELECT seq, finished_at, flow IS NOT NULL
         AND EXISTS (SELECT 1 FROM millrace_flow f WHERE f.id = flow AND f.finished_at IS NULL)
       FROM millrace_history WHERE kind = ? AND state = ? AND seq > ? ORDER BY seq LIMIT ?`,
      of.kind,
      of.code,
      above,
      of.limit,
    )
    for (const [seq, finishedAt, flowRuns] of oldest) {
      const tooOld = maxAgeMs !== undefined && finishedAt <= now - maxAgeMs
      if (!tooOld && walked >= excess) return seqs
      walked++
      above = seq
      if (flowRuns === 0 && seqs.length < of.limit) seqs.push(seq)
    }
    if (oldest.length < of.limit) break
  }
  return seqs
}

/** Expired keys, old tallies, workers long gone, and what nobody looks at any more. Answers whether more may wait. */
function tidy(store: Store, now: number, limit: number): boolean {
  const keys = ['millrace_idempotency', 'millrace_flow_key'].map(table =>
    store.run(
      `DELETE FROM ${table} WHERE (tenant, key) IN (SELECT tenant, key FROM ${table} WHERE expires_at <= ? LIMIT ?)`,
      now,
      limit,
    ),
  )
  store.run('DELETE FROM millrace_tally WHERE at < ?', now - talliesKeptMs - tallyMs)
  store.run(
    'DELETE FROM millrace_worker WHERE expires_at = 0 AND beat_at < ? AND worker NOT IN (SELECT worker FROM millrace_claim)',
    now - workersKeptMs,
  )
  const views = [pruneFeed, pruneSeries, pruneAudit].map(prune => prune(store, now, limit))
  return keys.some(count => count >= limit) || views.includes(true)
}
