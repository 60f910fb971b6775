import { expect, it } from 'vitest'
import { z } from 'zod'
import { defineJob, fixed, handle } from '../../src/index.ts'
import { gate, heldReports, openRuntime, plainJob } from './runtime-stage.ts'
import { minuteMs, secondMs } from './samples.ts'
import { after, type EngineSubject } from './stage.ts'

export function completeCases(subject: EngineSubject): void {
  if (!subject.capabilities.transactions) {
    it('is refused by an engine that has no transactions', async () => {
      const runtime = await openRuntime(subject)
      const work = plainJob({ maxAttempts: 1 })
      await runtime.start([handle(work, ({ complete }) => complete(() => 'never'))])
      const { id } = await runtime.millrace.enqueue(work, {})
      await runtime.reaches(id, 'dead')
      expect((await runtime.job(id)).lastError?.message).toMatch(/unsupported|transaction/)
    })
    return
  }

  it('commits the handler’s writes with the completion', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob()
    await runtime.start([
      handle(work, ({ complete, job }) =>
        complete(tx => after(runtime.stage.caller.write(tx, `sent by ${job.id}`), () => ({ sent: true }))),
      ),
    ])
    const { id } = await runtime.millrace.enqueue(work, {})
    expect(await runtime.clock.until(runtime.millrace.result(id))).toEqual({ sent: true })
    expect(await runtime.stage.caller.notes()).toEqual([`sent by ${id}`])
    expect(await runtime.millrace.attempts(id)).toMatchObject([{ outcome: 'completed' }])
  })

  it('comes after what the handler reported, also what is on its way', async () => {
    const { between, begun, go } = heldReports()
    const runtime = await openRuntime(subject, { between })
    const work = plainJob()
    const completes = gate()
    await runtime.start([
      handle(work, async ({ complete, log }) => {
        log.info('on its way')
        await completes.promise
        return complete(() => 'done')
      }),
    ])
    const { id } = await runtime.millrace.enqueue(work, {})
    await runtime.clock.until(begun)
    completes.resolve()
    await runtime.clock.quiet()
    expect((await runtime.job(id)).state).toBe('running')
    go()
    expect(await runtime.clock.until(runtime.millrace.result(id))).toBe('done')
    expect(await runtime.millrace.logs(id)).toMatchObject([{ message: 'on its way' }])
  })

  it('keeps neither when the work throws: the attempt fails and is repeated', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ backoff: fixed(0), maxAttempts: 2 })
    await runtime.start([
      handle(work, ({ complete, job }) =>
        complete(tx =>
          after(runtime.stage.caller.write(tx, `attempt ${job.attempt}`), () => {
            if (job.attempt === 1) throw new Error('on second thoughts')
            return 'done'
          }),
        ),
      ),
    ])
    const { id } = await runtime.millrace.enqueue(work, {})
    expect(await runtime.clock.until(runtime.millrace.result(id))).toBe('done')
    expect(await runtime.stage.caller.notes()).toEqual(['attempt 2'])
  })

  it('keeps neither when the result has not the defined shape', async () => {
    const runtime = await openRuntime(subject)
    const work = defineJob({
      type: 'sum',
      payload: z.object({}),
      result: z.object({ total: z.number() }),
      maxAttempts: 1,
    })
    await runtime.start([
      handle(work, ({ complete }) =>
        complete(tx =>
          after(
            runtime.stage.caller.write(tx, 'written'),
            () => ({ total: 'many' }) as unknown as { total: number },
          ),
        ),
      ),
    ])
    const { id } = await runtime.millrace.enqueue(work, {})
    await runtime.reaches(id, 'dead')
    expect(await runtime.stage.caller.notes()).toEqual([])
  })

  it('keeps neither for a zombie, which hears lease-lost', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ maxAttempts: 3, timeoutMs: null })
    const frozen = gate()
    const heard = gate<unknown>()
    const other = await runtime.stage.another()
    await runtime.start([
      handle(work, async ({ complete }) => {
        await frozen.promise
        const done = complete(tx => runtime.stage.caller.write(tx, 'zombie'))
        heard.resolve(await done.catch((error: unknown) => error))
        return done
      }),
    ])
    const { id } = await runtime.millrace.enqueue(work, {})
    await runtime.reaches(id, 'running')
    runtime.freeze(minuteMs)
    await runtime.stage.rescue({ engine: other })
    const lease = await runtime.stage.claimOne({ type: 'work', worker: 'successor', engine: other })
    await other.completeIn('successor', lease, tx =>
      after(runtime.stage.caller.write(tx, 'successor'), () => ({ resultJson: '"right"', ranMs: 0 })),
    )
    runtime.awake()
    frozen.resolve()
    expect(await runtime.clock.until(heard.promise)).toMatchObject({ code: 'lease-lost' })
    await runtime.clock.advance(10 * secondMs)
    expect(await runtime.stage.caller.notes()).toEqual(['successor'])
    expect(await runtime.job(id)).toMatchObject({ state: 'completed', result: 'right' })
  })

  it('stands, whatever the handler does afterwards', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ backoff: fixed(0), maxAttempts: 3 })
    let runs = 0
    await runtime.start([
      handle(work, async ({ complete }) => {
        runs++
        await complete(() => 'committed')
        throw new Error('too late to fail')
      }),
    ])
    const { id } = await runtime.millrace.enqueue(work, {})
    expect(await runtime.clock.until(runtime.millrace.result(id))).toBe('committed')
    await runtime.clock.advance(10 * secondMs)
    expect(await runtime.job(id)).toMatchObject({ state: 'completed', attempt: 1 })
    expect(runs).toBe(1)
  })

  it('twice in one attempt does the work once', async () => {
    const runtime = await openRuntime(subject)
    const work = plainJob({ maxAttempts: 1 })
    await runtime.start([
      handle(work, async ({ complete }) => {
        await complete(tx => runtime.stage.caller.write(tx, 'first'))
        await complete(tx => runtime.stage.caller.write(tx, 'second')).catch(() => {})
      }),
    ])
    const { id } = await runtime.millrace.enqueue(work, {})
    await runtime.reaches(id, 'completed')
    await runtime.clock.advance(secondMs)
    expect(await runtime.stage.caller.notes()).toEqual(['first'])
  })

  it('lets the handler enqueue what follows in the same transaction', async () => {
    const runtime = await openRuntime(subject)
    const [work, follow] = [plainJob({ maxAttempts: 1 }), plainJob({ type: 'follow' })]
    await runtime.start([
      handle(work, ({ complete, payload }) =>
        complete(tx => {
          const enqueued = runtime.millrace.enqueue(follow, payload, { tx })
          enqueued.catch(() => {})
          return after(subject.asyncWork ? enqueued : undefined, () => {
            if (payload.n === 0) throw new Error('nothing shall follow')
          })
        }),
      ),
    ])
    const failed = await runtime.millrace.enqueue(work, { n: 0 })
    await runtime.reaches(failed.id, 'dead')
    expect((await runtime.millrace.list({ types: ['follow'] })).jobs).toEqual([])
    const done = await runtime.millrace.enqueue(work, { n: 1 })
    await runtime.reaches(done.id, 'completed')
    const { jobs } = await runtime.millrace.list({ types: ['follow'] })
    expect(jobs.map(job => job.payload)).toEqual([{ n: 1 }])
  })
}
