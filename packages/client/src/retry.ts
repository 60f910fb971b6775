import { isMillraceProblem, type MillraceProblem } from './problem.ts'

const firstWaitMs = 250
const longestWaitMs = 10_000
/** Longer than that nobody waits for within a call. */
const longestRetryAfterMs = 60_000
/** What a timer can hold; above it fires at once. */
const longestTimerMs = 2 ** 31 - 1

/** Whether the same call may do better a moment later: too many requests, a server or store that is away, no answer. */
export function isPassing(error: unknown): error is MillraceProblem {
  if (!isMillraceProblem(error)) return false
  const { code, status, retryAfterMs } = error
  if ((retryAfterMs ?? 0) > longestRetryAfterMs) return false
  return (
    code === 'unreachable' || code === 'timed-out' || status === 429 || status === 503 || isOfProxy(error)
  )
}

/** Whether what was asked may have been done all the same: no answer came, or somebody in between had none from the server. */
export function mayBeDone(error: MillraceProblem): boolean {
  return error.status === 0 || isOfProxy(error)
}

/** The server itself never answers 502, and says by a problem document why it does not do something. */
function isOfProxy({ code, status }: MillraceProblem): boolean {
  return status === 502 || (code === 'unexpected-answer' && (status === 503 || status === 504))
}

/**
 * How long to wait after the `failures`-th try in a row: exponential with full jitter, so that clients which failed together
 * do not come back together, but not before the server wants to be asked again.
 */
export function waitMsAfter(failures: number, retryAfterMs: number | null, random = Math.random()): number {
  const most = Math.min(longestWaitMs, firstWaitMs * 2 ** (failures - 1))
  return retryAfterMs === null ? random * most : retryAfterMs + random * firstWaitMs
}

/** Waits, or throws the signal's reason as soon as it fires. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted()
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer)
      // Whatever the caller aborts with is handed on as it is.
      reject(signal?.reason as Error)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, timerMs(ms))
    signal?.addEventListener('abort', stop, { once: true })
  })
}

export function timerMs(ms: number): number {
  return Math.min(Math.max(0, ms), longestTimerMs)
}
