import { describe, expect, it } from 'vitest'
import { complete, dead, unknownId } from './samples.ts'
import { type EngineSubject, openStage } from './stage.ts'

export function removeCases(subject: EngineSubject): void {
  describe('deletes', () => {
    it('a waiting job, which never runs', async () => {
      const stage = await openStage(subject)
      const id = await stage.enqueue()
      expect(await stage.engine.remove([id])).toEqual(['removed'])
      expect(await stage.engine.get([id])).toEqual([null])
      expect(await stage.claim()).toEqual([])
    })

    it('a finished job with its attempts and logs', async () => {
      const stage = await openStage(subject)
      const lease = await stage.running()
      const line = { level: 'info' as const, message: 'hello', dataJson: null, at: stage.clock.now() }
      await stage.engine.report('worker-1', [{ lease, logLines: [line] }])
      await stage.settle(lease, complete())
      expect(await stage.engine.remove([lease.id])).toEqual(['removed'])
      expect(await stage.engine.get([lease.id])).toEqual([null])
      expect(await stage.engine.attempts(lease.id)).toEqual([])
      expect(await stage.engine.logs(lease.id)).toEqual([])
      expect((await stage.engine.list({}, { limit: 10 })).jobs).toEqual([])
    })
  })

  it('refuses a running job, which runs on', async () => {
    const stage = await openStage(subject)
    const lease = await stage.running()
    expect(await stage.engine.remove([lease.id])).toEqual(['running'])
    expect(await stage.settle(lease, complete())).toBe('settled')
  })

  it('answers a batch item by item, and can be repeated', async () => {
    const stage = await openStage(subject)
    const finished = await stage.finished(dead())
    const running = await stage.running()
    const queued = await stage.enqueue()
    const ids = [queued, running.id, unknownId, finished.id]
    expect(await stage.engine.remove(ids)).toEqual(['removed', 'running', 'not-found', 'removed'])
    expect(await stage.engine.remove(ids)).toEqual(['not-found', 'running', 'not-found', 'not-found'])
    expect(await stage.engine.remove([])).toEqual([])
  })
}
