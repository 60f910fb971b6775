import { describe, expect, it } from 'vitest'
import { fixed, handle } from '../../src/index.ts'
import { aborted, nextEvent } from '../support/events.ts'
import { gate, openRuntime, plainJob, still } from './runtime-stage.ts'
import { minuteMs, secondMs } from './samples.ts'
import type { EngineSubject } from './stage.ts'

/** Within this a running handler hears of a cancel, wherever that was asked for. */
const heardWithinMs = 2_000

export function cancellationCases(subject: EngineSubject): void {
  it('of a waiting job keeps it from ever running', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    const ran: number[] = []
    const { id } = await runtime.millrace.enqueue(work, { n: 1 }, { delay: '10s' })
    await runtime.start([handle(work, ({ payload }) => void ran.push(payload.n))])
    expect(await runtime.millrace.cancel(id, { reason: 'not needed' })).toBe('cancelled')
    await runtime.clock.advance(minuteMs)
    expect(ran).toEqual([])
    expect(await runtime.job(id)).toMatchObject({ state: 'cancelled', cancelReason: 'not needed' })
  })

  it.each(['here', 'elsewhere'] as const)(
    'asked for %s is heard by the running handler within two seconds',
    async where => {
      const runtime = await openRuntime(subject)
      const work = plainJob({ backoff: fixed(0) })
      const reasons: unknown[] = []
      await runtime.start([
        handle(work, async ({ signal }) => {
          reasons.push(await aborted(signal))
          throw signal.reason
        }),
      ])
      const { id } = await runtime.millrace.enqueue(work, {})
      await runtime.reaches(id, 'running')
      await runtime.clock.advance(3_333)
      const asking = where === 'here' ? runtime.millrace : await runtime.elsewhere()
      expect(await asking.cancel(id, { reason: 'changed my mind' })).toBe('requested')
      const heardMs = await runtime.clock.eventually(() => reasons.length > 0)
      expect(heardMs).toBeLessThanOrEqual(heardWithinMs)
      expect(reasons).toEqual([expect.objectContaining({ name: 'QueueError', code: 'job-cancelled' })])
      await runtime.reaches(id, 'cancelled')
      expect(await runtime.job(id)).toMatchObject({ cancelReason: 'changed my mind', attempt: 1 })
      expect(await runtime.millrace.attempts(id)).toMatchObject([{ outcome: 'cancelled' }])
    },
  )

  it('of one job leaves its neighbours running', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    const hold = gate()
    await runtime.start([
      handle(work, ({ signal }) =>
        Promise.race([hold.promise, aborted(signal).then(reason => Promise.reject(reason))]),
      ),
    ])
    const ids = [await runtime.millrace.enqueue(work, {}), await runtime.millrace.enqueue(work, {})]
    const [first, second] = ids.map(each => each.id) as [string, string]
    await runtime.allReach([first, second], 'running')
    await runtime.millrace.cancel(first)
    await runtime.reaches(first, 'cancelled')
    expect((await runtime.job(second)).state).toBe('running')
    hold.resolve()
    await runtime.reaches(second, 'completed')
  })

  it('of a job whose handler ignores it gives the handler up, and cancels the job', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    const deaf = gate()
    await runtime.start([handle(work, ({ payload }) => (payload.n === 0 ? deaf.promise : 'next'))], {
      concurrency: 1,
      graceMs: 3 * secondMs,
    })
    const { id } = await runtime.millrace.enqueue(work, { n: 0 })
    await runtime.reaches(id, 'running')
    const abandoned = nextEvent(runtime.millrace, 'abandoned')
    await runtime.millrace.cancel(id)
    expect(await runtime.clock.until(abandoned)).toMatchObject({ id })
    await runtime.reaches(id, 'cancelled')
    const next = await runtime.millrace.enqueue(work, { n: 1 })
    expect(await runtime.clock.until(runtime.millrace.result(next.id))).toBe('next')
    deaf.resolve()
  })

  it('of a job that waits for its next attempt ends it', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ backoff: fixed(minuteMs) })
    let runs = 0
    await runtime.start(
      [
        handle(work, () => {
          runs++
          throw new Error('no')
        }),
      ],
      still,
    )
    const { id } = await runtime.millrace.enqueue(work, {})
    await runtime.clock.eventually(async () => (await runtime.job(id)).shown === 'retrying')
    expect(await runtime.millrace.cancel(id)).toBe('cancelled')
    await runtime.clock.advance(5 * minuteMs)
    expect(runs).toBe(1)
  })

  it('of a finished job changes nothing', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    await runtime.start([handle(work, () => 'done')])
    const { id } = await runtime.millrace.enqueue(work, {})
    await runtime.reaches(id, 'completed')
    const before = await runtime.job(id)
    expect(await runtime.millrace.cancel(id)).toBe('already-finished')
    expect(await runtime.job(id)).toEqual(before)
  })

  it('of many answers each', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    const { id } = await runtime.millrace.enqueue(work, {})
    const unknown = runtime.stage.newId()
    expect(await runtime.millrace.cancelMany([id, unknown])).toEqual([
      { id, outcome: 'cancelled' },
      { id: unknown, outcome: 'not-found' },
    ])
  })

  it('refuses what is no id', async () => {
    const { millrace } = await openRuntime(subject)
    await expect(millrace.cancel('42')).rejects.toMatchObject({ code: 'invalid-argument' })
  })

  describe('and redrive', () => {
    it('run the job again, without the old cancel', async () => {
      const runtime = await openRuntime(subject)
      const work = plainJob()
      let runs = 0
      await runtime.start([
        handle(work, async ({ signal }) => {
          if (++runs > 1) return 'second run'
          throw await aborted(signal)
        }),
      ])
      const { id } = await runtime.millrace.enqueue(work, {})
      await runtime.reaches(id, 'running')
      await runtime.millrace.cancel(id)
      await runtime.reaches(id, 'cancelled')
      expect(await runtime.millrace.retry(id)).toBe('redriven')
      expect(await runtime.clock.until(runtime.millrace.result(id))).toBe('second run')
      await runtime.clock.advance(5 * secondMs)
      expect(await runtime.job(id)).toMatchObject({ state: 'completed', redrives: 1, attempt: 1 })
    })
  })
}
