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
import { PostgresConnection } from './connection.ts'
import { extendFlow } from './extend-flow.ts'
import { findByKey } from './find.ts'
import { dependencies, flowNodes } from './flow-nodes.ts'
import { cancelFlow, flow, flows, redriveFlow } from './flows.ts'
import { signal, signals } from './signals.ts'
import { steps } from './steps.ts'

/** The half of the engine that knows of flows, steps and signals. */
export class PostgresFlows extends PostgresConnection {
  async enqueueFlow(flow: NewFlow, options: { tx?: unknown } = {}): Promise<EnqueueFlowAnswer> {
    const { intake } = this.parts()
    if (options.tx !== undefined) return intake.flowWithin(options.tx, flow)
    this.unfolded = true
    const answer = await intake.enqueueFlow(flow)
    this.teller.ready(null)
    return answer
  }

  async extendFlow(worker: string, lease: Lease, nodes: NewNode[]): Promise<ExtendAnswer> {
    const context = { ...(await this.settling(worker, false)), ...this.context() }
    const { answer, moved } = await this.change(() => extendFlow(this.store, context, lease, nodes))
    if (moved) this.teller.moved(moved)
    return answer
  }

  async flow(id: string): Promise<FlowRecord | null> {
    return flow(this.db(), id)
  }

  async flowNodes(
    id: string,
    page: { cursor?: string; limit: number },
  ): Promise<{ nodes: FlowNodeRecord[]; cursor: string | null }> {
    return flowNodes(this.db(), id, page)
  }

  async flows(
    filter: FlowFilter,
    page: { cursor?: string; limit: number },
  ): Promise<{ flows: FlowRecord[]; cursor: string | null }> {
    return flows(this.db(), filter, page)
  }

  async cancelFlow(id: string, reason: string): Promise<CancelAnswer> {
    this.parts()
    const context = { now: this.store.now(), wake: this.teller.say('settled') }
    const { answer, moved } = await this.change(() => cancelFlow(this.store, context, id, reason))
    this.teller.moved(moved)
    return answer
  }

  async redriveFlow(id: string): Promise<'redriven' | 'not-finished' | 'not-found'> {
    this.parts()
    const answer = await this.change(() => redriveFlow(this.store, this.context(), id))
    if (answer === 'redriven') this.teller.ready(null)
    return answer
  }

  async dependencies(id: string): Promise<DependencyRecord[]> {
    return dependencies(this.db(), id)
  }

  async steps(id: string): Promise<StepRecord[]> {
    return steps(this.db(), this.store.now(), id)
  }

  async signal(wanted: NewSignal): Promise<SignalAnswer> {
    this.parts()
    const { answer, ready } = await this.change(() => signal(this.store, this.context(), wanted))
    if (ready) this.teller.ready(null)
    return answer
  }

  async signals(id: string): Promise<SignalRecord[]> {
    return signals(this.db(), id)
  }

  async findByKey(tenant: string, key: string): Promise<string | null> {
    return findByKey(this.db(), this.store.now(), tenant, key)
  }
}
