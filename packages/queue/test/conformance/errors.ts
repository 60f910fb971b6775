import { describe, expect, it } from 'vitest'
import type { Engine } from '../../src/engine/contract.ts'
import { aJob, complete, hourMs, unknownId } from './samples.ts'
import { type EngineSubject, openStage } from './stage.ts'

export function errorCases(subject: EngineSubject): void {
  it('opens any number of times', async () => {
    const stage = await openStage(subject)
    const id = await stage.enqueue()
    await stage.engine.open()
    await Promise.all([stage.engine.open(), stage.engine.open({ migrate: false })])
    expect((await stage.job(id)).state).toBe('queued')
  })

  it('says what it is and that it is well', async () => {
    const { engine } = await openStage(subject)
    const health = await engine.health()
    expect(health).toMatchObject({ ok: true, engine: subject.name })
    expect(['durable', 'relaxed']).toContain(health.durability)
    expect(health.schemaVersion).toBeGreaterThanOrEqual(1)
  })

  it('states its capabilities as they were promised', async () => {
    const { engine } = await openStage(subject)
    expect(engine.capabilities).toEqual(subject.capabilities)
  })

  it('keeps everything over a close and another opening', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running()
    await stage.enqueueMany(3)
    await stage.engine.close()
    const reopened = await stage.another()
    expect(await stage.settle(lease, complete(), { engine: reopened })).toBe('settled')
    expect((await reopened.counts()).total).toMatchObject({ ready: 3, completed: 1, running: 0 })
  })

  it('finishes on close what was handed over before', async () => {
    const stage = await openStage(subject)
    const ids = Array.from({ length: 20 }, () => stage.newId())
    const enqueued = ids.map(id => stage.engine.enqueue([aJob({ id })]))
    const closed = stage.engine.close()
    await Promise.all(enqueued)
    await closed
    const reopened = await stage.another()
    expect((await reopened.get(ids)).every(record => record?.state === 'queued')).toBe(true)
  })

  it('leaves no timer behind when it is closed', async () => {
    const stage = await openStage(subject)
    stage.engine.subscribe(() => {})
    await stage.enqueue()
    await stage.clock.advance(1_000)
    await stage.engine.close()
    await stage.clock.advance(hourMs)
    expect(stage.clock.timers).toBe(0)
  })

  describe('after a close', () => {
    const calls: [string, (engine: Engine) => Promise<unknown>][] = [
      ['enqueue', engine => engine.enqueue([aJob({ id: unknownId })])],
      [
        'claim',
        engine =>
          engine.claim({ worker: 'w', lanes: [{ queue: 'default', types: ['mail'] }], limit: 1, leaseMs: 1 }),
      ],
      ['settle', engine => engine.settle('w', [{ lease, outcome: complete(), ranMs: 0 }])],
      ['heartbeat', engine => engine.heartbeat({ worker: 'w', label: '', leases: [], leaseMs: 1 })],
      ['report', engine => engine.report('w', [{ lease }])],
      ['rescue', engine => engine.rescue({ maxDeaths: 1, limit: 1 })],
      ['cancel', engine => engine.cancel([unknownId], '')],
      ['get', engine => engine.get([unknownId])],
      ['list', engine => engine.list({}, { limit: 1 })],
      ['counts', engine => engine.counts()],
      ['prune', engine => engine.prune({ rules: [], limit: 1 })],
      ['schedules', engine => engine.schedules()],
    ]
    const lease = { id: unknownId, epoch: 1, token: '' }

    it.each(calls)('%s is refused as closed', async (_name, call) => {
      const { engine } = await openStage(subject)
      await engine.close()
      await expect(call(engine)).rejects.toMatchObject({ name: 'QueueError', code: 'closed' })
    })

    it('another close does nothing', async () => {
      const { engine } = await openStage(subject)
      await Promise.all([engine.close(), engine.close()])
      await engine.close()
    })
  })

  describe('of an unknown id', () => {
    it('get answers null in its place', async () => {
      const stage = await openStage(subject)
      const id = await stage.enqueue()
      const records = await stage.engine.get([unknownId, id, unknownId])
      expect(records.map(record => record?.id ?? null)).toEqual([null, id, null])
      expect(await stage.engine.get([])).toEqual([])
    })

    it('get of one id twice answers twice', async () => {
      const stage = await openStage(subject)
      const id = await stage.enqueue()
      expect((await stage.engine.get([id, id])).map(record => record?.id)).toEqual([id, id])
    })

    it('get of hundreds answers each in its place', async () => {
      const stage = await openStage(subject)
      const ids = (await stage.enqueueMany(800)).toReversed()
      expect((await stage.engine.get(ids)).map(record => record?.id)).toEqual(ids)
    })

    it('attempts and logs are empty', async () => {
      const { engine } = await openStage(subject)
      expect(await engine.attempts(unknownId)).toEqual([])
      expect(await engine.logs(unknownId)).toEqual([])
    })
  })

  it('is not opened by asking for its health', async () => {
    const stage = await openStage(subject)
    await stage.engine.close()
    expect(await stage.engine.health()).toMatchObject({ ok: false })
  })
}
