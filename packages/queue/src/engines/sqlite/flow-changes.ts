import { formatId, parseId } from '../../job/id.ts'
import { skipReason } from '../../job/skip-reason.ts'
import { phase, type Phase } from './codes.ts'
import type { CounterChanges } from './counters.ts'
import { askToStop, endWaiting, idList, type LiveNode, liveNodes } from './end-waiting.ts'
import { failurePolicy, flowCode } from './flow-codes.ts'
import type { Store } from './store.ts'
import { release, wakeParents } from './unblock.ts'

/** What a write did beyond what it was asked for, so that listeners can be told once it is committed. */
export interface Effects {
  /** Jobs that ended because others did. */
  settled: string[]
  ready: boolean
  cancel: boolean
}

interface Delta {
  total: number
  completed: number
  cancelled: number
  dead: number
  failed: number
  stopped: number
}

interface NodeRow {
  name: string
  on_failure: number
  skipped: number
  cancel_reason: string | null
}

/** What follows for others from jobs that ended badly for one and the same reason. */
interface Bad {
  dependentsOf: string[]
  childrenOf: string[]
}

/**
 * Gathers the jobs of flows that end in one write, and lets their flows go on: counts down what waits for them, skips what
 * can't run any more, and ends the flows that have no job left. In the same transaction, once for all of them.
 */
export class FlowChanges {
  readonly #store: Store
  readonly #now: number
  readonly #counters: CounterChanges
  readonly #deltas = new Map<string, Delta>()
  readonly #completed: string[] = []
  readonly #others: { id: string; flow: string; code: Phase }[] = []
  readonly #effects: Effects = { settled: [], ready: false, cancel: false }

  constructor(store: Store, now: number, counters: CounterChanges) {
    this.#store = store
    this.#now = now
    this.#counters = counters
  }

  /** A job has moved into history. One of no flow is none of ours. */
  ended(id: Uint8Array, flow: Uint8Array | null, code: Phase): void {
    if (flow === null) return
    if (code !== phase.completed)
      return void this.#others.push({ id: formatId(id), flow: formatId(flow), code })
    this.#completed.push(formatId(id))
    this.#delta(formatId(flow)).completed++
  }

  /** Jobs that were cancelled all together, so that nothing is left to follow for others. */
  stopped(flow: string, count: number): void {
    const delta = this.#delta(flow)
    delta.cancelled += count
    delta.stopped += count
  }

  /** Jobs are added, or come back: the end of their flow is further away by these. */
  grew(flow: string, by: Partial<Delta>): void {
    const delta = this.#delta(flow)
    for (const [key, value] of Object.entries(by) as [keyof Delta, number][]) delta[key] += value
  }

  mayRun(): void {
    this.#effects.ready = true
  }

  /** Jobs that depend on one that has ended badly before they came. */
  skip(flow: string, jobs: LiveNode[], reason: string): void {
    this.#cascade(flow, reason, this.#endSkipped(flow, jobs, reason))
  }

  write(): Effects {
    const good = this.#completed
    const bad = new Map<string, Bad & { flow: string; reason: string }>()
    const failing = new Map<string, string>()
    for (const each of this.#others) {
      const { id, flow, code } = each
      const node = this.#node(id)
      const delta = this.#delta(flow)
      let reason = skipReason(node.name, code === phase.dead ? 'died' : 'was cancelled')
      if (code === phase.dead) {
        delta.dead++
        const policy = failurePolicy(node.on_failure)
        if (policy === 'continue') good.push(id)
        if (policy === 'fail') {
          delta.failed++
          if (!failing.has(flow)) failing.set(flow, reason)
        }
        if (policy !== 'skip') continue
      } else {
        delta.cancelled++
        if (node.skipped === 0) delta.stopped++
        // Its own reason is passed on.
        else reason = node.cancel_reason ?? reason
      }
      const key = `${flow} ${reason}`
      const group = bad.get(key) ?? { flow, reason, dependentsOf: [], childrenOf: [] }
      bad.set(key, group)
      group.dependentsOf.push(id)
      if (code === phase.cancelled) group.childrenOf.push(id)
    }
    // Who has ended waits for nothing, whatever it was blocked by.
    if (this.#others.length > 0)
      this.#store.run(
        `UPDATE millrace_node SET waits = 0
         WHERE waits > 0 AND job IN (SELECT unhex(value, '-') FROM json_each(?))`,
        idList(this.#others.map(({ id }) => id)),
      )
    this.#effects.ready = release(this.#store, this.#now, good, this.#counters) || this.#effects.ready
    for (const [flow, reason] of failing) this.#fail(flow, reason)
    for (const { flow, reason, ...from } of bad.values()) this.#cascade(flow, reason, from)
    // One that died under `continue` is among both.
    const ended = new Set([...good, ...this.#others.map(({ id }) => id), ...this.#effects.settled])
    this.#effects.ready =
      wakeParents(this.#store, this.#now, [...ended], this.#counters) || this.#effects.ready
    for (const [flow, delta] of this.#deltas) this.#count(flow, delta)
    return this.#effects
  }

  #delta(flow: string): Delta {
    let delta = this.#deltas.get(flow)
    if (!delta)
      this.#deltas.set(
        flow,
        (delta = { total: 0, completed: 0, cancelled: 0, dead: 0, failed: 0, stopped: 0 }),
      )
    return delta
  }

  #node(id: string): NodeRow {
    return this.#store.get<NodeRow & Record<string, never>>(
      `SELECT d.name, d.on_failure, d.skipped, h.cancel_reason
       FROM millrace_node d JOIN millrace_history h ON h.id = d.job WHERE d.job = ?`,
      parseId(id),
    ) as NodeRow
  }

  #fail(flow: string, reason: string): void {
    const live = liveNodes(this.#store, parseId(flow))
    this.#endSkipped(
      flow,
      live.filter(([, , , code]) => code !== phase.running),
      reason,
    )
    this.#askToStop(
      live.filter(([, , , code]) => code === phase.running),
      reason,
    )
  }

  /** From the jobs that ended down to the last that can't run for it, level by level. */
  #cascade(flow: string, reason: string, from: Bad): void {
    let { dependentsOf, childrenOf } = from
    while (dependentsOf.length > 0 || childrenOf.length > 0) {
      const children = this.#store.rows<LiveNode>(
        `SELECT DISTINCT j.n, j.id, j.kind, j.phase FROM json_each(?1) c
           CROSS JOIN millrace_edge e ON e.dependent = unhex(c.value, '-') AND e.awaited = 1
           CROSS JOIN millrace_job j ON j.id = e.job`,
        idList(childrenOf),
      )
      this.#askToStop(
        children.filter(([, , , code]) => code === phase.running),
        reason,
      )
      const ended = [
        this.#endSkipped(
          flow,
          children.filter(([, , , code]) => code !== phase.running),
          reason,
        ),
        this.#endSkipped(flow, this.#blockedBy(dependentsOf), reason),
      ]
      dependentsOf = childrenOf = ended.flatMap(each => each.dependentsOf)
    }
  }

  #blockedBy(ids: string[]): LiveNode[] {
    return this.#store.rows<LiveNode>(
      `SELECT DISTINCT j.n, j.id, j.kind, j.phase FROM json_each(?1) c
         CROSS JOIN millrace_edge e ON e.job = unhex(c.value, '-') AND e.awaited = 0
         CROSS JOIN millrace_node d ON d.job = e.dependent AND d.waits > 0
         CROSS JOIN millrace_job j ON j.id = d.job AND j.phase = 3`,
      idList(ids),
    )
  }

  #endSkipped(flow: string, jobs: LiveNode[], reason: string): Bad {
    const ids = endWaiting(this.#store, this.#now, jobs, { reason, skipped: true, counters: this.#counters })
    this.#delta(flow).cancelled += ids.length
    for (const id of ids) this.#effects.settled.push(id)
    return { dependentsOf: ids, childrenOf: ids }
  }

  #askToStop(jobs: LiveNode[], reason: string): void {
    if (askToStop(this.#store, jobs, reason)) this.#effects.cancel = true
  }

  #count(flow: string, by: Delta): void {
    const left = this.#store.get<{ left: number }>(
      `UPDATE millrace_flow SET total = total + ?2, completed = completed + ?3, cancelled = cancelled + ?4,
         dead = dead + ?5, failed = failed + ?6, stopped = stopped + ?7
       WHERE id = ?1 RETURNING total - completed - cancelled - dead AS "left"`,
      parseId(flow),
      by.total,
      by.completed,
      by.cancelled,
      by.dead,
      by.failed,
      by.stopped,
    )
    if (left?.left === 0)
      this.#store.run(
        `UPDATE millrace_flow SET finished_at = ?2,
           state = CASE WHEN failed > 0 THEN ${flowCode.failed} WHEN stopped > 0 THEN ${flowCode.cancelled}
             ELSE ${flowCode.completed} END
         WHERE id = ?1`,
        parseId(flow),
        this.#now,
      )
  }
}
