import { describe, expect, it } from 'vitest'
import { Crew } from './crew.ts'
import { eventually } from './eventually.ts'
import { interrupted } from './jobs.ts'
import { type Stage, useStage } from './stage.ts'
import type { CrashTarget } from './target.ts'

const options = { concurrency: 4, leaseMs: 900, sweepMs: 150, pollMs: 100 }

/** Death and sleep in the middle of `complete(tx)`. */
export function describeInterruptions(target: CrashTarget): void {
  describe('a handler that completes with its own writes', () => {
    const stage = useStage(target)

    for (const moment of ['in-tx', 'after-tx'] as const)
      it(`writes exactly once when its process is killed ${moment === 'in-tx' ? 'inside' : 'right after'} the transaction`, {
        timeout: 60_000,
      }, async () => {
        const { millrace } = stage
        const stored = await millrace.enqueueMany(
          interrupted,
          Array.from({ length: 3 }, (_, n) => ({ payload: { n, signal: 'SIGKILL' as const, moment } })),
        )
        // One at a time: the others have not begun when it strikes.
        const crew = new Crew(target, stage.store, { ...options, concurrency: 1, maxDeaths: 10 })
        await crew.keepAlive('all are completed', async () => (await millrace.stats()).total.completed === 3)

        expect(crew.deaths.length).toBeGreaterThan(0)
        expect(crew.deaths.every(death => death.signal === 'SIGKILL')).toBe(true)
        await expectOneEffectEach(
          stage,
          stored.map(job => job.id),
        )
        // Committed is completed: whoever died after the commit is not run again.
        if (moment === 'after-tx') expect(crew.facts('start')).toHaveLength(3)
      })

    it('and freezes inside its transaction holds others up, and harms nothing', {
      timeout: 120_000,
    }, async () => {
      const { millrace, store } = stage
      const crew = new Crew(target, store, options)
      const workers = [crew.start(), crew.start()]
      await Promise.all(workers.map(worker => worker.ready()))
      const { id } = await millrace.enqueue(interrupted, { n: 0, signal: 'SIGSTOP', moment: 'in-tx' })
      const sleeper = await eventually('one of them froze itself', 20_000, () =>
        workers.find(worker => worker.isFrozen()),
      )
      const producer = crew.producer()
      // Whatever the engine lets pass meanwhile, a write that it can't make is refused by a typed error.
      if (await store.isBlocked())
        await eventually('an enqueue is refused', 60_000, () =>
          crew.facts('refused').some(fact => fact.code === 'unavailable'),
        )
      else await eventually('others are served meanwhile', 20_000, () => crew.facts('settle').length > 10)
      const heldUp = crew.facts('ack').length
      sleeper.thaw()
      await eventually('enqueues go on', 30_000, () => crew.facts('ack').length > heldUp)
      await producer.stop()

      expect(await millrace.result(id, { timeoutMs: 15_000 })).toMatchObject({ n: 0 })
      await eventually('all are completed', 30_000, async () => {
        const { total } = await millrace.stats()
        return total.ready + total.delayed + total.running === 0
      })
      await Promise.all(workers.map(worker => worker.stop()))
      await expectOneEffectEach(stage, [id])
      for (const acked of crew.facts('ack').flatMap(fact => fact.ids))
        expect((await millrace.get(acked))?.state).toBe('completed')
      expect(crew.facts('refused').filter(fact => fact.code !== 'unavailable')).toEqual([])
    })
  })
}

async function expectOneEffectEach(stage: Stage, ids: string[]): Promise<void> {
  const effects = await stage.effects.read(stage.store.url)
  for (const id of ids) {
    const job = await stage.millrace.get(id)
    expect(job?.state).toBe('completed')
    expect(effects.filter(effect => effect.jobId === id)).toEqual([{ jobId: id, epoch: job?.epoch }])
  }
  expect(new Set(effects.map(effect => effect.jobId)).size).toBe(effects.length)
}
