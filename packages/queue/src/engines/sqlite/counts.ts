import { byName } from '../../engine/by-name.ts'
import type { Counts, StateCounts } from '../../engine/contract.ts'
import { phase } from './codes.ts'
import { tallyMs } from './counters.ts'
import type { Kinds } from './kinds.ts'
import type { Store } from './store.ts'

const names = Object.entries(phase) as [keyof StateCounts, number][]
const dayMs = 86_400_000

function zero(): StateCounts {
  return { ready: 0, delayed: 0, blocked: 0, running: 0, completed: 0, cancelled: 0, dead: 0 }
}

/** Due jobs that no worker has made ready yet are counted up to here for each kind; further ones count as delayed. */
const dueAtMost = 10_000

/** Sums of the maintained counters: the cost depends on the number of kinds, not of jobs. */
export function counts(store: Store, kinds: Kinds, now: number): Counts {
  const total = zero()
  const byType = new Map<string, StateCounts>()
  const byQueue = new Map<string, StateCounts>()
  const rows = store.all<{ kind: number; phase: number; count: number }>(
    'SELECT kind, phase, count FROM millrace_counter WHERE count <> 0',
  )
  for (const row of rows) {
    const name = names.find(([, code]) => code === row.phase)?.[0]
    if (!name) continue
    const { type, queue } = kinds.get(store, row.kind)
    const groups = [total, groupOf(byType, type), groupOf(byQueue, queue)]
    const due = row.phase === phase.delayed ? dueCount(store, row.kind, now) : 0
    for (const group of groups) {
      group[name] += row.count - due
      group.ready += due
    }
  }
  const last24h = store.get<Counts['last24h'] & Record<string, never>>(
    `SELECT coalesce(sum(completed), 0) AS completed, coalesce(sum(failed), 0) AS failedAttempts,
       coalesce(sum(dead), 0) AS dead, coalesce(sum(cancelled), 0) AS cancelled
     FROM millrace_tally WHERE at > ?`,
    now - dayMs - tallyMs,
  ) as Counts['last24h']
  return {
    total,
    byType: byName(byType),
    byQueue: byName(byQueue),
    last24h: { ...last24h },
  }
}

/** One look into the index for each kind that has delayed jobs. */
export function earliestDueAt(store: Store): number | null {
  const row = store.get<{ at: number | null }>(
    `SELECT min((SELECT min(j.run_at) FROM millrace_job j WHERE j.phase = 1 AND j.kind = c.kind)) AS at
     FROM millrace_counter c WHERE c.phase = 1 AND c.count > 0`,
  )
  return row?.at ?? null
}

function groupOf(groups: Map<string, StateCounts>, name: string): StateCounts {
  let group = groups.get(name)
  if (!group) groups.set(name, (group = zero()))
  return group
}

function dueCount(store: Store, kind: number, now: number): number {
  const row = store.get<{ due: number }>(
    `SELECT count(*) AS due FROM
       (SELECT 1 FROM millrace_job WHERE phase = 1 AND kind = ? AND run_at <= ? LIMIT ?)`,
    kind,
    now,
    dueAtMost,
  )
  return row?.due ?? 0
}
