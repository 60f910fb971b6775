import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineJob, defineOutbox, flow, handle, type SearchOptions } from '../../src/index.ts'
import { openRuntime, type Runtime, still } from './runtime-stage.ts'
import { anError, complete, dead, hourMs, minuteMs, retry } from './samples.ts'
import type { EngineSubject } from './stage.ts'

const order = defineJob({
  type: 'mail',
  payload: z.object({
    site: z.string().default('main'),
    customer: z.int().optional(),
    paid: z.boolean().optional(),
  }),
  searchAttributes: {
    site: payload => payload.site,
    customer: payload => payload.customer,
    paid: payload => payload.paid,
  },
})

/** Search attributes of a definition, whichever way its jobs come, and search by text. */
export function searchCases(subject: EngineSubject): void {
  describe('attributes of a definition', () => {
    it('come from the payload as the handler sees it', async () => {
      const { millrace } = await openRuntime(subject)
      const { id } = await millrace.enqueue(order, { customer: 7, paid: false })
      expect((await millrace.get(id))?.attributes).toEqual({ site: 'main', customer: '7', paid: 'false' })
      const { jobs } = await millrace.list({ attributes: { site: 'main', customer: '7', paid: 'false' } })
      expect(jobs.map(job => job.id)).toEqual([id])
    })

    it('are stored by enqueueMany, by type, by a flow, and by a job that is run with another payload', async () => {
      const { millrace, stage } = await openRuntime(subject)
      millrace.registry.add([order])
      const many = await millrace.enqueueMany(order, [{ payload: { site: 'a' } }, { payload: { site: 'b' } }])
      const typed = await millrace.enqueueByType('mail', { site: 'a' })
      const two = flow('two')
      const [first, last] = [
        two.add('first', order, { site: 'a' }),
        two.add('last', order, { site: 'a' }, { after: 'first' }),
      ]
      const stored = await millrace.flows.enqueue(two)
      await stage.settle(await stage.claimOne(), dead())
      const edited = await millrace.retryWith(many[0]?.id as string, { site: 'c' })
      const { jobs } = await millrace.list({ attributes: { site: 'a' } })
      expect(jobs.map(job => job.id)).toEqual([stored.job(last), stored.job(first), typed.id, many[0]?.id])
      expect((await millrace.list({ attributes: { site: 'c' } })).jobs.map(job => job.id)).toEqual([
        edited.id,
      ])
    })

    it('are stored by a schedule’s ticks, by an outbox, and by what handlers enqueue', async () => {
      const runtime = await openRuntime(subject)
      const { millrace, clock } = runtime
      millrace.registry.add([order])
      const outbox = defineOutbox('to-itself')
      await outbox.enqueue(millrace, order, { site: 'relayed' })
      const parent = defineJob({ type: 'parent', payload: z.object({}) })
      const handlers = [
        handle(parent, async ({ step, flow: own }) => {
          await own.add('beside', order, { site: 'beside' })
          await step.enqueueAndWait('child', order, { site: 'child' })
        }),
        handle(order, () => undefined),
        outbox.relay(millrace),
      ]
      await millrace.schedules.put('hourly', { job: order, payload: { site: 'tick' }, every: '1h' })
      expect(
        await millrace.schedules.put('hourly', { job: order, payload: { site: 'tick' }, every: '1h' }),
      ).toBe('unchanged')
      await runtime.start(handlers, { ...still, scheduler: true })
      const { id } = await millrace.enqueue(parent, {})
      await runtime.reaches(id, 'completed')
      await clock.advance(hourMs + minuteMs)
      for (const site of ['beside', 'child', 'tick', 'relayed']) {
        const listed = async () => (await millrace.list({ attributes: { site } })).jobs.length
        await clock.eventually(async () => (await listed()) === 1)
      }
    })

    it.each([
      ['is too long', { site: 'x'.repeat(201) }, 'is 201 characters long'],
      ['holds a NUL', { site: 'a\0b' }, 'characters that a database can not store'],
    ])('refuse a value that %s, and store nothing', async (_what, payload, message) => {
      const { millrace, stage } = await openRuntime(subject)
      const naughty = defineJob({
        type: 'mail',
        payload: z.object({}),
        searchAttributes: { site: () => payload.site },
      })
      await expect(millrace.enqueue(naughty, {})).rejects.toMatchObject({
        code: 'invalid-payload',
        faults: [{ path: ['searchAttributes', 'site'], message: expect.stringContaining(message) as string }],
      })
      expect((await stage.engine.counts()).total.ready).toBe(0)
    })
  })

  describe('a filter by attributes', () => {
    it('serves bulk actions and their dry run', async () => {
      const { millrace, stage } = await openRuntime(subject)
      await millrace.enqueueMany(
        order,
        Array.from({ length: 700 }, () => ({ payload: { site: 'gone' } })),
      )
      const [other] = await millrace.enqueueMany(order, [{ payload: { site: 'here' } }])
      const filter = { attributes: { site: 'gone' } }
      const plan = await millrace.bulk.plan({ do: 'cancel' }, filter)
      expect(plan).toMatchObject({ count: 700, exact: true, sample: { length: 10 } })
      expect(await millrace.bulk.run({ do: 'cancel' }, filter)).toMatchObject({ changed: 700, failed: 0 })
      expect(await stage.states([other?.id as string])).toEqual(['queued'])
      expect((await stage.engine.counts()).total).toMatchObject({ ready: 1, cancelled: 700 })
    })

    it('that names none does not pass for a filter of a bulk action', async () => {
      const { millrace } = await openRuntime(subject)
      await expect(millrace.bulk.run({ do: 'cancel' }, { attributes: {} })).rejects.toMatchObject({
        code: 'invalid-argument',
      })
    })

    it.each<[string, unknown]>([
      ['a number', { customer: 7 }],
      ['an array', ['site']],
      ['text', 'site'],
      ['null', null],
      ['a value that is too long', { site: 'x'.repeat(201) }],
      ['NUL', { site: '\0' }],
      ['half a surrogate pair in a name', { '\ud800': 'x' }],
      ['seventeen', Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`a${n}`, 'x']))],
    ])('is refused with %s', async (_what, attributes) => {
      const { millrace } = await openRuntime(subject)
      const filter = { attributes: attributes as Record<string, string> }
      const refused = { code: 'invalid-argument' }
      await expect(millrace.list(filter)).rejects.toMatchObject(refused)
      await expect(millrace.bulk.plan({ do: 'cancel' }, filter)).rejects.toMatchObject(refused)
      await expect(millrace.search('x', { filter })).rejects.toMatchObject(refused)
    })
  })

  describe('text', () => {
    it('is found in payloads and last errors, whatever its case', async () => {
      const { millrace, stage } = await openRuntime(subject)
      const id = await stage.enqueue({ payloadJson: '{"to":"Ada@Example.com","note":"a \\"quote\\""}' })
      const died = await stage.finished(dead('Connection REFUSED by 10.0.0.7'), { type: 'other' })
      const again = await stage.running({ type: 'third' })
      await stage.settle(again, retry(hourMs, 'connection refused once'))
      const ids = async (text: string) => (await millrace.search(text)).jobs.map(job => job.id)
      expect(await ids('ada@example')).toEqual([id])
      expect(await ids('A "QUOTE"')).toEqual([id])
      expect(await ids('connection refused')).toEqual(expect.arrayContaining([died.id, again.id]))
      expect(await ids('10.0.0.7')).toEqual([died.id])
      expect(await ids('Error: connection')).toEqual(expect.arrayContaining([died.id, again.id]))
      expect(await ids(anError().fingerprint)).toEqual([])
      expect(await ids('%')).toEqual([])
    })

    it('tells when it has looked at everything', async () => {
      const { millrace, stage } = await openRuntime(subject)
      expect(await millrace.search('x')).toEqual({
        jobs: [],
        looked: 0,
        complete: true,
        lookedBackTo: null,
        cursor: null,
      })
      const start = stage.clock.now()
      await stage.finished(complete())
      await stage.clock.advance(hourMs)
      await stage.enqueueMany(30)
      expect(await millrace.search('x')).toMatchObject({ looked: 31, complete: true, lookedBackTo: start })
    })

    it('is looked for from the newest on, whether they live or have finished, and goes on where it stopped', async () => {
      const { millrace, stage } = await openRuntime(subject)
      const start = stage.clock.now()
      const ids: string[] = []
      for (let n = 0; n < 60; n++) {
        if (n % 2 === 0) ids.push(await stage.enqueue({ payloadJson: `{"n":"x${n}"}`, type: 'waits' }))
        else ids.push((await stage.finished(complete(), { payloadJson: `{"n":"x${n}"}` })).id)
        await stage.clock.advance(minuteMs)
      }
      const first = await millrace.search('x', { look: 40 })
      expect(first).toMatchObject({ looked: 40, complete: false })
      expect(first.jobs.map(job => job.id)).toEqual(ids.slice(20).toReversed())
      expect(first.lookedBackTo).toBe(start + 21 * minuteMs)
      const second = await millrace.search('x', { cursor: first.cursor as string })
      expect(second).toMatchObject({ looked: 20, complete: true, lookedBackTo: start, cursor: null })
      expect(second.jobs.map(job => job.id)).toEqual(ids.slice(0, 20).toReversed())
    })

    it('answers each job once, however few are asked for at a time', async () => {
      const { millrace, stage } = await openRuntime(subject)
      const ids = await stage.enqueueMany(150, { payloadJson: '{"a":"needle"}' })
      await stage.enqueueMany(30)
      expect(await all(millrace, 'needle', { limit: 7 })).toEqual(ids.toReversed())
    })

    it('looks at one page when there is no time, and goes on', async () => {
      const { millrace, stage } = await openRuntime(subject)
      const wanted = await stage.enqueue({ payloadJson: '"needle"' })
      await stage.enqueueMany(100)
      const first = await millrace.search('needle', { budgetMs: 0 })
      expect(first).toMatchObject({ jobs: [], looked: 20, complete: false })
      expect(await all(millrace, 'needle', { budgetMs: 0 })).toEqual([wanted])
    })

    it('is looked for among the jobs of a filter', async () => {
      const { millrace, stage } = await openRuntime(subject)
      const wanted = await stage.enqueue({ payloadJson: '"needle"', attributes: { site: 's1' } })
      await stage.enqueueMany(5, { payloadJson: '"needle"' })
      const died = await stage.finished(dead(), { payloadJson: '"needle"', type: 'other' })
      const search = (filter: SearchOptions['filter']) => millrace.search('needle', filter ? { filter } : {})
      const bySite = await search({ attributes: { site: 's1' } })
      expect(bySite).toMatchObject({ looked: 1, complete: true, jobs: [{ id: wanted }] })
      expect(await search({ states: ['dead'] })).toMatchObject({ looked: 1, jobs: [{ id: died.id }] })
      expect(await search({ types: ['none'] })).toMatchObject({ looked: 0, complete: true, jobs: [] })
    })

    it('reads fewer at once when they are large', async () => {
      const sizes: number[] = []
      const { millrace, stage } = await openRuntime(subject, {
        between: engine =>
          new Proxy(engine, {
            get: (target, key) =>
              key === 'list'
                ? (...page: Parameters<typeof engine.list>) => {
                    sizes.push(page[1].limit)
                    return target.list(...page)
                  }
                : (Reflect.get(target, key) as unknown),
          }),
      })
      const bytes = 300 * 1_024
      await stage.enqueueMany(30, { payloadJson: JSON.stringify('x'.repeat(bytes - 2)) })
      expect(await millrace.search('needle', { budgetMs: 60_000 })).toMatchObject({
        looked: 30,
        complete: true,
      })
      const [first, ...later] = sizes
      expect(first).toBe(20)
      expect(Math.max(...later) * bytes).toBeLessThanOrEqual(4 * 2 ** 20)
    })

    it.each<[string, string, SearchOptions]>([
      ['no text', '', {}],
      ['text that is too long', 'x'.repeat(501), {}],
      ['NUL', 'a\0', {}],
      ['a limit of none', 'x', { limit: 0 }],
      ['a look without end', 'x', { look: Number.POSITIVE_INFINITY }],
      ['a budget that is no number', 'x', { budgetMs: Number.NaN }],
      ['a cursor that is none', 'x', { cursor: 'W10' }],
      ['a cursor of a list', 'x', { cursor: Buffer.from('[5,0]').toString('base64url') }],
    ])('is refused with %s', async (_what, text, options) => {
      const { millrace } = await openRuntime(subject)
      await expect(millrace.search(text, options)).rejects.toMatchObject({ code: 'invalid-argument' })
    })
  })
}

async function all(millrace: Runtime['millrace'], text: string, options: SearchOptions): Promise<string[]> {
  const ids: string[] = []
  let cursor: string | null = null
  do {
    const page = await millrace.search(text, cursor === null ? options : { ...options, cursor })
    ids.push(...page.jobs.map(job => job.id))
    cursor = page.cursor
  } while (cursor !== null)
  return ids
}
