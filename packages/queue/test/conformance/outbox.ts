import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { QueueError } from '../../src/engine/errors.ts'
import { SqliteEngine } from '../../src/engines/sqlite/engine.ts'
import { createMillrace, defineJob, defineOutbox, handle, type Millrace } from '../../src/index.ts'
import { override } from '../support/engine-proxy.ts'
import { openRuntime, type Runtime } from './runtime-stage.ts'
import { hourMs, minuteMs } from './samples.ts'
import type { EngineSubject } from './stage.ts'

const outbox = defineOutbox('elsewhere')
const invoice = defineJob({
  type: 'invoice',
  payload: z.object({ order: z.int(), currency: z.string().default('EUR') }),
  queue: 'billing',
  maxPayloadBytes: 1_000,
})

/** Jobs for a queue that lives on another engine: SQLite here. */
export function outboxCases(subject: EngineSubject): void {
  it('relays an entry to the other store, as it would have been enqueued there', async () => {
    const { runtime, target } = await bound(subject)
    await runtime.start([outbox.relay(target)])
    const options = { priority: 2, tenant: 'acme', maxAttempts: 9, queue: 'fast', idempotencyKey: 'order-7' }
    const entry = await outbox.enqueue(runtime.millrace, invoice, { order: 7 }, options)
    const relayed = await runtime.clock.until(runtime.millrace.result(entry.id))
    expect(relayed).toEqual({ id: expect.any(String), duplicate: false })
    expect(await target.get(relayed.id)).toMatchObject({
      ...options,
      type: 'invoice',
      state: 'queued',
      payload: { order: 7 },
    })
    expect(await runtime.millrace.get(entry.id)).toMatchObject({ queue: 'outbox', tenant: 'acme' })
  })

  it('relays from the other store to this one', async () => {
    const { runtime, target: source } = await bound(subject)
    const { millrace: target, clock } = runtime
    target.registry.add([invoice])
    await runtime.start([outbox.relay(target)], {}, source)
    await runtime.start([handle(invoice, ({ payload }) => payload.currency)], {}, target)
    const entry = await outbox.enqueue(source, invoice, { order: 7 })
    const relayed = await clock.until(source.result(entry.id))
    expect(await clock.until(target.result(relayed.id))).toBe('EUR')
  })

  it('keeps the time at which a job is due, reckoned from when the entry was stored', async () => {
    const { runtime, target } = await bound(subject)
    const { millrace, clock } = runtime
    const storedAt = clock.now()
    const runAt = storedAt + 5 * hourMs
    const entries = [
      await outbox.enqueue(millrace, invoice, { order: 1 }, { delay: hourMs }),
      await outbox.enqueue(millrace, invoice, { order: 2 }, { runAt: new Date(runAt) }),
    ]
    await clock.advance(10 * minuteMs)
    await runtime.start([outbox.relay(target)])
    const relayed = await clock.until(Promise.all(entries.map(each => millrace.result(each.id))))
    const jobs = await Promise.all(relayed.map(each => target.get(each.id)))
    expect(jobs.map(job => job?.runAt)).toEqual([storedAt + hourMs, runAt])
  })

  it('enqueues once though the relay died between the target and its own completion', async () => {
    const { runtime, target } = await bound(subject)
    const { millrace, stage, clock } = runtime
    const entry = await outbox.enqueue(millrace, invoice, { order: 7 })
    const relay = outbox.relay(target)
    const claimed = await stage.claimOne({ type: outbox.job.type, queue: 'outbox', leaseMs: minuteMs })
    const context = { payload: JSON.parse(claimed.payloadJson) as unknown, job: claimed }
    const first = await relay.run(context as never)
    await clock.advance(minuteMs + 1)
    await runtime.start([relay])
    expect(await clock.until(millrace.result(entry.id))).toEqual({
      ...(first as object),
      duplicate: true,
    })
    expect((await target.stats()).total).toMatchObject({ ready: 1 })
  })

  it('answers the job that the target has under the same key', async () => {
    const { runtime, target } = await bound(subject)
    const { millrace, clock } = runtime
    await runtime.start([outbox.relay(target)])
    const there = await target.enqueue(invoice, { order: 7 }, { idempotencyKey: 'order-7' })
    const entry = await outbox.enqueue(millrace, invoice, { order: 7 }, { idempotencyKey: 'order-7' })
    expect(await clock.until(millrace.result(entry.id))).toEqual({ id: there.id, duplicate: true })
  })

  it('tries again for as long as the target is away', async () => {
    let isAway = true
    const { runtime, target } = await bound(subject, engine =>
      override(engine, {
        enqueue: (jobs, options) =>
          isAway
            ? Promise.reject(new QueueError('unavailable', 'the target is away'))
            : engine.enqueue(jobs, options),
      }),
    )
    const { millrace, clock } = runtime
    // Nothing but the relay shall pass the time: each call of a loop costs real time.
    const calm = { leaseMs: 48 * hourMs, pollMs: hourMs, sweepMs: hourMs, scheduler: false, pruner: false }
    await runtime.start([outbox.relay(target)], calm)
    const entry = await outbox.enqueue(millrace, invoice, { order: 7 })
    await clock.advance(hourMs)
    expect(await runtime.job(entry.id)).toMatchObject({
      shown: 'retrying',
      lastError: { message: 'the target is away' },
    })
    isAway = false
    const relayed = await clock.until(millrace.result(entry.id), hourMs)
    expect(relayed.duplicate).toBe(false)
  })

  describe('an entry that the target can never accept is dead at once:', () => {
    it.each([
      ['an unknown type', 'unknown-type', { type: 'nobody', payload: {}, options: {} }],
      ['a payload that it refuses', 'invalid-payload', { type: 'invoice', payload: {}, options: {} }],
      [
        'a key that stands for another payload',
        'idempotency-conflict',
        { type: 'invoice', payload: { order: 8 }, options: { idempotencyKey: 'order-7' } },
      ],
    ])('%s', async (_what, code, entry) => {
      const { runtime, target } = await bound(subject)
      const { millrace } = runtime
      await target.enqueue(invoice, { order: 7 }, { idempotencyKey: 'order-7' })
      await runtime.start([outbox.relay(target)])
      const { id } = await millrace.enqueue(outbox.job, entry)
      await runtime.reaches(id, 'dead')
      expect(await runtime.job(id)).toMatchObject({
        attempt: 1,
        lastError: {
          name: 'NonRetryableError',
          message: expect.stringContaining(`the target refuses it (${code})`),
        },
      })
      expect((await target.stats()).total).toMatchObject({ ready: 1 })
    })
  })

  it.each([
    ['a payload', { order: 'seven' }, {}, 'invalid-payload'],
    ['a payload that is too large', { order: 7, currency: 'E'.repeat(1_000) }, {}, 'payload-too-large'],
    ['a priority', { order: 7 }, { priority: 0 }, 'invalid-argument'],
    ['a key', { order: 7 }, { idempotencyKey: '' }, 'invalid-argument'],
  ])('refuses %s that the target would refuse, and stores nothing', async (_what, payload, options, code) => {
    const { runtime } = await bound(subject)
    const { millrace } = runtime
    await expect(outbox.enqueue(millrace, invoice, payload as never, options)).rejects.toMatchObject({ code })
    expect((await millrace.stats()).total).toMatchObject({ ready: 0 })
  })

  if (!subject.capabilities.transactions) return

  it('is part of the transaction of its caller: a rollback leaves nothing, a commit is relayed', async () => {
    const { runtime, target } = await bound(subject)
    const { millrace, stage, clock } = runtime
    await runtime.start([outbox.relay(target)])
    const undone = await stage.caller.begin()
    const lost = await outbox.enqueue(millrace, invoice, { order: 1 }, { tx: undone.tx })
    await undone.rollback()
    const kept = await stage.caller.begin()
    const { id } = await outbox.enqueue(millrace, invoice, { order: 2 }, { tx: kept.tx })
    await kept.commit()
    const relayed = await clock.until(millrace.result(id))
    expect(await target.get(relayed.id)).toMatchObject({ payload: { order: 2 } })
    expect(await millrace.get(lost.id)).toBeNull()
    expect((await target.stats()).total).toMatchObject({ ready: 1 })
  })
}

/** This engine's store, and another one beside it on SQLite. */
async function bound(
  subject: EngineSubject,
  between: (engine: SqliteEngine) => SqliteEngine = engine => engine,
): Promise<{ runtime: Runtime; target: Millrace }> {
  const runtime = await openRuntime(subject)
  const engine = new SqliteEngine({ path: ':memory:', clock: runtime.clock })
  const target: Millrace = createMillrace({
    engine: between(engine),
    clock: runtime.clock,
    jobs: [invoice],
  })
  await target.open()
  onTestFinished(() => target.close())
  return { runtime, target }
}
