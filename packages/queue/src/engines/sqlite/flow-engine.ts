import type { CancelAnswer, Lease } from '../../engine/contract.ts'
import type {
  DependencyRecord,
  EnqueueFlowAnswer,
  ExtendAnswer,
  FlowFilter,
  FlowNodeRecord,
  FlowRecord,
  NewFlow,
  NewNode,
} from '../../engine/flow.ts'
import type { NewSignal, SignalAnswer, SignalRecord, StepRecord } from '../../engine/step.ts'
import { formatId } from '../../job/id.ts'
import { cancelFlow } from './cancel-flow.ts'
import { SqliteConnection } from './connection.ts'
import { enqueueFlow } from './enqueue-flow.ts'
import { extendFlow } from './extend-flow.ts'
import { dependencies, flowNodes } from './flow-nodes.ts'
import { flow, flows } from './flows.ts'
import { foreignStore } from './foreign-transaction.ts'
import { redriveFlow } from './redrive.ts'
import { signal, signals } from './signals.ts'
import { steps } from './steps.ts'

/** The half of the engine that knows of flows, steps and signals. */
export class SqliteFlows extends SqliteConnection {
  async enqueueFlow(flow: NewFlow, options: { tx?: unknown } = {}): Promise<EnqueueFlowAnswer> {
    if (options.tx !== undefined) {
      // The caller's commit is noticed like another process's: there is nothing to tell anybody before.
      const { store } = this.parts()
      return this.guard(() =>
        enqueueFlow(foreignStore(options.tx, store), this.kinds, this.clock.now(), flow),
      )
    }
    const answer = await this.write(store => enqueueFlow(store, this.kinds, this.clock.now(), flow))
    this.learnKinds(flow.nodes.map(({ job }) => job))
    if (answer.outcome === 'enqueued') this.hint({ kind: 'ready', queue: null })
    return answer
  }

  async extendFlow(worker: string, lease: Lease, nodes: NewNode[]): Promise<ExtendAnswer> {
    const { answer, effects } = await this.write(store =>
      extendFlow(store, this.kinds, this.clock.now(), { worker, lease, nodes }),
    )
    this.learnKinds(nodes.map(({ job }) => job))
    this.tell(effects)
    return answer
  }

  async flow(id: string): Promise<FlowRecord | null> {
    return this.read(store => flow(store, id))
  }

  async flowNodes(
    id: string,
    page: { cursor?: string; limit: number },
  ): Promise<{ nodes: FlowNodeRecord[]; cursor: string | null }> {
    return this.read(store => flowNodes(store, id, page))
  }

  async flows(
    filter: FlowFilter,
    page: { cursor?: string; limit: number },
  ): Promise<{ flows: FlowRecord[]; cursor: string | null }> {
    return this.read(store => flows(store, filter, page))
  }

  async cancelFlow(id: string, reason: string): Promise<CancelAnswer> {
    const { answer, effects } = await this.write(store => cancelFlow(store, this.clock.now(), id, reason))
    this.tell(effects)
    return answer
  }

  async redriveFlow(id: string): Promise<'redriven' | 'not-finished' | 'not-found'> {
    const answer = await this.write(store => redriveFlow(store, this.clock.now(), id))
    if (answer === 'redriven') this.hint({ kind: 'ready', queue: null })
    return answer
  }

  async dependencies(id: string): Promise<DependencyRecord[]> {
    return this.read(store => dependencies(store, id))
  }

  async steps(id: string): Promise<StepRecord[]> {
    return this.read(store => steps(store, this.clock.now(), id))
  }

  async signal(sent: NewSignal): Promise<SignalAnswer> {
    const { answer, wakes } = await this.write(store => signal(store, this.clock.now(), sent))
    if (wakes) this.hint({ kind: 'ready', queue: null })
    return answer
  }

  async signals(id: string): Promise<SignalRecord[]> {
    return this.read(store => signals(store, id))
  }

  async findByKey(tenant: string, key: string): Promise<string | null> {
    return this.read(store => {
      const row = store.get<{ id: Uint8Array }>(
        `SELECT id FROM millrace_idempotency
         WHERE tenant = ? AND key = ? AND (expires_at IS NULL OR expires_at > ?)`,
        tenant,
        key,
        this.clock.now(),
      )
      return row ? formatId(row.id) : null
    })
  }
}
