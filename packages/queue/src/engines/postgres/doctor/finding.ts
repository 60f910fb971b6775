import type { Clock } from '../../../engine/clock.ts'
import type { Store } from '../store.ts'

/** What one look at the store has found. */
export interface Finding {
  check: string
  /** `warn`: it works, and something will hurt later. `bad`: something does not work, or can lose what it acknowledged. */
  status: 'ok' | 'warn' | 'bad'
  says: string
  /** What to do; null when nothing is to be done. */
  advice: string | null
}

/** From where on something is worth a word. */
export interface Limits {
  roundTripMs: number
  skewMs: { warn: number; bad: number }
  /** How long a transaction may stay open. */
  transactionMs: { warn: number; bad: number }
  deadRows: number
  /** Days to come that have a partition. */
  weeksAhead: number
  /** How long the oldest due job may wait. */
  lagMs: { warn: number; bad: number }
  /** Rows of counters that nobody has added up. */
  deltas: number
  /** The part of the connections that is taken. */
  connections: number
}

const minuteMs = 60_000

export const defaultLimits: Limits = {
  roundTripMs: 10,
  skewMs: { warn: 1_000, bad: minuteMs },
  transactionMs: { warn: 5 * minuteMs, bad: 60 * minuteMs },
  deadRows: 100_000,
  weeksAhead: 1,
  lagMs: { warn: minuteMs, bad: 15 * minuteMs },
  deltas: 100_000,
  connections: 0.85,
}

export interface Look {
  store: Store
  clock: Clock
  limits: Limits
}

export type Check = (look: Look) => Promise<Finding | Finding[]>

export function ok(check: string, says: string): Finding {
  return { check, status: 'ok', says, advice: null }
}

export function warn(check: string, says: string, advice: string): Finding {
  return { check, status: 'warn', says, advice }
}

export function bad(check: string, says: string, advice: string): Finding {
  return { check, status: 'bad', says, advice }
}

/** `bad` or `warn` by how far a value is above its limits. */
export function worse(value: number, limits: { warn: number; bad: number }): typeof bad {
  return value >= limits.bad ? bad : warn
}

const units: [string, number][] = [
  ['days', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
]

/** For people: `12 ms`, `4 s`, `3 min`. */
export function spoken(ms: number): string {
  const [unit, size] = units.find(each => ms >= each[1] * 2) ?? ['ms', 1]
  return `${Math.round(ms / size)} ${unit}`
}
