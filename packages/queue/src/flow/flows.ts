import type { AnyJob, ResultOutput } from '../definition.ts'
import type { CancelAnswer } from '../engine/contract.ts'
import { QueueError } from '../engine/errors.ts'
import type { FlowFilter, FlowNodeRecord, FlowRecord } from '../engine/flow.ts'
import { checkId, type JobId } from '../enqueue.ts'
import type { Millrace } from '../queue.ts'
import type { Flow, FlowNode } from './flow.ts'
import { drawGraph } from './graph.ts'

/** How often a waiter looks by itself. Hints make it faster. */
const pollMs = 1_000
const pageSize = 1_000

export interface EnqueuedFlow {
  id: string
  /** True when the idempotency key was known and this is the earlier flow. */
  duplicate: boolean
  /** The id of a node's job; the compiler knows its result's type. Throws `not-found`. */
  job<Job extends AnyJob>(node: FlowNode<Job>): JobId<ResultOutput<Job>>
}

/** Jobs that wait for each other. They live in the store, and every job of one is a job like any other. */
export class Flows {
  readonly #millrace: Millrace
  constructor(millrace: Millrace<never>) {
    this.#millrace = millrace as unknown as Millrace
  }

  /**
   * Stores a flow in one transaction, all of it or nothing; with a `tx`, in the caller's. Throws `invalid-argument` for a
   * cycle or an unknown dependency, `queue-full`, and `idempotency-conflict` when the key stands for another flow.
   */
  async enqueue(flow: Flow, options: { tx?: unknown; idempotencyKey?: string } = {}): Promise<EnqueuedFlow> {
    const { newId, engine } = this.#millrace
    const wanted = flow.toNew(newId, options.idempotencyKey)
    await this.#millrace.open()
    const answer = await engine.enqueueFlow(wanted, options.tx === undefined ? {} : { tx: options.tx })
    switch (answer.outcome) {
      case 'queue-full':
        throw new QueueError(
          'queue-full',
          `queue ${answer.queue} holds ${answer.queued} jobs and takes no more than ${answer.limit}; try again later`,
          { retryAfterMs: 1_000 },
        )
      case 'idempotency-conflict':
        throw new QueueError(
          'idempotency-conflict',
          `the idempotency key was used before for flow ${answer.id} with other jobs; use a new key for new work`,
        )
      case 'duplicate': {
        const ids = new Map<string, string>()
        for await (const node of this.nodes(answer.id)) ids.set(node.name, node.id)
        return enqueued(answer.id, true, ids)
      }
      case 'enqueued':
        return enqueued(answer.id, false, new Map(wanted.nodes.map(node => [node.name, node.job.id])))
    }
  }

  async get(id: string): Promise<FlowRecord | null> {
    await this.#millrace.open()
    return this.#millrace.engine.flow(checkId(id))
  }

  /** All its jobs, in the order in which they were added, page by page. */
  async *nodes(id: string): AsyncGenerator<FlowNodeRecord> {
    await this.#millrace.open()
    const { engine } = this.#millrace
    let cursor: string | undefined
    do {
      const page = await engine.flowNodes(checkId(id), {
        limit: pageSize,
        ...(cursor === undefined ? {} : { cursor }),
      })
      yield* page.nodes
      cursor = page.cursor ?? undefined
    } while (cursor !== undefined)
  }

  /** One page of flows, newest first. */
  async list(
    filter: FlowFilter = {},
    page: { cursor?: string; limit?: number } = {},
  ): Promise<{ flows: FlowRecord[]; cursor: string | null }> {
    await this.#millrace.open()
    const limit = page.limit ?? 50
    if (!Number.isInteger(limit) || limit < 1 || limit > 1_000)
      throw new QueueError('invalid-argument', `limit must be a whole number from 1 to 1000, not ${limit}`)
    return this.#millrace.engine.flows(filter, page.cursor ? { cursor: page.cursor, limit } : { limit })
  }

  /** What waits is cancelled at once, what runs is asked to stop. */
  async cancel(id: string, options: { reason?: string } = {}): Promise<CancelAnswer> {
    await this.#millrace.open()
    return this.#millrace.engine.cancelFlow(checkId(id), (options.reason ?? 'cancelled').slice(0, 1_000))
  }

  /** Redrives all its dead and cancelled jobs, and with them what was skipped. What has completed stays. */
  async retry(id: string): Promise<'redriven' | 'not-finished' | 'not-found'> {
    await this.#millrace.open()
    return this.#millrace.engine.redriveFlow(checkId(id))
  }

  /** The flow as a Mermaid flowchart, coloured by what its jobs do now. */
  async draw(id: string): Promise<string> {
    const nodes: FlowNodeRecord[] = []
    for await (const node of this.nodes(id)) nodes.push(node)
    const names = new Map(nodes.map(node => [node.id, node.name]))
    return drawGraph(nodes.map(node => ({ ...node, after: node.after.map(each => names.get(each) ?? each) })))
  }

  /** Waits until every job of the flow has ended. Throws `not-found`, or `timeout` (the flow itself goes on). */
  async finished(
    id: string,
    options: { timeoutMs?: number; signal?: AbortSignal } = {},
  ): Promise<FlowRecord> {
    await this.#millrace.open()
    const { engine, clock } = this.#millrace
    const { timeoutMs, signal } = options
    const deadline = timeoutMs === undefined ? null : clock.monotonic() + timeoutMs
    let wake = (): void => {}
    const unsubscribe = engine.subscribe(hint => hint.kind === 'settled' && wake())
    const abort = (): void => wake()
    signal?.addEventListener('abort', abort)
    try {
      for (;;) {
        signal?.throwIfAborted()
        const woken = new Promise<void>(resolve => {
          wake = resolve
        })
        const record = await this.get(id)
        if (!record) throw new QueueError('not-found', `no flow ${id}: never enqueued here, or pruned`)
        if (record.state !== 'running') return record
        const leftMs = deadline === null ? pollMs : deadline - clock.monotonic()
        if (leftMs <= 0)
          throw new QueueError('timeout', `flow ${id} did not finish within ${timeoutMs} ms; it goes on`)
        const timer = clock.after(Math.min(pollMs, leftMs), wake)
        await woken
        timer.cancel()
      }
    } finally {
      unsubscribe()
      signal?.removeEventListener('abort', abort)
    }
  }
}

function enqueued(id: string, duplicate: boolean, ids: Map<string, string>): EnqueuedFlow {
  return {
    id,
    duplicate,
    job(node) {
      const found = ids.get(node.name)
      if (found !== undefined) return found
      throw new QueueError('not-found', `flow ${id} has no job named ${JSON.stringify(node.name)}`)
    },
  }
}
