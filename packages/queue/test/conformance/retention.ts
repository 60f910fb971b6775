import { expect, it } from 'vitest'
import type { Outcome } from '../../src/job/decide.ts'
import type { RetentionRule } from '../../src/job/retention.ts'
import { enqueued } from './flow-stage.ts'
import { cancelled, complete, dayMs, dead, hourMs, minuteMs, retry } from './samples.ts'
import { type EngineSubject, openStage, type Stage } from './stage.ts'

export function retentionCases(subject: EngineSubject): void {
  it('by age removes what finished longer ago', async () => {
    const stage = await openStage(subject)
    const old = await finished(stage, 3)
    await stage.clock.advance(hourMs)
    const young = await finished(stage, 2)
    const rules: RetentionRule[] = [{ type: null, state: 'completed', maxAgeMs: 30 * minuteMs }]
    expect(await stage.engine.prune({ rules, limit: 100 })).toEqual({ removed: 3, more: false })
    expect(await stage.states([...old, ...young])).toEqual([null, null, null, 'completed', 'completed'])
  })

  it('by age keeps what is just young enough', async () => {
    const stage = await openStage(subject)
    const { id } = await stage.finished(complete())
    const rules: RetentionRule[] = [{ type: null, state: 'completed', maxAgeMs: hourMs }]
    await stage.clock.advance(hourMs - 1)
    expect(await stage.engine.prune({ rules, limit: 100 })).toMatchObject({ removed: 0 })
    await stage.clock.advance(2)
    expect(await stage.engine.prune({ rules, limit: 100 })).toMatchObject({ removed: 1 })
    expect(await stage.engine.get([id])).toEqual([null])
  })

  it('by age counts from the end of the job, not from its start', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running({}, { leaseMs: 2 * dayMs })
    await stage.clock.advance(dayMs)
    await stage.settle(lease, complete())
    const rules: RetentionRule[] = [{ type: null, state: 'completed', maxAgeMs: hourMs }]
    expect(await stage.engine.prune({ rules, limit: 100 })).toMatchObject({ removed: 0 })
  })

  it('by count keeps the last that finished', async () => {
    const stage = await openStage(subject)
    const ids = await finished(stage, 10)
    const rules: RetentionRule[] = [{ type: 'mail', state: 'completed', maxCount: 4 }]
    expect(await pruneAll(stage, rules)).toBe(6)
    expect((await stage.states(ids)).filter(state => state !== null)).toHaveLength(4)
    expect(await stage.states(ids.slice(-4))).toEqual(Array(4).fill('completed'))
  })

  it('by count of none removes all', async () => {
    const stage = await openStage(subject)
    await finished(stage, 3)
    expect(await pruneAll(stage, [{ type: 'mail', state: 'completed', maxCount: 0 }])).toBe(3)
  })

  it('by count under the bound removes nothing', async () => {
    const stage = await openStage(subject)
    await finished(stage, 3)
    expect(await pruneAll(stage, [{ type: 'mail', state: 'completed', maxCount: 3 }])).toBe(0)
  })

  it('by count reckons in what an unfinished flow holds, and lets no younger one go in its place', async () => {
    const stage = await openStage(subject)
    const [first] = await finished(stage, 1)
    const parts = Object.fromEntries(
      Array.from({ length: 5 }, (_, at) => [`part-${at}`, { job: { type: 'mail' } }]),
    )
    const flow = await enqueued(stage, { ...parts, end: Object.keys(parts) })
    for (const lease of await stage.claim()) await stage.settle(lease, complete())
    await stage.clock.advance(1)
    const [last] = await finished(stage, 1)
    expect(await pruneAll(stage, [{ type: 'mail', state: 'completed', maxCount: 3 }])).toBe(1)
    expect(await stage.states([first as string, last as string])).toEqual([null, 'completed'])
    await flow.run('end')
    expect(await pruneAll(stage, [{ type: 'mail', state: 'completed', maxCount: 3 }])).toBe(3)
    expect(await stage.states([last as string])).toEqual(['completed'])
  })

  it('by both removes what either bound has passed', async () => {
    const stage = await openStage(subject)
    await finished(stage, 2)
    await stage.clock.advance(2 * hourMs)
    const young = await finished(stage, 5)
    const rules: RetentionRule[] = [{ type: 'mail', state: 'completed', maxAgeMs: hourMs, maxCount: 3 }]
    expect(await pruneAll(stage, rules)).toBe(4)
    expect(await stage.states(young)).toEqual([null, null, 'completed', 'completed', 'completed'])
  })

  it('keeps each state by its own rule', async () => {
    const stage = await openStage(subject)
    const ids = [
      ...(await finished(stage, 2)),
      ...(await finished(stage, 2, {}, dead())),
      ...(await finished(stage, 2, {}, cancelled())),
    ]
    await stage.clock.advance(2 * hourMs)
    const rules: RetentionRule[] = [
      { type: null, state: 'completed', maxAgeMs: hourMs },
      { type: null, state: 'dead', maxAgeMs: dayMs },
      { type: 'mail', state: 'cancelled', maxCount: 1 },
    ]
    expect(await pruneAll(stage, rules)).toBe(3)
    expect(await stage.states(ids)).toEqual([null, null, 'dead', 'dead', null, 'cancelled'])
  })

  it('keeps what no rule speaks of', async () => {
    const stage = await openStage(subject)
    await finished(stage, 1, {}, dead())
    await stage.clock.advance(365 * dayMs)
    expect(await pruneAll(stage, [{ type: null, state: 'completed', maxAgeMs: 1 }])).toBe(0)
    expect(await pruneAll(stage, [{ type: 'report', state: 'dead', maxAgeMs: 1 }])).toBe(0)
    expect(await pruneAll(stage, [])).toBe(0)
  })

  it('lets a type’s own rule stand in for the common one', async () => {
    const stage = await openStage(subject)
    const mails = await finished(stage, 2)
    const reports = await finished(stage, 2, { type: 'report' })
    await stage.clock.advance(2 * hourMs)
    const rules: RetentionRule[] = [
      { type: null, state: 'completed', maxAgeMs: hourMs },
      { type: 'report', state: 'completed', maxAgeMs: dayMs },
    ]
    expect(await pruneAll(stage, rules)).toBe(2)
    expect(await stage.states([...mails, ...reports])).toEqual([null, null, 'completed', 'completed'])
  })

  it('lets a type’s own rule for one state leave the common rule for another', async () => {
    const stage = await openStage(subject)
    await finished(stage, 1, { type: 'report' }, dead())
    await stage.clock.advance(2 * hourMs)
    const rules: RetentionRule[] = [
      { type: null, state: 'dead', maxAgeMs: hourMs },
      { type: 'report', state: 'completed', maxAgeMs: dayMs },
    ]
    expect(await pruneAll(stage, rules)).toBe(1)
  })

  it('never touches a job that is not finished, however old', async () => {
    const stage = await openStage(subject)
    const ids = [await stage.enqueue({ queue: 'other' }), (await stage.finished(retry(0))).id]
    ids.push((await stage.running({ type: 'report' }, { leaseMs: 100 * dayMs })).id)
    await stage.clock.advance(99 * dayMs)
    const rules = (['completed', 'cancelled', 'dead'] as const).map(state => ({
      type: null,
      state,
      maxCount: 0,
      maxAgeMs: 0,
    }))
    expect(await pruneAll(stage, rules)).toBe(0)
    expect(await stage.states(ids)).toEqual(['queued', 'queued', 'running'])
  })

  it('goes in small batches and says whether more wait', async () => {
    const stage = await openStage(subject)
    await finished(stage, 7)
    const rules: RetentionRule[] = [{ type: 'mail', state: 'completed', maxCount: 0 }]
    expect(await stage.engine.prune({ rules, limit: 3 })).toEqual({ removed: 3, more: true })
    expect(await stage.engine.prune({ rules, limit: 3 })).toEqual({ removed: 3, more: true })
    expect(await stage.engine.prune({ rules, limit: 3 })).toEqual({ removed: 1, more: false })
    expect(await stage.engine.prune({ rules, limit: 3 })).toEqual({ removed: 0, more: false })
  })

  it('never removes more than the limit over many rules', async () => {
    const stage = await openStage(subject)
    await finished(stage, 3)
    await finished(stage, 3, { type: 'report' })
    await finished(stage, 3, {}, dead())
    const rules: RetentionRule[] = [
      { type: 'mail', state: 'completed', maxCount: 0 },
      { type: 'report', state: 'completed', maxCount: 0 },
      { type: null, state: 'dead', maxAgeMs: 0, maxCount: 0 },
    ]
    expect(await stage.engine.prune({ rules, limit: 4 })).toEqual({ removed: 4, more: true })
    expect(await stage.engine.prune({ rules, limit: 100 })).toEqual({ removed: 5, more: false })
  })

  it('takes attempts, logs and counters along', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running()
    const line = { level: 'info' as const, message: 'hello', dataJson: null, at: stage.clock.now() }
    await stage.engine.report('worker-1', [{ lease, logLines: [line] }])
    await stage.settle(lease, complete())
    await pruneAll(stage, [{ type: 'mail', state: 'completed', maxCount: 0 }])
    expect(await stage.engine.attempts(lease.id)).toEqual([])
    expect(await stage.engine.logs(lease.id)).toEqual([])
    expect((await stage.engine.list({}, { limit: 10 })).jobs).toEqual([])
    expect((await stage.engine.counts()).total.completed).toBe(0)
  })

  it('goes on past what was removed or redriven meanwhile', async () => {
    const stage = await openStage(subject)
    const ids = await finished(stage, 9)
    const [again, ...gone] = ids.slice(0, 6) as [string, ...string[]]
    await stage.engine.remove(gone)
    await stage.engine.redrive([again])
    await stage.clock.advance(hourMs)
    expect(await pruneAll(stage, [{ type: 'mail', state: 'completed', maxAgeMs: minuteMs }])).toBe(3)
    expect(await stage.states(ids.slice(6))).toEqual([null, null, null])
    expect(await stage.states([again])).toEqual(['queued'])
  })

  it('by count goes on past what was removed, and keeps the last that finished', async () => {
    const stage = await openStage(subject)
    const ids = await finished(stage, 9)
    await stage.engine.remove(ids.slice(0, 4))
    expect(await pruneAll(stage, [{ type: 'mail', state: 'completed', maxCount: 2 }])).toBe(3)
    expect(await stage.states(ids.slice(-2))).toEqual(['completed', 'completed'])
  })

  it('forgets a worker that died long ago', async () => {
    const stage = await openStage(subject)
    const { id } = await stage.running({}, { worker: 'lost' })
    await stage.clock.advance(minuteMs + 1)
    await stage.rescue()
    await stage.engine.prune({ rules: [], limit: 10 })
    expect((await stage.engine.attempts(id)).map(each => each.worker)).toEqual(['lost'])
    await stage.clock.advance(36 * dayMs)
    await stage.rescue()
    await stage.engine.prune({ rules: [], limit: 10 })
    expect((await stage.engine.attempts(id)).map(each => each.worker)).toEqual([null])
  })

  it('forgets no worker whose jobs have not been given back', async () => {
    const stage = await openStage(subject)
    const { id } = await stage.running({}, { worker: 'lost' })
    await stage.clock.advance(36 * dayMs)
    await stage.engine.prune({ rules: [], limit: 10 })
    expect(await stage.rescue()).toMatchObject([{ id, worker: 'lost', now: 'queued' }])
  })

  it('counts a redriven job by its last end', async () => {
    const stage = await openStage(subject)
    const [first] = await finished(stage, 1)
    await stage.clock.advance(minuteMs)
    const [second] = await finished(stage, 1)
    await stage.clock.advance(minuteMs)
    await stage.engine.redrive([first as string])
    await stage.settle(await stage.claimOne(), complete())
    await pruneAll(stage, [{ type: 'mail', state: 'completed', maxCount: 1 }])
    expect(await stage.states([first as string, second as string])).toEqual(['completed', null])
  })
}

async function finished(
  stage: Stage,
  count: number,
  job: { type?: string } = {},
  outcome: Outcome = complete(),
) {
  const ids: string[] = []
  for (let index = 0; index < count; index++) {
    ids.push((await stage.finished(outcome, job)).id)
    await stage.clock.advance(1)
  }
  return ids
}

/** Prunes in small batches until nothing is left to prune, and answers how many went. */
async function pruneAll(stage: Stage, rules: RetentionRule[]): Promise<number> {
  let total = 0
  for (let round = 0; ; round++) {
    const { removed, more } = await stage.engine.prune({ rules, limit: 2 })
    total += removed
    if (!more) return total
    expect(round).toBeLessThan(100)
  }
}
