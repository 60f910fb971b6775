import type { AnyJob, PayloadInput, ResultOutput } from '../definition.ts'
import { nextTurn } from '../engine/clock.ts'
import { QueueError } from '../engine/errors.ts'
import type { ExtendAnswer, NewNode } from '../engine/flow.ts'
import { type JobId, newJob } from '../enqueue.ts'
import { checkPolicy } from '../flow/flow.ts'
import { checkLabel } from '../flow/label.ts'
import type { ChildOptions, FlowContext } from '../handler.ts'
import type { Attempt } from './attempt.ts'

interface Call {
  node: NewNode
  resolve(id: string): void
  reject(error: unknown): void
}

/** The flow of one attempt's job. What is added in one turn of the event loop is one transaction. */
export class FlowExtension implements FlowContext {
  readonly #attempt: Attempt
  readonly #newId: () => string
  readonly #extend: (nodes: NewNode[]) => Promise<ExtendAnswer>
  #gathered: Call[] = []

  constructor(
    attempt: Attempt,
    host: { newId: () => string; extend: (nodes: NewNode[]) => Promise<ExtendAnswer> },
  ) {
    this.#attempt = attempt
    this.#newId = host.newId
    this.#extend = host.extend
  }

  get id(): string | null {
    return this.#attempt.claimed.flow
  }

  // Handlers take it out of their context: `({ flow }) => flow.add(…)` is fine, but so should `const { add } = flow` be.
  get add(): FlowContext['add'] {
    return (name, job, payload, options = {}) => this.#add(name, job, payload, options)
  }

  #add<Job extends AnyJob>(
    name: string,
    job: Job,
    payload: PayloadInput<Job>,
    options: ChildOptions,
  ): Promise<JobId<ResultOutput<Job>>> {
    const { after = [], onFailure = 'fail', ...rest } = options
    const { tenant } = this.#attempt.claimed
    const node: NewNode = {
      name: checkLabel('node', name),
      job: newJob(this.#newId(), job, payload, { ...(tenant ? { tenant } : {}), ...rest }),
      after: typeof after === 'string' ? [after] : [...after],
      onFailure: checkPolicy(onFailure),
    }
    if (this.#gathered.some(call => call.node.name === name))
      throw new QueueError('invalid-argument', `two jobs named ${JSON.stringify(name)} are added at once`)
    return new Promise((resolve, reject) => {
      if (this.#gathered.push({ node, resolve, reject }) === 1) nextTurn(() => void this.#send())
    })
  }

  async #send(): Promise<void> {
    const calls = this.#gathered
    this.#gathered = []
    try {
      const answer = await this.#extend(calls.map(call => call.node))
      if (answer.outcome !== 'enqueued') throw refusal(answer)
      this.#attempt.claimed.flow = answer.flow
      calls.forEach((call, index) => call.resolve(answer.ids[index] as string))
    } catch (error) {
      for (const call of calls) call.reject(error)
    }
  }
}

function refusal(answer: Exclude<ExtendAnswer, { outcome: 'enqueued' }>): QueueError {
  switch (answer.outcome) {
    case 'lease-lost':
      return new QueueError('lease-lost', 'the job is no longer this attempt’s; no job was added to its flow')
    case 'name-taken':
      return new QueueError(
        'conflict',
        `the flow has a job named ${JSON.stringify(answer.name)} already, of another type; no job was added`,
      )
    case 'unknown':
      return new QueueError(
        'invalid-argument',
        `a job can not wait for ${answer.id}: it is no job of this flow, or it waits itself for the job that adds; no job was added`,
      )
    case 'queue-full':
      return new QueueError(
        'queue-full',
        `queue ${answer.queue} holds ${answer.queued} jobs and takes no more than ${answer.limit}; no job was added`,
        { retryAfterMs: 1_000 },
      )
    case 'over':
      return new QueueError('conflict', 'the flow has failed or was cancelled; no job was added')
  }
}
