import { describe, expect, it } from 'vitest'
import { signalsKept } from '../../src/engine/step.ts'
import { complete, dead, hourMs, minuteMs, retry, unknownId } from './samples.ts'
import { type EngineSubject, openStage, type Stage } from './stage.ts'

export function signalCases(subject: EngineSubject): void {
  it('is kept until its job takes it, whether or not the job waits for it already', async () => {
    const stage = await openStage(subject)
    const jobId = await stage.enqueue()
    const first = await send(stage, jobId, 'approved', '{"by":"ada"}')
    const at = stage.clock.now()
    await stage.clock.advance(minuteMs)
    const second = await send(stage, jobId, 'paid')
    expect(await stage.engine.signals(jobId)).toEqual([
      { id: first, name: 'approved', payloadJson: '{"by":"ada"}', at },
      { id: second, name: 'paid', payloadJson: 'null', at: stage.clock.now() },
    ])
    expect((await stage.job(jobId)).state).toBe('queued')
  })

  it('reaches a job that is queued, delayed, running or blocked', async () => {
    const stage = await openStage(subject)
    const [delayed, running] = [await stage.enqueue({ delayMs: hourMs }), (await stage.running()).id]
    const queued = await stage.enqueue()
    for (const id of [queued, delayed, running]) {
      await send(stage, id)
      expect(await stage.engine.signals(id)).toHaveLength(1)
    }
    expect((await stage.job(delayed)).runAt).toBe(stage.clock.now() + hourMs)
  })

  it('comes in the order in which it was sent, two of one name too', async () => {
    const stage = await openStage(subject)
    const jobId = await stage.enqueue()
    const ids: string[] = []
    for (const n of [1, 2, 3]) ids.push(await send(stage, jobId, 'tick', String(n)))
    expect((await stage.engine.signals(jobId)).map(each => each.payloadJson)).toEqual(['1', '2', '3'])
    expect((await stage.engine.signals(jobId)).map(each => each.id)).toEqual(ids)
  })

  it('sent twice arrives once', async () => {
    const stage = await openStage(subject)
    const jobId = await stage.enqueue()
    const signal = { id: stage.newId(), jobId, name: 'approved', payloadJson: '1' }
    expect(await stage.engine.signal(signal)).toBe('delivered')
    expect(await stage.engine.signal(signal)).toBe('duplicate')
    expect(await stage.engine.signals(jobId)).toHaveLength(1)
  })

  it('to nothing is not found', async () => {
    const stage = await openStage(subject)
    const signal = { id: stage.newId(), jobId: unknownId, name: 'approved', payloadJson: '1' }
    expect(await stage.engine.signal(signal)).toBe('not-found')
    expect(await stage.engine.signals(unknownId)).toEqual([])
  })

  it('to a finished job is told as that, and not kept', async () => {
    const stage = await openStage(subject)
    const { id: jobId } = await stage.finished(complete())
    const signal = { id: stage.newId(), jobId, name: 'approved', payloadJson: '1' }
    expect(await stage.engine.signal(signal)).toBe('already-finished')
    expect(await stage.engine.signals(jobId)).toEqual([])
  })

  describe('that a step took', () => {
    it('is gone, and nobody else gets it', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      const [first, second] = [await send(stage, lease.id), await send(stage, lease.id)]
      expect(await take(stage, lease, first)).toBe('ok')
      expect((await stage.engine.signals(lease.id)).map(each => each.id)).toEqual([second])
    })

    it('does not arrive once more when it is sent again', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      const signal = { id: stage.newId(), jobId: lease.id, name: 'approved', payloadJson: '1' }
      await stage.engine.signal(signal)
      await take(stage, lease, signal.id)
      expect(await stage.engine.signal(signal)).toBe('duplicate')
      expect(await stage.engine.signals(lease.id)).toEqual([])
    })

    it('stays when the write was refused', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      const id = await send(stage, lease.id)
      await stage.settle(lease, retry())
      expect(await take(stage, lease, id)).toBe('lease-lost')
      expect(await stage.engine.signals(lease.id)).toHaveLength(1)
    })
  })

  it('stays for a job that dies and is redriven', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running()
    const id = await send(stage, lease.id)
    await stage.settle(lease, dead())
    await stage.engine.redrive([lease.id], { forgetSteps: true })
    expect((await stage.engine.signals(lease.id)).map(each => each.id)).toEqual([id])
  })

  it('goes with its job', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running()
    const id = await send(stage, lease.id)
    await stage.settle(lease, complete())
    await stage.engine.remove([lease.id])
    expect(await stage.engine.signals(lease.id)).toEqual([])
    const again = { id, jobId: lease.id, name: 'approved', payloadJson: '1' }
    expect(await stage.engine.signal(again)).toBe('not-found')
  })

  it('is refused when its job has too many that it has not taken', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running()
    const ids = Array.from({ length: signalsKept }, () => stage.newId())
    const signal = (id: string) => ({ id, jobId: lease.id, name: 'tick', payloadJson: '1' })
    while (ids.length > 0) await Promise.all(ids.splice(0, 500).map(id => stage.engine.signal(signal(id))))
    await expect(stage.engine.signal(signal(stage.newId()))).rejects.toMatchObject({ code: 'queue-full' })
    const [first] = await stage.engine.signals(lease.id)
    await take(stage, lease, first?.id as string)
    expect(await stage.engine.signal(signal(stage.newId()))).toBe('delivered')
  })
}

/** Sends one signal and answers its id. */
async function send(stage: Stage, jobId: string, name = 'approved', payloadJson = 'null'): Promise<string> {
  const id = stage.newId()
  expect(await stage.engine.signal({ id, jobId, name, payloadJson })).toBe('delivered')
  return id
}

async function take(stage: Stage, lease: { id: string; epoch: number; token: string }, signalId: string) {
  const step = { name: `took ${signalId}`, ordinal: 1, kind: 'signal', state: 'completed' } as const
  const [answer] = await stage.engine.report('worker-1', [
    { lease, steps: [{ ...step, resultJson: null, error: null, ranMs: 0, signalId }] },
  ])
  return answer
}
