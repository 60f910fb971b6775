import { describe, expect, it } from 'vitest'
import type { Engine, JobFilter, JobRecord } from '../../src/engine/contract.ts'
import type { Outcome } from '../../src/job/decide.ts'
import { idMaker } from '../../src/job/id.ts'
import { enqueued } from './flow-stage.ts'
import { anError, cancelled, complete, dayMs, dead, hourMs, minuteMs, retry } from './samples.ts'
import { type EngineSubject, openStage, type Stage } from './stage.ts'

export function listCases(subject: EngineSubject): void {
  it('is empty in an empty store', async () => {
    const { engine } = await openStage(subject)
    expect(await engine.list({}, { limit: 10 })).toEqual({ jobs: [], cursor: null })
  })

  it('goes from the newest arrival to the oldest', async () => {
    const stage = await openStage(subject)
    const ids = await stage.enqueueMany(5)
    await stage.clock.advance(minuteMs)
    ids.push(...(await stage.enqueueMany(5)))
    expect(await listed(stage.engine)).toEqual(ids.toReversed())
  })

  it('shows live jobs first, then finished ones by when they finished', async () => {
    const stage = await openStage(subject)
    const early = await stage.running()
    const late = await stage.running()
    const waiting = await stage.enqueue()
    await stage.settle(late, complete())
    await stage.clock.advance(minuteMs)
    await stage.settle(early, dead())
    expect(await listed(stage.engine)).toEqual([waiting, early.id, late.id])
  })

  it('shows whole records', async () => {
    const stage = await openStage(subject)
    await stage.finished(complete('{"ok":1}'), { tenant: 'acme', payloadJson: '[1]' })
    const live = await stage.enqueue({ type: 'report', queue: 'slow', priority: 2 })
    const { jobs } = await stage.engine.list({}, { limit: 10 })
    expect(jobs).toEqual(await stage.engine.get(jobs.map(job => job.id)))
    expect(jobs[0]).toMatchObject({ id: live })
  })

  describe('paging', () => {
    it('visits each job once', async () => {
      const stage = await openStage(subject)
      const finished: string[] = []
      for (let index = 0; index < 12; index++) finished.push((await stage.finished(complete())).id)
      const live = await stage.enqueueMany(13)
      expect(await paged(stage.engine, {}, 4)).toEqual([...live.toReversed(), ...finished.toReversed()])
    })

    it('finds what is rare among the many of a tenant, whatever pages that takes', async () => {
      const stage = await openStage(subject)
      const rare = await stage.enqueue({ tenant: 'acme', type: 'rare' })
      for (let n = 0; n < 11; n++) await stage.enqueueMany(1_000, { tenant: 'acme' })
      const filter: JobFilter = { tenant: 'acme', types: ['rare'] }
      expect(await paged(stage.engine, filter, 10)).toEqual([rare])
      await stage.settle(await stage.claimOne({ type: 'rare' }), dead())
      expect(await paged(stage.engine, filter, 10)).toEqual([rare])
      expect(await paged(stage.engine, { tenant: 'acme', states: ['dead'] }, 10)).toEqual([rare])
    })

    it('ends without a cursor, also when the last page is full', async () => {
      const stage = await openStage(subject)
      await stage.enqueueMany(4)
      const first = await stage.engine.list({}, { limit: 2 })
      expect(first.cursor).not.toBeNull()
      const second = await stage.engine.list({}, { limit: 2, cursor: first.cursor as string })
      expect(second.jobs).toHaveLength(2)
      const rest =
        second.cursor === null ? [] : (await stage.engine.list({}, { limit: 2, cursor: second.cursor })).jobs
      expect(rest).toEqual([])
    })

    it('visits each job once while others are enqueued', async () => {
      const stage = await openStage(subject)
      const ids = await stage.enqueueMany(20)
      const seen = await paged(stage.engine, {}, 3, () => stage.enqueueMany(2))
      expect(seen).toEqual(ids.toReversed())
    })

    it('visits each finished job once while others finish', async () => {
      const stage = await openStage(subject)
      const ids: string[] = []
      for (let index = 0; index < 10; index++) ids.push((await stage.finished(complete())).id)
      const finishOne = async (): Promise<void> => {
        await stage.clock.advance(1)
        await stage.finished(complete())
      }
      expect(await paged(stage.engine, { states: ['completed'] }, 3, finishOne)).toEqual(ids.toReversed())
    })

    it('goes on after the job at its edge was removed', async () => {
      const stage = await openStage(subject)
      const ids = (await stage.enqueueMany(6)).toReversed()
      const { cursor } = await stage.engine.list({}, { limit: 3 })
      await stage.engine.remove([ids[2] as string])
      const { jobs } = await stage.engine.list({}, { limit: 10, cursor: cursor as string })
      expect(jobs.map(job => job.id)).toEqual(ids.slice(3))
    })

    it('goes on in another instance', async () => {
      const stage = await openStage(subject)
      const ids = (await stage.enqueueMany(6)).toReversed()
      const { cursor } = await stage.engine.list({}, { limit: 2 })
      const other = await stage.another()
      const { jobs } = await other.list({}, { limit: 10, cursor: cursor as string })
      expect(jobs.map(job => job.id)).toEqual(ids.slice(2))
    })

    it('tells jobs of one millisecond apart', async () => {
      const stage = await openStage(subject)
      await stage.enqueueMany(9)
      const leases = await stage.claim({ limit: 9 })
      await stage.engine.settle(
        'worker-1',
        leases.map(lease => ({ lease, outcome: complete(), ranMs: 0 })),
      )
      const seen = await paged(stage.engine, {}, 2)
      expect(seen.toSorted()).toEqual(leases.map(lease => lease.id).toSorted())
    })

    it.each(['', 'nonsense', '{}', 'bnVsbA==', 'W10', '0', "' OR 1=1 --", '\0'])(
      'refuses the cursor %j',
      async cursor => {
        const stage = await openStage(subject)
        await stage.enqueueMany(2)
        await expect(stage.engine.list({}, { limit: 1, cursor })).rejects.toMatchObject({
          code: 'invalid-argument',
        })
      },
    )
  })

  describe('filter', () => {
    it('by state', async () => {
      const { stage, all } = await variety(subject)
      for (const state of ['queued', 'running', 'completed', 'dead', 'cancelled'] as const)
        await expectFilter(stage, all, { states: [state] }, job => job.state === state)
      await expectFilter(stage, all, { states: ['blocked'] }, () => false)
    })

    it('by several states, live and finished', async () => {
      const { stage, all } = await variety(subject)
      await expectFilter(stage, all, { states: ['queued', 'dead'] }, job =>
        ['queued', 'dead'].includes(job.state),
      )
    })

    it('by type', async () => {
      const { stage, all } = await variety(subject)
      await expectFilter(stage, all, { types: ['report'] }, job => job.type === 'report')
      await expectFilter(stage, all, { types: ['report', 'mail'] }, () => true)
      await expectFilter(stage, all, { types: ['unheard-of'] }, () => false)
    })

    it('by queue', async () => {
      const { stage, all } = await variety(subject)
      await expectFilter(stage, all, { queues: ['slow'] }, job => job.queue === 'slow')
      await expectFilter(stage, all, { queues: ['slow', 'default'] }, () => true)
    })

    it('by tenant', async () => {
      const { stage, all } = await variety(subject)
      await expectFilter(stage, all, { tenant: 'acme' }, job => job.tenant === 'acme')
      await expectFilter(stage, all, { tenant: '' }, job => job.tenant === '')
    })

    it('by time: when a live one was created, when a finished one finished', async () => {
      const { stage, all } = await variety(subject)
      const times = all.map(timeOf).toSorted((a, b) => a - b)
      const from = times[Math.floor(times.length / 3)] as number
      const until = times[Math.floor((times.length * 2) / 3)] as number
      await expectFilter(stage, all, { from }, job => timeOf(job) >= from)
      await expectFilter(stage, all, { until }, job => timeOf(job) < until)
      await expectFilter(stage, all, { from, until }, job => timeOf(job) >= from && timeOf(job) < until)
    })

    it('by time shows one whose enqueuer’s clock is days ahead', async () => {
      const stage = await openStage(subject)
      const ahead = idMaker(
        () => stage.clock.now() + 2 * dayMs,
        bytes => crypto.getRandomValues(bytes),
      )
      const ids = await stage.enqueueMany(30)
      ids.push(await stage.enqueue({ id: ahead() }))
      const filter: JobFilter = { types: ['mail'], until: stage.clock.now() + hourMs }
      expect((await paged(stage.engine, filter, 10)).toSorted()).toEqual(ids.toSorted())
    })

    it('by all of them together', async () => {
      const { stage, all } = await variety(subject)
      await expectFilter(
        stage,
        all,
        { states: ['completed', 'queued'], types: ['mail'], queues: ['slow'], tenant: 'acme' },
        job =>
          ['completed', 'queued'].includes(job.state) &&
          job.type === 'mail' &&
          job.queue === 'slow' &&
          job.tenant === 'acme',
      )
      await expectFilter(
        stage,
        all,
        { states: ['dead'], tenant: 'acme', from: 0, until: stage.clock.now() + 1 },
        job => job.state === 'dead' && job.tenant === 'acme',
      )
    })

    it('by nothing in particular: an empty list of values matches nothing', async () => {
      const stage = await openStage(subject)
      await stage.enqueue()
      expect(await listed(stage.engine, { states: [] })).toEqual([])
      expect(await listed(stage.engine, { types: [] })).toEqual([])
      expect(await listed(stage.engine, { queues: [] })).toEqual([])
    })

    it('takes text that is meant to break queries as text', async () => {
      const stage = await openStage(subject)
      await stage.enqueue({ tenant: "o'brien; --" })
      expect(await listed(stage.engine, { tenant: "o'brien; --" })).toHaveLength(1)
      expect(await listed(stage.engine, { tenant: "' OR '1'='1" })).toEqual([])
      expect(await listed(stage.engine, { types: ['%'] })).toEqual([])
    })

    it('by state finds what is blocked by others, and what waits in a step', async () => {
      const stage = await openStage(subject)
      const flow = await enqueued(stage, { mail: [], report: ['mail'] })
      const wait = {
        step: { name: 's', ordinal: 1, kind: 'signal' as const, signal: 'x' },
        inMs: null,
        until: null,
      }
      const parked = await stage.finished({ kind: 'wait', wait }, { type: 'other' })
      const blocked = flow.idOf('report')
      expect(await listed(stage.engine, { states: ['blocked'] })).toEqual([parked.id, blocked])
      expect(await listed(stage.engine, { states: ['blocked'], types: ['report'] })).toEqual([blocked])
      expect(await paged(stage.engine, { states: ['blocked'] }, 1)).toEqual([parked.id, blocked])
      await flow.run('mail')
      expect(await listed(stage.engine, { states: ['blocked'] })).toEqual([parked.id])
    })

    it('by the fault of the last error shows live and finished jobs that failed by it', async () => {
      const stage = await openStage(subject)
      const failed = (fingerprint: string) => ({ ...anError(), fingerprint })
      const dies = (fingerprint: string): Outcome => ({ kind: 'dead', error: failed(fingerprint) })
      const first = await stage.finished(dies('aaaa'))
      const other = await stage.finished(dies('bbbb'), { tenant: 'acme' })
      const second = await stage.finished(dies('aaaa'), { type: 'report', tenant: 'acme' })
      await stage.finished(complete())
      const again = await stage.finished({ kind: 'retry', inMs: hourMs, error: failed('aaaa') })
      const found = (filter: JobFilter) => listed(stage.engine, filter)
      expect(await found({ fingerprint: 'aaaa' })).toEqual([again.id, second.id, first.id])
      expect(await found({ fingerprint: 'bbbb' })).toEqual([other.id])
      expect(await found({ fingerprint: 'cccc' })).toEqual([])
      expect(await found({ fingerprint: 'aaaa', states: ['dead'] })).toEqual([second.id, first.id])
      expect(await found({ fingerprint: 'aaaa', states: ['queued'] })).toEqual([again.id])
      expect(await found({ fingerprint: 'aaaa', types: ['report'] })).toEqual([second.id])
      expect(await found({ fingerprint: 'aaaa', tenant: 'acme' })).toEqual([second.id])
      expect(await found({ fingerprint: 'aaaa', queues: ['other'] })).toEqual([])
      expect(await paged(stage.engine, { fingerprint: 'aaaa' }, 1)).toEqual([again.id, second.id, first.id])
    })
  })
}

async function listed(engine: Engine, filter: JobFilter = {}): Promise<string[]> {
  return (await engine.list(filter, { limit: 1_000 })).jobs.map(job => job.id)
}

async function paged(engine: Engine, filter: JobFilter, limit: number, between?: () => Promise<unknown>) {
  const seen: string[] = []
  let cursor: string | null = null
  do {
    const page = await engine.list(filter, cursor === null ? { limit } : { limit, cursor })
    expect(page.jobs.length).toBeLessThanOrEqual(limit)
    seen.push(...page.jobs.map(job => job.id))
    cursor = page.cursor
    await between?.()
  } while (cursor !== null)
  return seen
}

/** Jobs in every state, of two types, queues and tenants, spread over hours. */
async function variety(subject: EngineSubject): Promise<{ stage: Stage; all: JobRecord[] }> {
  const stage = await openStage(subject)
  const ids: string[] = []
  for (const type of ['mail', 'report'])
    for (const queue of ['default', 'slow'])
      for (const tenant of ['', 'acme']) {
        for (const outcome of [complete(), dead(), cancelled(), retry(hourMs)]) {
          ids.push((await stage.finished(outcome, { type, queue, tenant }, { leaseMs: dayMs })).id)
          await stage.clock.advance(minuteMs)
        }
        ids.push((await stage.running({ type, queue, tenant }, { leaseMs: dayMs })).id)
        ids.push(await stage.enqueue({ type, queue, tenant, delayMs: hourMs }))
        await stage.clock.advance(1)
      }
  const records = await stage.engine.get(ids)
  return { stage, all: records.filter(record => record !== null) }
}

function timeOf(job: JobRecord): number {
  return job.finishedAt ?? job.createdAt
}

async function expectFilter(
  stage: Stage,
  all: JobRecord[],
  filter: JobFilter,
  holds: (job: JobRecord) => boolean,
) {
  const expected = all.filter(holds).map(job => job.id)
  const seen = await listed(stage.engine, filter)
  expect(seen.toSorted()).toEqual(expected.toSorted())
  const order = await listed(stage.engine)
  expect(seen).toEqual(order.filter(id => seen.includes(id)))
  expect(await paged(stage.engine, filter, 3)).toEqual(seen)
}
