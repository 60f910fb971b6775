import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  type DeadGroup,
  defineJob,
  type Handler,
  handle,
  type Millrace,
  NonRetryableError,
  QueueError,
  type RedriveProgress,
} from '../../src/index.ts'
import { override } from '../support/engine-proxy.ts'
import { openRuntime, type Runtime } from './runtime-stage.ts'
import { dead, minuteMs } from './samples.ts'
import type { EngineSubject } from './stage.ts'

const causes = ['address', 'quota', 'relay'] as const
type Cause = (typeof causes)[number]

const mail = defineJob({ type: 'mail', payload: z.object({ n: z.int(), cause: z.enum(causes) }) })

/** Dead jobs by what they died of, and their way back. */
export function deadLetterCases(subject: EngineSubject): void {
  describe('groups', () => {
    it('are dead jobs of one type and fingerprint, the largest first', async () => {
      const { stage, millrace } = await openRuntime(subject)
      const first = await stage.finished(dead('no luck'))
      await stage.clock.advance(minuteMs)
      const second = await stage.finished(dead('no luck again'), { queue: 'slow' })
      await stage.finished(dead(), { type: 'other' })
      const { groups, looked, complete } = await millrace.deadLetters.groups()
      expect({ looked, complete }).toEqual({ looked: 3, complete: true })
      expect(groups).toMatchObject([
        {
          type: 'mail',
          fingerprint: '0123456789abcdef',
          count: 2,
          queues: expect.arrayContaining(['default', 'slow']),
          error: { name: 'Error', message: 'no luck again' },
          firstAt: stage.clock.now() - minuteMs,
          lastAt: stage.clock.now(),
          ids: [second.id, first.id],
        },
        { type: 'other', count: 1 },
      ])
      const slow = await millrace.deadLetters.groups({ queues: ['slow'], types: ['mail'] })
      expect(slow.groups).toMatchObject([{ count: 1, ids: [second.id] }])
    })

    it('say how far the look went', async () => {
      const { stage, millrace } = await openRuntime(subject)
      for (let n = 0; n < 4; n++) await stage.finished(dead())
      const { groups, looked, complete } = await millrace.deadLetters.groups({ look: 3 })
      expect({ looked, complete, count: groups[0]?.count }).toEqual({ looked: 3, complete: false, count: 3 })
      expect(await millrace.deadLetters.groups({ look: 4 })).toMatchObject({ looked: 4, complete: true })
    })

    it('are no more than asked for, and a number that can not be meant is refused', async () => {
      const { stage, millrace } = await openRuntime(subject)
      for (const type of ['a', 'b', 'c']) await stage.finished(dead(), { type })
      expect((await millrace.deadLetters.groups({ limit: 2 })).groups).toHaveLength(2)
      for (const limit of [0, 1.5, Number.NaN])
        await expect(millrace.deadLetters.groups({ limit })).rejects.toMatchObject({
          code: 'invalid-argument',
        })
    })
  })

  it('of one fingerprint, and of one tenant, are found by themselves', async () => {
    const { stage, millrace } = await openRuntime(subject)
    const mine = await stage.finished(dead(), { tenant: 'acme' })
    const theirs = await stage.finished(dead(), { tenant: 'umbrella' })
    const fingerprint = '0123456789abcdef'
    expect((await millrace.deadLetters.groups({ fingerprint })).groups).toMatchObject([{ count: 2 }])
    expect(await millrace.deadLetters.groups({ fingerprint: 'other' })).toMatchObject({
      groups: [],
      looked: 0,
    })
    const cause = { fingerprint, tenant: 'acme' }
    expect(await millrace.deadLetters.plan(cause)).toMatchObject({ count: 1 })
    const redriven = millrace.deadLetters.redrive(cause)
    await stage.clock.eventually(async () => (await stage.job(mine.id)).state === 'queued')
    await stage.engine.cancel([mine.id], 'not needed')
    expect(await stage.clock.until(redriven)).toMatchObject({ total: 1, redriven: 1, stoppedAt: 'done' })
    expect(await stage.states([theirs.id])).toEqual(['dead'])
  })

  describe('redrive', () => {
    it('of one cause of 5,000 dead goes by canary and ramp to the end, and another stops at its canary', {
      timeout: 180_000,
    }, async () => {
      const { runtime, millrace, broken, groups } = await withDead(subject, 5_000)
      expect([...groups.values()].map(each => each.count)).toEqual([1_667, 1_667, 1_666])

      broken.delete('address')
      const seen: RedriveProgress[] = []
      const mended = await runtime.clock.until(
        millrace.deadLetters.redrive(causeOf(groups, 'address'), { onProgress: each => seen.push(each) }),
      )
      expect(mended).toMatchObject({
        redriven: 1_667,
        completed: 1_667,
        died: 0,
        running: 0,
        left: 0,
        stoppedAt: 'done',
      })
      const starts = seen.filter((each, index) => each.batch !== seen[index - 1]?.batch)
      expect(starts.map(each => each.redriven)).toEqual([5, 25, 105, 425, 1_667])

      const stopped = await runtime.clock.until(millrace.deadLetters.redrive(causeOf(groups, 'quota')))
      expect(stopped).toMatchObject({ redriven: 5, completed: 0, died: 5, left: 1_662, stoppedAt: 'canary' })

      const { groups: after } = await millrace.deadLetters.groups()
      expect(after.map(each => each.count)).toEqual([1_667, 1_666])
      const { jobs } = await millrace.list({ states: ['dead'] }, { limit: 1_000 })
      expect(jobs.filter(job => job.redrives > 0)).toHaveLength(5)
    })

    it('takes the oldest first', async () => {
      const { stage, millrace, clock } = await openRuntime(subject)
      const ids: string[] = []
      for (let n = 0; n < 4; n++) {
        ids.push((await stage.finished(dead())).id)
        await clock.advance(minuteMs)
      }
      const stop = new AbortController()
      const redriven = millrace.deadLetters.redrive(
        { fingerprint: '0123456789abcdef' },
        { canary: 2, signal: stop.signal, onProgress: () => stop.abort() },
      )
      expect(await clock.until(redriven)).toMatchObject({ redriven: 2, left: 2, stoppedAt: 'aborted' })
      expect(await stage.states(ids)).toEqual(['queued', 'queued', 'dead', 'dead'])
    })

    it('stops in the ramp when jobs die again there, and redrives none of them twice', async () => {
      const { runtime, millrace, groups, brokenFrom } = await withDead(subject, 90)
      brokenFrom(20)
      const result = await runtime.clock.until(
        millrace.deadLetters.redrive(causeOf(groups, 'address'), { canary: 2, factor: 3 }),
      )
      expect(result).toMatchObject({
        stoppedAt: 'ramp',
        batch: 2,
        redriven: 8,
        completed: 7,
        died: 1,
        left: 22,
      })
      const { jobs } = await millrace.list({ states: ['dead'] }, { limit: 1_000 })
      expect(Math.max(...jobs.map(job => job.redrives))).toBe(1)
    })

    it('goes on as long as no more than maxFailures died again', async () => {
      const { runtime, millrace, groups, brokenFrom } = await withDead(subject, 30)
      brokenFrom(24)
      const result = await runtime.clock.until(
        millrace.deadLetters.redrive(causeOf(groups, 'address'), { canary: 1, maxFailures: 2 }),
      )
      expect(result).toMatchObject({ stoppedAt: 'done', redriven: 10, completed: 8, died: 2, left: 0 })
    })

    it('waits through the retries of its canary', async () => {
      const runtime = await openRuntime(subject)
      const { stage, millrace } = runtime
      let runs = 0
      const { id } = await stage.finished(dead(), { payloadJson: '{"n":0,"cause":"relay"}' })
      await runtime.start([
        handle(mail, () => {
          if (++runs < 3) throw new Error('not yet')
        }),
      ])
      const redriven = millrace.deadLetters.redrive({ fingerprint: '0123456789abcdef' })
      expect(await runtime.clock.until(redriven)).toMatchObject({ completed: 1, died: 0 })
      expect(await stage.job(id)).toMatchObject({ state: 'completed', attempt: 3 })
    })

    it('goes on when the store was away for a moment, and waits for what it had redriven before', async () => {
      let replies = 0
      const runtime = await openRuntime(subject, {
        between: engine =>
          override(engine, {
            redrive: async ids => {
              const answers = await engine.redrive(ids)
              if (++replies === 1) throw new QueueError('unavailable', 'the reply was lost')
              return answers
            },
          }),
      })
      const { stage, millrace } = runtime
      for (let n = 0; n < 3; n++) await stage.finished(dead(), { payloadJson: '{"n":0,"cause":"relay"}' })
      await runtime.start([handle(mail, () => Promise.reject(new NonRetryableError('as before')))])
      const redriven = millrace.deadLetters.redrive({ fingerprint: '0123456789abcdef' }, { canary: 2 })
      expect(await runtime.clock.until(redriven)).toMatchObject({
        redriven: 2,
        skipped: 0,
        died: 2,
        left: 1,
        stoppedAt: 'canary',
      })
    })

    it('counts what others cancelled or removed meanwhile, and does not wait for it', async () => {
      const runtime = await openRuntime(subject)
      const { stage, millrace } = runtime
      const ids = [(await stage.finished(dead())).id, (await stage.finished(dead())).id]
      const redriven = millrace.deadLetters.redrive(
        { fingerprint: '0123456789abcdef' },
        {
          onProgress: ({ running }) => {
            if (running !== 2) return
            void stage.engine.cancel([ids[0] as string], 'no')
            void stage.engine.remove([ids[1] as string])
          },
        },
      )
      expect(await runtime.clock.until(redriven)).toMatchObject({ redriven: 2, ended: 2, stoppedAt: 'done' })
    })

    it('hears its signal while it waits', async () => {
      const runtime = await openRuntime(subject)
      const { stage, millrace } = runtime
      for (let n = 0; n < 3; n++) await stage.finished(dead())
      const stop = new AbortController()
      const redriven = millrace.deadLetters.redrive(
        { fingerprint: '0123456789abcdef' },
        { canary: 1, signal: stop.signal },
      )
      await stage.clock.advance(minuteMs)
      stop.abort()
      expect(await runtime.clock.until(redriven)).toMatchObject({
        redriven: 1,
        running: 1,
        left: 2,
        stoppedAt: 'aborted',
      })
    })

    it('has a plan that changes nothing', async () => {
      const { stage, millrace } = await openRuntime(subject)
      for (let n = 0; n < 30; n++) await stage.finished(dead(), { type: n < 10 ? 'mail' : 'other' })
      const cause = { fingerprint: '0123456789abcdef' }
      expect(await millrace.deadLetters.plan(cause)).toEqual({
        count: 30,
        exact: true,
        types: { mail: 10, other: 20 },
        batches: [5, 20, 5],
      })
      expect(
        await millrace.deadLetters.plan({ ...cause, type: 'mail' }, { canary: 1, factor: 2 }),
      ).toMatchObject({
        count: 10,
        batches: [1, 2, 4, 3],
      })
      expect((await stage.engine.counts()).total).toMatchObject({ dead: 30, ready: 0 })
    })

    it.each([{ canary: 0 }, { canary: 1.5 }, { factor: 0.5 }, { factor: Number.NaN }, { maxFailures: -1 }])(
      'refuses %o',
      async options => {
        const { millrace } = await openRuntime(subject)
        await expect(millrace.deadLetters.redrive({ fingerprint: 'f' }, options)).rejects.toMatchObject({
          code: 'invalid-argument',
        })
        await expect(millrace.deadLetters.redrive({ fingerprint: '' })).rejects.toMatchObject({
          code: 'invalid-argument',
        })
      },
    )
  })
}

/** `count` jobs that died of three causes in turn. A cause taken out of `broken` is mended. */
async function withDead(subject: EngineSubject, count: number) {
  const runtime: Runtime = await openRuntime(subject)
  const { millrace } = runtime
  const broken = new Set<Cause>(causes)
  let from = 0
  const handler: Handler = handle(mail, ({ payload: { n, cause } }) => {
    if (broken.has(cause) && n >= from) throw new NonRetryableError(`${cause} is wrong in mail ${n}`)
  })
  await runtime.start([handler], { concurrency: 100 })
  const items = Array.from({ length: count }, (_, n) => ({
    payload: { n, cause: causes[n % causes.length] as Cause },
  }))
  await millrace.enqueueMany(mail, items)
  await runtime.clock.eventually(async () => (await millrace.stats()).total.dead === count)
  const brokenFrom = (n: number): void => {
    from = n
  }
  return { runtime, millrace, broken, brokenFrom, groups: await groupsByCause(millrace) }
}

async function groupsByCause(millrace: Millrace): Promise<Map<Cause, DeadGroup>> {
  const { groups } = await millrace.deadLetters.groups()
  return new Map(
    causes.map(cause => [cause, groups.find(each => each.error.message.startsWith(cause)) as DeadGroup]),
  )
}

function causeOf(groups: Map<Cause, DeadGroup>, cause: Cause) {
  return { fingerprint: groups.get(cause)?.fingerprint ?? '' }
}
