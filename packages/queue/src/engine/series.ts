/** Buckets of a histogram of durations; bucket N counts those under 2^N ms and no less than half of it, the last all above. */
export const seriesBuckets = 24
const buckets = Array.from({ length: seriesBuckets }, (_, index) => index)
const waited = buckets.map(index => `w${index}`)
const ran = buckets.map(index => `r${index}`)
const sums = ['completed', 'failed', 'dead', 'cancelled', 'waited_ms', 'ran_ms'] as const
/** The columns in which engines keep one row: its sums, and its two histograms. */
export const seriesColumns = { waited, ran, all: [...sums, ...waited, ...ran] }
export const minuteMs = 60_000
/** How long the series are kept. */
export const seriesKeptMs = 48 * 3_600_000

/** The bucket that a duration in milliseconds falls into. */
export function bucketOf(ms: number): number {
  if (ms < 1) return 0
  return ms >= 2 ** (seriesBuckets - 2) ? seriesBuckets - 1 : 32 - Math.clz32(ms)
}

export interface SeriesTotals {
  completed: number
  /** Attempts that failed, the last one of a job included. */
  failed: number
  dead: number
  cancelled: number
  /** Sums over the attempts that completed or failed, in milliseconds. */
  waitedMs: number
  ranMs: number
  /** Histograms over the same attempts, `seriesBuckets` long. */
  waited: ArrayLike<number>
  ran: ArrayLike<number>
}

/** What one worker has seen of one type in one queue in one minute. */
export interface SeriesRow extends SeriesTotals {
  /** When the minute began. */
  minute: number
  type: string
  queue: string
}

export interface SeriesQuery {
  /** Bounds, inclusive and exclusive, and step: multiples of a minute, in milliseconds. */
  from: number
  until: number
  stepMs: number
  types?: string[]
  queues?: string[]
  by?: 'type' | 'queue'
}

export interface SeriesSum extends SeriesTotals {
  /** When the step began. */
  at: number
  /** The type or queue; null without `by`. */
  name: string | null
}

/** Throughput, failures and latency by minute, as an engine keeps them. */
export interface SeriesStore {
  /** Writes a worker's totals of these minutes over what it has written before, so a repeat changes nothing. */
  writeSeries(worker: string, rows: SeriesRow[]): Promise<void>
  /** Sums of all workers, by step; steps without any are left out. */
  readSeries(query: SeriesQuery): Promise<SeriesSum[]>
}
