/**
 * How long to wait before the next attempt. Pure: the attempt that has just failed (the first is 1), its error, and a
 * random number in [0, 1) give milliseconds.
 */
export type Backoff = (attempt: number, error: unknown, random: number) => number

/** `full`: anywhere between nothing and the reckoned wait, so that a crowd of failures does not come back as a crowd. */
export type Jitter = 'none' | 'full'

/** `firstMs` after the first failed attempt, `factor` times more after each further one, never above `maxMs`. */
export function exponential(
  options: { firstMs?: number; factor?: number; maxMs?: number; jitter?: Jitter } = {},
): Backoff {
  const { firstMs = 2_000, factor = 2, maxMs = 24 * 3_600_000, jitter = 'none' } = options
  positive('exponential', { firstMs, factor, maxMs })
  return (attempt, _error, random) => {
    // Not multiplied when it is nothing: 0 times an overflowed power is not a number.
    const waitMs = firstMs === 0 ? 0 : Math.min(maxMs, firstMs * factor ** (attempt - 1))
    return jitter === 'full' ? waitMs * random : waitMs
  }
}

/** The same wait after each failed attempt. */
export function fixed(waitMs: number, options: { jitter?: Jitter } = {}): Backoff {
  positive('fixed', { waitMs })
  return (_attempt, _error, random) => (options.jitter === 'full' ? waitMs * random : waitMs)
}

/** What a definition without a backoff gets: 1 s, 2 s, 4 s … up to an hour, with full jitter. */
export const defaultBackoff: Backoff = exponential({ firstMs: 1_000, maxMs: 3_600_000, jitter: 'full' })

const longestWaitMs = 366 * 24 * 3_600_000

/** A wait that every engine can store: whole milliseconds, from none to a year. */
export function boundedWaitMs(waitMs: number): number {
  return Math.min(longestWaitMs, Math.max(0, Math.round(waitMs)))
}

/** A custom backoff is the user's code: it may throw, or answer nonsense. Neither may cost a job its retry. */
export function backoffMs(backoff: Backoff, attempt: number, error: unknown, random: number): number {
  let waitMs: number
  try {
    waitMs = backoff(attempt, error, random)
  } catch {
    waitMs = Number.NaN
  }
  if (!Number.isFinite(waitMs)) waitMs = defaultBackoff(attempt, error, random)
  return boundedWaitMs(waitMs)
}

/**
 * What a backoff would wait after each of the first `count` failed attempts, from the shortest to the longest that its
 * jitter allows, for an error that says nothing. For people to look at.
 */
export function backoffWaits(
  backoff: Backoff,
  count: number,
): { attempt: number; leastMs: number; mostMs: number }[] {
  const error = new Error('an attempt that failed')
  const almostOne = 1 - Number.EPSILON / 2
  return Array.from({ length: count }, (_, index) => {
    const attempt = index + 1
    const leastMs = backoffMs(backoff, attempt, error, 0)
    const mostMs = backoffMs(backoff, attempt, error, almostOne)
    return { attempt, leastMs: Math.min(leastMs, mostMs), mostMs: Math.max(leastMs, mostMs) }
  })
}

function positive(name: string, values: Record<string, number>): void {
  for (const [key, value] of Object.entries(values))
    if (!(value >= 0)) throw new RangeError(`${name}: ${key} must be a number of at least 0, not ${value}`)
}
