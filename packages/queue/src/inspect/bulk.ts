import type { Counts, JobFilter, JobRecord, StateCounts } from '../engine/contract.ts'
import { isQueueError } from '../engine/errors.ts'
import { type JobState, jobStates } from '../job/state.ts'
import { type Job, viewJob } from '../job-view.ts'
import type { Millrace } from '../queue.ts'
import { type BulkAction, type BulkTarget, changes, isEmpty, isThere, statesTaken } from './bulk-action.ts'

export interface BulkPlan {
  /** How many jobs the action would take now. */
  count: number
  /** False: there are more, only so many were counted. */
  exact: boolean
  /** The first ten in the order in which they would be taken. */
  sample: Job[]
  /** Which of the filter's states the action takes. */
  states: JobState[]
  /** Jobs that match but are in a state that the action can't take: they are left alone. */
  refused: Partial<Record<JobState, number>>
}

export interface BulkProgress {
  /** Jobs that were looked at so far. */
  done: number
  changed: number
  /** They had moved on meanwhile, or need no change. */
  skipped: number
  failed: number
}

export interface BulkResult extends BulkProgress {
  /** The signal fired before all was done. Calling it again goes on with what is left. */
  aborted: boolean
  /** Why jobs were skipped, and how many. */
  skippedBy: Record<string, number>
  /** The first ten failures. */
  failures: { id: string; message: string }[]
}

export interface BulkOptions extends BulkTarget {
  /** Stops after the chunk that is under way. */
  signal?: AbortSignal
  /** Called after each chunk. */
  onProgress?: (progress: BulkProgress) => void
}

const countedAtMost = 100_000
const sampleSize = 10
const pageSize = 1_000
const chunkSize = 500
const failuresShown = 10
/** The store itself is in the way: going on job by job would only fail job by job. */
const outages = [
  'unavailable',
  'closed',
  'read-only',
  'disk-full',
  'version-mismatch',
  'unsupported',
] as const

/** Actions on all jobs that match a filter, in chunks. `plan` tells what `run` would do and changes nothing. */
export class Bulk {
  readonly #millrace: Millrace
  constructor(millrace: Millrace<never>) {
    this.#millrace = millrace as unknown as Millrace
  }

  /** The dry run. Throws `invalid-argument` for an action or a filter that `run` would refuse. */
  async plan(action: BulkAction, filter: JobFilter, target: BulkTarget = {}): Promise<BulkPlan> {
    const states = statesTaken(action, filter, target)
    await this.#millrace.open()
    const taken = { ...filter, states }
    const { engine, clock } = this.#millrace
    const { jobs } = await engine.list(taken, { limit: sampleSize })
    const { count, exact } = await this.#count(taken)
    const refused: BulkPlan['refused'] = {}
    for (const state of (filter.states ?? []).filter(each => !states.includes(each))) {
      const left = await this.#count({ ...filter, states: [state] })
      if (left.count > 0) refused[state] = left.count
    }
    return { count, exact, sample: jobs.map(job => viewJob(job, clock.now())), states, refused }
  }

  /**
   * Does it. Each job is met at most once, in the order of `list`; jobs that come to match behind the walk are left.
   * When the process is killed, what was done stands, and another run does the rest. Throws what keeps the store from
   * answering; a job that alone can't be changed is counted as failed.
   */
  async run(action: BulkAction, filter: JobFilter, options: BulkOptions = {}): Promise<BulkResult> {
    const states = statesTaken(action, filter, options)
    await this.#millrace.open()
    const result: BulkResult = {
      done: 0,
      changed: 0,
      skipped: 0,
      failed: 0,
      aborted: false,
      skippedBy: {},
      failures: [],
    }
    let cursor: string | null = null
    do {
      if (options.signal?.aborted) return { ...result, aborted: true }
      const page: { jobs: JobRecord[]; cursor: string | null } = await this.#millrace.engine.list(
        { ...filter, states },
        { limit: chunkSize, ...(cursor === null ? {} : { cursor }) },
      )
      await this.#chunk(action, page.jobs, result)
      if (page.jobs.length > 0) {
        const { done, changed, skipped, failed } = result
        options.onProgress?.({ done, changed, skipped, failed })
      }
      cursor = page.cursor
    } while (cursor !== null)
    return result
  }

  async #chunk(action: BulkAction, jobs: JobRecord[], result: BulkResult): Promise<void> {
    const skip = (reason: string): void => {
      result.skipped++
      result.skippedBy[reason] = (result.skippedBy[reason] ?? 0) + 1
    }
    const ids: string[] = []
    for (const job of jobs)
      if (isThere(action, job)) skip('unchanged')
      else ids.push(job.id)
    for (const [index, answer] of (await this.#applySafely(action, ids)).entries())
      if (answer instanceof Error) {
        result.failed++
        if (result.failures.length < failuresShown)
          result.failures.push({ id: ids[index] as string, message: answer.message })
      } else if (changes.has(answer)) result.changed++
      else skip(answer)
    result.done += jobs.length
  }

  /** One job that can't be changed must not keep back the others of its chunk. */
  async #applySafely(action: BulkAction, ids: string[]): Promise<(string | Error)[]> {
    if (ids.length === 0) return []
    try {
      return await this.#apply(action, ids)
    } catch (error) {
      if (outages.some(code => isQueueError(error, code))) throw error
      if (ids.length === 1) return [error instanceof Error ? error : new Error(String(error))]
      const answers: (string | Error)[] = []
      for (const id of ids) answers.push(...(await this.#applySafely(action, [id])))
      return answers
    }
  }

  async #apply(action: BulkAction, ids: string[]): Promise<string[]> {
    const { engine } = this.#millrace
    switch (action.do) {
      case 'cancel': {
        const reason = action.reason === undefined ? {} : { reason: action.reason }
        return (await this.#millrace.cancelMany(ids, reason)).map(each => each.outcome)
      }
      case 'retry':
        return engine.redrive(ids, { forgetSteps: action.forgetSteps ?? false })
      case 'remove':
        return engine.remove(ids)
      case 'move':
        return engine.reschedule(ids.map(id => ({ id, queue: action.queue })))
      case 'reprioritise':
        return engine.reschedule(ids.map(id => ({ id, priority: action.priority })))
    }
  }

  async #count(filter: JobFilter): Promise<{ count: number; exact: boolean }> {
    const { engine } = this.#millrace
    const counted = countOf(filter, await engine.counts())
    if (counted !== null) return { count: counted, exact: true }
    let count = 0
    let cursor: string | null = null
    do {
      const page: { jobs: JobRecord[]; cursor: string | null } = await engine.list(filter, {
        limit: pageSize,
        ...(cursor === null ? {} : { cursor }),
      })
      count += page.jobs.length
      cursor = page.cursor
    } while (cursor !== null && count < countedAtMost)
    return { count, exact: cursor === null }
  }
}

/** From the maintained counters, where they tell: by state and by types or queues, whatever their number. */
function countOf(filter: JobFilter, { total, byType, byQueue }: Counts): number | null {
  const { states = jobStates, types, queues, ...finer } = filter
  if (!isEmpty(finer) || (types && queues)) return null
  const groups = unique(types)?.map(type => byType[type]) ??
    unique(queues)?.map(queue => byQueue[queue]) ?? [total]
  let count = 0
  for (const group of groups) for (const state of new Set(states)) if (group) count += countIn(group, state)
  return count
}

function countIn(counts: StateCounts, state: JobState): number {
  return state === 'queued' ? counts.ready + counts.delayed : counts[state]
}

function unique(names: readonly string[] | undefined): string[] | undefined {
  return names && [...new Set(names)]
}
