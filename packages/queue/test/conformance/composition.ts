import { expect, it } from 'vitest'
import { z } from 'zod'
import { defineJob, fixed, flow, handle, isQueueError, type Handler } from '../../src/index.ts'
import { gate, openRuntime, plainJob } from './runtime-stage.ts'
import { minuteMs, unknownId } from './samples.ts'
import type { EngineSubject } from './stage.ts'

const crawl = defineJob({
  type: 'crawl',
  payload: z.object({ url: z.string() }),
  result: z.object({ pages: z.int() }),
  maxAttempts: 1,
})
const page = defineJob({
  type: 'page',
  payload: z.object({ n: z.int() }),
  result: z.object({ issues: z.int() }),
  maxAttempts: 1,
})
const report = defineJob({ type: 'report', payload: z.object({}), result: z.object({ issues: z.int() }) })

const crawls = handle(crawl, () => ({ pages: 3 }))
const pages = handle(page, ({ payload }) => ({ issues: payload.n * 10 }))
const reports = handle(report, async ({ dependencies }) => {
  const results = await dependencies.results(page)
  return { issues: results.reduce((sum, each) => sum + each.issues, 0) }
})

export function compositionCases(subject: EngineSubject): void {
  it('runs a flow in its order, each job with the results of those before it', async () => {
    const { millrace, runtime, clock } = await bound(subject, [crawls, pages, reports])
    const audit = flow('audit', { tenant: 'acme' })
    const first = audit.add('crawl', crawl, { url: 'https://a.example' })
    const each = [1, 2, 3].map(n => audit.add(`page-${n}`, page, { n }, { after: first }))
    const last = audit.add('report', report, {}, { after: each })
    const enqueued = await millrace.flows.enqueue(audit)
    expect(await clock.until(millrace.result(enqueued.job(last)))).toEqual({ issues: 60 })
    expect(await clock.until(millrace.flows.finished(enqueued.id))).toMatchObject({
      name: 'audit',
      tenant: 'acme',
      state: 'completed',
      total: 5,
      completed: 5,
    })
    expect(await runtime.job(enqueued.job(first))).toMatchObject({ flow: enqueued.id, tenant: 'acme' })
  })

  it('gives a job the one result of a type', async () => {
    const sum = plainJob({ type: 'sum' })
    const { millrace, clock } = await bound(subject, [
      crawls,
      handle(sum, async ({ dependencies }) => (await dependencies.result(crawl)).pages),
    ])
    const chain = flow('chain')
    const last = chain.add('sum', sum, {}, { after: chain.add('crawl', crawl, { url: 'x' }) })
    const { job } = await millrace.flows.enqueue(chain)
    expect(await clock.until(millrace.result(job(last)))).toBe(3)
  })

  it('refuses the one result of a type when there are more, or none', async () => {
    const sum = plainJob({ type: 'sum', maxAttempts: 1 })
    const { millrace, clock, runtime } = await bound(subject, [
      pages,
      handle(sum, async ({ dependencies, payload }) =>
        payload.n === 0 ? dependencies.result(page) : dependencies.result(crawl),
      ),
    ])
    const wide = flow('wide', { onFailure: 'continue' })
    const after = [1, 2].map(n => wide.add(`page-${n}`, page, { n }))
    const more = wide.add('more', sum, { n: 0 }, { after })
    const none = wide.add('none', sum, { n: 1 }, { after })
    const { id, job } = await millrace.flows.enqueue(wide)
    await clock.until(millrace.flows.finished(id))
    expect((await runtime.job(job(more))).lastError?.message).toMatch(/waited for 2 jobs of type page/)
    expect((await runtime.job(job(none))).lastError?.message).toMatch(/no result of type crawl/)
  })

  it('tells a job of a dependency that the flow went on without', async () => {
    const seen = plainJob({ type: 'seen' })
    const { millrace, clock } = await bound(subject, [
      handle(page, ({ payload }) => {
        if (payload.n === 2) throw new Error('page 2 is gone')
        return { issues: payload.n }
      }),
      handle(seen, async ({ dependencies }) =>
        (await dependencies.all()).map(({ name, type, state, result, error }) => [
          name,
          type,
          state,
          result,
          error?.message ?? null,
        ]),
      ),
    ])
    const audit = flow('audit', { onFailure: 'continue' })
    const after = [1, 2].map(n => audit.add(`page-${n}`, page, { n }))
    const last = audit.add('seen', seen, {}, { after })
    const { id, job } = await millrace.flows.enqueue(audit)
    expect(await clock.until(millrace.result(job(last)))).toEqual([
      ['page-1', 'page', 'completed', { issues: 1 }, null],
      ['page-2', 'page', 'dead', null, 'page 2 is gone'],
    ])
    expect(await millrace.flows.get(id)).toMatchObject({ state: 'completed', completed: 2, dead: 1 })
  })

  it('ends a flow when a job of it dies, and tells a running one to stop', async () => {
    const slow = plainJob({ type: 'slow' })
    const started = gate()
    const heard = gate<string>()
    const { millrace, clock } = await bound(subject, [
      handle(crawl, async () => {
        await started.promise
        throw new Error('no such site')
      }),
      handle(slow, async ({ signal }) => {
        started.resolve()
        await new Promise(resolve => signal.addEventListener('abort', resolve))
        heard.resolve((signal.reason as Error).message)
        throw signal.reason
      }),
      reports,
    ])
    const audit = flow('audit')
    const first = audit.add('crawl', crawl, { url: 'x' })
    audit.add('slow', slow, {})
    audit.add('report', report, {}, { after: first })
    const { id } = await millrace.flows.enqueue(audit)
    expect(await clock.until(heard.promise)).toMatch(/cancelled/)
    expect(await clock.until(millrace.flows.finished(id))).toMatchObject({
      state: 'failed',
      dead: 1,
      cancelled: 2,
    })
  })

  it('goes on where it failed when the dead job is retried', async () => {
    let broken = true
    const { millrace, clock, runtime } = await bound(subject, [
      handle(crawl, () => {
        if (broken) throw new Error('down')
        return { pages: 1 }
      }),
      pages,
      reports,
    ])
    const audit = flow('audit')
    const first = audit.add('crawl', crawl, { url: 'x' })
    const second = audit.add('page', page, { n: 4 }, { after: first })
    const last = audit.add('report', report, {}, { after: second })
    const { id, job } = await millrace.flows.enqueue(audit)
    expect(await clock.until(millrace.flows.finished(id))).toMatchObject({ state: 'failed' })
    expect(await runtime.job(job(last))).toMatchObject({ state: 'cancelled' })
    broken = false
    expect(await millrace.retry(job(first))).toBe('redriven')
    expect(await clock.until(millrace.result(job(last)))).toEqual({ issues: 40 })
    expect(await clock.until(millrace.flows.finished(id))).toMatchObject({ state: 'completed', completed: 3 })
  })

  it('takes a flow with the same idempotency key once, and refuses another under it', async () => {
    const { millrace, clock } = await bound(subject, [crawls])
    const made = (url: string) => {
      const audit = flow('audit')
      return { audit, node: audit.add('crawl', crawl, { url }) }
    }
    const first = made('https://a.example')
    const again = made('https://a.example')
    const enqueued = await millrace.flows.enqueue(first.audit, { idempotencyKey: 'today' })
    const repeated = await millrace.flows.enqueue(again.audit, { idempotencyKey: 'today' })
    expect(repeated).toMatchObject({ id: enqueued.id, duplicate: true })
    expect(repeated.job(again.node)).toBe(enqueued.job(first.node))
    await expect(
      millrace.flows.enqueue(made('https://b.example').audit, { idempotencyKey: 'today' }),
    ).rejects.toMatchObject({ code: 'idempotency-conflict' })
    await clock.until(millrace.flows.finished(enqueued.id))
  })

  it('stores nothing of a flow with a cycle', async () => {
    const { millrace } = await bound(subject, [])
    const audit = flow('audit')
    audit.add('a', report, {}, { after: 'b' })
    audit.add('b', report, {}, { after: 'a' })
    await expect(millrace.flows.enqueue(audit)).rejects.toMatchObject({ code: 'invalid-argument' })
    expect((await millrace.flows.list()).flows).toEqual([])
    expect((await millrace.list()).jobs).toEqual([])
  })

  it('takes jobs that a running job adds, and what waits for it waits for them', async () => {
    const { millrace, clock } = await bound(subject, [
      handle(crawl, async ({ flow: within, job }) => {
        for (const n of [1, 2, 3]) await within.add(`page-${n}`, page, { n }, { after: job.id })
        return { pages: 3 }
      }),
      pages,
      reports,
    ])
    const audit = flow('audit')
    const last = audit.add('report', report, {}, { after: audit.add('crawl', crawl, { url: 'x' }) })
    const { id, job } = await millrace.flows.enqueue(audit)
    expect(await clock.until(millrace.result(job(last)))).toEqual({ issues: 60 })
    expect(await millrace.flows.get(id)).toMatchObject({ state: 'completed', total: 5 })
  })

  it('adds a job once, however often the attempt that adds it is repeated', async () => {
    const again = defineJob({ ...crawl, maxAttempts: 3, backoff: fixed(0) })
    const added: string[] = []
    const { millrace, clock } = await bound(subject, [
      handle(again, async ({ flow: within, job }) => {
        const ids = await Promise.all([1, 2].map(n => within.add(`page-${n}`, page, { n })))
        added.push(ids.join())
        if (job.attempt === 1) throw new Error('once more')
        return { pages: 2 }
      }),
      pages,
    ])
    const { id } = await millrace.enqueue(again, { url: 'x' })
    await clock.until(millrace.result(id))
    // A job that belonged to no flow has made one, by its own id.
    expect(await clock.until(millrace.flows.finished(id))).toMatchObject({
      total: 3,
      completed: 3,
      name: 'crawl',
    })
    expect(added).toHaveLength(2)
    expect(added[1]).toBe(added[0])
  })

  it('refuses to add what would wait for itself', async () => {
    const seen = gate<string>()
    const waiting = gate<string>()
    const { millrace, clock } = await bound(subject, [
      handle(crawl, async ({ flow: within }) => {
        const after = await waiting.promise
        await within
          .add('page', page, { n: 1 }, { after })
          .catch(error => seen.resolve((error as Error).message))
        return { pages: 0 }
      }),
      reports,
    ])
    const audit = flow('audit')
    const last = audit.add('report', report, {}, { after: audit.add('crawl', crawl, { url: 'x' }) })
    const { id, job } = await millrace.flows.enqueue(audit)
    waiting.resolve(job(last))
    expect(await clock.until(seen.promise)).toMatch(/waits itself for the job that adds/)
    expect(await clock.until(millrace.flows.finished(id))).toMatchObject({ state: 'completed', total: 2 })
  })

  it('cancels a flow, and what runs hears of it', async () => {
    const started = gate()
    const { millrace, clock } = await bound(subject, [
      handle(crawl, async ({ signal }) => {
        started.resolve()
        await new Promise((_, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error)),
        )
        return { pages: 0 }
      }),
      reports,
    ])
    const audit = flow('audit')
    audit.add('report', report, {}, { after: audit.add('crawl', crawl, { url: 'x' }) })
    const { id } = await millrace.flows.enqueue(audit)
    await clock.until(started.promise)
    expect(await millrace.flows.cancel(id, { reason: 'not needed' })).toBe('requested')
    expect(await clock.until(millrace.flows.finished(id))).toMatchObject({
      state: 'cancelled',
      cancelled: 2,
      cancelReason: 'not needed',
    })
  })

  it('draws a flow by what its jobs do', async () => {
    const { millrace, clock } = await bound(subject, [crawls])
    const audit = flow('audit')
    audit.add('report', report, {}, { after: audit.add('crawl', crawl, { url: 'x' }) })
    const { id, job } = await millrace.flows.enqueue(audit)
    await clock.eventually(async () => (await millrace.stats()).byType['crawl']?.completed === 1)
    const drawn = await millrace.flows.draw(id)
    expect(drawn).toContain('n1 --> n2')
    expect(drawn).toContain('class n1 completed')
    expect(() => job({ name: 'nobody', job: crawl })).toThrow(/no job named "nobody"/)
  })

  if (subject.capabilities.transactions)
    it('stores a flow in the caller’s transaction, or not at all', async () => {
      const { millrace, clock, runtime } = await bound(subject, [crawls])
      const audit = flow('audit')
      audit.add('crawl', crawl, { url: 'x' })
      const undone = await runtime.stage.caller.begin()
      const never = await millrace.flows.enqueue(audit, { tx: undone.tx })
      await undone.rollback()
      expect(await millrace.flows.get(never.id)).toBeNull()
      const done = await runtime.stage.caller.begin()
      const { id } = await millrace.flows.enqueue(audit, { tx: done.tx })
      await done.commit()
      expect(await clock.until(millrace.flows.finished(id))).toMatchObject({ state: 'completed' })
    })

  it('gives a flow’s end at the latest when asked, and says when it is not there in time', async () => {
    const { millrace, clock } = await bound(subject, [])
    const audit = flow('audit')
    audit.add('crawl', crawl, { url: 'x' })
    const { id } = await millrace.flows.enqueue(audit)
    const error = await clock
      .until(millrace.flows.finished(id, { timeoutMs: minuteMs }), 2 * minuteMs)
      .catch((thrown: unknown) => thrown)
    expect(isQueueError(error, 'timeout')).toBe(true)
    await expect(millrace.flows.finished(unknownId)).rejects.toMatchObject({ code: 'not-found' })
  })
}

async function bound(subject: EngineSubject, handlers: Handler[]) {
  const runtime = await openRuntime(subject)
  if (handlers.length > 0) await runtime.start(handlers)
  return { runtime, millrace: runtime.millrace, clock: runtime.clock }
}
