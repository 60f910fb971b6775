import { describe, expect, it, onTestFinished } from 'vitest'
import type { Engine, Settlement } from '../../src/engine/contract.ts'
import {
  createMillrace,
  createWorker,
  fixed,
  handle,
  type Millrace,
  QueueError,
  sleep,
} from '../../src/index.ts'
import { override } from '../support/engine-proxy.ts'
import { aborted, nextEvent, recordEvents } from '../support/events.ts'
import { enqueueMany, gate, openRuntime, plainJob, type Runtime, still } from './runtime-stage.ts'
import { complete, hourMs, minuteMs, secondMs } from './samples.ts'
import type { EngineSubject } from './stage.ts'

const leaseMs = 30 * secondMs
/** One of the database's codes that says nothing about what was to be stored. */
const sqlState = (code: string): Error => Object.assign(new Error('the database is at a loss'), { code })
const tooOdd = new QueueError('invalid-argument', 'the database can not take that value')
const unavailable = (): Promise<never> => Promise.reject(new QueueError('unavailable', 'the store is away'))

export function survivalCases(subject: EngineSubject): void {
  describe('a lease', () => {
    it('is kept as long as the handler runs', async () => {
      const runtime = await openRuntime(subject)
      const work = plainJob({ maxAttempts: 1 })
      await runtime.start([handle(work, () => sleep(runtime.clock, 5 * minuteMs))], { ...still, leaseMs })
      const { id } = await runtime.millrace.enqueue(work, {})
      await runtime.reaches(id, 'completed', 10 * minuteMs)
      expect(await runtime.job(id)).toMatchObject({ deaths: 0, attempt: 1 })
    })

    it.each([
      ['fail', false],
      ['never answer', true],
    ])('is given up one heartbeat before its end when heartbeats %s', async (_what, isSilent) => {
      let isCut = false
      const silence = gate<never>()
      silence.promise.catch(() => {})
      const heartbeat = isSilent ? () => silence.promise : unavailable
      const between = (engine: Engine): Engine =>
        override(engine, { heartbeat: beat => (isCut ? heartbeat() : engine.heartbeat(beat)) })
      const runtime = await openRuntime(subject, { between })
      const work = plainJob({ timeoutMs: null })
      const reasons: unknown[] = []
      await runtime.start(
        [
          handle(work, async ({ signal }) => {
            reasons.push(await aborted(signal))
            throw signal.reason
          }),
        ],
        { leaseMs },
      )
      onTestFinished(() => silence.reject(new QueueError('unavailable', 'hung up')))
      const { id } = await runtime.millrace.enqueue(work, {})
      await runtime.reaches(id, 'running')
      isCut = true
      const { leaseExpiresAt } = await runtime.job(id)
      await runtime.clock.eventually(() => reasons.length > 0)
      isCut = false
      expect((leaseExpiresAt as number) - runtime.clock.now()).toBeGreaterThanOrEqual(leaseMs / 3)
      expect(reasons).toEqual([expect.objectContaining({ code: 'lease-lost' })])
    })

    it('that only this worker took for lost is ended by it, and the job runs again', async () => {
      let isCut = false
      const between = (engine: Engine): Engine =>
        override(engine, { heartbeat: beat => (isCut ? unavailable() : engine.heartbeat(beat)) })
      const runtime = await openRuntime(subject, { between })
      const work = plainJob({ timeoutMs: null, backoff: () => 0 })
      const epochs: number[] = []
      await runtime.start(
        [
          handle(work, async ({ job, signal }) => {
            epochs.push(job.epoch)
            if (epochs.length > 1) return 2
            await aborted(signal)
            // It hears, and still takes its time: by then the store has the worker's beats again.
            isCut = false
            await sleep(runtime.clock, leaseMs / 3)
            throw signal.reason
          }),
        ],
        { leaseMs },
      )
      const { id } = await runtime.millrace.enqueue(work, {})
      await runtime.reaches(id, 'running')
      isCut = true
      await runtime.reaches(id, 'completed', 5 * minuteMs)
      expect(epochs).toHaveLength(2)
      expect(await runtime.job(id)).toMatchObject({ result: 2 })
    })

    it('survives a heartbeat that fails once', async () => {
      let failures = 0
      const between = (engine: Engine): Engine =>
        override(engine, { heartbeat: beat => (failures-- > 0 ? unavailable() : engine.heartbeat(beat)) })
      const runtime = await openRuntime(subject, { between })
      const work = plainJob({ maxAttempts: 1 })
      await runtime.start([handle(work, ({ signal }) => sleep(runtime.clock, 2 * minuteMs, signal))], {
        ...still,
        leaseMs,
      })
      const { id } = await runtime.millrace.enqueue(work, {})
      await runtime.reaches(id, 'running')
      failures = 1
      await runtime.reaches(id, 'completed', 5 * minuteMs)
    })
  })

  describe('a frozen worker', () => {
    it('has its late completion refused, hears of it, and works on', async () => {
      const runtime = await openRuntime(subject)
      const work = plainJob({ timeoutMs: null })
      const frozen = gate<string>()
      await runtime.start([handle(work, ({ payload }) => (payload.n === 0 ? frozen.promise : 'next'))], {
        leaseMs,
      })
      const lost = nextEvent(runtime.millrace, 'lease-lost')
      const completions = recordEvents(runtime.millrace, 'completed')
      const { id } = await runtime.millrace.enqueue(work, { n: 0 })
      await runtime.reaches(id, 'running')
      const before = (await runtime.job(id)).epoch
      runtime.freeze(minuteMs)
      await takeOver(runtime, '"right"')
      frozen.resolve('late')
      expect(await runtime.clock.until(lost)).toMatchObject({ id, attempt: 1 })
      await runtime.clock.advance(10 * secondMs)
      expect(await runtime.job(id)).toMatchObject({
        state: 'completed',
        result: 'right',
        worker: 'successor',
      })
      expect((await runtime.job(id)).epoch).toBeGreaterThan(before)
      expect(completions).toEqual([])
      const next = await runtime.millrace.enqueue(work, { n: 1 })
      expect(await runtime.clock.until(runtime.millrace.result(next.id))).toBe('next')
    })

    it('has its late failure refused', async () => {
      const runtime = await openRuntime(subject)
      const work = plainJob({ timeoutMs: null, maxAttempts: 1, backoff: fixed(0) })
      const frozen = gate<string>()
      await runtime.start([handle(work, () => frozen.promise)], { leaseMs })
      const { id } = await runtime.millrace.enqueue(work, {}, { maxAttempts: 2 })
      await runtime.reaches(id, 'running')
      runtime.freeze(minuteMs)
      await takeOver(runtime, '"right"')
      frozen.reject(new Error('late failure'))
      await runtime.clock.advance(10 * secondMs)
      expect(await runtime.job(id)).toMatchObject({ state: 'completed', result: 'right' })
    })

    it('has its handler’s signal fired when it wakes', async () => {
      const runtime = await openRuntime(subject)
      const work = plainJob({ timeoutMs: null })
      const reasons: unknown[] = []
      await runtime.start([handle(work, async ({ signal }) => void reasons.push(await aborted(signal)))], {
        leaseMs,
      })
      const { id } = await runtime.millrace.enqueue(work, {})
      await runtime.reaches(id, 'running')
      runtime.freeze(minuteMs)
      await takeOver(runtime, '"right"')
      await runtime.clock.eventually(() => reasons.length > 0, secondMs)
      expect(reasons).toEqual([expect.objectContaining({ code: 'lease-lost' })])
    })
  })

  it('the jobs of a dead worker are run by another within lease and sweep', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    const ids = await enqueueMany(runtime.millrace, work, 5)
    const rescues = recordEvents(runtime.millrace, 'rescued')
    const mortal = mortalWorker(runtime, [handle(work, () => new Promise(() => {}))])
    await mortal.start()
    await runtime.allReach(ids, 'running')
    mortal.die()
    await runtime.start([handle(work, ({ job }) => job.attempt)], { leaseMs, sweepMs: 5 * secondMs })
    expect(await runtime.allReach(ids, 'completed', hourMs)).toBeLessThanOrEqual(leaseMs + 6 * secondMs)
    expect(rescues).toHaveLength(5)
    expect(rescues[0]?.event).toMatchObject({ type: 'work', deaths: 1, now: 'queued' })
    for (const id of ids) expect(await runtime.job(id)).toMatchObject({ result: 2, deaths: 1 })
  })

  it('a job that kills its worker three times is dead, and its neighbours complete', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ maxAttempts: 20 })
    const poison = plainJob({ type: 'poison', maxAttempts: 20 })
    const neighbours = await enqueueMany(runtime.millrace, work, 6)
    const { id } = await runtime.millrace.enqueue(poison, {})
    let deaths = 0
    const isOver = async (): Promise<boolean> =>
      (await runtime.stage.states([id, ...neighbours])).every(
        state => state !== 'queued' && state !== 'running',
      )
    while (!(await isOver())) {
      expect(deaths).toBeLessThan(10)
      let isDead = false
      const worker = mortalWorker(runtime, [
        handle(work, () => sleep(runtime.clock, 10 * secondMs)),
        handle(poison, async () => {
          await sleep(runtime.clock, secondMs)
          deaths++
          isDead = true
          worker.die()
          await new Promise(() => {})
        }),
      ])
      await worker.start()
      await runtime.clock.eventually(async () => isDead || (await isOver()), hourMs)
      worker.die()
    }
    expect(deaths).toBe(3)
    expect(await runtime.job(id)).toMatchObject({ state: 'dead', deaths: 3 })
    expect(await runtime.stage.states(neighbours)).toEqual(Array(6).fill('completed'))
  })

  it.each([hourMs, -hourMs])('a worker whose wall clock is wrong by %i ms changes nothing', async skewMs => {
    const runtime = await openRuntime(subject, { skewMs })
    const work = plainJob({ maxAttempts: 1 })
    await runtime.start([handle(work, () => sleep(runtime.clock, minuteMs))], { leaseMs })
    const soon = await runtime.millrace.enqueue(work, {})
    const later = await runtime.millrace.enqueue(work, {}, { delay: '3m' })
    const sinceAt = runtime.clock.now()
    await runtime.reaches(soon.id, 'completed', hourMs)
    const job = await runtime.job(soon.id)
    expect(job).toMatchObject({ deaths: 0, finishedAt: runtime.clock.now() })
    expect(job.startedAt).toBeLessThanOrEqual(sinceAt + 100)
    await runtime.reaches(later.id, 'completed', hourMs)
    const waitedMs = ((await runtime.job(later.id)).startedAt as number) - sinceAt
    expect(waitedMs).toBeGreaterThanOrEqual(3 * minuteMs)
    expect(waitedMs).toBeLessThan(3 * minuteMs + 2 * secondMs)
  })

  it('a store that is away for a while is worked with again, without a restart', async () => {
    let isAway = false
    const between = (engine: Engine): Engine => {
      const refused = (call: (...values: never[]) => Promise<unknown>) =>
        ((...values: never[]) => (isAway ? unavailable() : call(...values))) as never
      return override(engine, {
        claim: refused(engine.claim),
        settle: refused(engine.settle),
        heartbeat: refused(engine.heartbeat),
        report: refused(engine.report),
        rescue: refused(engine.rescue),
        cancelRequests: refused(engine.cancelRequests),
        schedules: refused(engine.schedules),
        prune: refused(engine.prune),
      })
    }
    const runtime = await openRuntime(subject, { between })
    const work = plainJob()
    const troubles = recordEvents(runtime.millrace, 'trouble')
    await runtime.start(
      [handle(work, ({ job }) => sleep(runtime.clock, 2 * secondMs).then(() => job.attempt))],
      { leaseMs },
    )
    const before = await runtime.millrace.enqueue(work, {})
    await runtime.reaches(before.id, 'running')
    isAway = true
    await runtime.clock.advance(5 * minuteMs)
    expect(troubles.length).toBeGreaterThan(0)
    const during = await runtime.millrace.enqueue(work, {})
    isAway = false
    expect(await runtime.allReach([before.id, during.id], 'completed', hourMs)).toBeLessThanOrEqual(
      15 * secondMs,
    )
  })

  it('a settle whose reply was lost is repeated, and counts once', async () => {
    let losses = 0
    const between = (engine: Engine): Engine =>
      override(engine, {
        settle: async (worker, settlements) => {
          const answers = await engine.settle(worker, settlements)
          if (losses-- > 0) throw new QueueError('unavailable', 'the reply was lost')
          return answers
        },
      })
    const runtime = await openRuntime(subject, { between })
    const work = plainJob()
    await runtime.start([handle(work, () => 'done')])
    losses = 1
    const ids = await enqueueMany(runtime.millrace, work, 5)
    const completions = recordEvents(runtime.millrace, 'completed')
    const lost = recordEvents(runtime.millrace, 'lease-lost')
    await runtime.allReach(ids, 'completed')
    await runtime.clock.advance(5 * secondMs)
    expect(losses).toBeLessThan(0)
    expect(completions.map(each => each.event.id).toSorted()).toEqual(ids.toSorted())
    expect(lost).toEqual([])
    expect((await runtime.millrace.stats()).total).toMatchObject({ completed: 5, running: 0 })
  })

  describe('an end that the store does not take', () => {
    it.each<[string, Error]>([
      ['SQLSTATE XX000', sqlState('XX000')],
      ['SQLSTATE 26000', sqlState('26000')],
      ['SQLSTATE 0A000', sqlState('0A000')],
      ['version-mismatch', new QueueError('version-mismatch', 'a function is missing')],
      ['corrupt', new QueueError('corrupt', 'a damaged index')],
      ['an error of whatever kind', new TypeError('undefined is not a function')],
    ])('for %s is repeated until it is taken, and nobody is dead', async (_what, error) => {
      let refusals = 0
      const runtime = await openRuntime(subject, {
        between: refusing(() => (refusals-- > 0 ? error : null)),
      })
      const work = plainJob({ maxAttempts: 1 })
      const ends = recordEvents(runtime.millrace, 'completed', 'dead', 'lease-lost')
      const ids = await enqueueMany(runtime.millrace, work, 2)
      refusals = 10
      const drained = runtime.worker([handle(work, ({ payload }) => payload.n)]).drain()
      expect(await runtime.clock.until(drained)).toMatchObject({ completed: 2, dead: 0 })
      expect(refusals).toBeLessThan(0)
      expect(await runtime.stage.states(ids)).toEqual(['completed', 'completed'])
      expect(ends.map(each => [each.name, each.event.id]).toSorted()).toEqual(
        ids.map(id => ['completed', id]).toSorted(),
      )
    })

    it('for its value is dead and says why, in every count and event; its neighbours complete', async () => {
      const isFirst = ofTheFirst()
      const refuses = (each: Settlement): unknown =>
        isFirst(each) && each.outcome.kind === 'complete' && tooOdd
      const runtime = await openRuntime(subject, { between: refusing(refuses) })
      const work = plainJob()
      const ends = recordEvents(runtime.millrace, 'completed', 'dead')
      const [odd, ...others] = await enqueueMany(runtime.millrace, work, 3)
      const drained = runtime.worker([handle(work, ({ payload }) => payload.n)]).drain()
      expect(await runtime.clock.until(drained)).toMatchObject({ completed: 2, dead: 1 })
      const { state, lastError } = await runtime.job(odd as string)
      expect({ state, lastError }).toMatchObject({ state: 'dead', lastError: { message: tooOdd.message } })
      expect(await runtime.stage.states(others)).toEqual(['completed', 'completed'])
      expect(ends.filter(each => each.event.id === odd)).toMatchObject([
        { name: 'dead', event: { attempt: 1, error: { message: tooOdd.message } } },
      ])
      expect(ends.filter(each => each.name === 'completed')).toHaveLength(2)
      const until = runtime.clock.now() + minuteMs
      const [line] = await runtime.millrace.series({ from: until - hourMs, until, stepMs: hourMs })
      expect(line?.points[0]).toMatchObject({ completed: 2, dead: 1 })
    })

    it('for its value is dead also when the store is away just then', async () => {
      let absences = 3
      const refuses = ({ outcome }: Settlement): unknown => {
        if (outcome.kind !== 'dead') return tooOdd
        return absences-- > 0 && new QueueError('unavailable', 'the store is away')
      }
      const runtime = await openRuntime(subject, { between: refusing(refuses) })
      const work = plainJob()
      await runtime.start([handle(work, () => 1)])
      const died = nextEvent(runtime.millrace, 'dead')
      const { id } = await runtime.millrace.enqueue(work, {})
      expect(await runtime.clock.until(died)).toMatchObject({ id })
      expect((await runtime.job(id)).state).toBe('dead')
    })

    it('holds up no other, not even one that has to run alone', async () => {
      const isFirst = ofTheFirst()
      const runtime = await openRuntime(subject, {
        between: refusing(each => isFirst(each) && sqlState('XX000')),
      })
      const work = plainJob()
      const suspect = await diedOnce(runtime, 10 * secondMs)
      await runtime.start([handle(work, () => 1)], { maxDeaths: 2 })
      const [stuck] = await enqueueMany(runtime.millrace, work, 1)
      await runtime.reaches(stuck as string, 'running')
      await runtime.allReach(await enqueueMany(runtime.millrace, work, 5), 'completed')
      await runtime.reaches(suspect, 'completed')
      expect((await runtime.job(stuck as string)).state).toBe('running')
    })

    it('is left to its lease when its worker stops, and runs again', async () => {
      let isBroken = true
      const runtime = await openRuntime(subject, {
        between: refusing(() => isBroken && sqlState('XX000')),
      })
      const work = plainJob()
      const ends = recordEvents(runtime.millrace, 'completed', 'dead')
      const worker = await runtime.start([handle(work, ({ job }) => job.epoch)])
      const { id } = await runtime.millrace.enqueue(work, {})
      await runtime.reaches(id, 'running')
      await runtime.clock.advance(5 * minuteMs)
      expect((await runtime.job(id)).state).toBe('running')
      await runtime.clock.until(worker.stop())
      expect(ends).toEqual([])
      isBroken = false
      await runtime.start([handle(work, ({ job }) => job.epoch)])
      expect(await runtime.clock.until(runtime.millrace.result(id))).toBe(2)
      expect(ends.map(each => each.name)).toEqual(['completed'])
    })
  })
}

/** A job that has lost a worker, and is due again in `inMs`. */
async function diedOnce(runtime: Runtime, inMs: number): Promise<string> {
  const { id } = await runtime.millrace.enqueue(plainJob(), {})
  await runtime.stage.claimOne({ type: 'work', worker: 'mortal', leaseMs: secondMs })
  runtime.freeze(2 * secondMs)
  await runtime.stage.rescue()
  await runtime.stage.engine.reschedule([{ id, runAt: runtime.clock.now() + inMs }])
  runtime.awake()
  return id
}

/** The ends that `refuses` are refused by the store, as long as it is so. */
function refusing(refuses: (settlement: Settlement) => unknown) {
  return (engine: Engine): Engine =>
    override(engine, {
      settle: (worker, settlements) => {
        const error = settlements.map(refuses).find(Boolean)
        return error ? Promise.reject(error) : engine.settle(worker, settlements)
      },
    })
}

/** Whether it is the end of the job that was the first to be claimed. */
function ofTheFirst(): (settlement: Settlement) => boolean {
  let first: string | undefined
  return ({ lease }) => lease.id === (first ??= lease.id)
}

/** Another process rescues the one running job of a frozen process and completes it; then the first wakes. */
async function takeOver(runtime: Runtime, resultJson: string): Promise<void> {
  const engine = await runtime.stage.another()
  await runtime.stage.rescue({ engine })
  const lease = await runtime.stage.claimOne({ type: 'work', worker: 'successor', engine })
  await runtime.stage.settle(lease, complete(resultJson), { worker: 'successor', engine })
  runtime.awake()
}

/** A worker of a process of its own, which dies without a word: from then on none of its calls does anything. */
function mortalWorker(runtime: Runtime, handlers: Parameters<typeof createWorker>[1]) {
  let isDead = false
  const alive = runtime.stage.engine
  const engine = new Proxy({} as Engine, {
    get(_target, name) {
      const value: unknown = Reflect.get(alive, name)
      if (typeof value !== 'function') return value
      return (...values: unknown[]): unknown => {
        if (!isDead) return (value as (...values: unknown[]) => unknown)(...values)
        return name === 'subscribe' ? () => {} : new Promise(() => {})
      }
    },
  })
  const millrace: Millrace = createMillrace({ engine, clock: runtime.clock })
  const worker = createWorker(millrace, handlers, { leaseMs })
  return {
    start: () => runtime.clock.until(worker.start()),
    die: () => {
      isDead = true
    },
  }
}
