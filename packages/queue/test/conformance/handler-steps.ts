import { expect, it } from 'vitest'
import { defineJob, fixed, handle, type Handler, QueueError, sleep } from '../../src/index.ts'
import { override } from '../support/engine-proxy.ts'
import { gate, openRuntime, plainJob } from './runtime-stage.ts'
import { minuteMs, secondMs } from './samples.ts'
import type { EngineSubject } from './stage.ts'

const work = plainJob({ type: 'order', backoff: fixed(0), maxAttempts: 5 })

export function handlerStepCases(subject: EngineSubject): void {
  it('runs a step once, however often its job is attempted', async () => {
    const ran: string[] = []
    const { millrace, clock } = await bound(subject, [
      handle(work, async ({ step, job }) => {
        const charge = await step.run('charge', () => {
          ran.push('charge')
          return { id: 'ch_1' }
        })
        const mail = await step.run('mail', () => {
          ran.push('mail')
          if (job.attempt < 3) throw new Error('smtp is away')
          return `sent ${charge.id}`
        })
        return mail
      }),
    ])
    const { id } = await millrace.enqueue(work, {})
    expect(await clock.until(millrace.result(id))).toBe('sent ch_1')
    expect(ran).toEqual(['charge', 'mail', 'mail', 'mail'])
  })

  it('answers what a result looks like after JSON, the first time too', async () => {
    const seen: unknown[] = []
    const { millrace, clock } = await bound(subject, [
      handle(work, async ({ step, job }) => {
        seen.push(await step.run('when', (): unknown => ({ at: new Date(0), none: undefined })))
        seen.push(await step.run('nothing', (): unknown => undefined))
        if (job.attempt === 1) throw new Error('again')
      }),
    ])
    const { id } = await millrace.enqueue(work, {})
    await clock.until(millrace.result(id))
    const once = [{ at: '1970-01-01T00:00:00.000Z' }, undefined]
    expect(seen).toEqual([...once, ...once])
  })

  it('shows each step with its attempt, its time and its end', async () => {
    const { millrace, clock, runtime } = await bound(subject, [
      handle(work, async ({ step, job }) => {
        await step.run('charge', async () => {
          await sleep(clock, 5 * secondMs)
          return 7
        })
        await step.run('mail', () => {
          if (job.attempt === 1) throw new Error('smtp is away')
        })
      }),
    ])
    const { id } = await millrace.enqueue(work, {})
    await clock.until(millrace.result(id))
    const [charge, mail] = await millrace.steps(id)
    expect(charge).toMatchObject({
      name: 'charge',
      ordinal: 1,
      kind: 'run',
      state: 'completed',
      result: 7,
      attempt: 1,
    })
    expect((charge?.endedAt ?? 0) - (charge?.startedAt ?? 0)).toBe(5 * secondMs)
    expect(mail).toMatchObject({ name: 'mail', ordinal: 2, state: 'completed', attempt: 2, error: null })
    expect((await runtime.job(id)).attempt).toBe(2)
  })

  it('shows the step that a job died in, with its error', async () => {
    const once = plainJob({ type: 'order', maxAttempts: 1 })
    const { millrace, runtime } = await bound(subject, [
      handle(once, async ({ step }) => {
        await step.run('charge', () => 1)
        await step.run('mail', () => {
          throw new TypeError('no address')
        })
      }),
    ])
    const { id } = await millrace.enqueue(once, {})
    await runtime.reaches(id, 'dead')
    expect(await millrace.steps(id)).toMatchObject([
      { name: 'charge', state: 'completed' },
      { name: 'mail', state: 'failed', error: { name: 'TypeError', message: 'no address' }, result: null },
    ])
  })

  it('throws an error that the handler got over again in later attempts, without running the step', async () => {
    const ran: string[] = []
    const { millrace, clock } = await bound(subject, [
      handle(work, async ({ step, job }) => {
        let way = 'card'
        await step
          .run('card', () => {
            ran.push('card')
            throw new RangeError('declined')
          })
          .catch((error: Error) => {
            way = `invoice after ${error.name}: ${error.message}`
          })
        await step.run('invoice', () => void ran.push('invoice'))
        if (job.attempt === 1) throw new Error('again')
        return way
      }),
    ])
    const { id } = await millrace.enqueue(work, {})
    expect(await clock.until(millrace.result(id))).toBe('invoice after RangeError: declined')
    expect(ran).toEqual(['card', 'invoice'])
    expect((await millrace.steps(id)).map(each => each.state)).toEqual(['caught', 'completed'])
  })

  it('does not repeat a step whose result can not be stored: it has happened', async () => {
    let ran = 0
    const { millrace, runtime } = await bound(subject, [
      handle(work, async ({ step }) => {
        await step.run('charge', () => ({ ran: ++ran, amount: 1n }))
      }),
    ])
    const { id } = await millrace.enqueue(work, {})
    await runtime.reaches(id, 'dead')
    expect(ran).toBe(1)
    expect((await runtime.job(id)).lastError?.message).toMatch(
      /step charge can not be stored .* not run again/,
    )
  })

  it('refuses two steps of one name', async () => {
    const { millrace, runtime } = await bound(subject, [
      handle(work, async ({ step }) => {
        for (const n of [1, 2]) await step.run('same', () => n)
      }),
    ])
    const { id } = await millrace.enqueue(work, {})
    await runtime.reaches(id, 'dead')
    expect((await runtime.job(id)).lastError?.message).toMatch(/two steps named "same"/)
  })

  it('tells a handler whose steps have changed, and runs none of the new ones', async () => {
    let deployed = 1
    const ran: string[] = []
    const { millrace, runtime, clock } = await bound(subject, [
      handle(work, async ({ step }) => {
        await step.run('reserve', () => void ran.push('reserve'))
        if (deployed === 2) await step.run('check', () => void ran.push('check'))
        await step.run('charge', () => void ran.push('charge'))
        if (deployed !== 3) throw new Error('not yet')
      }),
    ])
    const { id } = await millrace.enqueue(work, {}, { maxAttempts: 2 })
    const failed = gate()
    millrace.on('retrying', () => {
      deployed = 2
      failed.resolve()
    })
    await clock.until(failed.promise)
    await runtime.reaches(id, 'dead')
    expect((await runtime.job(id)).lastError?.message).toMatch(/step 2 was "charge" and is now "check"/)
    expect(ran).toEqual(['reserve', 'charge'])
    deployed = 3
    await millrace.retry(id)
    await runtime.reaches(id, 'completed')
    expect(ran).toEqual(['reserve', 'charge'])
  })

  it('keeps the steps of a dead job when it is retried, and forgets them when asked to', async () => {
    const ran: string[] = []
    let broken = true
    const once = plainJob({ type: 'order', maxAttempts: 1 })
    const { millrace, runtime } = await bound(subject, [
      handle(once, async ({ step }) => {
        await step.run('charge', () => void ran.push('charge'))
        if (broken) throw new Error('later')
      }),
    ])
    const { id } = await millrace.enqueue(once, {})
    await runtime.reaches(id, 'dead')
    await millrace.retry(id)
    await runtime.reaches(id, 'dead')
    expect(ran).toEqual(['charge'])
    broken = false
    await millrace.retry(id, { forgetSteps: true })
    await runtime.reaches(id, 'completed')
    expect(ran).toEqual(['charge', 'charge'])
    await millrace.retry(id)
    await runtime.reaches(id, 'completed')
    expect(ran).toEqual(['charge', 'charge', 'charge'])
  })

  it('runs steps beside each other, and none that stands again', async () => {
    const ran: string[] = []
    const { millrace, clock } = await bound(subject, [
      handle(work, async ({ step, job }) => {
        const one = async (n: number): Promise<number> => {
          await step.run(`fetch-${n}`, async () => {
            ran.push(`fetch-${n}`)
            await sleep(clock, (4 - n) * secondMs)
          })
          return step.run(`store-${n}`, () => {
            ran.push(`store-${n}`)
            if (n === 1 && job.attempt === 1) throw new Error('disk')
            return n
          })
        }
        const all = await Promise.all([1, 2, 3].map(one))
        return all.join()
      }),
    ])
    const { id } = await millrace.enqueue(work, {})
    expect(await clock.until(millrace.result(id))).toBe('1,2,3')
    expect(ran.toSorted()).toEqual(
      ['fetch-1', 'fetch-2', 'fetch-3', 'store-1', 'store-1', 'store-2', 'store-3'].toSorted(),
    )
  })

  it('records a step that the handler no longer waits for before the attempt ends', async () => {
    const ran: string[] = []
    const { millrace, clock } = await bound(subject, [
      handle(work, async ({ step, job }) => {
        const fails = step.run('fails', () => {
          if (job.attempt === 1) throw new Error('fast')
        })
        const slow = step.run('slow', async () => {
          ran.push('slow')
          await sleep(clock, 3 * secondMs)
        })
        await Promise.all([fails, slow])
      }),
    ])
    const { id } = await millrace.enqueue(work, {})
    await clock.until(millrace.result(id))
    expect(ran).toEqual(['slow'])
  })

  it('gives each step a key that stays the same in every attempt', async () => {
    const keys: string[] = []
    const { millrace, clock } = await bound(subject, [
      handle(work, async ({ step, job }) => {
        await step.run('charge', ({ key }) => {
          keys.push(key)
          if (job.attempt === 1) throw new Error('again')
        })
      }),
    ])
    const { id } = await millrace.enqueue(work, {})
    await clock.until(millrace.result(id))
    expect(keys).toEqual([`${id}/charge`, `${id}/charge`])
  })

  it('refuses a step of an attempt that has lost its lease: another runs it', async () => {
    const frozen = gate()
    let refused: unknown
    const { runtime, clock, millrace } = await bound(subject, [])
    const first = await runtime.start([
      handle(work, async ({ step }) => {
        await step
          .run('charge', () => frozen.promise)
          .catch((error: unknown) => {
            refused = error
          })
      }),
    ])
    const { id } = await millrace.enqueue(work, {})
    await clock.eventually(() => first.running === 1)
    runtime.freeze(minuteMs)
    const second = await runtime.elsewhere()
    await runtime.start([handle(work, ({ step }) => step.run('charge', () => 'by the second'))], {}, second)
    expect(await clock.until(second.result(id))).toBe('by the second')
    runtime.awake()
    frozen.resolve()
    await clock.eventually(() => refused !== undefined)
    expect(refused).toMatchObject({ code: 'lease-lost' })
    expect(await second.steps(id)).toMatchObject([{ name: 'charge', result: 'by the second' }])
  })

  it('repeats the record of a step while the store is away, and not the step', async () => {
    let away = 2
    let ran = 0
    const runtime = await openRuntime(subject, {
      between: engine =>
        override(engine, {
          report: async (worker, reports) => {
            if (away-- > 0) throw new QueueError('unavailable', 'the database is away')
            return engine.report(worker, reports)
          },
        }),
    })
    await runtime.start([handle(work, ({ step }) => step.run('charge', () => ++ran))])
    const { id } = await runtime.millrace.enqueue(work, {})
    expect(await runtime.clock.until(runtime.millrace.result(id))).toBe(1)
    expect(ran).toBe(1)
  })

  it('runs a step again that a stop or a cancel has cut short', async () => {
    const runtime = await openRuntime(subject)
    const { millrace, clock } = runtime
    const begun: string[] = []
    const handler = handle(work, ({ step, signal }) =>
      step.run('fetch', async () => {
        begun.push('fetch')
        await sleep(clock, minuteMs, signal)
        return 'fetched'
      }),
    )
    const { id } = await millrace.enqueue(work, {})
    const first = await runtime.start([handler])
    await clock.eventually(() => begun.length === 1)
    await clock.until(first.stop({ deadlineMs: 0 }))
    expect(await runtime.job(id)).toMatchObject({ state: 'queued', attempt: 0 })
    await runtime.start([handler])
    await clock.eventually(() => begun.length === 2)
    await millrace.cancel(id)
    await runtime.reaches(id, 'cancelled')
    await millrace.retry(id)
    expect(await clock.until(millrace.result(id), 2 * minuteMs)).toBe('fetched')
    expect(begun).toHaveLength(3)
  })

  it('takes up where a dead worker was, without the steps that stand', async () => {
    const ran: string[] = []
    const { runtime, clock, millrace } = await bound(subject, [])
    const patient = defineJob({ ...work, maxAttempts: 5 })
    const never = gate()
    await runtime.start([
      handle(patient, async ({ step }) => {
        await step.run('reserve', () => void ran.push('reserve'))
        await never.promise
      }),
    ])
    const { id } = await millrace.enqueue(patient, {})
    await clock.eventually(async () => (await millrace.steps(id)).length === 1)
    runtime.freeze(minuteMs)
    const second = await runtime.elsewhere()
    const handler = handle(patient, async ({ step }) => {
      await step.run('reserve', () => void ran.push('reserve again'))
      return step.run('charge', () => 'charged')
    })
    await runtime.start([handler], {}, second)
    expect(await clock.until(second.result(id))).toBe('charged')
    expect(ran).toEqual(['reserve'])
    never.resolve()
  })
}

async function bound(subject: EngineSubject, handlers: Handler[], options: { concurrency?: number } = {}) {
  const runtime = await openRuntime(subject)
  const worker = await runtime.start(
    handlers.length > 0 ? handlers : [handle(plainJob({ type: 'none' }), () => {})],
    options,
  )
  return { runtime, worker, millrace: runtime.millrace, clock: runtime.clock }
}
