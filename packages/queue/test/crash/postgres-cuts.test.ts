import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Completion, Engine, Lease, SettleAnswer, Settlement } from '../../src/engine/contract.ts'
import { createMillrace, isQueueError, type Millrace, openEngine, QueueError } from '../../src/index.ts'
import type { Outcome } from '../../src/job/decide.ts'
import { aJob, complete, dead, release, retry, snooze } from '../conformance/samples.ts'
import { CutProxy } from './cut-proxy.ts'
import { eventually } from './eventually.ts'
import { neighbour } from './jobs.ts'
import { usePostgres } from './postgres.ts'
import { asking } from './postgres-client.ts'
import { useStage } from './stage.ts'

const leaseMs = 60_000
const spec = { busyMs: 0, waitMs: 0, failures: 0, viaTx: false, chatty: false }

/** Each operation once for each request that it makes, with the reply to that request dropped. */
describe('a postgres reply that is dropped', () => {
  const hall = usePostgres()
  const stage = useStage(hall.target)
  let proxy: CutProxy
  let engine: Engine
  let millrace: Millrace
  beforeEach(async () => {
    proxy = await CutProxy.start(hall.server.port)
    engine = openEngine(proxy.url(stage.store.url))
    millrace = createMillrace({ engine, jobs: [neighbour] })
    await millrace.open()
  })
  afterEach(async () => {
    proxy.decide = () => 'pass'
    await millrace.close()
    await proxy.close()
  })

  /** Runs `once` with the reply to its first request dropped, then to its second, and so on until it makes no more. */
  async function cutEach(once: () => Promise<void>): Promise<void> {
    // Everything that is prepared only once is so.
    await once()
    for (let nth = 1; ; nth++) {
      const before = proxy.cuts.length + proxy.failedCuts
      let asked = 0
      proxy.decide = () => (++asked === nth ? 'drop-reply' : 'pass')
      await once()
      proxy.decide = () => 'pass'
      if (proxy.cuts.length + proxy.failedCuts === before) {
        expect(nth).toBeGreaterThan(1)
        return
      }
    }
  }

  /** As callers do: again until it is answered. Nothing but `unavailable` may be heard in between. */
  function insist<T>(act: () => Promise<T>): Promise<T> {
    return eventually('it is answered', 30_000, async () => {
      try {
        return [await act()]
      } catch (error) {
        if (isQueueError(error, 'unavailable')) return null
        throw error
      }
    }).then(([answer]) => answer as T)
  }

  async function running(count: number): Promise<Lease[]> {
    const { engine: direct, newId } = stage.millrace
    const type = `t${newId()}`
    await direct.enqueue(Array.from({ length: count }, () => aJob({ id: newId(), type })))
    await direct.heartbeat({ worker: 'w', label: 'w', leases: [], leaseMs })
    const lanes = [{ queue: 'default', types: [type] }]
    const { jobs } = await direct.claim({ worker: 'w', lanes, limit: count, leaseMs })
    expect(jobs).toHaveLength(count)
    return jobs
  }

  const total = async (): Promise<number> => {
    const counts = (await stage.millrace.stats()).total
    return Object.values(counts).reduce((sum: number, count: number) => sum + count, 0)
  }

  it('leaves a repeated enqueue of the same ids single', { timeout: 60_000 }, () =>
    cutEach(async () => {
      const before = await total()
      const ids = [1, 2, 3].map(() => stage.millrace.newId())
      const answers = await insist(() => engine.enqueue(ids.map(id => aJob({ id }))))
      expect(answers.map(answer => 'id' in answer && answer.id)).toEqual(ids)
      expect(await total()).toBe(before + 3)
      expect((await stage.millrace.engine.get(ids)).map(job => job?.state)).toEqual(ids.map(() => 'queued'))
    }),
  )

  it('leaves a repeated enqueue of the same key single', { timeout: 60_000 }, () =>
    cutEach(async () => {
      const before = await total()
      const idempotency = { key: stage.millrace.newId(), bodyHash: 'same' }
      const heard = await insist(() => engine.enqueue([aJob({ id: stage.millrace.newId(), idempotency })]))
      const again = await insist(() => engine.enqueue([aJob({ id: stage.millrace.newId(), idempotency })]))
      expect(await total()).toBe(before + 1)
      expect(again).toMatchObject([{ outcome: 'duplicate', id: 'id' in heard[0]! ? heard[0].id : '' }])
    }),
  )

  const ways: Record<string, (n: number) => Promise<unknown>[]> = {
    'one enqueue': n => [millrace.enqueue(neighbour, { ...spec, n })],
    'twenty concurrent enqueues': n =>
      Array.from({ length: 20 }, (_, index) => millrace.enqueue(neighbour, { ...spec, n: n + index })),
    'an enqueue of many': n => [
      millrace.enqueueMany(
        neighbour,
        Array.from({ length: 300 }, (_, index) => ({ payload: { ...spec, n: n + index } })),
      ),
    ],
  }
  for (const [name, enqueue] of Object.entries(ways))
    it(`makes ${name} happen once if it is acknowledged, and at most once if not`, {
      timeout: 60_000,
    }, () => {
      let n = 0
      return cutEach(async () => {
        const before = await total()
        const asked = enqueue((n += 1_000))
        const answers = await Promise.allSettled(asked)
        const stored = (await total()) - before
        const size = name === 'an enqueue of many' ? 300 : 1
        const acknowledged = answers.filter(answer => answer.status === 'fulfilled').length * size
        for (const answer of answers)
          if (answer.status === 'rejected') expect(answer.reason).toMatchObject({ code: 'unavailable' })
        expect(stored).toBeGreaterThanOrEqual(acknowledged)
        expect(stored).toBeLessThanOrEqual(asked.length * size)
      })
    })

  // What was given back or snoozed leaves no trace to know it by: there a repetition may be refused.
  const outcomes: Record<string, { outcome: Outcome; state: string; attempts: string[] }> = {
    complete: { outcome: complete('{"n":1}'), state: 'completed', attempts: ['completed'] },
    retry: { outcome: retry(60_000), state: 'queued', attempts: ['failed'] },
    dead: { outcome: dead(), state: 'dead', attempts: ['failed'] },
    snooze: { outcome: snooze(60_000), state: 'queued', attempts: ['snoozed'] },
    release: { outcome: release, state: 'queued', attempts: [] },
  }
  for (const [name, { outcome, state, attempts }] of Object.entries(outcomes))
    it(`leaves a settle (${name}) single, and its answer right`, { timeout: 60_000 }, () =>
      cutEach(async () => {
        const leases = await running(3)
        const settlements = leases.map((lease): Settlement => ({ lease, outcome, ranMs: 5 }))
        const answers = await insist(() => engine.settle('w', settlements))
        if (name !== 'snooze' && name !== 'release') expectHeld(answers)
        for (const { id } of leases) {
          expect(await stage.millrace.get(id)).toMatchObject({ state })
          const ended = (await stage.millrace.attempts(id)).map(attempt => attempt.outcome)
          expect(ended).toEqual(attempts)
        }
        expect(await insist(() => engine.settle('w', settlements))).not.toContain('settled')
      }),
    )

  it('leaves a completion with its own writes single, and its answer right', { timeout: 60_000 }, () =>
    cutEach(async () => {
      const [lease] = (await running(1)) as [Lease]
      const answer = await insist(() =>
        engine.completeIn('w', lease, (async (tx: unknown) => {
          await Promise.resolve(stage.effects.record(tx, { jobId: lease.id, epoch: lease.epoch })).catch(
            // What the driver says to the handler itself is the handler's to judge.
            (cause: unknown) => Promise.reject(new QueueError('unavailable', 'the write failed', { cause })),
          )
          return { resultJson: '1', ranMs: 1 }
        }) as unknown as (tx: unknown) => Completion),
      )
      expectHeld([answer])
      expect(await stage.millrace.get(lease.id)).toMatchObject({ state: 'completed', result: 1 })
      const effects = await stage.effects.read(stage.store.url)
      expect(effects.filter(effect => effect.jobId === lease.id)).toHaveLength(1)
    }),
  )

  it('or a commit that never arrived leaves the job to its lease', { timeout: 60_000 }, async () => {
    const { newId } = stage.millrace
    const type = `t${newId()}`
    await engine.enqueue([1, 2].map(() => aJob({ id: newId(), type })))
    await engine.heartbeat({ worker: 'w', label: 'w', leases: [], leaseMs })
    const lanes = [{ queue: 'default', types: [type] }]
    const { jobs } = await engine.claim({ worker: 'w', lanes, limit: 2, leaseMs })
    const [first, second] = jobs as unknown as [Lease, Lease]
    proxy.decide = ({ sql }) => (sql.includes('COMMIT') ? 'drop-request' : 'pass')
    const answer = await engine
      .completeIn('w', first, (async (tx: unknown) => {
        await stage.effects.record(tx, { jobId: first.id, epoch: first.epoch })
        return { resultJson: '1', ranMs: 1 }
      }) as unknown as (tx: unknown) => Completion)
      .catch((error: unknown) => error)
    expect(answer).not.toBe('settled')
    proxy.decide = () => 'pass'
    expect(await stage.effects.read(stage.store.url)).toEqual([])
    // Its neighbour of the same claim ends, and takes nothing along.
    const settle = (lease: Lease): Promise<SettleAnswer[]> =>
      insist(() => engine.settle('w', [{ lease, outcome: complete('2'), ranMs: 1 }]))
    expect(await settle(second)).toEqual(['settled'])
    expect(await settle(first)).toEqual(['settled'])
    expect(await stage.millrace.get(first.id)).toMatchObject({ state: 'completed', result: 2 })
  })

  it('gives a claimed job to somebody, although its worker never heard of it', { timeout: 120_000 }, () =>
    cutEach(async () => {
      const { engine: direct, newId } = stage.millrace
      const id = newId()
      const type = `t${id}`
      const lanes = [{ queue: 'default', types: [type] }]
      const worker = newId()
      const shortMs = 1_000
      await direct.heartbeat({ worker, label: '', leases: [], leaseMs: shortMs })
      await direct.heartbeat({ worker: 'other', label: '', leases: [], leaseMs })
      await direct.enqueue([aJob({ id, type })])
      const answer = await engine.claim({ worker, lanes, limit: 1, leaseMs: shortMs }).catch(error => {
        expect(error).toMatchObject({ code: 'unavailable' })
        return null
      })
      let held: Lease | undefined = answer?.jobs[0]
      await eventually('somebody gets it', 15_000, async () => {
        // The worker lives and beats, for the leases that it knows of.
        const leases = held ? [held] : []
        await insist(() => engine.heartbeat({ worker, label: '', leases, leaseMs: shortMs }))
        held ??= (await insist(() => engine.claim({ worker, lanes, limit: 1, leaseMs: shortMs }))).jobs[0]
        await direct.rescue({ maxDeaths: 3, limit: 10 })
        return held !== undefined
      })
      const settlement = { lease: held as Lease, outcome: complete(), ranMs: 1 }
      expectHeld(await insist(() => engine.settle(worker, [settlement])))
      expect(await stage.millrace.get(id)).toMatchObject({ state: 'completed' })
    }),
  )

  it('cancels once, and says so', { timeout: 60_000 }, () =>
    cutEach(async () => {
      const id = stage.millrace.newId()
      await stage.millrace.engine.enqueue([aJob({ id })])
      const answers = await insist(() => engine.cancel([id], 'no more'))
      expect(['cancelled', 'already-finished']).toContain(answers[0])
      expect(await stage.millrace.get(id)).toMatchObject({ state: 'cancelled', cancelReason: 'no more' })
    }),
  )

  it('drops none of what a tick records', { timeout: 60_000 }, async () => {
    const direct = stage.millrace.engine
    await stage.millrace.schedules.put('cut', { job: neighbour, payload: { ...spec, n: 1 }, every: 60_000 })
    let fired = 0
    await cutEach(async () => {
      const [schedule] = await direct.schedules()
      const expectedNextAt = schedule?.nextAt ?? 0
      const tick = {
        schedule: 'cut',
        scheduledAt: expectedNextAt,
        expectedNextAt,
        nextAt: expectedNextAt + 60_000,
        outcome: 'fire' as const,
        job: aJob({ id: stage.millrace.newId(), type: 'CRASH_NEIGHBOUR' }),
      }
      fired++
      expect(['recorded', 'already']).toContain(await insist(() => engine.fireTick(tick)))
      expect(await direct.ticks('cut', { limit: 100 })).toHaveLength(fired)
      expect(await total()).toBe(fired)
    })
  })

  it('of the commit of a caller leaves what was enqueued in it', { timeout: 60_000 }, () =>
    asking(proxy.url(stage.store.url), async client => {
      const id = stage.millrace.newId()
      await client.query('BEGIN')
      await engine.enqueue([aJob({ id })], { tx: client })
      expect(await total()).toBe(0)
      proxy.decide = ({ sql }) => (sql.includes('COMMIT') ? 'drop-reply' : 'pass')
      await expect(client.query('COMMIT')).rejects.toThrow()
      expect(await total()).toBe(1)
      expect(await engine.enqueue([aJob({ id })])).toMatchObject([{ id }])
      expect(await total()).toBe(1)
    }),
  )
})

function expectHeld(answers: SettleAnswer[]): void {
  for (const answer of answers) expect(['settled', 'already-settled']).toContain(answer)
}
