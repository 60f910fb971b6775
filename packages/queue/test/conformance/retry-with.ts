import { expect, it } from 'vitest'
import { z } from 'zod'
import { defineJob, flow, handle, NonRetryableError } from '../../src/index.ts'
import { openRuntime } from './runtime-stage.ts'
import { hourMs, unknownId } from './samples.ts'
import type { EngineSubject } from './stage.ts'

const parcel = defineJob({ type: 'parcel', payload: z.object({ to: z.string().min(1) }), queue: 'post' })
const deliver = handle(parcel, ({ payload }) => {
  if (payload.to !== 'Ada Lovelace') throw new NonRetryableError('nobody of that name')
  return 'delivered'
})

/** Redrive with another payload: a new job that remembers the old one. */
export function retryWithCases(subject: EngineSubject): void {
  it('makes a new job of the same kind whose origin is the finished one, which stays as it is', async () => {
    const { runtime, id } = await died(subject)
    const { millrace, clock } = runtime
    const before = await millrace.get(id)
    const again = await millrace.retryWith(id, { to: 'Ada Lovelace' })
    expect(again.duplicate).toBe(false)
    expect(await clock.until(millrace.result(again.id))).toBe('delivered')
    expect(await millrace.get(again.id)).toMatchObject({
      type: 'parcel',
      origin: id,
      queue: 'slow-post',
      tenant: 'acme',
      priority: 2,
      maxAttempts: 7,
      payload: { to: 'Ada Lovelace' },
    })
    expect(await millrace.get(id)).toEqual(before)
  })

  it('is one job however often the same edit is made, whatever the order of its members', async () => {
    const { runtime, id } = await died(subject)
    const first = await runtime.millrace.retryWith(id, { to: 'Ada Lovelace' })
    const again = await runtime.millrace.retryWith(id, { to: 'Ada Lovelace' }, { priority: 1 })
    expect(again).toEqual({ id: first.id, duplicate: true })
    const other = await runtime.millrace.retryWith(id, { to: 'Ada L.' })
    expect(other).toMatchObject({ duplicate: false })
    const forced = await runtime.millrace.retryWith(id, { to: 'Ada L.' }, { idempotencyKey: 'once more' })
    expect(forced).toMatchObject({ duplicate: false })
  })

  it('takes another queue, priority and time when they are given', async () => {
    const { runtime, id } = await died(subject)
    const options = { queue: 'fast', priority: 1, maxAttempts: 1, delay: hourMs }
    const again = await runtime.millrace.retryWith(id, { to: 'Ada' }, options)
    expect(await runtime.job(again.id)).toMatchObject({
      queue: 'fast',
      priority: 1,
      maxAttempts: 1,
      shown: 'scheduled',
    })
  })

  it('refuses a payload that its definition refuses, and stores nothing', async () => {
    const { runtime, id } = await died(subject)
    const before = await runtime.millrace.stats()
    await expect(runtime.millrace.retryWith(id, { to: '' })).rejects.toMatchObject({
      code: 'invalid-payload',
      faults: [{ path: ['to'] }],
    })
    expect(await runtime.millrace.stats()).toEqual(before)
  })

  it('refuses a job that has not finished, that is not there, or whose type nobody knows here', async () => {
    const { runtime } = await died(subject)
    const { millrace, stage } = runtime
    const waiting = await millrace.enqueue(parcel, { to: 'Ada' }, { delay: hourMs })
    await expect(millrace.retryWith(waiting.id, { to: 'Eve' })).rejects.toMatchObject({ code: 'conflict' })
    await expect(millrace.retryWith(unknownId, {})).rejects.toMatchObject({ code: 'not-found' })
    const unknown = await stage.enqueue()
    await stage.engine.cancel([unknown], 'no')
    await expect(millrace.retryWith(unknown, {})).rejects.toMatchObject({ code: 'unknown-type' })
  })

  it('refuses a job of a flow, with advice', async () => {
    const { runtime } = await died(subject)
    const { millrace, clock } = runtime
    const post = flow('post')
    const node = post.add('parcel', parcel, { to: 'nobody' })
    const enqueued = await millrace.flows.enqueue(post)
    await clock.until(millrace.flows.finished(enqueued.id))
    await expect(millrace.retryWith(enqueued.job(node), { to: 'Ada Lovelace' })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(enqueued.id),
    })
  })
}

/** A parcel that died of its address. */
async function died(subject: EngineSubject) {
  const runtime = await openRuntime(subject)
  await runtime.start([deliver], { queues: ['post', 'slow-post'] })
  const options = { queue: 'slow-post', tenant: 'acme', priority: 2, maxAttempts: 7 }
  const { id } = await runtime.millrace.enqueue(parcel, { to: 'Ada Lovelac' }, options)
  await runtime.reaches(id, 'dead')
  return { runtime, id }
}
