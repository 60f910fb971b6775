import { byName } from '../engine/by-name.ts'
import type { JobFilter, JobRecord } from '../engine/contract.ts'
import { QueueError } from '../engine/errors.ts'
import type { Millrace } from '../queue.ts'
import { Redrive, type RedriveOptions, type RedriveResult } from './redrive.ts'

/** Dead jobs that died of the same fault. */
export interface DeadGroup {
  type: string
  fingerprint: string
  /** Of those that were looked at. */
  count: number
  queues: string[]
  /** The latest one's. */
  error: { name: string; message: string }
  firstAt: number
  lastAt: number
  /** The latest five. */
  ids: string[]
}

export interface DeadGroups {
  /** The largest first. */
  groups: DeadGroup[]
  /** How many dead jobs were looked at, the newest first. */
  looked: number
  /** False: there are older ones that nobody looked at. */
  complete: boolean
}

export interface GroupOptions {
  types?: string[]
  queues?: string[]
  tenant?: string
  /** Only those of this fault: one group for each type that dies of it. */
  fingerprint?: string
  /** How many groups. Default 50. */
  limit?: number
  /** How many dead jobs to look at, the newest first. Default 50,000. */
  look?: number
}

/** Which dead jobs. */
export interface DeadCause {
  fingerprint: string
  type?: string
  queue?: string
  tenant?: string
}

export interface RedrivePlan {
  count: number
  /** False: there are more, only so many were counted. A run takes these first. */
  exact: boolean
  types: Record<string, number>
  /** How many jobs each batch would redrive, the canary first. */
  batches: number[]
}

/** A list of dead jobs without an error: they came from elsewhere. */
const noError = { name: 'Error', message: 'no error recorded', fingerprint: 'none' }
const groupsShown = 50
const lookedAt = 50_000
const pageSize = 500
const sampleIds = 5
/** Ids of one run that are held in memory. */
const redrivenAtMost = 1_000_000

/** Dead jobs by what they died of, and their way back. */
export class DeadLetters {
  readonly #millrace: Millrace
  constructor(millrace: Millrace<never>) {
    this.#millrace = millrace as unknown as Millrace
  }

  /** Groups the newest dead jobs by type and error fingerprint. */
  async groups(options: GroupOptions = {}): Promise<DeadGroups> {
    const { types, queues, tenant, fingerprint } = options
    const limit = wholeNumber('limit', options.limit ?? groupsShown)
    const look = wholeNumber('look', options.look ?? lookedAt)
    const filter: JobFilter = {
      states: ['dead'],
      ...(types ? { types } : {}),
      ...(queues ? { queues } : {}),
      ...(tenant === undefined ? {} : { tenant }),
      ...(fingerprint === undefined ? {} : { fingerprint }),
    }
    const groups = new Map<string, DeadGroup>()
    const walk = await this.#walk(filter, look, job => group(groups, job))
    const largest = [...groups.values()].toSorted((a, b) => b.count - a.count || b.lastAt - a.lastAt)
    return { groups: largest.slice(0, limit), ...walk }
  }

  /** What `redrive` would do, changing nothing. */
  async plan(
    cause: DeadCause,
    options: Pick<RedriveOptions, 'canary' | 'factor'> = {},
  ): Promise<RedrivePlan> {
    const redrive = new Redrive(this.#millrace, options)
    const types = new Map<string, number>()
    const { ids, complete } = await this.#dead(cause, job => {
      types.set(job.type, (types.get(job.type) ?? 0) + 1)
    })
    return { count: ids.length, exact: complete, types: byName(types), batches: redrive.batches(ids.length) }
  }

  /**
   * Redrives the dead jobs of one cause, the oldest first: a canary, then ever larger batches, each when all of the one
   * before have finished. Stops when more than `maxFailures` died again; what was not redriven is untouched. A job is
   * redriven at most once in a run. When the process is killed, another run takes those that are still dead.
   */
  async redrive(cause: DeadCause, options: RedriveOptions = {}): Promise<RedriveResult> {
    const redrive = new Redrive(this.#millrace, options)
    const { ids } = await this.#dead(cause)
    return redrive.run(ids)
  }

  /** The ids that were dead of that cause, the oldest first. */
  async #dead(
    { fingerprint, type, queue, tenant }: DeadCause,
    meet: (job: JobRecord) => void = () => {},
  ): Promise<{ ids: string[]; complete: boolean }> {
    if (typeof fingerprint !== 'string' || fingerprint === '')
      throw new QueueError('invalid-argument', 'a cause needs the fingerprint of its error')
    const ids: string[] = []
    const filter: JobFilter = {
      states: ['dead'],
      fingerprint,
      ...(type === undefined ? {} : { types: [type] }),
      ...(queue === undefined ? {} : { queues: [queue] }),
      ...(tenant === undefined ? {} : { tenant }),
    }
    const { complete } = await this.#walk(filter, redrivenAtMost, job => {
      ids.push(job.id)
      meet(job)
    })
    return { ids: ids.toReversed(), complete }
  }

  async #walk(
    filter: JobFilter,
    atMost: number,
    meet: (job: JobRecord) => void,
  ): Promise<{ looked: number; complete: boolean }> {
    const { engine } = this.#millrace
    await this.#millrace.open()
    let looked = 0
    let cursor: string | null = null
    do {
      const page: { jobs: JobRecord[]; cursor: string | null } = await engine.list(filter, {
        limit: Math.min(pageSize, atMost - looked),
        ...(cursor === null ? {} : { cursor }),
      })
      for (const job of page.jobs) meet(job)
      looked += page.jobs.length
      cursor = page.cursor
    } while (cursor !== null && looked < atMost)
    return { looked, complete: cursor === null }
  }
}

function group(groups: Map<string, DeadGroup>, job: JobRecord): void {
  const { name, message, fingerprint } = job.lastError ?? noError
  const at = job.finishedAt ?? job.createdAt
  const key = `${job.type}\n${fingerprint}`
  const known = groups.get(key)
  if (!known) {
    const { type, queue, id } = job
    const error = { name, message }
    groups.set(key, {
      type,
      fingerprint,
      count: 1,
      queues: [queue],
      error,
      firstAt: at,
      lastAt: at,
      ids: [id],
    })
    return
  }
  known.count++
  known.firstAt = Math.min(known.firstAt, at)
  known.lastAt = Math.max(known.lastAt, at)
  if (!known.queues.includes(job.queue)) known.queues.push(job.queue)
  if (known.ids.length < sampleIds) known.ids.push(job.id)
}

function wholeNumber(what: string, value: number): number {
  if (Number.isInteger(value) && value >= 1) return value
  throw new QueueError('invalid-argument', `${what} must be a whole number of at least 1, not ${value}`)
}
