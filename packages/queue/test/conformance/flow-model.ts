import type { FailurePolicy, FlowState } from '../../src/engine/flow.ts'
import type { JobState } from '../../src/job/state.ts'

export interface ModelNode {
  id: string
  policy: FailurePolicy
  after: Set<string>
  state: JobState
  runAt: number
  attempt: number
  maxAttempts: number
  deaths: number
  /** Whether a worker ever held it. */
  begun: boolean
  /** Who asked it to stop while it runs: somebody for its own sake, or the flow for another's. */
  asked: 'own' | 'other' | null
  skipped: boolean
  /** Whose child it is. */
  parent: string | null
  /** The child of its step, as long as the step is remembered. */
  child: string | null
  /** It waits in that step. */
  parked: boolean
}

const ends: readonly JobState[] = ['completed', 'cancelled', 'dead']

/**
 * What the contract says of one flow, in the plainest form: one job changes at a time, and all that is told of the flow is
 * read off its jobs. Knows no counters, and looks at every job whenever one changes.
 */
export class FlowModel {
  readonly nodes = new Map<string, ModelNode>()
  isCancelled = false
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  get all(): ModelNode[] {
    return [...this.nodes.values()]
  }

  node(id: string): ModelNode {
    const node = this.nodes.get(id)
    if (node === undefined) throw new Error(`the model has no job ${id}`)
    return node
  }

  state(): FlowState {
    if (this.all.some(node => !isOver(node))) return 'running'
    if (this.#hasFailed()) return 'failed'
    return this.all.some(node => node.state === 'cancelled' && !node.skipped) ? 'cancelled' : 'completed'
  }

  count(state: JobState): number {
    return this.all.filter(node => node.state === state).length
  }

  /** How many of those that it waits for have not ended; of a blocked one. */
  waits(node: ModelNode): number {
    if (node.parked) return 1
    return [...node.after].filter(id => !isOver(this.node(id))).length
  }

  get refusesMore(): boolean {
    return this.#hasFailed() || this.isCancelled
  }

  #hasFailed(): boolean {
    return this.all.some(node => node.state === 'dead' && node.policy === 'fail')
  }

  /** Adds jobs all together, then lets those that can't run for a dependency go. */
  add(nodes: ModelNode[]): void {
    for (const node of nodes) this.nodes.set(node.id, node)
    for (const node of nodes) node.state = this.waits(node) > 0 ? 'blocked' : 'queued'
    for (const node of nodes)
      if (!isOver(node) && [...node.after].some(id => isBad(this.node(id)))) this.#stop(node)
  }

  /** A running job adds others; what depends on it waits for them too. */
  extend(by: ModelNode, nodes: ModelNode[]): void {
    const dependents = this.all.filter(node => node.after.has(by.id))
    for (const node of nodes) this.nodes.set(node.id, node)
    for (const dependent of dependents) for (const node of nodes) dependent.after.add(node.id)
    this.add(nodes)
  }

  /** All that waits for this job, directly or not. */
  below(id: string): Set<string> {
    const found = new Set<string>()
    const look = (from: string): void => {
      for (const node of this.all)
        if ((node.after.has(from) || this.node(from).parent === node.id) && !found.has(node.id)) {
          found.add(node.id)
          look(node.id)
        }
    }
    look(id)
    return found
  }

  claim(node: ModelNode): void {
    Object.assign(node, { state: 'running', attempt: node.attempt + 1, begun: true, parked: false })
  }

  /** Back to the queue, unless it was asked to stop. */
  back(node: ModelNode, after: { inMs: number; spent: boolean }): void {
    if (node.asked !== null) return this.end(node, 'cancelled')
    Object.assign(node, { state: 'queued', runAt: this.#now() + after.inMs })
    if (!after.spent) node.attempt--
  }

  /** It waits for its child: the one that its step has, or the new one. */
  park(node: ModelNode, wait: { child: ModelNode; limitMs: number | null }): void {
    if (node.asked !== null) return this.end(node, 'cancelled')
    node.attempt--
    if (node.child === null) {
      node.child = wait.child.id
      this.add([wait.child])
    }
    const hasCome = isOver(this.node(node.child))
    Object.assign(node, {
      parked: !hasCome,
      state: hasCome || wait.limitMs !== null ? 'queued' : 'blocked',
      runAt: this.#now() + (hasCome ? 0 : (wait.limitMs ?? 0)),
    })
  }

  end(node: ModelNode, state: 'completed' | 'cancelled' | 'dead'): void {
    node.skipped = state === 'cancelled' && node.asked === 'other'
    Object.assign(node, { state, asked: null, parked: false })
    for (const other of this.all) {
      const waits = other.state === 'blocked' && !other.parked && other.after.has(node.id)
      if (waits && isBad(node)) this.#stop(other)
      else if (waits && this.waits(other) === 0) other.state = 'queued'
      if (other.parked && other.child === node.id && !isOver(other))
        Object.assign(other, { state: 'queued', runAt: this.#now(), parked: false })
      if (state === 'cancelled' && other.parent === node.id) this.#stop(other)
    }
    if (state === 'dead' && node.policy === 'fail') for (const other of this.all) this.#stop(other)
  }

  /** For another's sake. */
  #stop(node: ModelNode): void {
    if (isOver(node)) return
    node.asked ??= 'other'
    if (node.state !== 'running') this.end(node, 'cancelled')
  }

  /** For its own sake. */
  cancel(node: ModelNode): void {
    if (isOver(node)) return
    node.asked ??= 'own'
    if (node.state !== 'running') this.end(node, 'cancelled')
  }

  cancelAll(): void {
    this.isCancelled = true
    const live = this.all.filter(node => !isOver(node))
    // All are asked first, so that none is taken to be skipped for another.
    for (const node of live) node.asked ??= 'own'
    for (const node of live) if (node.state !== 'running' && !isOver(node)) this.end(node, 'cancelled')
  }

  rescue(node: ModelNode, maxDeaths: number): void {
    node.deaths++
    if (node.asked !== null) return this.end(node, 'cancelled')
    if (node.deaths >= maxDeaths || node.attempt >= node.maxAttempts) return this.end(node, 'dead')
    Object.assign(node, { state: 'queued', runAt: Math.min(node.runAt, this.#now()) })
  }

  redrive(named: ModelNode[]): void {
    const back = new Set(named)
    for (const node of this.all) if (node.state === 'cancelled' && node.skipped) back.add(node)
    // What stays ended keeps what is below it, until nothing changes any more.
    const stays = (id: string | null): boolean => id !== null && !back.has(this.node(id))
    const isKept = (node: ModelNode): boolean =>
      [...node.after].some(id => stays(id) && isBad(this.node(id))) ||
      (stays(node.parent) && this.node(node.parent as string).state === 'cancelled')
    for (let size = -1; size !== back.size; ) {
      size = back.size
      for (const node of back) if (!named.includes(node) && isKept(node)) back.delete(node)
    }
    for (const node of back) {
      const keepsTime = node.skipped && !node.begun && node.runAt > this.#now()
      if (node.state === 'completed') node.child = null
      Object.assign(node, { state: 'queued', attempt: 0, deaths: 0, skipped: false, asked: null })
      if (!keepsTime) node.runAt = this.#now()
    }
    for (const node of back) if (this.waits(node) > 0) node.state = 'blocked'
    this.isCancelled = false
  }
}

export function isOver(node: ModelNode): boolean {
  return ends.includes(node.state)
}

/** What depends on it can't run. */
function isBad(node: ModelNode): boolean {
  return node.state === 'cancelled' || (node.state === 'dead' && node.policy !== 'continue')
}
