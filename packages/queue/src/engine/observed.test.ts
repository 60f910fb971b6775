import { describe, expect, it, onTestFinished } from 'vitest'
import { SqliteEngine } from '../engines/sqlite/engine.ts'
import type { Engine, NewJob } from './contract.ts'
import { QueueError } from './errors.ts'
import { type EngineCall, observed } from './observed.ts'

const ids = ['01900000-0000-7000-8000-000000000001', '01900000-0000-7000-8000-000000000002']
const jobs = ids.map(
  (id): NewJob => ({
    id,
    type: 'MAIL',
    queue: 'default',
    tenant: '',
    priority: 5,
    payloadJson: '{}',
    delayMs: 0,
    runAt: null,
    maxAttempts: 3,
    idempotency: null,
  }),
)
const claimRequest = { worker: 'w', lanes: [{ queue: 'default', types: ['MAIL'] }], limit: 1, leaseMs: 1_000 }

/** An engine that is watched; `clock` moves by one millisecond with each look. */
async function stage(observe?: (call: EngineCall) => void) {
  const calls: EngineCall[] = []
  const inner = new SqliteEngine({ path: ':memory:' })
  let looks = 0
  const engine = observed(inner, () => ++looks, observe ?? (call => void calls.push(call)))
  await inner.open()
  onTestFinished(() => inner.close())
  return { engine, inner, calls }
}

const operations = (calls: EngineCall[]): string[] => calls.map(call => call.operation)

describe('an observed engine', () => {
  it('tells each call once, when it has ended', async () => {
    const { engine, calls } = await stage()
    const enqueued = engine.enqueue(jobs)
    expect(calls).toEqual([])
    await enqueued
    await Promise.all([engine.get(ids), engine.counts()])
    await engine.open()
    await engine.health()
    expect(operations(calls)).toEqual(['enqueue', 'get', 'counts', 'open', 'health'])
    expect(calls.every(call => call.error === null)).toBe(true)
  })

  it('answers what the engine answers', async () => {
    const { engine, inner } = await stage()
    expect(await engine.enqueue(jobs)).toEqual(ids.map(id => ({ outcome: 'enqueued', id })))
    expect(await engine.get(ids)).toEqual(await inner.get(ids))
    expect(engine.capabilities).toBe(inner.capabilities)
  })

  it('tells how many items a batch had, and null where there is none', async () => {
    const { engine, calls } = await stage()
    await engine.enqueue(jobs, {})
    await engine.cancel([], 'nobody')
    await engine.claim(claimRequest)
    await engine.settle('w', [])
    await engine.counts()
    expect(calls.map(call => [call.operation, call.items])).toEqual([
      ['enqueue', 2],
      ['cancel', 0],
      ['claim', null],
      ['settle', 0],
      ['counts', null],
    ])
  })

  it('tells how long a call took on the monotonic clock', async () => {
    const calls: EngineCall[] = []
    const looks = [100, 103.5]
    const inner = new SqliteEngine({ path: ':memory:' })
    const engine = observed(
      inner,
      () => looks.shift() as number,
      call => calls.push(call),
    )
    await engine.close()
    expect(calls).toEqual([{ operation: 'close', durationMs: 3.5, items: null, error: null }])
  })

  it('tells nothing of payloads and ids', async () => {
    const { engine, calls } = await stage()
    await engine.enqueue([{ ...(jobs[0] as NewJob), payloadJson: '"secret"' }])
    expect(Object.keys(calls[0] as EngineCall).sort()).toEqual(['durationMs', 'error', 'items', 'operation'])
  })

  it('hands hints through', async () => {
    const { engine } = await stage()
    const hints: string[] = []
    const off = engine.subscribe(hint => hints.push(hint.kind))
    await engine.enqueue(jobs)
    off()
    await engine.cancel([ids[0] as string], 'gone')
    expect(hints).toEqual(['ready'])
  })

  it('runs the work of a transaction in it', async () => {
    const { engine, calls } = await stage()
    await engine.enqueue(jobs)
    await engine.heartbeat({ worker: 'w', label: 'w', leases: [], leaseMs: 60_000 })
    const [lease] = (await engine.claim(claimRequest)).jobs
    if (!lease) throw new Error('nothing was claimed')
    expect(await engine.completeIn('w', lease, () => ({ resultJson: '1', ranMs: 1 }))).toBe('settled')
    expect(calls.at(-1)).toMatchObject({ operation: 'completeIn', items: null, error: null })
  })
})

describe('a call that fails', () => {
  it('is told with its error, once, and throws the same', async () => {
    const { engine, calls } = await stage()
    await engine.close()
    calls.length = 0
    const thrown: unknown = await engine.enqueue(jobs).catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(QueueError)
    expect(thrown).toMatchObject({ code: 'closed' })
    expect(calls).toHaveLength(1)
    expect(calls[0]).toMatchObject({ operation: 'enqueue', items: 2 })
    expect(calls[0]?.error).toBe(thrown)
  })

  it('in the work of a transaction is told with what that threw', async () => {
    const { engine, calls } = await stage()
    await engine.enqueue(jobs)
    const [lease] = (await engine.claim(claimRequest)).jobs
    if (!lease) throw new Error('nothing was claimed')
    const fault = new Error('the write of the application')
    const completed = engine.completeIn('w', lease, () => {
      throw fault
    })
    await expect(completed).rejects.toBe(fault)
    expect(calls.at(-1)?.error).toBe(fault)
  })
})

describe('an observer that fails', () => {
  const broken: [string, (call: EngineCall) => void][] = [
    ['by throwing', () => fail()],
    ['later, in a promise', () => Promise.reject(new Error('the metrics are away'))],
  ]

  it.each(broken)('%s harms neither calls that succeed nor those that fail', async (_how, observe) => {
    const unhandled: unknown[] = []
    const listener = (error: unknown): void => void unhandled.push(error)
    process.on('unhandledRejection', listener)
    const { engine } = await stage(observe)
    expect(await engine.enqueue(jobs)).toHaveLength(2)
    await engine.close()
    await expect(engine.counts()).rejects.toMatchObject({ code: 'closed' })
    await new Promise(resolve => setImmediate(resolve))
    process.off('unhandledRejection', listener)
    expect(unhandled).toEqual([])
  })
})

it('every method of the contract can be observed', async () => {
  const { engine, calls } = await stage()
  const every: (keyof Engine)[] = [
    'heartbeat',
    'cancelRequests',
    'report',
    'retire',
    'rescue',
    'reschedule',
    'redrive',
    'remove',
    'configureQueue',
    'queues',
    'workers',
    'attempts',
    'logs',
    'list',
    'schedules',
    'pauseSchedule',
    'removeSchedule',
    'disableSchedule',
    'ticks',
    'prune',
  ]
  const id = ids[0] as string
  await engine.heartbeat({ worker: 'w', label: 'w', leases: [], leaseMs: 1_000 })
  await engine.cancelRequests('w', [])
  await engine.report('w', [])
  await engine.retire('w')
  await engine.rescue({ maxDeaths: 3, limit: 1 })
  await engine.reschedule([])
  await engine.redrive(ids)
  await engine.remove(ids)
  await engine.configureQueue('default', { paused: true })
  await engine.queues()
  await engine.workers()
  await engine.attempts(id)
  await engine.logs(id)
  await engine.list({}, { limit: 1 })
  await engine.schedules()
  await engine.pauseSchedule('s', true)
  await engine.removeSchedule('s')
  await engine.disableSchedule('s', 'why')
  await engine.ticks('s', { limit: 1 })
  await engine.prune({ rules: [], limit: 1 })
  expect(operations(calls)).toEqual(every)
})

function fail(): never {
  throw new Error('the observer is broken')
}
