import type { ClaimedJob, Engine, NewJob, Settlement } from '../../src/engine/contract.ts'
import type { FailurePolicy, NewFlow, NewNode } from '../../src/engine/flow.ts'
import { systemClock, systemRandom } from '../../src/engine/clock.ts'
import { idMaker } from '../../src/job/id.ts'
import { aJob, anError, complete, dead, release, retry, snooze } from '../conformance/samples.ts'

const newId = idMaker(systemClock.now, bytes => systemRandom.fill(bytes))
const lanes = ['a', 'b'].map(queue => ({ queue, types: ['mail', 'child'] }))
const policies: FailurePolicy[] = ['fail', 'skip', 'continue']

function below(n: number): number {
  return Math.floor(systemRandom.number() * n)
}

function oneOf<T>(items: readonly T[]): T {
  return items[below(items.length)] as T
}

function job(type = 'mail'): NewJob {
  return aJob({
    id: newId(),
    type,
    queue: oneOf(['a', 'b']),
    priority: 1 + below(3),
    delayMs: below(4) === 0 ? below(200) : 0,
  })
}

function node(name: string, after: string[]): NewNode {
  return { name, job: job(), after, onFailure: oneOf(policies) }
}

/** Any DAG of up to 30 jobs. */
function anyFlow(): NewFlow {
  const nodes: NewNode[] = []
  for (let n = below(30); n >= 0; n--) {
    const after = nodes.length === 0 ? [] : Array.from({ length: below(4) }, () => oneOf(nodes).job.id)
    nodes.push(node(`n${n}`, after))
  }
  return { id: newId(), name: 'any', tenant: '', idempotency: null, nodes }
}

/** What many workers and people do to the same flows at the same time, by chance. */
export class FlowStorm {
  readonly ids: string[] = []
  readonly flows: NewFlow[] = []
  readonly errors: unknown[] = []
  readonly #engines: readonly Engine[]
  #over = false

  constructor(engines: readonly Engine[]) {
    this.#engines = engines
  }

  /** Resolves when that many flows were enqueued and everybody has stopped. */
  async rage(flows: number): Promise<void> {
    const all = this.#engines.flatMap((engine, n) => [
      this.#repeat(() => this.#work(engine, `w${n}`)),
      this.#repeat(() => this.#work(engine, `v${n}`)),
      this.#repeat(() => this.#meddle(engine)),
      this.#repeat(() => this.#meddle(engine)),
    ])
    for (let n = 0; n < flows; n++) {
      const flow = anyFlow()
      const engine = oneOf(this.#engines)
      await engine.enqueueFlow(flow)
      await engine.enqueue(Array.from({ length: below(10) }, () => job()))
      this.flows.push(flow)
      this.ids.push(...flow.nodes.map(each => each.job.id))
    }
    this.#over = true
    await Promise.all(all)
    for (const [n, engine] of this.#engines.entries()) for (const name of 'wv') await engine.retire(name + n)
  }

  /** Completes whatever is left, and sends every signal that is waited for. */
  async calm(live: () => Promise<{ left: number; waiting: string[] }>): Promise<void> {
    const [engine] = this.#engines as [Engine]
    for (;;) {
      const { left, waiting } = await live()
      if (left === 0) return
      for (const id of waiting) await this.#signal(engine, id)
      const { jobs } = await engine.claim({ worker: 'calm', lanes, limit: 500, leaseMs: 60_000 })
      await engine.settle(
        'calm',
        jobs.map(lease => ({ lease, outcome: complete(), ranMs: 0 })),
      )
    }
  }

  async #repeat(act: () => Promise<unknown>): Promise<void> {
    while (!this.#over) await act().catch(error => this.errors.push(error))
  }

  async #work(engine: Engine, worker: string): Promise<void> {
    const { jobs } = await engine.claim({ worker, lanes, limit: 1 + below(60), leaseMs: 60_000 })
    if (below(40) === 0) return engine.retire(worker)
    for (const lease of jobs)
      if (below(12) === 0) await engine.extendFlow(worker, lease, this.#additions(lease))
    await engine.settle(
      worker,
      jobs.map(lease => this.#end(lease)),
    )
  }

  #additions(lease: ClaimedJob): NewNode[] {
    const first = node(`x${below(9)}`, below(3) === 0 ? [lease.id] : [])
    const flow = this.flows.find(each => each.id === lease.flow)
    if (flow && below(3) === 0) first.after.push(oneOf(flow.nodes).job.id)
    return [first, node(`y${below(9)}`, [first.job.id])]
  }

  /** The worker does not always know that its job is in a flow. */
  #end(claimed: ClaimedJob): Settlement {
    const lease = below(3) === 0 ? { ...claimed, flow: null } : claimed
    const inMs = below(100)
    const wait = (kind: 'sleep' | 'signal' | 'job', limitMs: number | null): Settlement => ({
      lease,
      ranMs: 1,
      outcome: {
        kind: 'wait',
        wait: {
          step: { name: `${kind}${below(2)}`, ordinal: 1, kind, signal: kind === 'signal' ? 'go' : null },
          inMs: limitMs,
          until: null,
        },
      },
      ...(kind === 'job' ? { child: job('child') } : {}),
    })
    switch (below(16)) {
      case 0:
        return wait('sleep', inMs)
      case 1:
        return wait('signal', below(2) ? inMs : null)
      case 2:
        return wait('job', below(2) ? inMs : null)
      case 3:
        return { lease, outcome: retry(inMs, anError().message), ranMs: 1 }
      case 4:
      case 5:
        return { lease, outcome: dead(), ranMs: 1 }
      case 6:
        return { lease, outcome: { kind: 'cancelled', reason: 'no' }, ranMs: 1 }
      case 7:
        return { lease, outcome: oneOf([release, snooze(inMs)]), ranMs: 1 }
      default:
        return { lease, outcome: complete('1'), ranMs: 1 }
    }
  }

  async #meddle(engine: Engine): Promise<unknown> {
    const ids = Array.from({ length: 1 + below(6) }, () => oneOf(this.ids)).filter(id => id !== undefined)
    const flow = oneOf(this.flows)?.id ?? newId()
    switch (below(8)) {
      case 0:
        return engine.cancel(ids, 'by chance')
      case 1:
        return engine.redrive(ids, { forgetSteps: below(2) === 0 })
      case 2:
        return engine.cancelFlow(flow, 'by chance')
      case 3:
        return engine.redriveFlow(flow)
      case 4:
        for (const id of ids) await this.#signal(engine, id)
        return
      case 5:
        return engine.reschedule(
          ids.map(id => ({ id, runAt: systemClock.now() + below(100), queue: oneOf(['a', 'b']) })),
        )
      case 6:
        return engine.remove(ids)
      default:
        return engine.prune({ rules: [{ type: null, state: 'completed', maxAgeMs: 200 }], limit: 50 })
    }
  }

  #signal(engine: Engine, jobId: string): Promise<unknown> {
    return engine.signal({ id: newId(), jobId, name: 'go', payloadJson: '1' })
  }
}
