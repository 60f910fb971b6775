import { createHash } from 'node:crypto'
import { type AnyJob, checkName, type PayloadInput } from '../definition.ts'
import type { NewJob } from '../engine/contract.ts'
import { QueueError } from '../engine/errors.ts'
import type { FailurePolicy, NewFlow } from '../engine/flow.ts'
import { checkText, type EnqueueOptions, newJob } from '../enqueue.ts'
import { canonicalJson } from '../job/json.ts'
import { checkGraph, drawGraph } from './graph.ts'
import { checkLabel } from './label.ts'

/** Jobs of a flow: its size is bounded, so that what befalls the whole of it stays one transaction. */
const nodesAtMost = 10_000

export interface FlowOptions {
  /** What becomes of the others when a job dies. Default `fail`. */
  onFailure?: FailurePolicy
  /** Whom the flow and its jobs belong to. */
  tenant?: string
}

export interface NodeOptions
  extends Pick<EnqueueOptions, 'queue' | 'priority' | 'maxAttempts' | 'runAt' | 'delay'> {
  /** What has to end first: nodes, or their names. */
  after?: FlowNode | string | readonly (FlowNode | string)[]
  /**
   * When this job dies: `fail` ends the whole flow, `skip` skips what depends on it, `continue` goes on as if it had
   * completed. Default: the flow's.
   */
  onFailure?: FailurePolicy
}

/** A job's place in a flow. Remembers, for the compiler, which job it is. */
export interface FlowNode<Job extends AnyJob = AnyJob> {
  readonly name: string
  readonly job: Job
}

interface Planned {
  node: FlowNode
  job: NewJob
  after: string[]
  onFailure: FailurePolicy
}

/** A flow as a value: jobs and what each waits for. Made with `flow(name)`, stored with `millrace.flows.enqueue`. */
export class Flow {
  readonly name: string
  readonly tenant: string
  readonly #onFailure: FailurePolicy
  readonly #planned = new Map<string, Planned>()

  constructor(name: string, options: FlowOptions = {}) {
    this.name = checkName('flow', name)
    this.#onFailure = checkPolicy(options.onFailure ?? 'fail')
    this.tenant = options.tenant === undefined ? '' : checkText('tenant', options.tenant, 200)
  }

  get size(): number {
    return this.#planned.size
  }

  /**
   * Adds a job. Its payload is checked at once. Throws `invalid-payload`, or `invalid-argument` for a name that the flow
   * has already.
   */
  add<Job extends AnyJob>(
    name: string,
    job: Job,
    payload: PayloadInput<Job>,
    options: NodeOptions = {},
  ): FlowNode<Job> {
    const { after = [], onFailure, ...rest } = options
    checkLabel('node', name)
    if (this.#planned.has(name))
      throw new QueueError('invalid-argument', `flow ${this.name} has two jobs named ${JSON.stringify(name)}`)
    if (this.#planned.size >= nodesAtMost)
      throw new QueueError('invalid-argument', `flow ${this.name} has more than ${nodesAtMost} jobs`)
    const node: FlowNode<Job> = Object.freeze({ name, job })
    this.#planned.set(name, {
      node,
      job: newJob('', job, payload, { ...rest, ...(this.tenant ? { tenant: this.tenant } : {}) }),
      after: namesOf(after, each => {
        if (this.#planned.get(each.name)?.node === each) return
        throw new QueueError(
          'invalid-argument',
          `flow ${this.name}: ${JSON.stringify(each.name)} is a node of another flow`,
        )
      }),
      onFailure: onFailure === undefined ? this.#onFailure : checkPolicy(onFailure),
    })
    return node
  }

  /** Whether it can be run: throws `invalid-argument` for a cycle or an unknown dependency, naming it. */
  check(): void {
    if (this.#planned.size === 0)
      throw new QueueError('invalid-argument', `flow ${this.name} has no jobs: add one`)
    checkGraph(this.name, this.#graph())
  }

  /** The flow as a Mermaid flowchart. */
  draw(): string {
    return drawGraph(this.#graph())
  }

  #graph(): { name: string; after: string[] }[] {
    return [...this.#planned.values()].map(({ node, after }) => ({ name: node.name, after }))
  }

  /** What the engine stores. */
  toNew(newId: () => string, idempotencyKey: string | undefined): NewFlow {
    this.check()
    const planned = [...this.#planned.values()]
    const ids = new Map(planned.map(({ node }) => [node.name, newId()]))
    return {
      id: newId(),
      name: this.name,
      tenant: this.tenant,
      idempotency:
        idempotencyKey === undefined
          ? null
          : { key: checkText('idempotencyKey', idempotencyKey, 500), bodyHash: bodyHash(this.name, planned) },
      nodes: planned.map(({ node, job, after, onFailure }) => ({
        name: node.name,
        job: { ...job, id: ids.get(node.name) as string },
        after: after.map(name => ids.get(name) as string),
        onFailure,
      })),
    }
  }
}

/** Begins a flow. */
export function flow(name: string, options: FlowOptions = {}): Flow {
  return new Flow(name, options)
}

export function namesOf(after: NonNullable<NodeOptions['after']>, check: (node: FlowNode) => void): string[] {
  const names = new Set<string>()
  for (const each of (Array.isArray(after) ? after : [after]) as readonly (FlowNode | string)[]) {
    if (typeof each !== 'string') check(each)
    names.add(typeof each === 'string' ? each : each.name)
  }
  return [...names]
}

const policies: readonly FailurePolicy[] = ['fail', 'skip', 'continue']

export function checkPolicy(policy: FailurePolicy): FailurePolicy {
  if (policies.includes(policy)) return policy
  throw new QueueError(
    'invalid-argument',
    `onFailure must be 'fail', 'skip' or 'continue', not ${JSON.stringify(policy)}`,
  )
}

/** What two enqueues under one key must agree in: the graph, the types and the payloads. */
function bodyHash(name: string, planned: readonly Planned[]): string {
  const hash = createHash('sha256').update(`${name}\n`)
  for (const { node, job, after, onFailure } of planned)
    hash.update(
      `${JSON.stringify([node.name, job.type, onFailure, after.toSorted()])}\n${canonicalJson(job.payloadJson)}\n`,
    )
  return hash.digest('base64url')
}
