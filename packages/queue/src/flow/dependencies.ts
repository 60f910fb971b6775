import type { AnyJob, ResultOutput } from '../definition.ts'
import type { DependencyRecord } from '../engine/flow.ts'
import { QueueError } from '../engine/errors.ts'
import type { JobError } from '../job/error.ts'
import type { JobState } from '../job/state.ts'
import { readJson } from '../job-view.ts'

/** One of the jobs that a job waited for. */
export interface Dependency {
  id: string
  /** Its name in the flow. */
  name: string
  type: string
  state: JobState
  /** What it returned; null unless it completed. */
  result: unknown
  error: JobError | null
}

/** What the jobs that came before have left, as a handler reads it. Asked of the store at the first use. */
export interface Dependencies {
  /** The result of the one dependency of this type. Throws `not-found` when there is none, or it has not completed. */
  result<Job extends AnyJob>(job: Job): Promise<ResultOutput<Job>>
  /** The results of all that completed, in the order in which they were added. */
  results<Job extends AnyJob>(job: Job): Promise<ResultOutput<Job>[]>
  /** All of them, dead ones included that the flow went on without. */
  all(): Promise<Dependency[]>
}

export class ReadDependencies implements Dependencies {
  readonly #read: () => Promise<DependencyRecord[]>
  #records: Promise<DependencyRecord[]> | null = null

  constructor(read: () => Promise<DependencyRecord[]>) {
    this.#read = read
  }

  async result<Job extends AnyJob>(job: Job): Promise<ResultOutput<Job>> {
    const ofType = (await this.#all()).filter(each => isOf(job, each))
    const [first, ...more] = ofType.filter(each => each.state === 'completed')
    if (first && more.length === 0) return readJson(first.resultJson) as ResultOutput<Job>
    if (first)
      throw new QueueError(
        'invalid-argument',
        `this job waited for ${more.length + 1} jobs of type ${job.type}: ask for results(…)`,
      )
    const states = ofType.map(each => `${JSON.stringify(each.name)} is ${each.state}`).join(', ')
    throw new QueueError(
      'not-found',
      `this job has no result of type ${job.type} to read: ${states || 'it waited for none of that type'}`,
    )
  }

  async results<Job extends AnyJob>(job: Job): Promise<ResultOutput<Job>[]> {
    const all = await this.#all()
    return all
      .filter(each => each.state === 'completed' && isOf(job, each))
      .map(each => readJson(each.resultJson) as ResultOutput<Job>)
  }

  async all(): Promise<Dependency[]> {
    return (await this.#all()).map(({ id, name, type, state, resultJson, lastError }) => ({
      id,
      name,
      type,
      state,
      result: readJson(resultJson),
      error: lastError,
    }))
  }

  #all(): Promise<DependencyRecord[]> {
    this.#records ??= this.#read().catch(error => {
      this.#records = null
      throw error
    })
    return this.#records
  }
}

function isOf(job: AnyJob, { type }: DependencyRecord): boolean {
  return type === job.type || job.aliases.includes(type)
}
