import { createClient, type Client, type JobSummary } from '@millrace/client'
import { describe, expect, expectTypeOf, it } from 'vitest'
import type * as sample from './sample-application.ts'
import type { greet, pick } from './sample-application.ts'

const options = { url: 'http://127.0.0.1:9' }
const typed = createClient<typeof sample>(options)
const plain = createClient(options)

/** What is only compiled. */
function compiled(run: (client: never) => unknown): void {
  expect(run).toBeTypeOf('function')
}

describe('the types of a client', () => {
  it('refuse a payload that the job does not take', () => {
    compiled(() => typed.enqueueJob({ body: { type: 'GREET', payload: { name: 'Ada' } } }))
    // @ts-expect-error a name is text
    compiled(() => typed.enqueueJob({ body: { type: 'GREET', payload: { name: 7 } } }))
    // @ts-expect-error a fruit is one of two
    compiled(() => typed.enqueueJob({ body: { type: 'PICK', payload: { fruit: 'pear' } } }))
    // @ts-expect-error there is no such job
    compiled(() => typed.enqueueJob({ body: { type: 'CRAWL', payload: {} } }))
    compiled(() => plain.enqueueJob({ body: { type: 'CRAWL', payload: { any: 'thing' } } }))
  })

  it('refuse it in a batch, too', () => {
    compiled(() => typed.enqueueJobs({ body: { jobs: [{ type: 'PICK', payload: { fruit: 'apple' } }] } }))
    // @ts-expect-error that is the payload of another type
    compiled(() => typed.enqueueJobs({ body: { jobs: [{ type: 'PICK', payload: { name: 'Ada' } }] } }))
  })

  it('know the result of what was enqueued', () => {
    const wait = async () =>
      typed.waitForResult(await typed.enqueueJob({ body: { type: 'GREET', payload: { name: 'Ada' } } }))
    expectTypeOf<Awaited<ReturnType<typeof wait>>>().toEqualTypeOf<{ text: string }>()
    expectTypeOf(typed.waitForResult('an id')).resolves.toBeUnknown()
  })

  it('take the definitions as a list or an object, too', () => {
    type OfList = Client<[typeof greet, typeof pick]>
    type OfObject = Client<{ greet: typeof greet; pick: typeof pick }>
    const body = { type: 'PICK', payload: { fruit: 'apple' } } as const
    compiled((client: OfList) => client.enqueueJob({ body }))
    compiled((client: OfObject) => client.enqueueJob({ body }))
    // @ts-expect-error APPROVE is not in the list
    compiled((client: OfList) => client.enqueueJob({ body: { type: 'APPROVE', payload: {} } }))
  })

  it('tell a body by its status', () => {
    const read = async () => {
      const reply = await plain.replies.jobResult({ id: 'an id' })
      return reply.status === 200 ? reply.body.result : reply.body.state
    }
    expectTypeOf(read).returns.resolves.toBeUnknown()
    // @ts-expect-error a job that has not finished has no result
    compiled(async () => (await plain.jobResult({ id: 'an id' })).result)
  })

  it('know what a list is of, and which operations need an argument', () => {
    expectTypeOf(plain.each.listJobs()).toEqualTypeOf<AsyncGenerator<JobSummary, void, void>>()
    // @ts-expect-error which job?
    compiled(() => plain.getJob())
    // @ts-expect-error statistics are no list
    compiled(() => plain.each.readStats())
  })
})
