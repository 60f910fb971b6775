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
/** So many jobs that stay, because their flow has not finished, are walked over at a time: others wait until this write has ended. */
const patience = 100_000

/** Up to where a walk has come: no job before it can go yet, and there are no more of them than `stay`. */
interface Place {
  seq: number
  stay: number
}

const start: Place = { seq: 0, stay: 0 }

/** Where each store's next walk begins, by kind and state; at the start when there is none. */
const places = new WeakMap<Store, Map<string, Place>>()

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

/**
 * The oldest jobs of a kind and state that are over the rule's count or age, but for those whose flow has not finished. A walk that
 * had to end early is gone on with by the next; whose flow has finished before that place meanwhile is found by the one after.
 */
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
  const begin = placesOf(store)
  const name = `${of.kind} ${of.code}`
  let { seq: above, stay: walked } = begin.get(name) ?? start
  begin.delete(name)
  const last = walked + patience
  const seqs: number[] = []
  // Before the first that goes: should this write fail, that one is there still.
  let place: Place = { seq: above, stay: walked }
  while (true) {
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
      if (seqs.length === of.limit || walked - seqs.length >= last) {
        begin.set(name, place)
        return seqs
      }
      walked++
      above = seq
      if (flowRuns === 0) seqs.push(seq)
      else if (seqs.length === 0) place = { seq, stay: walked }
    }
    if (oldest.length < of.limit) return seqs
  }
}

function placesOf(store: Store): Map<string, Place> {
  let map = places.get(store)
  if (!map) places.set(store, (map = new Map()))
  return map
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
    // One that has left says 0 for the end of its lease.
    'DELETE FROM millrace_worker WHERE max(beat_at, expires_at) < ? AND worker NOT IN (SELECT worker FROM millrace_claim)',
    now - workersKeptMs,
  )
  const views = [pruneFeed, pruneSeries, pruneAudit].map(prune => prune(store, now, limit))
  return keys.some(count => count >= limit) || views.includes(true)
}
