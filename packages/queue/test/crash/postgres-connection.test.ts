import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMillrace, createWorker, handle, openEngine } from '../../src/index.ts'
import type { Request } from './cut-link.ts'
import { CutProxy } from './cut-proxy.ts'
import { eventually } from './eventually.ts'
import { neighbour } from './jobs.ts'
import { usePostgres } from './postgres.ts'
import { Random } from './random.ts'
import { useStage } from './stage.ts'
import { Troop } from './troop.ts'

const wanted = Math.ceil(50 * Number(process.env['CRASH_SCALE'] ?? 1))
const seed = Number(process.env['CRASH_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const spec = { busyMs: 0, waitMs: 0, failures: 0, viaTx: false, chatty: false }

/** The network between engine and server, which is well itself. */
describe('a bad connection to postgres', () => {
  const hall = usePostgres()
  const stage = useStage(hall.target)
  let proxy: CutProxy
  beforeEach(async () => {
    proxy = await CutProxy.start(hall.server.port)
  })
  // A dead process's connections end by themselves: the processes are gone by then.
  afterEach(() => proxy.close())

  it(`cut ${wanted} times with the reply dropped (CRASH_SEED=${seed}) loses nothing and doubles nothing`, {
    timeout: 300_000,
  }, async () => {
    const troop = new Troop(stage, proxy.url(stage.store.url))
    await troop.start({ workers: 2, producers: 2 })
    const cuts = new FairCuts(new Random(seed))
    proxy.decide = request => (proxy.cuts.length < wanted ? cuts.decide(request) : 'pass')
    await eventually('all cuts are made', 120_000, () => proxy.cuts.length >= wanted)
    const tookMs = await troop.resumed('work goes on after the last cut', Date.now(), 10_000)
    const evidence = await troop.account()
    const kinds = new Set(proxy.cuts.map(cut => kindOf(cut.sql)))
    console.log(
      `postgres: ${proxy.cuts.length} replies dropped (${proxy.cuts.filter(cut => cut.committed).length} of them ` +
        `after a commit) in ${kinds.size} kinds of statements under ${evidence.jobs.size} jobs; resumed after ${tookMs} ms`,
    )
    expect(tookMs).toBeLessThanOrEqual(10_000)
    expect(proxy.cuts.filter(cut => cut.committed).length).toBeGreaterThan(wanted / 2)
  })

  it('that falls silent without closing is replaced within 15 s', { timeout: 120_000 }, async () => {
    const troop = new Troop(stage, proxy.url(stage.store.url))
    await troop.start({ workers: 2, producers: 2 })
    expect(proxy.blackHole()).toBeGreaterThan(3)
    const tookMs = await troop.resumed('work resumes through new connections', Date.now(), 18_000)
    await troop.account()
    console.log(`postgres: work resumed ${tookMs} ms after every connection had fallen silent`)
    // 15 s to find out, and some for what has waited.
    expect(tookMs).toBeLessThanOrEqual(17_000)
  })

  it('that falls silent before a commit leaves no lock behind', { timeout: 120_000 }, async () => {
    const troop = new Troop(stage, proxy.url(stage.store.url))
    await troop.start({ workers: 2, producers: 2 })
    let silentAt = 0
    proxy.decide = ({ sql }) => {
      if (silentAt > 0 || !sql.includes('COMMIT')) return 'pass'
      silentAt = Date.now()
      return 'silence'
    }
    await eventually('a transaction is about to be committed', 60_000, () => silentAt > 0)
    const tookMs = await troop.resumed('work resumes past what the transaction had locked', silentAt, 60_000)
    console.log(`postgres: work resumed ${tookMs} ms after a commit was not heard`)
    await troop.account()
    // Nothing was left to wait for a transaction that the server took for idle.
    expect(Date.now() - silentAt).toBeLessThanOrEqual(25_000)
    expect(tookMs).toBeLessThanOrEqual(17_000)
  })

  it('that falls silent under somebody who only listens is replaced within 15 s', {
    timeout: 60_000,
  }, async () => {
    const engine = openEngine(proxy.url(stage.store.url))
    const elsewhere = createMillrace({ engine, jobs: [neighbour] })
    await elsewhere.open()
    elsewhere.engine.subscribe(() => {})
    // The listening connection, and one for whoever asks.
    await elsewhere.enqueue(neighbour, { ...spec, n: 1 })
    await eventually('it listens', 10_000, () => proxy.connections >= 2)
    const before = proxy.accepted
    const silentAt = performance.now()
    proxy.blackHole()
    await eventually('it listens anew', 20_000, () => proxy.accepted > before)
    const foundMs = performance.now() - silentAt
    await elsewhere.enqueue(neighbour, { ...spec, n: 2 })
    const enqueuedMs = performance.now() - silentAt - foundMs
    console.log(
      `postgres: silence found after ${Math.round(foundMs)} ms, an enqueue then took ${Math.round(enqueuedMs)} ms`,
    )
    expect(foundMs).toBeLessThanOrEqual(15_000)
    expect(enqueuedMs).toBeLessThan(5_000)
    await elsewhere.close()
  })

  it('that falls silent keeps nobody from leaving', { timeout: 120_000 }, async () => {
    const engine = openEngine(proxy.url(stage.store.url))
    const elsewhere = createMillrace({ engine, jobs: [neighbour] })
    await elsewhere.open()
    elsewhere.engine.subscribe(() => {})
    await elsewhere.enqueue(neighbour, { ...spec, n: 1 })
    await eventually('it listens', 10_000, () => proxy.connections >= 2)
    proxy.blackHole()
    const silentAt = performance.now()
    await elsewhere.close()
    expect(performance.now() - silentAt).toBeLessThanOrEqual(15_000)
  })

  it('that loses every notification costs at most one poll', { timeout: 60_000 }, async () => {
    const engine = openEngine(proxy.url(stage.store.url))
    const elsewhere = createMillrace({ engine, jobs: [neighbour] })
    const started = new Map<number, number>()
    const handler = handle(neighbour, ({ payload, job }) => {
      started.set(payload.n, performance.now())
      return { n: payload.n, epoch: job.epoch, pid: process.pid }
    })
    const worker = createWorker(elsewhere, [handler])
    await worker.start()
    try {
      proxy.losesNotifications = true
      const waits: number[] = []
      for (let n = 0; n < 8; n++) {
        await stage.millrace.enqueue(neighbour, { ...spec, n })
        const enqueuedAt = performance.now()
        await eventually('the job starts', 10_000, () => started.has(n))
        waits.push(Math.round((started.get(n) as number) - enqueuedAt))
      }
      console.log(
        `postgres: with ${proxy.lostNotifications} notifications lost, work started after ${waits} ms`,
      )
      expect(proxy.lostNotifications).toBeGreaterThan(0)
      expect(Math.max(...waits)).toBeLessThanOrEqual(1_400)
    } finally {
      await worker.stop()
      await elsewhere.close()
    }
  })
})

/** Chooses what to cut so that rare statements get their share: the less often a kind was cut, the sooner it is. */
class FairCuts {
  readonly #random: Random
  readonly #cuts = new Map<string, number>()
  #dueAt = 0

  constructor(random: Random) {
    this.#random = random
  }

  decide({ sql }: Request): 'pass' | 'drop-reply' | 'drop-request' {
    const kind = kindOf(sql)
    const count = this.#cuts.get(kind) ?? 0
    const now = performance.now()
    if (now < this.#dueAt || !this.#random.chance(0.5 / (1 + count))) return 'pass'
    this.#dueAt = now + this.#random.between(50, 400)
    // Some requests never arrive at all, so that nobody may take a cut for a success.
    if (this.#random.chance(0.2)) return 'drop-request'
    this.#cuts.set(kind, count + 1)
    return 'drop-reply'
  }
}

function kindOf(sql: string[]): string {
  return sql.map(text => text.replaceAll(/\s+/g, ' ').trim().slice(0, 80)).join('; ')
}
