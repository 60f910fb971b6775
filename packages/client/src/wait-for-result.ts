import type { JobResult, JobUnfinished } from './contract/schemas.ts'
import { type CallOptions, checkNumber } from './options.ts'
import { MillraceProblem } from './problem.ts'
import { isPassing, pause, waitMsAfter } from './retry.ts'

export interface WaitOptions {
  /** How long to wait in all. Default 60 s. */
  timeoutMs?: number
  signal?: AbortSignal
}

/** Asks once, to be answered after `waitMs` at the latest. */
export type AskForResult = (
  waitMs: number,
  options: CallOptions,
) => Promise<{ status: 200; body: JobResult } | { status: 202; body: JobUnfinished }>

/** Proxies cut off what is silent for half a minute or a minute. */
const longestPollMs = 25_000
/** What an answer may come late. */
const graceMs = 10_000
const leastPollMs = 1_000

/** Asks again and again until the job has finished or the time is up, through restarts of the server, too. */
export async function waitForResult(
  id: string,
  ask: AskForResult,
  { timeoutMs = 60_000, signal }: WaitOptions,
): Promise<unknown> {
  checkNumber('timeoutMs', timeoutMs, 0)
  const endsAtMs = performance.now() + timeoutMs
  const leftMs = (): number => Math.max(0, endsAtMs - performance.now())
  for (let failures = 0; ; ) {
    const askedAtMs = performance.now()
    const waitMs = Math.floor(Math.min(leftMs(), longestPollMs))
    let pauseMs: number
    try {
      const { status, body } = await ask(waitMs, {
        timeoutMs: waitMs + graceMs,
        retries: 0,
        ...(signal ? { signal } : {}),
      })
      if (status === 200) return settled(body)
      if (leftMs() < 1) throw late(id, timeoutMs, body.state)
      failures = 0
      // A server that is about to stop answers at once.
      pauseMs = leastPollMs - (performance.now() - askedAtMs)
    } catch (error) {
      if (!isPassing(error) || leftMs() < 1) throw error
      pauseMs = waitMsAfter(++failures, error.retryAfterMs)
    }
    await pause(Math.min(pauseMs, leftMs()), signal)
  }
}

function settled({ id, state, result, error, cancelReason }: JobResult): unknown {
  if (state === 'completed') return result
  if (state === 'cancelled')
    throw new MillraceProblem(
      'job-cancelled',
      `Job ${id} was cancelled${cancelReason ? `: ${cancelReason}` : ''}.`,
    )
  const said = error ? `: ${error.name}: ${error.message}` : ''
  throw new MillraceProblem('job-dead', `Job ${id} is dead${said}.`, { cause: error })
}

function late(id: string, timeoutMs: number, state: string): MillraceProblem {
  return new MillraceProblem(
    'timed-out',
    `Job ${id} has not finished within ${timeoutMs} ms; it is ${state}.`,
  )
}
