import { describe, expect, it } from 'vitest'
import type { JobFilter } from '../../src/engine/contract.ts'
import type { BulkAction, BulkProgress } from '../../src/index.ts'
import { override } from '../support/engine-proxy.ts'
import { openRuntime } from './runtime-stage.ts'
import { complete, dead, hourMs } from './samples.ts'
import type { EngineSubject, Stage } from './stage.ts'

/** Actions on all jobs that match a filter. */
export function bulkCases(subject: EngineSubject): void {
  it.each<[BulkAction, string]>([
    [{ do: 'cancel', reason: 'moved away' }, 'cancelled'],
    [{ do: 'move', queue: 'slow' }, 'queued'],
    [{ do: 'reprioritise', priority: 1 }, 'queued'],
    [{ do: 'remove' }, 'gone'],
  ])('%o takes the waiting jobs that match, in chunks, and no others', async (action, state) => {
    const { stage, millrace } = await openRuntime(subject)
    const ids = await stage.enqueueMany(1_100)
    const other = await stage.enqueue({ type: 'other' })
    const seen: BulkProgress[] = []
    const result = await millrace.bulk.run(
      action,
      { types: ['mail'] },
      { onProgress: progress => seen.push(progress) },
    )
    expect(result).toMatchObject({ done: 1_100, changed: 1_100, skipped: 0, failed: 0, aborted: false })
    expect(seen.map(each => each.done)).toEqual([500, 1_000, 1_100])
    const jobs = await stage.engine.get(ids)
    expect(new Set(jobs.map(job => job?.state ?? 'gone'))).toEqual(new Set([state]))
    if (action.do === 'move') expect(jobs.every(job => job?.queue === 'slow')).toBe(true)
    if (action.do === 'reprioritise') expect(jobs.every(job => job?.priority === 1)).toBe(true)
    if (action.do === 'cancel') expect(jobs.every(job => job?.cancelReason === 'moved away')).toBe(true)
    expect(await stage.job(other)).toMatchObject({ state: 'queued', queue: 'default', priority: 5 })
  })

  it('retry takes dead jobs, and finished ones only when the filter says so', async () => {
    const { stage, millrace } = await openRuntime(subject)
    const died = await stage.finished(dead())
    const done = await stage.finished(complete())
    expect(await millrace.bulk.run({ do: 'retry' }, { types: ['mail'] })).toMatchObject({ changed: 1 })
    expect(await stage.states([died.id, done.id])).toEqual(['queued', 'completed'])
    expect(await millrace.bulk.run({ do: 'retry' }, { states: ['completed'] })).toMatchObject({ changed: 1 })
    expect(await stage.states([done.id])).toEqual(['queued'])
  })

  it('cancel asks what runs to stop', async () => {
    const { stage, millrace } = await openRuntime(subject)
    const job = await stage.running()
    expect(await millrace.bulk.run({ do: 'cancel' }, { queues: ['default'] })).toMatchObject({ changed: 1 })
    expect(await stage.engine.cancelRequests('worker-1', [job])).toEqual([job.id])
  })

  it('a job that an action moves into sight again is met once, and a second run skips it', async () => {
    const { stage, millrace } = await openRuntime(subject)
    await stage.enqueueMany(700)
    const move: BulkAction = { do: 'move', queue: 'slow' }
    expect(await millrace.bulk.run(move, { types: ['mail'] })).toMatchObject({ changed: 700 })
    expect(await millrace.bulk.run(move, { types: ['mail'] })).toMatchObject({
      changed: 0,
      skipped: 700,
      skippedBy: { unchanged: 700 },
    })
    expect((await stage.engine.counts()).byQueue['slow']).toMatchObject({ ready: 700 })
  })

  describe('a plan', () => {
    it('counts, shows ten and changes nothing', async () => {
      const { stage, millrace } = await openRuntime(subject)
      await stage.enqueueMany(20, { delayMs: hourMs })
      await stage.enqueueMany(20)
      const before = await stage.engine.counts()
      const plan = await millrace.bulk.plan({ do: 'cancel' }, { types: ['mail'] })
      expect(plan).toMatchObject({
        count: 40,
        exact: true,
        states: ['queued', 'blocked', 'running'],
        refused: {},
      })
      expect(plan.sample).toHaveLength(10)
      expect(plan.sample[0]).toMatchObject({ type: 'mail', payload: {}, shown: 'queued' })
      expect(await stage.engine.counts()).toEqual(before)
    })

    it.each<[string, JobFilter, number]>([
      ['state', { states: ['dead'] }, 3],
      ['type', { types: ['mail'] }, 2],
      ['types named twice', { types: ['mail', 'other', 'mail'] }, 3],
      ['queue', { queues: ['slow'] }, 1],
      ['type and queue', { types: ['mail'], queues: ['slow'] }, 0],
      ['tenant', { tenant: 'acme' }, 1],
      ['fingerprint', { fingerprint: '0123456789abcdef' }, 3],
      ['another fingerprint', { fingerprint: 'fedcba9876543210' }, 0],
    ])('counts exactly what a run then takes, by %s', async (_by, filter, count) => {
      const { stage, millrace } = await openRuntime(subject)
      await stage.finished(dead())
      await stage.finished(dead(), { tenant: 'acme' })
      await stage.finished(dead(), { type: 'other', queue: 'slow' })
      expect(await millrace.bulk.plan({ do: 'retry' }, filter)).toMatchObject({ count, exact: true })
      expect(await millrace.bulk.run({ do: 'retry' }, filter)).toMatchObject({ done: count, changed: count })
    })

    it('tells how many match in states that the action leaves alone', async () => {
      const { stage, millrace } = await openRuntime(subject)
      await stage.finished(dead())
      await stage.enqueue()
      const filter: JobFilter = { states: ['dead', 'queued', 'running'] }
      const plan = await millrace.bulk.plan({ do: 'retry' }, filter)
      expect(plan).toMatchObject({ count: 1, states: ['dead'], refused: { queued: 1 } })
    })
  })

  it.each<[string, BulkAction, JobFilter]>([
    ['a filter that names nothing', { do: 'cancel' }, {}],
    ['a filter whose members are undefined', { do: 'cancel' }, { types: undefined } as never],
    ['states that the action can not take', { do: 'retry' }, { states: ['running'] }],
    ['a state that is none', { do: 'cancel' }, { states: ['waiting' as never] }],
    ['an action that is none', { do: 'toString' as never }, { types: ['mail'] }],
    ['a queue that can not be named', { do: 'move', queue: 'the queue' }, { types: ['mail'] }],
    ['a priority that is none', { do: 'reprioritise', priority: 0 }, { types: ['mail'] }],
  ])('refuses %s, in the plan too', async (_what, action, filter) => {
    const { stage, millrace } = await openRuntime(subject)
    await stage.enqueue()
    const refused = { code: 'invalid-argument' }
    await expect(millrace.bulk.plan(action, filter)).rejects.toMatchObject(refused)
    await expect(millrace.bulk.run(action, filter)).rejects.toMatchObject(refused)
    expect((await stage.engine.counts()).total).toMatchObject({ ready: 1 })
  })

  it('takes everything when that is what is said', async () => {
    const { stage, millrace } = await openRuntime(subject)
    await stage.enqueueMany(3)
    expect(await millrace.bulk.run({ do: 'cancel' }, {}, { everything: true })).toMatchObject({ changed: 3 })
  })

  it('stops after the chunk in which its signal fires, and another run does the rest', async () => {
    const { stage, millrace } = await openRuntime(subject)
    await stage.enqueueMany(1_200)
    const stop = new AbortController()
    const filter: JobFilter = { types: ['mail'] }
    const options = { signal: stop.signal, onProgress: () => stop.abort() }
    expect(await millrace.bulk.run({ do: 'cancel' }, filter, options)).toMatchObject({
      aborted: true,
      changed: 500,
    })
    expect(await queued(stage)).toBe(700)
    expect(await millrace.bulk.run({ do: 'cancel' }, filter)).toMatchObject({ aborted: false, changed: 700 })
  })

  it('a job that alone can not be changed is counted and named; the others of its chunk are changed', async () => {
    let bad = ''
    const { stage, millrace } = await openRuntime(subject, {
      between: engine =>
        override(engine, {
          remove: async ids => {
            if (ids.includes(bad)) throw new Error('its row is damaged')
            return engine.remove(ids)
          },
        }),
    })
    const ids = await stage.enqueueMany(20)
    bad = ids[7] as string
    expect(await millrace.bulk.run({ do: 'remove' }, { types: ['mail'] })).toMatchObject({
      done: 20,
      changed: 19,
      failed: 1,
      failures: [{ id: bad, message: 'its row is damaged' }],
    })
  })
}

async function queued(stage: Stage): Promise<number> {
  const { ready, delayed } = (await stage.engine.counts()).total
  return ready + delayed
}
