import { join } from 'node:path'
import type { WorkerOptions } from '../../src/index.ts'
import type { ProducerInput } from './children/producer.ts'
import type { WorkerInput } from './children/worker.ts'
import { eventually } from './eventually.ts'
import { readLedgers, touchLedger, type Fact } from './ledger.ts'
import { Child, type Death } from './process.ts'
import type { CrashStore, CrashTarget } from './target.ts'
import type { DeathPoint } from './watch.ts'

/** Starts the workers of one scenario and knows their ledgers. */
export class Crew {
  readonly deaths: Death[] = []
  readonly #target: CrashTarget
  readonly #store: CrashStore
  readonly #options: WorkerOptions
  #count = 0

  constructor(target: CrashTarget, store: CrashStore, options: WorkerOptions) {
    this.#target = target
    this.#store = store
    this.#options = options
  }

  get ledgers(): string {
    return join(this.#store.folder, 'ledgers')
  }

  start(death: DeathPoint | null = null): Child {
    const given: WorkerInput = {
      url: this.#store.url,
      ledgers: this.ledgers,
      ledger: `worker-${++this.#count}`,
      effectsModule: this.#target.effectsModule,
      options: this.#options,
      death,
    }
    touchLedger(given.ledgers, given.ledger)
    return new Child('worker', { ...given })
  }

  /** Somebody who enqueues a few quick jobs all the time, until it is stopped. */
  producer(): Child {
    const given: ProducerInput = {
      url: this.#store.url,
      ledgers: this.ledgers,
      ledger: `producer-${++this.#count}`,
      predecessor: null,
      firstN: this.#count * 1_000_000,
      seed: this.#count,
      paceMs: 200,
      death: null,
    }
    touchLedger(given.ledgers, given.ledger)
    return new Child('producer', { ...given })
  }

  /** Keeps one worker running, as a process manager does, until `done`; answers when the last one has stopped. */
  async keepAlive(what: string, done: () => Promise<boolean>): Promise<void> {
    const finished = eventually(what, 60_000, done).then(() => null)
    let child = this.start()
    for (;;) {
      const death = await Promise.race([child.exited, finished])
      if (death === null) break
      this.deaths.push(death)
      child = this.start()
    }
    child.send({ kind: 'stop' })
    // It may be about to die of the last job that it completed.
    const last = await child.exited
    if (last.code !== 0) this.deaths.push(last)
  }

  /** Every fact of one kind that the workers wrote down. */
  facts<Kind extends Fact['k']>(kind: Kind): Extract<Fact, { k: Kind }>[] {
    const all = [...readLedgers(this.ledgers).values()].flat()
    return all.filter(fact => fact.k === kind) as Extract<Fact, { k: Kind }>[]
  }
}
