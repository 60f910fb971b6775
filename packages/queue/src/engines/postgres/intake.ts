import type { EnqueueAnswer, NewJob } from '../../engine/contract.ts'
import type { EnqueueFlowAnswer, NewFlow } from '../../engine/flow.ts'
import { type EnqueueContext, enqueueEach, enqueuePlain, isPlain } from './enqueue.ts'
import { enqueueFlow } from './enqueue-flow.ts'
import { Enqueuer } from './enqueuer.ts'
import { foreignQueries } from './foreign-transaction.ts'
import { Kinds } from './kinds.ts'
import type { Queries } from './queries.ts'
import type { Store } from './store.ts'
import { channelOf, wake } from './wakeups.ts'

/** Where jobs come in: gathered from this process's callers, or inside a transaction. */
export class Intake {
  readonly #store: Store
  readonly #kinds: Kinds
  readonly #from: string
  readonly #storeId: string
  readonly #enqueuer = new Enqueuer(jobs => this.#send(jobs))

  constructor(options: {
    store: Store
    kinds: Kinds
    /** Who this process is. */
    from: string
    storeId: string
  }) {
    this.#store = options.store
    this.#kinds = options.kinds
    this.#from = options.from
    this.#storeId = options.storeId
  }

  enqueue(jobs: NewJob[]): Promise<EnqueueAnswer[]> {
    return this.#enqueuer.enqueue(jobs)
  }

  /** In the caller's own transaction. */
  async within(tx: unknown, jobs: readonly NewJob[]): Promise<EnqueueAnswer[]> {
    const { db, context } = await this.#inside(tx, jobs)
    return enqueueEach(db, context, jobs)
  }

  /** What jobs need beside themselves is made before, in a transaction that nobody waits for. */
  async #inside(tx: unknown, jobs: readonly NewJob[]): Promise<{ db: Queries; context: EnqueueContext }> {
    const db = await foreignQueries(tx, this.#store, this.#storeId)
    // A handler's transaction may hold the last connection that there is. What it makes may be rolled back: not to be kept.
    const own = this.#store.owns(tx)
    const kinds = own ? new Kinds() : this.#kinds
    const apart = own ? db : this.#store
    await kinds.ensure(apart, jobs)
    const bands = jobs.map(({ queue, type, priority }) => ({
      kind: kinds.find(queue, type) as number,
      priority,
    }))
    await kinds.ensureBands(apart, bands)
    return { db, context: { ...this.#context(), wake: wake.ready, kinds, prepared: true } }
  }

  async enqueueFlow(flow: NewFlow): Promise<EnqueueFlowAnswer> {
    return this.#store.persist(async again => {
      await this.prepare(flow.nodes.map(node => node.job))
      const answer = await enqueueFlow(this.#store, this.#context(), flow)
      // The first time may have been carried out, and only its answer lost.
      return again && answer.outcome === 'duplicate' && answer.id === flow.id
        ? { outcome: 'enqueued', id: answer.id }
        : answer
    })
  }

  async flowWithin(tx: unknown, flow: NewFlow): Promise<EnqueueFlowAnswer> {
    const { db, context } = await this.#inside(
      tx,
      flow.nodes.map(node => node.job),
    )
    return enqueueFlow(db, context, flow)
  }

  /** Makes what jobs of new queues and types need. */
  prepare(jobs: readonly NewJob[]): Promise<void> {
    return this.#kinds.ensure(this.#store, jobs)
  }

  /** One prepared job, in a transaction of the engine's own. */
  readonly one = async (db: Queries, job: NewJob): Promise<EnqueueAnswer> => {
    const [answer] = await enqueueEach(db, this.#context(), [job])
    return answer as EnqueueAnswer
  }

  close(): Promise<void> {
    return this.#enqueuer.close()
  }

  #context(): EnqueueContext {
    return {
      now: this.#store.now(),
      channel: channelOf(this.#storeId),
      wake: `${wake.ready} ${this.#from}`,
      kinds: this.#kinds,
    }
  }

  #send(jobs: NewJob[]): Promise<EnqueueAnswer[]> {
    return this.#store.persist(async again => {
      await this.prepare(jobs)
      const plain = !again && isPlain(jobs) ? await enqueuePlain(this.#store, this.#context(), jobs) : null
      const answers = plain ?? (await enqueueEach(this.#store, this.#context(), jobs))
      if (!again) return answers
      // The first time may have been carried out, and only its answer lost.
      return answers.map((answer, index) =>
        answer.outcome === 'duplicate' && answer.id === jobs[index]?.id
          ? { outcome: 'enqueued', id: answer.id }
          : answer,
      )
    })
  }
}
