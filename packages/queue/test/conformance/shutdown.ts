import { describe, expect, it, onTestFinished } from 'vitest'
import { handle, isQueueError, QueueError, sleep } from '../../src/index.ts'
import { override } from '../support/engine-proxy.ts'
import { aborted, nextEvent, recordEvents } from '../support/events.ts'
import { enqueueMany, gate, openRuntime, plainJob } from './runtime-stage.ts'
import { minuteMs, secondMs } from './samples.ts'
import type { EngineSubject } from './stage.ts'

export function shutdownCases(subject: EngineSubject): void {
  it('waits for what runs, and acknowledges it', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    const worker = await runtime.start([
      handle(work, async () => {
        await sleep(runtime.clock, 8 * secondMs)
        return 'finished in time'
      }),
    ])
    const ids = await enqueueMany(runtime.millrace, work, 3)
    await runtime.allReach(ids, 'running')
    await runtime.clock.until(worker.stop({ deadlineMs: 10 * secondMs }))
    expect(await runtime.stage.states(ids)).toEqual(Array(3).fill('completed'))
    expect(worker.running).toBe(0)
  })

  it('begins no further job', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    const started: number[] = []
    const held = gate()
    const worker = await runtime.start([
      handle(work, ({ payload }) => {
        started.push(payload.n)
        return held.promise
      }),
    ])
    const first = await runtime.millrace.enqueue(work, { n: 1 })
    await runtime.reaches(first.id, 'running')
    const stopped = worker.stop({ deadlineMs: minuteMs })
    const second = await runtime.millrace.enqueue(work, { n: 2 })
    await runtime.clock.advance(10 * secondMs)
    expect(started).toEqual([1])
    held.resolve()
    await runtime.clock.until(stopped)
    expect(await runtime.stage.states([first.id, second.id])).toEqual(['completed', 'queued'])
  })

  it('at its deadline fires the signals and gives the jobs back, no attempt spent', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ maxAttempts: 1 })
    const reasons: unknown[] = []
    const handler = handle(work, async ({ signal, job }) => {
      if (reasons.length > 0) return `attempt ${job.attempt}`
      reasons.push(await aborted(signal))
      throw signal.reason
    })
    const worker = await runtime.start([handler])
    const released = nextEvent(runtime.millrace, 'released')
    const { id } = await runtime.millrace.enqueue(work, {})
    await runtime.reaches(id, 'running')
    const sinceMs = runtime.clock.monotonic()
    await runtime.clock.until(worker.stop({ deadlineMs: 5 * secondMs }))
    expect(runtime.clock.monotonic() - sinceMs).toBe(5 * secondMs)
    expect(isQueueError(reasons[0])).toBe(true)
    expect(await released).toMatchObject({ id, worker: worker.id })
    expect(await runtime.job(id)).toMatchObject({ state: 'queued', attempt: 0, deaths: 0 })
    await runtime.start([handler])
    expect(await runtime.clock.until(runtime.millrace.result(id))).toBe('attempt 1')
  })

  it('takes a result that arrives after the signal: the work is done', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    const worker = await runtime.start([
      handle(work, async ({ signal }) => {
        await aborted(signal)
        return 'just made it'
      }),
    ])
    const { id } = await runtime.millrace.enqueue(work, {})
    await runtime.reaches(id, 'running')
    await runtime.clock.until(worker.stop({ deadlineMs: secondMs }))
    expect(await runtime.job(id)).toMatchObject({ state: 'completed', result: 'just made it' })
  })

  it('does not wait for ever for a handler that ignores its signal', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ maxAttempts: 1 })
    const deaf = gate()
    const worker = await runtime.start([handle(work, () => deaf.promise)], { graceMs: 3 * secondMs })
    const { id } = await runtime.millrace.enqueue(work, {})
    await runtime.reaches(id, 'running')
    const sinceMs = runtime.clock.monotonic()
    await runtime.clock.until(worker.stop({ deadlineMs: 5 * secondMs }))
    expect(runtime.clock.monotonic() - sinceMs).toBeLessThanOrEqual(8 * secondMs)
    expect(await runtime.job(id)).toMatchObject({ state: 'queued', attempt: 0 })
    deaf.resolve()
    await runtime.clock.quiet()
    expect((await runtime.job(id)).state).toBe('queued')
  })

  it('does not wait for ever for a store that no longer answers', async () => {
    let isSilent = false
    const silence = gate<never>()
    silence.promise.catch(() => {})
    const orSilence = (call: (...values: never[]) => Promise<unknown>) =>
      ((...values: never[]) => (isSilent ? silence.promise : call(...values))) as never
    const runtime = await openRuntime(subject, {
      between: engine =>
        override(engine, {
          claim: orSilence(engine.claim),
          settle: orSilence(engine.settle),
          heartbeat: orSilence(engine.heartbeat),
          report: orSilence(engine.report),
          rescue: orSilence(engine.rescue),
          retire: orSilence(engine.retire),
          cancelRequests: orSilence(engine.cancelRequests),
        }),
    })
    const work = plainJob()
    const worker = await runtime.start([handle(work, ({ signal }) => aborted(signal))])
    onTestFinished(() => silence.reject(new QueueError('unavailable', 'hung up')))
    const { id } = await runtime.millrace.enqueue(work, {})
    await runtime.reaches(id, 'running')
    isSilent = true
    await runtime.clock.advance(15 * secondMs)
    await runtime.clock.until(worker.stop({ deadlineMs: 5 * secondMs }), 30 * secondMs)
  })

  it('gives back what was fetched ahead, in its old place', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ maxAttempts: 1 })
    const held = gate()
    const worker = await runtime.start([handle(work, () => held.promise)], { concurrency: 1 })
    const ids = await enqueueMany(runtime.millrace, work, 20)
    await runtime.reaches(ids[0] as string, 'running')
    await runtime.clock.advance(3 * secondMs)
    const stopped = worker.stop({ deadlineMs: minuteMs })
    await runtime.clock.quiet()
    expect(await runtime.stage.states(ids)).toEqual(['running', ...Array<string>(19).fill('queued')])
    held.resolve()
    await runtime.clock.until(stopped)
    for (const id of ids.slice(1)) expect(await runtime.job(id)).toMatchObject({ attempt: 0, deaths: 0 })
    const rest = await runtime.stage.claim({ type: 'work', limit: 50 })
    expect(rest.map(job => job.id)).toEqual(ids.slice(1))
  })

  it('leaves no worker, no timer and nothing running behind', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    const worker = await runtime.start([handle(work, () => 1)])
    await runtime.allReach(await enqueueMany(runtime.millrace, work, 5), 'completed')
    await runtime.clock.until(worker.stop())
    expect(await runtime.millrace.workers()).toEqual([])
    await runtime.clock.advance(2 * minuteMs)
    expect(runtime.clock.timers).toBe(0)
  })

  it('lets the handler’s last progress and log lines through', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    const worker = await runtime.start([
      handle(work, async ({ signal, progress, log }) => {
        await aborted(signal)
        log.warn('stopping at page 12')
        progress(30, 'page 12')
        throw signal.reason
      }),
    ])
    const { id } = await runtime.millrace.enqueue(work, {})
    await runtime.reaches(id, 'running')
    await runtime.clock.until(worker.stop({ deadlineMs: secondMs }))
    expect((await runtime.millrace.logs(id)).map(line => line.message)).toEqual(['stopping at page 12'])
  })

  describe('can be asked for', () => {
    it('again and again', async () => {
      const runtime = await openRuntime(subject)
      const worker = await runtime.start([handle(plainJob(), () => 1)])
      const events = recordEvents(runtime.millrace, 'worker-stopped')
      await runtime.clock.until(Promise.all([worker.stop(), worker.stop({ deadlineMs: 0 }), worker.stop()]))
      await runtime.clock.until(worker.stop())
      expect(events).toHaveLength(1)
    })

    it('of a worker that never started', async () => {
      const runtime = await openRuntime(subject)
      await runtime.worker([handle(plainJob(), () => 1)]).stop()
    })

    it('while the worker is starting', async () => {
      const runtime = await openRuntime(subject)
      const worker = runtime.worker([handle(plainJob(), () => 1)])
      const started = worker.start()
      await runtime.clock.until(Promise.all([started, worker.stop()]))
      expect(await runtime.millrace.workers()).toEqual([])
      const { id } = await runtime.millrace.enqueue(plainJob(), {})
      await runtime.clock.advance(5 * secondMs)
      expect((await runtime.job(id)).state).toBe('queued')
    })
  })

  it('hands the work over: another worker goes on without a gap', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ maxAttempts: 1 })
    const handler = handle(work, () => sleep(runtime.clock, secondMs))
    const first = await runtime.start([handler], { concurrency: 4 })
    const ids = await enqueueMany(runtime.millrace, work, 40)
    await runtime.clock.advance(2_500)
    const stopped = first.stop({ deadlineMs: 5 * secondMs })
    await runtime.start([handler], { concurrency: 4 })
    await runtime.clock.until(stopped)
    await runtime.allReach(ids, 'completed')
    for (const id of ids) expect(await runtime.millrace.attempts(id)).toHaveLength(1)
  })
}
