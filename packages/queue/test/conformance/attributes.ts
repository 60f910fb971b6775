import { describe, expect, it } from 'vitest'
import type { Engine, JobFilter } from '../../src/engine/contract.ts'
import type { Outcome } from '../../src/job/decide.ts'
import { enqueued, planned } from './flow-stage.ts'
import { aJob, anError, complete, dayMs, dead, hourMs, minuteMs } from './samples.ts'
import { type EngineSubject, openStage, type Stage } from './stage.ts'

const site = (value: string): { attributes: Record<string, string> } => ({ attributes: { site: value } })
const ofSite = (value: string, filter: JobFilter = {}): JobFilter => ({ ...filter, ...site(value) })

/** Search attributes: stored with their job by whatever way it comes, found by, and gone with it. */
export function attributeCases(subject: EngineSubject): void {
  describe('are stored', () => {
    it('with the job, and shown with it', async () => {
      const stage = await openStage(subject)
      const attributes = { site: 's1', customer: 'Zoë "Z" O’Hara', empty: '' }
      const id = await stage.enqueue({ attributes })
      expect((await stage.job(id)).attributes).toEqual(attributes)
      expect((await stage.engine.list({}, { limit: 1 })).jobs[0]?.attributes).toEqual(attributes)
      expect((await stage.job(await stage.enqueue())).attributes).toEqual({})
    })

    it.each([
      ['delayed', { delayMs: hourMs }],
      ['with a key', { idempotency: { key: 'k', bodyHash: 'h' } }],
      ['due at once', {}],
    ])('%s, each with its own, among others that have none', async (_how, options) => {
      const stage = await openStage(subject)
      const jobs = [site('a'), {}, site('b'), site('a')].map((attributes, index) =>
        aJob({ id: stage.newId(), priority: 9 - index, ...options, ...attributes }),
      )
      if (jobs[1]) jobs[1].idempotency = null
      for (const [index, job] of jobs.entries())
        if (job.idempotency) job.idempotency = { key: `k${index}`, bodyHash: 'h' }
      await stage.engine.enqueue(jobs)
      expect(await found(stage.engine, ofSite('a'))).toEqual([jobs[3]?.id, jobs[0]?.id])
      expect(await found(stage.engine, ofSite('b'))).toEqual([jobs[2]?.id])
    })

    it('in the caller’s transaction, and not when that is rolled back', async ({ skip }) => {
      const stage = await openStage(subject)
      if (!stage.capabilities.transactions) skip('without transactions of the caller’s')
      const job = aJob({ id: stage.newId(), ...site('tx') })
      const kept = await stage.caller.begin()
      await stage.engine.enqueue([job], { tx: kept.tx })
      await kept.commit()
      const lost = await stage.caller.begin()
      await stage.engine.enqueue([aJob({ id: stage.newId(), ...site('tx') })], { tx: lost.tx })
      await lost.rollback()
      expect(await found(stage.engine, ofSite('tx'))).toEqual([job.id])
    })

    it('not by a duplicate, a conflict, or a queue that is full', async () => {
      const stage = await openStage(subject)
      await stage.engine.configureQueue('small', { maxQueued: 1 })
      const key = { key: 'once', bodyHash: 'h' }
      const first = await stage.enqueue({ idempotency: key, ...site('first') })
      await stage.enqueue({ queue: 'small' })
      const refused = [
        aJob({ id: stage.newId(), idempotency: key, ...site('second') }),
        aJob({ id: stage.newId(), idempotency: { ...key, bodyHash: 'other' }, ...site('second') }),
        aJob({ id: first, ...site('second') }),
        aJob({ id: stage.newId(), queue: 'small', ...site('second') }),
      ]
      const answers = await stage.engine.enqueue(refused)
      expect(answers.map(answer => answer.outcome)).toEqual([
        'duplicate',
        'idempotency-conflict',
        'duplicate',
        'queue-full',
      ])
      expect(await found(stage.engine, ofSite('second'))).toEqual([])
      expect((await stage.job(first)).attributes).toEqual({ site: 'first' })
    })

    it('once, when an enqueue is repeated', async () => {
      const stage = await openStage(subject)
      const job = aJob({ id: stage.newId(), ...site('again') })
      await stage.engine.enqueue([job])
      await stage.engine.enqueue([job])
      expect(await found(stage.engine, ofSite('again'))).toEqual([job.id])
    })

    it('of a flow’s jobs, and of those that are added to it', async () => {
      const stage = await openStage(subject)
      const job = site('flow')
      const { flow, ids } = planned(stage, { first: { job }, last: { after: ['first'], job } })
      await stage.engine.enqueueFlow(flow)
      await stage.engine.enqueueFlow(flow)
      const first = await stage.claimOne({ type: 'first' })
      const { nodes } = planned(stage, { added: { job }, last: { job } }).flow
      for (let times = 0; times < 2; times++) await stage.engine.extendFlow('worker-1', first, nodes)
      expect(await found(stage.engine, ofSite('flow'))).toEqual([nodes[0]?.job.id, ids['last'], ids['first']])
      expect((await stage.job(nodes[0]?.job.id as string)).attributes).toEqual({ site: 'flow' })
    })

    it('of a job that a step waits for, and of a tick’s', async () => {
      const stage = await openStage(subject)
      const parent = await stage.running()
      const child = aJob({ id: stage.newId(), type: 'child', ...site('child') })
      const step = { name: 'analyze', ordinal: 1, kind: 'job' as const, signal: null }
      const outcome: Outcome = { kind: 'wait', wait: { step, inMs: null, until: null } }
      await stage.engine.settle('worker-1', [{ lease: parent, outcome, ranMs: 0, child }])
      expect(await found(stage.engine, ofSite('child'))).toEqual([child.id])

      const job = {
        type: 'mail',
        queue: 'default',
        tenant: '',
        priority: 5,
        maxAttempts: 3,
        payloadJson: '{}',
      }
      const { firstAt } = await stage.schedule({ job: { ...job, ...site('tick') } })
      const [schedule] = await stage.engine.schedules()
      expect(schedule?.job.attributes).toEqual({ site: 'tick' })
      const tick = aJob({ id: stage.newId(), ...schedule?.job })
      const at = {
        schedule: 'hourly',
        scheduledAt: firstAt,
        expectedNextAt: firstAt,
        nextAt: firstAt + hourMs,
      }
      await stage.engine.fireTick({ ...at, outcome: 'fire', job: tick })
      expect(await found(stage.engine, ofSite('tick'))).toEqual([tick.id])
    })
  })

  describe('stay and go with their job:', () => {
    it('they stay when it runs, ends, and is redriven', async () => {
      const stage = await openStage(subject)
      const job = await stage.running(site('s1'))
      expect(await found(stage.engine, ofSite('s1', { states: ['running'] }))).toEqual([job.id])
      await stage.settle(job, dead())
      expect(await found(stage.engine, ofSite('s1', { states: ['dead'] }))).toEqual([job.id])
      await stage.engine.redrive([job.id])
      expect(await found(stage.engine, ofSite('s1', { states: ['queued'] }))).toEqual([job.id])
      expect((await stage.job(job.id)).attributes).toEqual({ site: 's1' })
    })

    it('they go when it is removed, so that its id can be used for a job without', async () => {
      const stage = await openStage(subject)
      const id = await stage.enqueue(site('s1'))
      const other = await stage.enqueue(site('s1'))
      expect(await stage.engine.remove([id])).toEqual(['removed'])
      expect(await found(stage.engine, ofSite('s1'))).toEqual([other])
      await stage.enqueue({ id })
      expect((await stage.job(id)).attributes).toEqual({})
    })

    it('they go when retention takes it', async () => {
      const stage = await openStage(subject)
      const { id } = await stage.finished(complete(), site('s1'))
      await stage.clock.advance(2 * dayMs)
      const rules = [{ type: null, state: 'completed' as const, maxAgeMs: dayMs }]
      expect(await stage.engine.prune({ rules, limit: 10 })).toMatchObject({ removed: 1 })
      expect(await found(stage.engine, ofSite('s1'))).toEqual([])
      await stage.enqueue({ id })
      expect((await stage.job(id)).attributes).toEqual({})
    })
  })

  describe('find', () => {
    it('live and finished jobs together, the newest by id first', async () => {
      const stage = await openStage(subject)
      const early = await stage.finished(complete(), site('s1'))
      const waiting = await stage.enqueue(site('s1'))
      const late = await stage.finished(dead(), { ...site('s1'), priority: 1 })
      const delayed = await stage.enqueue({ ...site('s1'), delayMs: hourMs })
      expect(await found(stage.engine, ofSite('s1'))).toEqual([delayed, late.id, waiting, early.id])
    })

    it('by the whole value, as it is written', async () => {
      const stage = await openStage(subject)
      const ids = new Map<string, string>()
      for (const value of ['a', 'A', 'ab', '', 'ä', 'a\u0308', '1', "a' OR 1 = 1 --", '%'])
        ids.set(value, await stage.enqueue(site(value)))
      for (const [value, id] of ids) expect(await found(stage.engine, ofSite(value)), value).toEqual([id])
      expect(await found(stage.engine, { attributes: { Site: 'a' } })).toEqual([])
    })

    it('what has all of several, whichever of them is the rarest', async () => {
      const stage = await openStage(subject)
      const both = await stage.enqueue({ attributes: { site: 's1', customer: 'c1' } })
      await stage.enqueueMany(3, { attributes: { site: 's1', customer: 'c2' } })
      await stage.enqueueMany(2, { attributes: { customer: 'c1' } })
      expect(await found(stage.engine, { attributes: { site: 's1', customer: 'c1' } })).toEqual([both])
      expect(await found(stage.engine, { attributes: { customer: 'c1', site: 's1' } })).toEqual([both])
      expect(await found(stage.engine, { attributes: { site: 'c1', customer: 's1' } })).toEqual([])
    })

    it('everything, when none are named', async () => {
      const stage = await openStage(subject)
      const ids = [await stage.enqueue(site('s1')), await stage.enqueue()]
      expect(await found(stage.engine, { attributes: {} })).toEqual(ids.toReversed())
    })

    it.each<[string, JobFilter, string[]]>([
      ['state', { states: ['queued'] }, ['far', 'near']],
      ['states', { states: ['running', 'dead'] }, ['run', 'died']],
      ['blocked', { states: ['blocked'] }, ['blocked']],
      ['type', { types: ['report'] }, ['far']],
      ['queue', { queues: ['slow'] }, ['died']],
      ['type and queue', { types: ['report'], queues: ['slow'] }, []],
      ['tenant', { tenant: 'acme' }, ['near']],
      ['fingerprint', { fingerprint: anError().fingerprint }, ['died']],
    ])('together with other filters: %s', async (_by, filter, names) => {
      const stage = await openStage(subject)
      const ids = await assorted(stage)
      expect(await found(stage.engine, ofSite('s1', filter))).toEqual(names.map(name => ids[name]))
    })

    it('by when a live job was created, and a finished one has finished', async () => {
      const stage = await openStage(subject)
      const start = stage.clock.now()
      const early = await stage.enqueue({ ...site('s1'), type: 'report' })
      await stage.clock.advance(hourMs)
      const live = await stage.enqueue(site('s1'))
      await stage.settle(await stage.claimOne({ type: 'report' }), complete())
      await stage.clock.advance(hourMs)
      const late = await stage.enqueue(site('s1'))
      const ranged = (from: number, until: number) => found(stage.engine, ofSite('s1', { from, until }))
      expect(await ranged(start, start + hourMs)).toEqual([])
      expect(await ranged(start + hourMs, start + hourMs + minuteMs)).toEqual([live, early])
      expect(await ranged(start + 2 * hourMs, start + 3 * hourMs)).toEqual([late])
    })
  })

  describe('page', () => {
    it('by page, each job once, while others come and those that were seen go', async () => {
      const stage = await openStage(subject)
      const ids = await stage.enqueueMany(20, site('s1'))
      await stage.enqueueMany(5)
      const seen = await found(stage.engine, ofSite('s1'), 3, async last => {
        await stage.enqueue(site('s1'))
        if (last) await stage.engine.cancel([last], 'seen')
      })
      expect(seen).toEqual(ids.toReversed())
    })

    it('looks at a bounded number of jobs: too many that do not fit make a page short, not long to wait for', async () => {
      const stage = await openStage(subject)
      const wanted = await stage.enqueue({ ...site('s1'), tenant: 'acme' })
      for (let count = 0; count < 6; count++) await stage.enqueueMany(1_000, site('s1'))
      const first = await stage.engine.list(ofSite('s1', { tenant: 'acme' }), { limit: 10 })
      expect(first).toEqual({ jobs: [], cursor: expect.any(String) as string })
      expect(await found(stage.engine, ofSite('s1', { tenant: 'acme' }))).toEqual([wanted])
    })

    it('ends without a cursor, also when the last page is full', async () => {
      const stage = await openStage(subject)
      await stage.enqueueMany(2, site('s1'))
      expect((await stage.engine.list(ofSite('s1'), { limit: 2 })).cursor).toBeNull()
      expect((await stage.engine.list(ofSite('s1'), { limit: 1 })).cursor).not.toBeNull()
    })

    it.each(['', 'nonsense', 'W10', Buffer.from('["attribute","x"]').toString('base64url')])(
      'refuses the cursor %j',
      async cursor => {
        const { engine } = await openStage(subject)
        const page = engine.list(ofSite('s1'), { limit: 2, cursor })
        await expect(page).rejects.toMatchObject({ code: 'invalid-argument' })
      },
    )

    it('refuses the cursor of a list without attributes, and that one refuses its own', async () => {
      const stage = await openStage(subject)
      await stage.enqueueMany(3, site('s1'))
      const [plain, own] = [{}, ofSite('s1')]
      for (const [filter, other] of [[plain, own] as const, [own, plain] as const]) {
        const { cursor } = await stage.engine.list(filter, { limit: 1 })
        const page = stage.engine.list(other, { limit: 1, cursor: cursor as string })
        await expect(page).rejects.toMatchObject({ code: 'invalid-argument' })
      }
    })
  })
}

/** The ids of all that fit, page by page. `between` hears the last id of each page. */
async function found(
  engine: Engine,
  filter: JobFilter,
  limit = 100,
  between: (last: string | undefined) => Promise<void> = async () => {},
): Promise<string[]> {
  const ids: string[] = []
  let cursor: string | null = null
  do {
    const page = await engine.list(filter, cursor === null ? { limit } : { limit, cursor })
    ids.push(...page.jobs.map(job => job.id))
    cursor = page.cursor
    await between(page.jobs.at(-1)?.id)
  } while (cursor !== null)
  return ids
}

/** Jobs of site s1 in every state, and as many of site s2. */
async function assorted(stage: Stage): Promise<Record<string, string>> {
  let ids: Record<string, string> = {}
  for (const value of ['s2', 's1']) {
    const job = site(value)
    const died = await stage.finished(dead(), { ...job, queue: 'slow' })
    const near = await stage.enqueue({ ...job, tenant: 'acme', type: 'other' })
    const far = await stage.enqueue({ ...job, type: 'report', delayMs: hourMs })
    const flow = await enqueued(stage, { above: [], blocked: { after: ['above'], job } })
    const run = await stage.running({ ...job, type: 'long' })
    ids = { died: died.id, near, far, blocked: flow.idOf('blocked'), run: run.id }
  }
  return ids
}
