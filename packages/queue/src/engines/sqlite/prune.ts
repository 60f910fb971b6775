import type { RetentionRule } from '../../job/retention.ts'
import { type Phase, terminalCode } from './codes.ts'
import { forget, type GoneRow } from './forget.ts'
import { CounterChanges, tallyMs } from './counters.ts'
import type { Kinds } from './kinds.ts'
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
      `DELETE FROM millrace_history WHERE seq IN (SELECT value FROM json_each(?)) RETURNING id, tenant, idempotency_key`,
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

/** The oldest jobs of a kind and state that are over the rule's count or age. */
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
  const oldest = store.rows<[seq: number, finishedAt: number]>(
    'SELECT seq, finished_at FROM millrace_history WHERE kind = ? AND state = ? ORDER BY seq LIMIT ?',
    of.kind,
    of.code,
    of.limit,
  )
  const seqs: number[] = []
  for (const [seq, finishedAt] of oldest) {
    const tooOld = maxAgeMs !== undefined && finishedAt <= now - maxAgeMs
    if (!tooOld && seqs.length >= excess) break
    seqs.push(seq)
  }
  return seqs
}

/** Expired keys, old tallies, and workers long gone. Answers whether more may wait. */
function tidy(store: Store, now: number, limit: number): boolean {
  const keys = store.run(
    `DELETE FROM millrace_idempotency WHERE (tenant, key) IN
       (SELECT tenant, key FROM millrace_idempotency WHERE expires_at <= ? LIMIT ?)`,
    now,
    limit,
  )
  store.run('DELETE FROM millrace_tally WHERE at < ?', now - talliesKeptMs - tallyMs)
  store.run(
    'DELETE FROM millrace_worker WHERE expires_at = 0 AND beat_at < ? AND worker NOT IN (SELECT worker FROM millrace_claim)',
    now - workersKeptMs,
  )
  return keys >= limit
}
