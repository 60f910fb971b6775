import type { Engine } from '../engine/contract.ts'
import { QueueError } from '../engine/errors.ts'
import { minuteMs, type SeriesSum } from '../engine/series.ts'
import { quantile } from './quantile.ts'

const pointsMost = 5_000

export interface SeriesOptions {
  /** Bounds, inclusive and exclusive, in milliseconds since 1970; rounded down and up to whole minutes. */
  from: Date | number
  until: Date | number
  /** The width of a point: a multiple of 60,000. At most 5,000 points. */
  stepMs: number
  /** Only these types, only these queues. */
  types?: string[]
  queues?: string[]
  /** A line for each type or queue that has anything in the span; otherwise one line for all. */
  by?: 'type' | 'queue'
}

/**
 * Durations in milliseconds, over the attempts that completed or failed; null when there are none. The mean is exact. The
 * percentiles are estimates: durations are counted in 24 buckets, each twice as wide as the one before (under 1 ms, 1, 2–3,
 * 4–7 …, above 70 minutes), and one is taken to lie evenly within its bucket. So an estimate is off by less than a factor
 * of two, and in a bucket that is evenly filled by much less.
 */
export interface Latency {
  mean: number | null
  p50: number | null
  p95: number | null
  p99: number | null
}

export interface SeriesPoint {
  /** When it begins. */
  at: number
  completed: number
  /** Attempts that failed, the last one of a job and those lost with their worker included. */
  failed: number
  dead: number
  /** While they ran. */
  cancelled: number
  /** From when a job was due until its attempt began. */
  wait: Latency
  run: Latency
}

export interface SeriesLine {
  /** The type or queue; null for the line of all. */
  name: string | null
  points: SeriesPoint[]
}

export async function readSeries(engine: Engine, options: SeriesOptions): Promise<SeriesLine[]> {
  const { stepMs, types, queues, by } = options
  if (!Number.isSafeInteger(stepMs) || stepMs < minuteMs || stepMs % minuteMs !== 0)
    throw wrong(`stepMs must be a multiple of ${minuteMs} (a minute), not ${stepMs}`)
  const from = Math.floor(instant('from', options.from) / minuteMs) * minuteMs
  const until = Math.ceil(instant('until', options.until) / minuteMs) * minuteMs
  const count = Math.ceil((until - from) / stepMs)
  if (count < 1) throw wrong('until must be later than from')
  if (count > pointsMost)
    throw wrong(`from, until and stepMs ask for ${count} points, of at most ${pointsMost}; take a wider step`)
  if (by !== undefined && by !== 'type' && by !== 'queue') throw wrong(`by must be 'type' or 'queue'`)
  const sums = await engine.readSeries({
    from,
    until,
    stepMs,
    ...(types ? { types } : {}),
    ...(queues ? { queues } : {}),
    ...(by ? { by } : {}),
  })
  const names = by ? [...new Set(sums.map(sum => sum.name))] : [null]
  return names.map(name => {
    const found = new Map(sums.filter(sum => sum.name === name).map(sum => [sum.at, sum]))
    const points = Array.from({ length: count }, (_, index) => {
      const at = from + index * stepMs
      return point(at, found.get(at))
    })
    return { name, points }
  })
}

const nothing: Latency = { mean: null, p50: null, p95: null, p99: null }

function point(at: number, sum: SeriesSum | undefined): SeriesPoint {
  if (!sum)
    return { at, completed: 0, failed: 0, dead: 0, cancelled: 0, wait: { ...nothing }, run: { ...nothing } }
  const { completed, failed, dead, cancelled } = sum
  return {
    at,
    completed,
    failed,
    dead,
    cancelled,
    wait: latency(sum.waited, sum.waitedMs),
    run: latency(sum.ran, sum.ranMs),
  }
}

function latency(histogram: ArrayLike<number>, sumMs: number): Latency {
  const count = Array.from(histogram).reduce((total, each) => total + each, 0)
  if (count === 0) return { ...nothing }
  return {
    mean: sumMs / count,
    p50: quantile(histogram, count, 0.5),
    p95: quantile(histogram, count, 0.95),
    p99: quantile(histogram, count, 0.99),
  }
}

function instant(name: string, value: Date | number): number {
  const at = Number(value)
  if (Number.isSafeInteger(Math.floor(at)) && at >= 0) return at
  throw wrong(`${name} must be a Date or milliseconds since 1970, not ${String(value)}`)
}

function wrong(message: string): QueueError {
  return new QueueError('invalid-argument', message)
}
