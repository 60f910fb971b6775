import { expect } from 'vitest'
import type { CancelAnswer, ClaimedJob, SettleAnswer } from '../../src/engine/contract.ts'
import type { FailurePolicy, NewNode } from '../../src/engine/flow.ts'
import type { Outcome } from '../../src/job/decide.ts'
import { FlowModel, isOver, type ModelNode } from './flow-model.ts'
import { aJob, complete } from './samples.ts'
import type { Stage } from './stage.ts'

const leaseMs = 10_007
const maxDeaths = 3

export interface NodeShape {
  after: number[]
  policy: FailurePolicy
  delayMs: number
  maxAttempts: number
}

/** One act of somebody on the flow. `pick` chooses among what there is, by remainder. */
export type FlowAct =
  | { act: 'claim' | 'cancel' | 'cancel-flow' | 'redrive-flow' | 'die'; pick: number }
  | { act: 'settle'; pick: number; outcome: Outcome }
  | { act: 'redrive'; picks: number[] }
  | { act: 'extend'; pick: number; nodes: NodeShape[] }
  | { act: 'wait'; pick: number; limitMs: number | null }
  | { act: 'advance'; ms: number }

interface Held {
  worker: string
  claimed: ClaimedJob
  expiresAt: number
}

/** One flow in the store and in the model. Performs each act on both, and compares all that can be seen. */
export class FlowModelRun {
  readonly #stage: Stage
  readonly #model: FlowModel
  readonly #flow: string
  readonly #held: Held[] = []
  readonly #types = new Map<string, string>()
  readonly #free: string[] = []
  #workers = 0

  constructor(stage: Stage) {
    this.#stage = stage
    this.#model = new FlowModel(() => this.#now)
    this.#flow = stage.newId()
  }

  async begin(shapes: NodeShape[]): Promise<void> {
    const { nodes, modelled } = this.#made(shapes, [])
    const flow = { id: this.#flow, name: 'model', tenant: '', idempotency: null, nodes }
    expect(await this.#stage.engine.enqueueFlow(flow)).toEqual({ outcome: 'enqueued', id: this.#flow })
    this.#model.add(modelled)
    await this.compare()
  }

  /** New jobs, for the store and for the model. They may stand after those of `others` and after those before them. */
  #made(shapes: NodeShape[], others: string[]): { nodes: NewNode[]; modelled: ModelNode[] } {
    const known = [...others]
    const nodes: NewNode[] = []
    const modelled: ModelNode[] = []
    for (const { after, policy, delayMs, maxAttempts } of shapes) {
      const node = this.#node({ policy, maxAttempts, delayMs })
      if (known.length > 0) node.after = new Set(after.map(each => known[each % known.length] as string))
      const name = this.#types.get(node.id) as string
      const job = aJob({ id: node.id, type: name, delayMs, maxAttempts })
      nodes.push({ name, job, after: [...node.after], onFailure: policy })
      modelled.push(node)
      known.push(node.id)
    }
    return { nodes, modelled }
  }

  #node(shape: { policy: FailurePolicy; maxAttempts: number; delayMs: number }): ModelNode {
    const id = this.#stage.newId()
    // Each job has a type of its own, so that a claim takes exactly that one.
    this.#types.set(id, `type-${this.#types.size}`)
    return {
      id,
      policy: shape.policy,
      maxAttempts: shape.maxAttempts,
      runAt: this.#now + shape.delayMs,
      after: new Set(),
      state: 'queued',
      attempt: 0,
      deaths: 0,
      begun: false,
      asked: null,
      skipped: false,
      parent: null,
      child: null,
      parked: false,
    }
  }

  async perform(act: FlowAct): Promise<void> {
    switch (act.act) {
      case 'claim':
        await this.#claim(
          at(
            this.#model.all.filter(node => node.state === 'queued'),
            act.pick,
          ),
        )
        break
      case 'settle':
        await this.#settle(at(this.#held, act.pick), act.outcome)
        break
      case 'wait':
        await this.#wait(at(this.#held, act.pick), act.limitMs)
        break
      case 'extend':
        await this.#extend(at(this.#held, act.pick), act.nodes)
        break
      case 'cancel':
        await this.#cancel(at(this.#model.all, act.pick))
        break
      case 'cancel-flow':
        await this.#cancelFlow()
        break
      case 'redrive':
        await this.#redrive(act.picks)
        break
      case 'redrive-flow':
        await this.#redriveFlow()
        break
      case 'die':
        await this.#stage.clock.advance(leaseMs + 1)
        await this.#rescue()
        break
      case 'advance':
        await this.#stage.clock.advance(act.ms)
    }
    await this.compare()
  }

  async #claim(node: ModelNode | undefined): Promise<void> {
    if (node === undefined) return
    const worker = this.#free.pop() ?? `worker-${this.#workers++}`
    await this.#stage.beat(worker, [], { leaseMs })
    const claimed = await this.#stage.claim({ worker, type: this.#types.get(node.id) as string, leaseMs })
    if (node.runAt > this.#now) {
      expect(claimed, 'what is not due').toEqual([])
      return void this.#free.push(worker)
    }
    this.#model.claim(node)
    expect(claimed).toMatchObject([{ id: node.id, attempt: node.attempt, flow: this.#flow }])
    const expiresAt = this.#now + leaseMs
    this.#held.push({ worker, claimed: claimed[0] as ClaimedJob, expiresAt })
  }

  async #settle(held: Held | undefined, outcome: Outcome): Promise<void> {
    if (held === undefined) return
    const { worker, claimed } = held
    const answer = await this.#stage.settle(claimed, outcome, { worker })
    const node = this.#ended(held, answer)
    if (node === null) return
    if (outcome.kind === 'complete') this.#model.end(node, 'completed')
    else if (outcome.kind === 'dead' || outcome.kind === 'cancelled') {
      if (outcome.kind === 'cancelled') node.asked ??= 'own'
      this.#model.end(node, outcome.kind)
    } else if (outcome.kind === 'retry') this.#model.back(node, { inMs: outcome.inMs, spent: true })
    else this.#model.back(node, { inMs: outcome.kind === 'snooze' ? outcome.inMs : 0, spent: false })
  }

  async #wait(held: Held | undefined, limitMs: number | null): Promise<void> {
    if (held === undefined) return
    const { worker, claimed } = held
    const child = this.#node({ policy: 'continue', maxAttempts: 2, delayMs: 0 })
    child.parent = claimed.id
    const type = this.#types.get(child.id) as string
    const step = { name: 'child', ordinal: 1, kind: 'job' as const, signal: null }
    const outcome: Outcome = { kind: 'wait', wait: { step, inMs: limitMs, until: null } }
    const job = aJob({ id: child.id, type, maxAttempts: 2 })
    const [answer] = await this.#stage.engine.settle(worker, [
      { lease: claimed, outcome, ranMs: 0, child: job },
    ])
    const node = this.#ended(held, answer as SettleAnswer)
    if (node) this.#model.park(node, { child, limitMs })
  }

  /** The job whose attempt has ended, when the answer is what it must be; null when the lease had ended before. */
  #ended(held: Held, answer: SettleAnswer): ModelNode | null {
    const isLate = held.expiresAt <= this.#now
    expect(answer).toBe(isLate ? 'lease-lost' : 'settled')
    if (isLate) return null
    this.#letGo(held)
    return this.#model.node(held.claimed.id)
  }

  #letGo(held: Held): void {
    this.#held.splice(this.#held.indexOf(held), 1)
    this.#free.push(held.worker)
  }

  async #extend(held: Held | undefined, shapes: NodeShape[]): Promise<void> {
    if (held === undefined) return
    const { worker, claimed } = held
    const { nodes, modelled } = this.#made(shapes, [...this.#model.nodes.keys()])
    const answer = await this.#stage.engine.extendFlow(worker, claimed, nodes)
    if (held.expiresAt <= this.#now) return expect(answer).toEqual({ outcome: 'lease-lost' })
    if (this.#model.refusesMore) return expect(answer).toEqual({ outcome: 'over' })
    const below = this.#model.below(claimed.id)
    const circular = new Set(modelled.flatMap(node => [...node.after].filter(id => below.has(id))))
    if (circular.size > 0) {
      expect(answer).toMatchObject({ outcome: 'unknown' })
      return expect(circular).toContain('id' in answer ? answer.id : null)
    }
    const ids = modelled.map(node => node.id)
    expect(answer).toEqual({ outcome: 'enqueued', flow: this.#flow, ids })
    this.#model.extend(this.#model.node(claimed.id), modelled)
  }

  async #cancel(node: ModelNode | undefined): Promise<void> {
    if (node === undefined) return
    const expected = isOver(node) ? 'already-finished' : node.state === 'running' ? 'requested' : 'cancelled'
    expect(await this.#stage.engine.cancel([node.id], 'model')).toEqual([expected])
    this.#model.cancel(node)
  }

  async #cancelFlow(): Promise<void> {
    const live = this.#model.all.filter(node => !isOver(node))
    const runs = live.some(node => node.state === 'running')
    const expected: CancelAnswer = live.length === 0 ? 'already-finished' : runs ? 'requested' : 'cancelled'
    expect(await this.#stage.engine.cancelFlow(this.#flow, 'model')).toBe(expected)
    if (live.length > 0) this.#model.cancelAll()
  }

  async #redrive(picks: number[]): Promise<void> {
    const named = new Set(picks.flatMap(pick => at(this.#model.all, pick) ?? []))
    const expected = [...named].map(node => (isOver(node) ? 'redriven' : 'not-finished'))
    expect(await this.#stage.engine.redrive([...named].map(node => node.id))).toEqual(expected)
    const finished = [...named].filter(isOver)
    if (finished.length > 0) this.#model.redrive(finished)
  }

  async #redriveFlow(): Promise<void> {
    const named = this.#model.all.filter(node => node.state === 'dead' || node.state === 'cancelled')
    const expected = named.length > 0 ? 'redriven' : 'not-finished'
    expect(await this.#stage.engine.redriveFlow(this.#flow)).toBe(expected)
    if (named.length > 0) this.#model.redrive(named)
  }

  /** One by one, because what one does to the others hangs on the order, which is the engine's choice. */
  async #rescue(): Promise<void> {
    for (let expired = this.#expired(); expired.length > 0; expired = this.#expired()) {
      const [rescued] = await this.#stage.rescue({ maxDeaths, limit: 1 })
      const held = expired.find(each => each.claimed.id === rescued?.id)
      if (held === undefined) throw new Error('no job was rescued that the model knows as lost')
      const node = this.#model.node(held.claimed.id)
      this.#letGo(held)
      this.#model.rescue(node, maxDeaths)
      expect(rescued?.now).toBe(node.state === 'blocked' ? 'queued' : node.state)
    }
    expect(await this.#stage.rescue({ maxDeaths, limit: 1 })).toEqual([])
  }

  #expired(): Held[] {
    return this.#held.filter(held => held.expiresAt <= this.#now)
  }

  /** The flow and each of its jobs, as the store and the model have them. */
  async compare(): Promise<void> {
    const { engine } = this.#stage
    const { nodes } = await engine.flowNodes(this.#flow, { limit: 1_000 })
    const seen = nodes.map(node => ({
      id: node.id,
      state: node.state,
      skipped: node.skipped,
      attempt: node.attempt,
      waits: node.state === 'blocked' ? node.waits : 0,
    }))
    const expected = this.#model.all.map(node => ({
      id: node.id,
      state: node.state,
      skipped: node.state === 'cancelled' && node.skipped,
      attempt: node.attempt,
      waits: node.state === 'blocked' ? this.#model.waits(node) : 0,
    }))
    expect(seen).toEqual(expected)
    const state = this.#model.state()
    expect(await engine.flow(this.#flow)).toMatchObject({
      state,
      total: expected.length,
      completed: this.#model.count('completed'),
      cancelled: this.#model.count('cancelled'),
      dead: this.#model.count('dead'),
      finishedAt: state === 'running' ? null : expect.any(Number),
      cancelReason: this.#model.isCancelled ? 'model' : null,
    })
  }

  /** Completes all that can run until the flow has ended: it must never be stuck. */
  async finish(): Promise<void> {
    for (let rounds = 0; this.#model.state() === 'running'; rounds++) {
      if (rounds > 500) throw new Error('the flow is stuck')
      await this.#stage.clock.advance(leaseMs + 1)
      await this.#rescue()
      for (const node of this.#model.all.filter(each => each.state === 'queued')) {
        // One may have been woken, cancelled or claimed for what was done to another of these.
        if (node.state !== 'queued') continue
        await this.#claim(node)
        await this.#settle(
          this.#held.find(held => held.claimed.id === node.id),
          complete(),
        )
      }
      await this.compare()
    }
    const counts = (await this.#stage.engine.counts()).total
    expect(counts).toEqual({
      ready: 0,
      delayed: 0,
      blocked: 0,
      running: 0,
      completed: this.#model.count('completed'),
      cancelled: this.#model.count('cancelled'),
      dead: this.#model.count('dead'),
    })
  }

  /** Leaves the store empty for the next run. */
  async clear(): Promise<void> {
    const ids = [...this.#model.nodes.keys()]
    expect(await this.#stage.engine.remove(ids)).toEqual(ids.map(() => 'removed'))
    expect(await this.#stage.engine.flow(this.#flow)).toBeNull()
  }

  get #now(): number {
    return this.#stage.clock.now()
  }
}

function at<T>(all: T[], pick: number): T | undefined {
  return all[pick % Math.max(1, all.length)]
}
