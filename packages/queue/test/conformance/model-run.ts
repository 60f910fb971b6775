import { expect } from 'vitest'
import type { Lease, SettleAnswer, StateCounts } from '../../src/engine/contract.ts'
import type { Outcome } from '../../src/job/decide.ts'
import { type JobState, terminalStates } from '../../src/job/state.ts'
import type { Act } from './model.ts'
import { aJob } from './samples.ts'
import type { Stage } from './stage.ts'

const leaseMs = 10_007
const maxDeaths = 2

interface ModelJob {
  id: string
  type: string
  queue: string
  state: JobState
  priority: number
  runAt: number
  attempt: number
  maxAttempts: number
  deaths: number
  redrives: number
  held: HeldLease | null
  cancelRequested: boolean
}

interface HeldLease extends Lease {
  worker: string
  expiresAt: number
  /** How this very lease has ended, if it has. */
  ended: 'settled' | 'given-back' | 'rescued' | null
}

/** What the contract says about a store, in the plainest form. Performs each act on both and compares the answers. */
export class ModelRun {
  readonly #stage: Stage
  readonly #jobs = new Map<string, ModelJob>()
  readonly #leases: HeldLease[] = []
  readonly #paused = new Set<string>()
  readonly #removed: string[] = []

  constructor(stage: Stage) {
    this.#stage = stage
  }

  async perform(act: Act): Promise<void> {
    switch (act.act) {
      case 'enqueue':
        return this.#enqueue(act)
      case 'claim':
        return this.#claim(act)
      case 'settle':
        return this.#settle(act.pick, act.outcome)
      case 'beat':
        return this.#beat(act.pick)
      case 'cancel':
        return this.#cancel(act.pick)
      case 'redrive':
        return this.#redrive(act.pick)
      case 'remove':
        return this.#remove(act.pick)
      case 'enqueue-again':
        return this.#enqueueAgain(act.pick)
      case 'reschedule':
        return this.#reschedule(act)
      case 'pause':
        if (act.paused) this.#paused.add(act.queue)
        else this.#paused.delete(act.queue)
        return this.#stage.engine.configureQueue(act.queue, { paused: act.paused })
      case 'rescue':
        return this.#rescue(act.limit)
      case 'advance':
        return this.#stage.clock.advance(act.ms)
    }
  }

  async #enqueue(act: Act & { act: 'enqueue' }): Promise<void> {
    const { type, queue, priority, delayMs, maxAttempts } = act
    const id = await this.#stage.enqueue({ type, queue, priority, delayMs, maxAttempts })
    const fresh = {
      state: 'queued' as const,
      attempt: 0,
      deaths: 0,
      redrives: 0,
      held: null,
      cancelRequested: false,
    }
    this.#jobs.set(id, { id, type, queue, priority, maxAttempts, runAt: this.#now + delayMs, ...fresh })
  }

  async #enqueueAgain(pick: number): Promise<void> {
    const job = this.#any(pick)
    if (job === undefined) return
    const answers = await this.#stage.engine.enqueue([aJob({ id: job.id, payloadJson: '"again"' })])
    expect(answers).toEqual([{ outcome: 'duplicate', id: job.id }])
  }

  async #claim({ queues, types, limit }: Act & { act: 'claim' }): Promise<void> {
    const worker = `worker-${this.#stage.newId()}`
    const due = [...this.#jobs.values()].filter(
      job =>
        job.state === 'queued' &&
        job.runAt <= this.#now &&
        queues.includes(job.queue) &&
        types.includes(job.type) &&
        !this.#paused.has(job.queue),
    )
    const lanes = queues.map(queue => ({ queue, types }))
    const claimed = await this.#stage.claim({ worker, lanes, limit, leaseMs })
    const priorities = due.map(job => job.priority).toSorted((a, b) => a - b)
    expect(claimed.map(job => job.priority)).toEqual(priorities.slice(0, limit))
    for (const { id, epoch, token, attempt, deaths } of claimed) {
      const job = due.find(each => each.id === id)
      if (job === undefined) throw new Error(`job ${id} was claimed, but the model does not know it as due`)
      expect({ attempt, deaths }).toEqual({ attempt: job.attempt + 1, deaths: job.deaths })
      expect(epoch).toBeGreaterThan(
        Math.max(0, ...this.#leases.filter(each => each.id === id).map(each => each.epoch)),
      )
      const held: HeldLease = { id, epoch, token, worker, expiresAt: this.#now + leaseMs, ended: null }
      this.#leases.push(held)
      Object.assign(job, { state: 'running', attempt, held })
    }
  }

  async #settle(pick: number, outcome: Outcome): Promise<void> {
    const lease = this.#leases[pick % Math.max(1, this.#leases.length)]
    if (lease === undefined) return
    const { id, epoch, token, worker } = lease
    const answer = await this.#stage.settle({ id, epoch, token }, outcome, { worker })
    const job = this.#jobs.get(id)
    if (job === undefined) return expect(answer).toBe('gone')
    if (job.held !== lease) return expect(staleAnswers(lease)).toContain(answer)
    if (lease.expiresAt < this.#now) return expect(answer).toBe('lease-lost')
    expect(answer).toBe('settled')
    lease.ended = outcome.kind === 'release' || outcome.kind === 'snooze' ? 'given-back' : 'settled'
    this.#end(job, outcome)
  }

  #end(job: ModelJob, outcome: Outcome): void {
    job.held = null
    if (outcome.kind === 'complete') job.state = 'completed'
    else if (outcome.kind === 'dead') job.state = 'dead'
    else if (outcome.kind === 'cancelled' || job.cancelRequested) job.state = 'cancelled'
    else {
      job.state = 'queued'
      if (outcome.kind !== 'retry') job.attempt--
      if (outcome.kind === 'retry' || outcome.kind === 'snooze') job.runAt = this.#now + outcome.inMs
    }
  }

  async #beat(pick: number): Promise<void> {
    const lease = this.#leases[pick % Math.max(1, this.#leases.length)]
    if (lease === undefined) return
    const { worker } = lease
    const theirs = this.#leases.filter(each => each.worker === worker)
    const held = theirs.filter(each => this.#jobs.get(each.id)?.held === each)
    // What a beat does to leases that have ended is told elsewhere; an engine may rescue them there and then.
    if (held.some(each => each.expiresAt <= this.#now)) return
    const answer = await this.#stage.beat(worker, theirs, { leaseMs })
    for (const each of held) expect(answer.lost).not.toContain(each.id)
    for (const each of held) each.expiresAt = this.#now + leaseMs
    const wanted = held.filter(each => this.#jobs.get(each.id)?.cancelRequested).map(each => each.id)
    expect(answer.cancelRequested.toSorted()).toEqual(wanted.toSorted())
  }

  async #cancel(pick: number): Promise<void> {
    const job = this.#any(pick)
    if (job === undefined) return
    const expected = { queued: 'cancelled', running: 'requested' }[job.state as string] ?? 'already-finished'
    expect(await this.#stage.engine.cancel([job.id], 'model')).toEqual([expected])
    if (job.state === 'queued') job.state = 'cancelled'
    if (job.state === 'running') job.cancelRequested = true
  }

  async #redrive(pick: number): Promise<void> {
    const job = this.#any(pick)
    if (job === undefined) return
    const finished = (terminalStates as readonly string[]).includes(job.state)
    expect(await this.#stage.engine.redrive([job.id])).toEqual([finished ? 'redriven' : 'not-finished'])
    if (!finished) return
    Object.assign(job, { state: 'queued', attempt: 0, deaths: 0, runAt: this.#now, cancelRequested: false })
    job.redrives++
  }

  async #remove(pick: number): Promise<void> {
    const job = this.#any(pick)
    if (job === undefined) return
    expect(await this.#stage.engine.remove([job.id])).toEqual([
      job.state === 'running' ? 'running' : 'removed',
    ])
    if (job.state === 'running') return
    this.#jobs.delete(job.id)
    this.#removed.push(job.id)
  }

  async #reschedule({ pick, inMs, priority }: Act & { act: 'reschedule' }): Promise<void> {
    const job = this.#any(pick)
    if (job === undefined) return
    const runAt = inMs === null ? {} : { runAt: this.#now + inMs }
    const change = { ...runAt, ...(priority === null ? {} : { priority }) }
    const expected = job.state === 'queued' ? 'changed' : 'not-queued'
    expect(await this.#stage.engine.reschedule([{ id: job.id, ...change }])).toEqual([expected])
    if (job.state === 'queued') Object.assign(job, change)
  }

  async #rescue(limit: number): Promise<void> {
    const expired = [...this.#jobs.values()].filter(
      job => job.held !== null && job.held.expiresAt < this.#now,
    )
    const rescued = await this.#stage.rescue({ maxDeaths, limit })
    expect(rescued).toHaveLength(Math.min(limit, expired.length))
    for (const { id, now, attempt, deaths, worker } of rescued) {
      const job = expired.find(each => each.id === id)
      if (!job?.held) throw new Error(`job ${id} was rescued, but the model knows it as safe`)
      job.deaths++
      const isOver = job.deaths >= maxDeaths || job.attempt >= job.maxAttempts
      const expected = job.cancelRequested ? 'cancelled' : isOver ? 'dead' : 'queued'
      expect({ now, attempt, deaths, worker }).toEqual({
        now: expected,
        attempt: job.attempt,
        deaths: job.deaths,
        worker: job.held.worker,
      })
      job.held.ended = 'rescued'
      Object.assign(job, { held: null, state: expected })
      if (expected === 'queued') job.runAt = Math.min(job.runAt, this.#now)
    }
  }

  /** The store against the model: job by job, then its counters and its lists. */
  async compare(): Promise<void> {
    const { engine } = this.#stage
    const jobs = [...this.#jobs.values()]
    const records = await engine.get(jobs.map(job => job.id))
    const facts = ['state', 'priority', 'attempt', 'deaths', 'redrives', 'type', 'queue'] as const
    for (const [index, job] of jobs.entries())
      for (const fact of facts) expect(records[index]?.[fact], `${fact} of ${job.id}`).toBe(job[fact])
    expect(await engine.get(this.#removed)).toEqual(this.#removed.map(() => null))

    const counts = await engine.counts()
    expect(counts.total).toEqual(this.#recount(() => true))
    for (const [by, key] of [
      ['byType', 'type'],
      ['byQueue', 'queue'],
    ] as const) {
      const names = new Set([...jobs.map(job => job[key]), ...Object.keys(counts[by])])
      for (const name of names)
        expect(counts[by][name] ?? this.#recount(() => false), name).toEqual(
          this.#recount(job => job[key] === name),
        )
    }
    const listed = await engine.list({}, { limit: 1_000 })
    expect(listed.jobs.map(job => job.id).toSorted()).toEqual(jobs.map(job => job.id).toSorted())
  }

  /** Leaves the store empty for the next run, whatever this one did to it. */
  async clear(): Promise<void> {
    const { engine } = this.#stage
    for (const queue of ['a', 'b']) await engine.configureQueue(queue, { paused: false })
    for (const worker of new Set(this.#leases.map(lease => lease.worker))) await engine.retire(worker)
    while ((await this.#stage.rescue({ limit: 1_000 })).length > 0);
    const { jobs } = await engine.list({}, { limit: 1_000 })
    await engine.remove(jobs.map(job => job.id))
  }

  #recount(holds: (job: ModelJob) => boolean): StateCounts {
    const counts = { ready: 0, delayed: 0, blocked: 0, running: 0, completed: 0, cancelled: 0, dead: 0 }
    for (const job of this.#jobs.values()) {
      if (!holds(job)) continue
      if (job.state === 'queued') counts[job.runAt <= this.#now ? 'ready' : 'delayed']++
      else counts[job.state]++
    }
    return counts
  }

  get #now(): number {
    return this.#stage.clock.now()
  }

  #any(pick: number): ModelJob | undefined {
    const jobs = [...this.#jobs.values()]
    return jobs[pick % Math.max(1, jobs.length)]
  }
}

function staleAnswers(lease: HeldLease): SettleAnswer[] {
  return lease.ended === 'rescued' ? ['lease-lost'] : ['already-settled', 'lease-lost']
}
