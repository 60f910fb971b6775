import { expect } from 'vitest'
import { Crew } from './crew.ts'
import { eventually } from './eventually.ts'
import { LedgerTail } from './ledger-tail.ts'
import { type Fact, readLedgers } from './ledger.ts'
import type { Child } from './process.ts'
import type { Stage } from './stage.ts'
import {
  badEndings,
  type Evidence,
  gather,
  lostOrDoubled,
  staleWrites,
  wronglyRefused,
} from './storm-check.ts'

const options = { concurrency: 8, leaseMs: 1_500, sweepMs: 300, maxDeaths: 1_000 }

/** Errors that a store which is away may be answered with. Whoever hears one of these is to try again. */
const passing = ['unavailable', 'read-only', 'timeout']

/** Workers and producers that are started once and must get through whatever happens to their store. */
export class Troop {
  readonly #stage: Stage
  readonly #crew: Crew
  readonly #workers: Child[] = []
  readonly #producers: Child[] = []
  #tails: LedgerTail[] = []

  /** `url`: how they reach the store, when not directly. */
  constructor(stage: Stage, url: string = stage.store.url) {
    this.#stage = stage
    this.#crew = new Crew(stage.target, { ...stage.store, url }, options)
  }

  async start(size: { workers: number; producers: number }): Promise<void> {
    for (let each = 0; each < size.workers; each++) this.#workers.push(this.#crew.start())
    for (let each = 0; each < size.producers; each++) this.#producers.push(this.#crew.producer())
    await Promise.all(this.#all.map(child => child.ready()))
    this.#tails = this.#all.map(child => new LedgerTail(this.#crew.ledgers, child.ledger))
    await this.resumed('everybody is at work', Date.now(), 20_000)
  }

  get #all(): Child[] {
    return [...this.#workers, ...this.#producers]
  }

  /**
   * Waits until each worker has settled a job that it began after `since`, and each producer has had something
   * acknowledged that it began to enqueue after `since`. Answers how long the slowest took.
   */
  async resumed(what: string, since: number, limitMs: number): Promise<number> {
    const slow = new Map(this.#tails.map(tail => [tail, new Watch(since)]))
    let slowestMs = 0
    await eventually(`${what} (${limitMs} ms from its beginning)`, limitMs + 5_000, () => {
      for (const [tail, watch] of slow) {
        const doneAt = watch.look(tail.next())
        if (doneAt === null) continue
        slowestMs = Math.max(slowestMs, doneAt - since)
        slow.delete(tail)
      }
      return slow.size === 0
    })
    return slowestMs
  }

  /** Waits until somebody's enqueue is refused after `since`. */
  async refused(since: number, limitMs: number): Promise<void> {
    await eventually('an enqueue is refused', limitMs, () =>
      this.#tails.some(tail => tail.next().some(fact => fact.k === 'refused' && fact.at >= since)),
    )
  }

  /** Ends the producers, lets the workers finish everything, and holds what the store says against what they saw. */
  async account(): Promise<Evidence> {
    await Promise.all(this.#producers.map(child => child.stop()))
    const { millrace, store, effects } = this.#stage
    await eventually('every job finishes', 60_000, async () => {
      const { total } = await millrace.stats()
      return total.ready + total.delayed + total.blocked + total.running === 0
    }).catch(async (error: Error) => {
      throw new Error(`${error.message}; unfinished are\n${await this.#unfinished()}`)
    })
    await Promise.all(this.#workers.map(child => child.stop()))
    for (const tail of this.#tails) tail.close()

    const record = { ledgers: this.#crew.ledgers, zombies: [] }
    const evidence = await gather(millrace, record, await effects.read(store.url))
    expect(lostOrDoubled(evidence).slice(0, 20)).toEqual([])
    expect(badEndings(evidence).slice(0, 20)).toEqual([])
    expect(staleWrites(evidence, record).slice(0, 20)).toEqual([])
    expect(wronglyRefused(evidence).slice(0, 20)).toEqual([])
    expect(await store.complaints()).toEqual([])
    expect((await millrace.stats()).total).toMatchObject({
      completed: evidence.jobs.size,
      dead: 0,
      cancelled: 0,
    })
    expect(this.#crew.facts('hello')).toHaveLength(this.#all.length)
    expect(this.#crew.facts('refused').filter(fact => !passing.includes(fact.code))).toEqual([])
    expect(this.#crew.facts('trouble').filter(fact => !passing.includes(fact.code))).toEqual([])
    return evidence
  }

  /** Some of the jobs that nobody has finished, with all that is known of them, for the report of a failure. */
  async #unfinished(): Promise<string> {
    const { millrace } = this.#stage
    const { total } = await millrace.stats()
    const { jobs } = await millrace.list({ states: ['queued', 'running', 'blocked'] }, { limit: 5 })
    const facts = [...readLedgers(this.#crew.ledgers)]
    const lines = await Promise.all(
      jobs.map(async job => {
        const seen = facts.flatMap(([ledger, list]) =>
          list
            .filter(fact => 'id' in fact && fact.id === job.id)
            .map(fact => `${ledger} ${JSON.stringify(fact)}`),
        )
        return [JSON.stringify(job), JSON.stringify(await millrace.attempts(job.id)), ...seen].join('\n  ')
      }),
    )
    const complaints = await this.#stage.store.complaints()
    return [
      JSON.stringify(total),
      ...complaints,
      ...lines,
      `workers ${JSON.stringify(await millrace.workers())}`,
    ].join('\n')
  }

  /** Every fact of one kind that they wrote down. */
  facts<Kind extends Fact['k']>(kind: Kind): Extract<Fact, { k: Kind }>[] {
    return this.#crew.facts(kind)
  }
}

/** Waits for one process to do a whole piece of work. */
class Watch {
  readonly #since: number
  readonly #begun = new Set<string>()

  constructor(since: number) {
    this.#since = since
  }

  /** When it had done one; null while it has not. */
  look(facts: Fact[]): number | null {
    for (const fact of facts) {
      if (fact.at < this.#since) continue
      if (fact.k === 'intent') this.#begun.add(`batch ${fact.batch}`)
      if (fact.k === 'start') this.#begun.add(`${fact.id} ${fact.epoch}`)
      if (fact.k === 'ack' && this.#begun.has(`batch ${fact.batch}`)) return fact.at
      if (fact.k === 'settle' && this.#begun.has(`${fact.id} ${fact.epoch}`)) return fact.at
    }
    return null
  }
}
