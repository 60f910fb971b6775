import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { Millrace } from '../../src/index.ts'
import type { ProducerInput } from './children/producer.ts'
import type { WorkerInput } from './children/worker.ts'
import { eventually } from './eventually.ts'
import { touchLedger } from './ledger.ts'
import { Child } from './process.ts'
import { Random } from './random.ts'
import type { CrashStore, CrashTarget, Span } from './target.ts'
import type { DeathPoint } from './watch.ts'
import { type Zombie, makeZombie } from './zombie.ts'

/** Whoever has not come to its appointed end by then is killed where it stands. */
const deathWaitMs = 2_500

export interface StormPlan {
  seed: number
  /** At least so many acknowledged jobs. */
  jobs: number
  workerKills: number
  producerKills: number
  zombies: number
  /** How many workers are being killed, and how many frozen, at a time. */
  lanes: number
  /** How long producers wait between two batches, until all kills are done. */
  paceMs: number
  leaseMs: number
  sweepMs: number
}

export interface StormRecord {
  plan: StormPlan
  ledgers: string
  /** By ledger name, when each was surely gone. */
  deaths: { ledger: string; role: 'worker' | 'producer'; at: number }[]
  zombies: Zombie[]
  /** The ledger of the one worker that nobody disturbs. */
  survivor: string
  /** What somebody else had to wait for a commit of their own. */
  slowCommits: Span[]
}

/** Kills and freezes workers and producers at random moments until the plan is fulfilled and all work is done. */
export async function runStorm(
  target: CrashTarget,
  store: CrashStore,
  millrace: Millrace,
  plan: StormPlan,
): Promise<StormRecord> {
  const storm = new Storm(target, store, plan)
  const commits = await store.watchCommits?.()
  const survivor = await storm.worker('survivor', null)
  await Promise.all([
    storm.produce(Math.ceil(plan.producerKills / 2), 0),
    storm.produce(Math.floor(plan.producerKills / 2), 1),
    ...Array.from({ length: plan.lanes }, () => [storm.killWorkers(), storm.freezeWorkers(millrace)]).flat(),
  ])
  // What has piled up is worked off by more than one.
  const helpers = await Promise.all(Array.from({ length: 3 }, () => storm.worker('helper', null)))
  await eventually('every job finishes', 120_000, async () => {
    const { total } = await millrace.stats()
    return total.ready + total.delayed + total.blocked + total.running === 0
  })
  await Promise.all([survivor, ...helpers].map(child => child.stop()))
  return { ...storm.record, survivor: survivor.ledger, slowCommits: (await commits?.stop()) ?? [] }
}

class Storm {
  readonly record: Omit<StormRecord, 'survivor' | 'slowCommits'>
  readonly #target: CrashTarget
  readonly #store: CrashStore
  readonly #random: Random
  #acked = 0
  #raging: number
  #killsLeft: number
  #count = 0

  constructor(target: CrashTarget, store: CrashStore, plan: StormPlan) {
    this.#target = target
    this.#store = store
    this.#random = new Random(plan.seed)
    this.#raging = 2 * plan.lanes
    this.#killsLeft = plan.workerKills
    this.record = { plan, ledgers: join(store.folder, 'ledgers'), deaths: [], zombies: [] }
  }

  async worker(role: string, death: DeathPoint | null): Promise<Child> {
    const { leaseMs, sweepMs } = this.record.plan
    const given: WorkerInput = {
      url: this.#store.url,
      ledgers: this.record.ledgers,
      ledger: `${role}-${++this.#count}`,
      effectsModule: this.#target.effectsModule,
      // Deaths are dealt out at random here, so nobody is to be taken for poison.
      options: { concurrency: 8, leaseMs, sweepMs, pollMs: 200, maxDeaths: 1_000 },
      death,
    }
    touchLedger(given.ledgers, given.ledger)
    const child = new Child('worker', { ...given })
    if (!death) await child.ready()
    return child
  }

  /** One worker after the other, each killed in the middle of its work. */
  async killWorkers(): Promise<void> {
    while (this.#killsLeft-- > 0) {
      const death = this.#deathPoint(['claim', 'settle', 'completeIn', 'rescue', 'heartbeat'])
      const child = await this.worker('victim', death)
      if (death) await Promise.race([child.exited, wait(deathWaitMs)])
      else await wait(this.#random.between(0, 500))
      const { at } = await child.kill()
      this.record.deaths.push({ ledger: child.ledger, role: 'worker', at })
    }
    this.#raging--
  }

  /** One worker that is frozen until its leases are taken, thawed, and heard out, again and again. */
  async freezeWorkers(millrace: Millrace): Promise<void> {
    const child = await this.worker('zombie', null)
    while (this.record.zombies.length < this.record.plan.zombies) {
      await wait(this.#random.between(50, 300))
      const zombie = await makeZombie(child, this.record, this.#store, millrace)
      // Another lane may have made the last one meanwhile.
      if (zombie && this.record.zombies.length < this.record.plan.zombies) this.record.zombies.push(zombie)
    }
    this.#raging--
    await child.stop()
  }

  /** Producers in a row; each repeats what its predecessor had begun under a key. The last one ends by itself. */
  async produce(kills: number, lane: number): Promise<void> {
    let predecessor: string | null = null
    for (let generation = 0; ; generation++) {
      const death: DeathPoint | null = generation < kills ? this.#deathPoint(['enqueue']) : null
      const given: ProducerInput = {
        url: this.#store.url,
        ledgers: this.record.ledgers,
        ledger: `producer-${lane}-${generation}`,
        predecessor,
        firstN: (lane * 10_000 + generation) * 1_000_000,
        seed: this.#random.between(0, 2 ** 31),
        paceMs: this.record.plan.paceMs,
        death,
      }
      touchLedger(given.ledgers, given.ledger)
      const child = new Child('producer', { ...given })
      child.each(report => {
        if (report.kind === 'acked') this.#acked += report.count
      })
      if (generation >= kills) return this.#produceLast(child)
      await child.report('ready')
      if (death) await Promise.race([child.exited, wait(deathWaitMs)])
      else await wait(this.#random.between(0, 2_500))
      const { at } = await child.kill()
      this.record.deaths.push({ ledger: child.ledger, role: 'producer', at })
      predecessor = child.ledger
    }
  }

  async #produceLast(child: Child): Promise<void> {
    await eventually('the kills and freezes are done', 600_000, () => this.#raging === 0 || child.dead)
    child.send({ kind: 'hurry' })
    await eventually(
      'enough jobs are acknowledged',
      120_000,
      () => this.#acked >= this.record.plan.jobs || child.dead,
    )
    await child.stop()
  }

  /** A third of the victims die at an exact place in the code, the others whenever it hits them. */
  #deathPoint(calls: DeathPoint['call'][]): DeathPoint | null {
    if (!this.#random.chance(0.33)) return null
    const call = this.#random.pick(calls)
    const nth = this.#random.between(
      1,
      call === 'rescue' || call === 'heartbeat' || call === 'completeIn' ? 2 : 6,
    )
    return { call, moment: this.#random.pick(['before', 'after']), nth }
  }
}
