import { expect } from 'vitest'
import type { ClaimedJob, Hint, JobRecord, NewJob } from '../../src/engine/contract.ts'
import type {
  DependencyRecord,
  ExtendAnswer,
  FailurePolicy,
  FlowNodeRecord,
  FlowRecord,
  NewFlow,
  NewNode,
} from '../../src/engine/flow.ts'
import type { Outcome } from '../../src/job/decide.ts'
import { aJob, complete } from './samples.ts'
import type { Stage } from './stage.ts'

export interface NodePlan {
  after?: string[]
  onFailure?: FailurePolicy
  job?: Partial<NewJob>
}

/** A flow by its nodes' names. What stands after what: `{ crawl: [], fix: ['crawl'] }`. A node's type is its name. */
export type FlowPlan = Record<string, string[] | NodePlan>

/** The flow as a caller would hand it over, and the ids of its jobs by their names. */
export function planned(
  stage: Stage,
  plan: FlowPlan,
  flow: Partial<NewFlow> = {},
): { flow: NewFlow; ids: Record<string, string> } {
  const ids = Object.fromEntries(Object.keys(plan).map(name => [name, stage.newId()]))
  const nodes = Object.entries(plan).map(([name, node]): NewNode => {
    const { after = [], onFailure = 'fail', job = {} } = Array.isArray(node) ? { after: node } : node
    return {
      name,
      onFailure,
      after: after.map(each => ids[each] ?? each),
      job: aJob({ id: ids[name] as string, type: name, ...job }),
    }
  })
  return { flow: { id: stage.newId(), name: 'site', tenant: '', idempotency: null, nodes, ...flow }, ids }
}

/** Stores a flow. */
export async function enqueued(
  stage: Stage,
  plan: FlowPlan,
  options: Partial<NewFlow> = {},
): Promise<FlowUnderTest> {
  const { flow, ids } = planned(stage, plan, options)
  expect(await stage.engine.enqueueFlow(flow)).toEqual({ outcome: 'enqueued', id: flow.id })
  return new FlowUnderTest(stage, flow.id, ids)
}

/** A stored flow, its jobs by name. */
export class FlowUnderTest {
  readonly id: string
  readonly ids: Record<string, string>
  readonly #stage: Stage

  constructor(stage: Stage, id: string, ids: Record<string, string>) {
    this.#stage = stage
    this.id = id
    this.ids = { ...ids }
  }

  idOf(name: string): string {
    const id = this.ids[name]
    if (id === undefined) throw new Error(`no job ${name} in the flow of this test`)
    return id
  }

  /** Claims the job of this name; it must be due. */
  claim(name: string, options: { worker?: string; leaseMs?: number } = {}): Promise<ClaimedJob> {
    return this.#stage.claimOne({ type: name, ...options })
  }

  /** Claims the job of this name and ends its attempt. */
  async run(name: string, outcome: Outcome = complete()): Promise<ClaimedJob> {
    const claimed = await this.claim(name)
    expect(claimed.id).toBe(this.idOf(name))
    expect(await this.#stage.settle(claimed, outcome)).toBe('settled')
    return claimed
  }

  job(name: string): Promise<JobRecord> {
    return this.#stage.job(this.idOf(name))
  }

  /** Every job's state by its name. */
  async states(): Promise<Record<string, string>> {
    return Object.fromEntries((await this.nodes()).map(node => [node.name, node.state]))
  }

  async record(): Promise<FlowRecord> {
    const record = await this.#stage.engine.flow(this.id)
    if (record === null) throw new Error('the flow is not there')
    return record
  }

  async nodes(): Promise<FlowNodeRecord[]> {
    return (await this.#stage.engine.flowNodes(this.id, { limit: 1_000 })).nodes
  }

  async node(name: string): Promise<FlowNodeRecord> {
    const node = (await this.nodes()).find(each => each.name === name)
    if (node === undefined) throw new Error(`no job ${name} in the flow`)
    return node
  }

  /** Names of the jobs that were skipped. */
  async skipped(): Promise<string[]> {
    return (await this.nodes()).filter(node => node.skipped).map(node => node.name)
  }

  dependencies(name: string): Promise<DependencyRecord[]> {
    return this.#stage.engine.dependencies(this.idOf(name))
  }

  /** Adds jobs on behalf of a running one. `after` takes names of the flow's jobs. */
  async extend(by: ClaimedJob, plan: FlowPlan, worker = 'worker-1'): Promise<ExtendAnswer> {
    const { flow, ids } = planned(this.#stage, plan)
    const nodes = flow.nodes.map(node => ({ ...node, after: node.after.map(each => this.ids[each] ?? each) }))
    const answer = await this.#stage.engine.extendFlow(worker, by, nodes)
    if (answer.outcome === 'enqueued')
      Object.keys(ids).forEach((name, index) => (this.ids[name] = answer.ids[index] as string))
    return answer
  }
}

/** What the engine tells while `work` is done. */
export async function hintsOf(stage: Stage, work: () => Promise<unknown>): Promise<Hint[]> {
  const hints: Hint[] = []
  const stop = stage.engine.subscribe(hint => hints.push(hint))
  await work()
  await stage.clock.quiet()
  stop()
  return hints
}

/** Whether the hints say of each of these jobs that it may have ended. */
export function tellEnds(hints: Hint[], ids: string[]): boolean {
  return ids.every(id =>
    hints.some(hint => hint.kind === 'settled' && (hint.ids === null || hint.ids.has(id))),
  )
}
