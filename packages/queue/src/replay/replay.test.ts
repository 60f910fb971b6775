import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineJob } from '../definition.ts'
import { defineSignal } from '../flow/signal.ts'
import { handle, type HandlerContext } from '../handler.ts'
import { describeError } from '../job/attempt-error.ts'
import type { BundledStep, ReplayBundle } from './bundle.ts'
import { readBundle } from './read-bundle.ts'
import { replay } from './replay.ts'

const order = defineJob({
  type: 'ORDER',
  payload: z.object({ amount: z.int(), note: z.string().default('none') }),
})
type Context = HandlerContext<{ amount: number; note: string }>

function step(name: string, ordinal: number, rest: Partial<BundledStep> = {}): BundledStep {
  const times = { attempt: 1, startedAt: 0, endedAt: 0 }
  return { name, ordinal, kind: 'run', state: 'completed', error: null, ...times, ...rest }
}

const declined = describeError(new Error('the card was declined'))

/** An order that was reserved and priced, and died when it was charged. */
function aBundle(rest: Partial<ReplayBundle> = {}): ReplayBundle {
  return {
    format: 'millrace-replay',
    version: 1,
    exportedAt: '2026-01-15T12:00:00.000Z',
    versions: { millrace: '0.1.0', node: '24.0.0', engine: 'sqlite', schema: 4 },
    job: {
      id: '01900000-0000-7000-8000-000000000001',
      type: 'ORDER',
      queue: 'default',
      tenant: 'acme',
      priority: 5,
      state: 'dead',
      payload: { amount: 3 },
      result: null,
      error: declined,
      cancelReason: null,
      attempt: 3,
      maxAttempts: 3,
      epoch: 3,
      createdAt: 0,
      flow: null,
      origin: null,
    },
    attempts: [],
    steps: [
      step('reserve', 1, { result: { shelf: 7 } }),
      step('price', 2, { result: 30 }),
      step('charge', 3, { state: 'failed', error: declined }),
    ],
    signals: [],
    dependencies: [],
    logs: [],
    ...rest,
  }
}

describe('replay', () => {
  function handler(charge: () => unknown, ran: string[] = []) {
    return handle(order, async ({ payload, step, log }: Context) => {
      const run = <T>(name: string, work: () => T): Promise<T> =>
        step.run(name, () => {
          ran.push(name)
          return work()
        })
      const place = await run('reserve', () => ({ shelf: 0 }))
      const price = await run('price', () => 0)
      log.info('priced', { price, note: payload.note })
      const receipt = await run('charge', charge)
      await run('ship', () => 'gone')
      return { place, receipt }
    })
  }

  it('answers completed steps from the bundle and fails at the third as the job did', async () => {
    const ran: string[] = []
    const told = await replay(
      handler(() => {
        throw new Error('the card was declined')
      }, ran),
      aBundle(),
    )
    expect(told).toMatchObject({ outcome: 'failed', error: { message: 'the card was declined' } })
    expect(told.steps).toEqual([
      { name: 'reserve', kind: 'run', from: 'bundle', outcome: 'completed' },
      { name: 'price', kind: 'run', from: 'bundle', outcome: 'completed' },
      { name: 'charge', kind: 'run', from: 'run', outcome: 'failed' },
    ])
    expect(ran).toEqual(['charge'])
    expect(told.logs).toEqual([{ level: 'info', message: 'priced', data: { price: 30, note: 'none' } }])
  })

  it('says whether it failed with the error that the job died of', async () => {
    const fail = (message: string) => () => {
      throw Object.assign(new Error(message), { stack: declined.stack })
    }
    expect(await replay(handler(fail('the card was declined')), aBundle())).toMatchObject({
      reproduced: true,
    })
    expect(await replay(handler(fail('no such card')), aBundle())).toMatchObject({ reproduced: false })
  })

  it('with a mended handler passes the point of failure and stops at the first step that the job never reached', async () => {
    const ran: string[] = []
    const told = await replay(
      handler(() => 'paid', ran),
      aBundle(),
    )
    expect(told).toMatchObject({ outcome: 'passed-failure-point', at: 'ship', error: null })
    expect(ran).toEqual(['charge'])
  })

  it('runs new steps when asked to, or answers them from stubs', async () => {
    const ran: string[] = []
    const mended = handler(() => 'paid', ran)
    const completed = { outcome: 'completed', result: { place: { shelf: 7 }, receipt: 'paid' } }
    expect(await replay(mended, aBundle(), { stubs: { ship: 'not really' } })).toMatchObject(completed)
    expect(ran).toEqual(['charge'])
    expect(await replay(mended, aBundle(), { runNewSteps: true })).toMatchObject(completed)
    expect(ran).toEqual(['charge', 'charge', 'ship'])
  })

  it('takes a stub before the bundle and before the step, and a stub that throws', async () => {
    const stubs = {
      reserve: { shelf: 9 },
      charge: ({ key }: { key: string }) => {
        throw new TypeError(key)
      },
    }
    const told = await replay(
      handler(() => 'paid'),
      aBundle(),
      { stubs },
    )
    expect(told).toMatchObject({
      outcome: 'failed',
      error: { name: 'TypeError', message: '01900000-0000-7000-8000-000000000001/charge' },
    })
    expect(told.steps.map(each => each.from)).toEqual(['stub', 'bundle', 'stub'])
  })

  it('leaves the handler at the step at which it ends: no catch and no finally is run', async () => {
    const ran: string[] = []
    const stubborn = handle(order, async ({ step }: Context) => {
      await step.run('reserve', () => 1)
      await step.run('price', () => 1)
      await step.run('charge', () => 1)
      try {
        await step.run('ship', () => 1)
      } catch {
        ran.push('catch')
      } finally {
        ran.push('finally')
      }
      return 'done'
    })
    expect(await replay(stubborn, aBundle())).toMatchObject({ outcome: 'passed-failure-point', at: 'ship' })
    expect(ran).toEqual([])
  })

  it('gives a step that answered nothing back as undefined, and one that answered null as null', async () => {
    const steps = [step('nothing', 1), step('null', 2, { result: null })]
    const told = await replay(
      handle(order, async ({ step }: Context) => [
        typeof (await step.run('nothing', () => 1)),
        await step.run('null', () => 1),
      ]),
      aBundle({ steps }),
    )
    expect(told.result).toEqual(['undefined', null])
  })

  it('refuses to wait within a step, as a worker does', async () => {
    const nested = handle(order, async ({ step }: Context) =>
      step.run('outer', () => step.sleep('inner', '1s')),
    )
    const told = await replay(nested, aBundle({ steps: [] }), { runNewSteps: true })
    expect(told).toMatchObject({ outcome: 'failed', error: { message: expect.stringContaining('outer') } })
  })

  it('throws what the handler caught before at the same place', async () => {
    const steps = [step('reserve', 1, { state: 'caught', error: { ...declined, name: 'RangeError' } })]
    const told = await replay(
      handle(order, async ({ step }: Context) => step.run('reserve', () => 1).catch(String)),
      aBundle({ steps }),
    )
    expect(told).toMatchObject({ outcome: 'completed', result: 'RangeError: the card was declined' })
    expect(told.steps).toMatchObject([{ from: 'bundle', outcome: 'failed' }])
  })

  it('tells a handler whose steps have changed', async () => {
    const changed = handle(order, async ({ step }: Context) => step.run('other', () => 1))
    expect(await replay(changed, aBundle())).toMatchObject({
      outcome: 'failed',
      error: { name: 'QueueError', message: expect.stringContaining('step 1 was "reserve"') },
    })
  })

  it('waits for no time and touches no store: what would have happened is told', async () => {
    const mail = defineJob({ type: 'MAIL', payload: z.object({ to: z.string() }) })
    const busy = handle(order, async ({ step, flow, complete, progress }: Context) => {
      await step.sleep('nap', '1h')
      const first = await flow.add('receipt', mail, { to: 'ada' })
      const again = await flow.add('receipt', mail, { to: 'ada' })
      progress(50, first === again ? 'the same job' : 'two jobs')
      return complete(() => 'stored')
    })
    const told = await replay(busy, aBundle({ steps: [] }), { runNewSteps: true })
    expect(told).toMatchObject({
      outcome: 'completed',
      result: undefined,
      progress: { percent: 50, message: 'the same job' },
    })
    expect(told.effects).toEqual([
      { kind: 'sleep', step: 'nap', inMs: 3_600_000, until: null },
      expect.objectContaining({ kind: 'flow-add', name: 'receipt', type: 'MAIL', payload: { to: 'ada' } }),
      { kind: 'complete' },
    ])
    const tx = { writes: [] as string[] }
    const withTx = await replay(
      handle(order, ({ complete }: Context) =>
        complete(tx => {
          ;(tx as { writes: string[] }).writes.push('order')
          return 'stored'
        }),
      ),
      aBundle({ steps: [] }),
      { tx },
    )
    expect(withTx).toMatchObject({ outcome: 'completed', result: 'stored' })
    expect(tx.writes).toEqual(['order'])
  })

  it('tells when the handler puts itself off', async () => {
    const told = await replay(
      handle(order, ({ snooze }: Context) => snooze(5_000, 'too early')),
      aBundle({ steps: [] }),
    )
    expect(told).toMatchObject({
      outcome: 'snoozed',
      effects: [{ kind: 'snooze', inMs: 5_000, reason: 'too early' }],
    })
  })

  describe('of a handler that waits', () => {
    const approved = defineSignal('approved', z.object({ by: z.string() }))
    const waiting = handle(order, async ({ step }: Context) => step.waitForSignal(approved, { as: 'ask' }))

    it('takes a signal that was sent and never taken', async () => {
      const signals = [{ name: 'approved', payload: { by: 'ada' }, at: 0 }]
      expect(await replay(waiting, aBundle({ steps: [], signals }))).toMatchObject({
        outcome: 'completed',
        result: { by: 'ada' },
        steps: [{ name: 'ask', kind: 'signal', from: 'bundle' }],
      })
    })

    it('takes a stub, checked like a signal', async () => {
      const bundle = aBundle({ steps: [] })
      expect(await replay(waiting, bundle, { stubs: { ask: { by: 'eve' } } })).toMatchObject({
        result: { by: 'eve' },
      })
      expect(await replay(waiting, bundle, { stubs: { ask: 'yes' } })).toMatchObject({
        outcome: 'failed',
        error: { message: expect.stringContaining('payload of the signal approved is refused') },
      })
    })

    it('ends there when there is none', async () => {
      const steps = [step('ask', 1, { kind: 'signal', state: 'waiting', endedAt: null })]
      expect(await replay(waiting, aBundle({ steps }))).toMatchObject({ outcome: 'waits', at: 'ask' })
    })

    it('meets a failed child again, and does not run it', async () => {
      const parent = handle(order, async ({ step }: Context) =>
        step.enqueueAndWait('child', order, { amount: 1 }),
      )
      const steps = [step('child', 1, { kind: 'job', state: 'failed', error: declined })]
      const told = await replay(parent, aBundle({ steps }))
      expect(told).toMatchObject({
        outcome: 'failed',
        error: { message: 'the card was declined' },
        effects: [{ kind: 'enqueue-and-wait', step: 'child', type: 'ORDER', payload: { amount: 1 } }],
      })
      expect(await replay(parent, aBundle({ steps }), { stubs: { child: 'done' } })).toMatchObject({
        result: 'done',
      })
    })
  })

  it('gives the results of the jobs that came before', async () => {
    const dependencies = [
      { id: 'a', name: 'first', type: 'ORDER', state: 'completed' as const, result: 4, error: null },
    ]
    const told = await replay(
      handle(order, async ({ dependencies }: Context) => dependencies.result(order)),
      aBundle({ steps: [], dependencies }),
    )
    expect(told).toMatchObject({ outcome: 'completed', result: 4 })
  })

  it('refuses a handler for another type, and takes one by its alias', async () => {
    const bundle = aBundle({ steps: [] })
    const other = defineJob({ type: 'OTHER', payload: z.unknown() })
    await expect(
      replay(
        handle(other, () => 1),
        bundle,
      ),
    ).rejects.toMatchObject({ code: 'invalid-argument' })
    const renamed = defineJob({ type: 'PURCHASE', aliases: ['ORDER'], payload: z.unknown() })
    expect(
      await replay(
        handle(renamed, () => 1),
        bundle,
      ),
    ).toMatchObject({ result: 1 })
  })

  it('fails as a worker would on a payload that its schema refuses, or a result', async () => {
    const wrong = aBundle()
    wrong.job.payload = { amount: 'three' }
    expect(
      await replay(
        handler(() => 1),
        wrong,
      ),
    ).toMatchObject({ outcome: 'failed', error: { message: expect.stringContaining('amount') } })
    const strict = defineJob({ type: 'ORDER', payload: z.unknown(), result: z.string() })
    expect(
      await replay(
        handle(strict, () => 1 as never),
        aBundle({ steps: [] }),
      ),
    ).toMatchObject({ outcome: 'failed', error: { message: expect.stringContaining('result of ORDER') } })
  })
})

describe('readBundle', () => {
  it('takes what a round trip through JSON makes of one', () => {
    const bundle = aBundle()
    expect(readBundle(JSON.parse(JSON.stringify(bundle)))).toEqual(bundle)
  })

  it.each([null, 'text', 7, [], {}, { format: 'other' }, { format: null, version: 1 }])(
    'refuses %j as no bundle',
    value => {
      expect(() => readBundle(value)).toThrow(
        expect.objectContaining({
          code: 'version-mismatch',
          message: expect.stringContaining('not a replay bundle'),
        }),
      )
    },
  )

  it.each([
    [2, 'replay it with the millrace that exported it'],
    [0, 'export the job again'],
    ['1', 'export the job again'],
    [undefined, 'is of version missing'],
  ])('refuses version %j and says what to do', (version, advice) => {
    expect(() => readBundle({ ...aBundle(), version })).toThrow(
      expect.objectContaining({ code: 'version-mismatch', message: expect.stringContaining(advice) }),
    )
  })

  it.each<[string, (bundle: Record<string, never>) => unknown, (string | number)[]]>([
    ['no job', bundle => delete bundle['job'], ['job']],
    ['no payload', bundle => delete bundle['job']?.['payload'], ['job', 'payload']],
    ['steps that are no list', bundle => Object.assign(bundle, { steps: {} }), ['steps']],
    [
      'a step of no kind',
      bundle => Object.assign(bundle['steps']?.[1] ?? {}, { kind: 'walk' }),
      ['steps', 1, 'kind'],
    ],
    [
      'a state that is none',
      bundle => Object.assign(bundle['job'] ?? {}, { state: 'lost' }),
      ['job', 'state'],
    ],
    [
      'an error that is none',
      bundle => Object.assign(bundle['job'] ?? {}, { error: 'bad' }),
      ['job', 'error'],
    ],
  ])('refuses one with %s, and says where', (_what, damage, path) => {
    const bundle = JSON.parse(JSON.stringify(aBundle())) as Record<string, never>
    damage(bundle)
    expect(() => readBundle(bundle)).toThrow(
      expect.objectContaining({ code: 'invalid-argument', faults: [expect.objectContaining({ path })] }),
    )
  })
})
