import { type Fact, unseenStallMs } from './ledger.ts'
import type { Evidence } from './storm-check.ts'
import type { StormRecord } from './storm.ts'
import type { Span } from './target.ts'

/** One lease that ended by its worker's death or freeze, and when the store took the job back. */
export interface Rescue {
  lease: string
  delayMs: number
  /** When it had to be back at the latest, counted from the death. */
  boundMs: number
}

export interface Rescues {
  ofTheDead: Rescue[]
  /**
   * Leases taken from the one worker that lived and was awake all the time, by how long it, or the store under anybody,
   * had stood still before.
   */
  ofTheSurvivor: { lease: string; stalledMs: number }[]
}

/**
 * The promise is lease + sweep. A dead worker's last beat came before its death, so its leases end at most `leaseMs`
 * after that; the survivor's next sweep is due at most `sweepMs` after the last. What may come on top is not guessed but
 * measured in the survivor: its timers fire late while its event loop stands still, and a sweep takes as long as it
 * takes until SQLite, or whatever engine, lets it write. Only what overlaps the time between the lease's end and the
 * rescue counts, twice for stalls: the sweep before and the one that rescues may each be late.
 */
export function rescues({ jobs, facts }: Evidence, record: StormRecord): Rescues {
  const { leaseMs, sweepMs } = record.plan
  const ledgers = ledgersByWorker(facts)
  const died = new Map(record.deaths.map(death => [death.ledger, death.at]))
  const survivor = facts.get(record.survivor) ?? []
  const found: Rescues = { ofTheDead: [], ofTheSurvivor: [] }
  for (const [id, { attempts }] of jobs)
    for (const { outcome, worker, epoch, endedAt } of attempts) {
      if (outcome !== 'worker-lost' || endedAt === null) continue
      const lease = `${id} ${epoch}`
      const ledger = ledgers.get(worker ?? '') ?? ''
      if (ledger === record.survivor)
        found.ofTheSurvivor.push({
          lease,
          stalledMs: Math.max(
            longest(survivor, 'stall', endedAt - 2 * leaseMs, endedAt),
            ...overlapping(record.slowCommits, endedAt - 2 * leaseMs, endedAt),
          ),
        })
      const frozen = record.zombies.find(
        each => each.ledger === ledger && each.frozenAt <= endedAt && endedAt <= each.thawedAt,
      )
      const since = died.get(ledger) ?? frozen?.frozenAt
      if (since === undefined) continue
      const stalls = Math.max(unseenStallMs, longest(survivor, 'stall', since + leaseMs, endedAt))
      const sweeps = total(survivor, 'sweep', since + leaseMs, endedAt)
      const boundMs = leaseMs + sweepMs + 2 * stalls + sweeps
      found.ofTheDead.push({ lease, delayMs: endedAt - since, boundMs })
    }
  found.ofTheDead.sort((a, b) => a.delayMs - b.delayMs)
  return found
}

function ledgersByWorker(facts: Map<string, Fact[]>): Map<string, string> {
  const found = new Map<string, string>()
  for (const [ledger, list] of facts)
    for (const fact of list) if (fact.k === 'hello' && fact.worker) found.set(fact.worker, ledger)
  return found
}

function spans(facts: Fact[], kind: 'stall' | 'sweep', from: number, until: number): number[] {
  return overlapping(
    facts.flatMap(fact => (fact.k === kind ? [fact] : [])),
    from,
    until,
  )
}

/** How long each took that was under way at some time between the two. */
function overlapping(spans: Span[], from: number, until: number): number[] {
  return spans.filter(span => span.at >= from && span.from <= until).map(span => span.at - span.from)
}

function longest(facts: Fact[], kind: 'stall' | 'sweep', from: number, until: number): number {
  return Math.max(0, ...spans(facts, kind, from, until))
}

function total(facts: Fact[], kind: 'stall' | 'sweep', from: number, until: number): number {
  return spans(facts, kind, from, until).reduce((sum, span) => sum + span, 0)
}
