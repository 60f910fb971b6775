import * as v from 'valibot'
import { describe, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import {
  createMillrace,
  createWorker,
  defineJob,
  type Enqueued,
  type Handler,
  handle,
  type JobId,
  type Millrace,
  openEngine,
  type PayloadInput,
  type PayloadOutput,
  type ResultInput,
  type ResultOutput,
} from '../../src/index.ts'

// What stands here is checked by the compiler: `npm run check`. Nothing of it needs to run.

const crawl = defineJob({
  type: 'CRAWL_SITE',
  payload: z.object({ url: z.url(), maxPages: z.int().default(100), tags: z.array(z.string()).optional() }),
  result: z.object({ pages: z.int(), took: z.string().transform(Number) }),
})
const mail = defineJob({ type: 'MAIL', payload: z.object({ to: z.string() }) })
const report = defineJob({ type: 'REPORT', payload: v.object({ month: v.string() }), result: v.number() })
const other = defineJob({ type: 'OTHER', payload: z.object({ to: z.string() }) })

function open() {
  return createMillrace({ engine: openEngine('file::memory:'), jobs: [crawl, mail, report] })
}

/** Checked, never run. */
function compiles(_check: () => unknown): void {}

describe('a definition', () => {
  it('keeps its type’s name as a literal', () => {
    expectTypeOf(crawl.type).toEqualTypeOf<'CRAWL_SITE'>()
  })

  it('knows what goes in and what the handler gets', () => {
    expectTypeOf<PayloadInput<typeof crawl>>().toEqualTypeOf<{
      url: string
      maxPages?: number | undefined
      tags?: string[] | undefined
    }>()
    expectTypeOf<PayloadOutput<typeof crawl>>().toEqualTypeOf<{
      url: string
      maxPages: number
      tags?: string[] | undefined
    }>()
  })

  it('knows what the handler returns and what a result is', () => {
    expectTypeOf<ResultInput<typeof crawl>>().toEqualTypeOf<{ pages: number; took: string }>()
    expectTypeOf<ResultOutput<typeof crawl>>().toEqualTypeOf<{ pages: number; took: number }>()
    expectTypeOf<ResultOutput<typeof report>>().toEqualTypeOf<number>()
    expectTypeOf<ResultOutput<typeof mail>>().toEqualTypeOf<unknown>()
  })

  it('can not be made of anything but a schema', () => {
    compiles(() => {
      // @ts-expect-error a payload needs a Standard Schema
      defineJob({ type: 'X', payload: { url: 'string' } })
      // @ts-expect-error so does a result
      defineJob({ type: 'X', payload: z.object({}), result: 'number' })
      // @ts-expect-error a job needs a payload
      defineJob({ type: 'X' })
      // @ts-expect-error and a name
      defineJob({ payload: z.object({}) })
      // @ts-expect-error retention is by state
      defineJob({ type: 'X', payload: z.object({}), retention: { running: { maxCount: 1 } } })
    })
  })

  it('can not be changed', () => {
    compiles(() => {
      // @ts-expect-error a definition is a value
      crawl.priority = 1
    })
  })
})

describe('enqueue', () => {
  it('takes the payload that the schema takes', () => {
    compiles(async () => {
      const millrace = open()
      await millrace.enqueue(crawl, { url: 'https://example.org' })
      await millrace.enqueue(crawl, { url: 'https://example.org', maxPages: 5, tags: ['a'] }, { priority: 1 })
      await millrace.enqueue(report, { month: 'May' })
      await millrace.enqueueMany(mail, [{ payload: { to: 'ada' }, options: { delay: '5m' } }])
    })
  })

  it('refuses another', () => {
    compiles(async () => {
      const millrace = open()
      // @ts-expect-error a member is missing
      await millrace.enqueue(crawl, {})
      // @ts-expect-error a member has the wrong type
      await millrace.enqueue(crawl, { url: 'https://example.org', maxPages: '5' })
      // @ts-expect-error a member is unknown
      await millrace.enqueue(crawl, { url: 'https://example.org', maxPage: 5 })
      // @ts-expect-error it is another job's payload
      await millrace.enqueue(report, { to: 'ada' })
      // @ts-expect-error one of many is wrong
      await millrace.enqueueMany(mail, [{ payload: { to: 'ada' } }, { payload: { to: 4 } }])
    })
  })

  it('refuses a job that the application does not know', () => {
    compiles(async () => {
      const millrace = open()
      // @ts-expect-error it is not among the jobs that were given
      await millrace.enqueue(other, { to: 'ada' })
      // @ts-expect-error a name is not a definition
      await millrace.enqueue('MAIL', { to: 'ada' })
    })
  })

  it('takes any job when none were given', () => {
    compiles(async () => {
      const millrace = createMillrace({ engine: openEngine('file::memory:') })
      await millrace.enqueue(other, { to: 'ada' })
      // @ts-expect-error but not any payload
      await millrace.enqueue(other, { to: 4 })
    })
  })

  it('refuses options that do not exist', () => {
    compiles(async () => {
      const millrace = open()
      // @ts-expect-error it is called maxAttempts
      await millrace.enqueue(mail, { to: 'ada' }, { retries: 3 })
      // @ts-expect-error one transaction is for all
      await millrace.enqueueMany(mail, [{ payload: { to: 'ada' }, options: { tx: {} } }])
    })
  })

  it('answers an id that knows the result', () => {
    expectTypeOf<Enqueued<typeof crawl>['id']>().toEqualTypeOf<JobId<{ pages: number; took: number }>>()
    expectTypeOf<Enqueued<typeof crawl>['id']>().toExtend<string>()
  })
})

describe('result', () => {
  it('has the type that the definition says', () => {
    compiles(async () => {
      const millrace = open()
      const { id } = await millrace.enqueue(crawl, { url: 'https://example.org' })
      const result = await millrace.result(id)
      expectTypeOf(result).toEqualTypeOf<{ pages: number; took: number }>()
      // @ts-expect-error the result has no such member
      void result.pagesCrawled
      const { id: second } = await millrace.enqueue(report, { month: 'May' })
      expectTypeOf(await millrace.result(second)).toEqualTypeOf<number>()
    })
  })

  it('of a bare id is unknown', () => {
    compiles(async () => {
      expectTypeOf(await open().result('0190…')).toEqualTypeOf<unknown>()
    })
  })

  it('of one job is not that of another', () => {
    compiles((id: JobId<{ pages: number }> = '') => {
      // @ts-expect-error a number is expected
      const taken: JobId<number> = id
      return taken
    })
  })
})

describe('a handler', () => {
  it('gets the payload with its defaults', () => {
    handle(crawl, ({ payload, job, signal, log, progress }) => {
      expectTypeOf(payload.maxPages).toEqualTypeOf<number>()
      expectTypeOf(job.attempt).toEqualTypeOf<number>()
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
      log.info('text', { n: 1 })
      progress(50, 'half way', { n: 1 })
      return { pages: 1, took: '5' }
    })
  })

  it('returns the result that the schema takes, now or later', () => {
    expectTypeOf(handle(crawl, () => ({ pages: 1, took: '5' }))).toEqualTypeOf<Handler>()
    handle(crawl, async () => ({ pages: 1, took: '5' }))
    handle(mail, () => 'anything')
    handle(mail, () => {})
    handle(mail, async () => undefined)
  })

  it('that returns another result is refused', () => {
    // @ts-expect-error a member is missing
    handle(crawl, () => ({ pages: 1 }))
    // @ts-expect-error a member has the wrong type
    handle(crawl, async () => ({ pages: 'many', took: '5' }))
    // @ts-expect-error nothing is returned
    handle(crawl, () => {})
    // @ts-expect-error it is what comes out of the schema, not what goes in
    handle(crawl, () => ({ pages: 1, took: 5 }))
    // @ts-expect-error it is another job's result
    handle(report, () => ({ pages: 1, took: '5' }))
  })

  it('can not read what the payload does not have', () => {
    handle(mail, ({ payload }) => {
      // @ts-expect-error there is no such member
      return payload.from
    })
  })

  it('can not change its payload’s or its job’s facts', () => {
    compiles(() =>
      handle(mail, ({ job }) => {
        // @ts-expect-error it is read only
        job.attempt = 1
      }),
    )
  })

  it('may end by snooze, and completes with its own result type', () => {
    handle(crawl, ({ snooze }) => snooze(1_000, 'later'))
    handle(crawl, ({ complete }) => complete(() => ({ pages: 1, took: '5' })))
    // @ts-expect-error the result has another shape
    handle(crawl, ({ complete }) => complete(() => ({ pages: 'many' })))
  })
})

describe('a worker', () => {
  it('works for an application with known jobs as for one without', () => {
    compiles(() => createWorker(open(), [handle(mail, () => 1), handle(other, () => 2)], { concurrency: 2 }))
    compiles(() => createWorker(createMillrace({ engine: openEngine('file::memory:') }), []))
    // @ts-expect-error a definition is not a handler
    compiles(() => createWorker(open(), [mail]))
  })
})

describe('a schedule', () => {
  it('takes a payload of its job', () => {
    compiles(async () => {
      const { schedules } = open()
      await schedules.put('nightly', { job: mail, payload: { to: 'ada' }, cron: '0 2 * * *' })
      // @ts-expect-error the payload is another's
      await schedules.put('nightly', { job: mail, payload: { month: 'May' }, cron: '0 2 * * *' })
      // @ts-expect-error a misfire policy of that name does not exist
      await schedules.put('nightly', { job: mail, payload: { to: 'ada' }, every: '1h', misfire: 'sometimes' })
    })
  })
})

describe('events', () => {
  it('are typed by their names', () => {
    compiles((millrace: Millrace = open() as unknown as Millrace) => {
      millrace.on('completed', event => expectTypeOf(event.ranMs).toEqualTypeOf<number>())
      millrace.on('dead', event => expectTypeOf(event.error.message).toEqualTypeOf<string>())
      // @ts-expect-error there is no such event
      millrace.on('finished', () => {})
      // @ts-expect-error a completed job has no error
      millrace.on('completed', event => event.error)
    })
  })
})
