import type { Job, JobState, Millrace } from 'millrace'
import { CommandError } from './errors.ts'
import { aborted } from './shutdown.ts'

/** Shows how a job goes on. */
export interface Watcher {
  /** Called again and again, at most a few times a second. */
  show(job: Job, waiting: Waiting): void
  /** Called once, before anything else is written. */
  end(): void
}

export interface Waiting {
  /** Whether some worker on this store is alive. */
  anyWorker: boolean
}

const ended: ReadonlySet<JobState> = new Set(['completed', 'cancelled', 'dead'])
const lookMs = 150
const workersMs = 2_000

/** Watches a job to its end. Null when the signal aborts first: the job goes on. */
export async function follow(
  millrace: Millrace,
  id: string,
  watcher: Watcher,
  signal: AbortSignal,
): Promise<Job | null> {
  const stop = new AbortController()
  const interrupted = aborted(signal)
  let woken = false
  // How the job ended is read from the job itself; the awaited result only wakes the loop.
  const finished = millrace
    .result(id, { signal: stop.signal })
    .catch(() => {})
    .then(() => {
      woken = true
    })
  let workersAt = Number.NEGATIVE_INFINITY
  let anyWorker = true
  try {
    while (!signal.aborted) {
      const job = await millrace.get(id)
      if (!job) throw new CommandError('not-found', `Job ${id} is gone: somebody removed it`)
      if (performance.now() - workersAt > workersMs) {
        workersAt = performance.now()
        anyWorker = (await millrace.workers()).some(worker => worker.expiresAt > Date.now())
      }
      watcher.show(job, { anyWorker })
      if (ended.has(job.state)) return job
      await Promise.race([pause(lookMs, stop.signal), interrupted, ...(woken ? [] : [finished])])
    }
    return null
  } finally {
    watcher.end()
    stop.abort(new Error('the follower has left'))
    await finished
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
  })
}
