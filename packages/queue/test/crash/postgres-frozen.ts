import { describe, expect, it } from 'vitest'
import { Crew } from './crew.ts'
import { eventually } from './eventually.ts'
import { interrupted, neighbour } from './jobs.ts'
import { useStage } from './stage.ts'
import type { CrashTarget } from './target.ts'

const options = { concurrency: 2, leaseMs: 900, sweepMs: 150, pollMs: 100, maxDeaths: 10 }
const spec = { busyMs: 0, failures: 0, viaTx: false, chatty: false }
/** Lease, sweep, and the time that a process takes to come up on a busy machine. */
const soonMs = 10_000

/** On SQLite such a sleeper stops everybody. Here it stops nobody, and does not even keep its own job. */
export function describeFrozenTransaction(target: CrashTarget): void {
  describe('a process frozen inside its transaction', () => {
    const stage = useStage(target)
    it('keeps nobody from being rescued, its own job included', {
      timeout: 120_000,
    }, async () => {
      const { millrace, store } = stage
      const crew = new Crew(target, store, options)
      const sleeper = crew.start()
      await sleeper.ready()
      const { id } = await millrace.enqueue(interrupted, { n: 0, signal: 'SIGSTOP', moment: 'in-tx' })
      await eventually('it froze itself', 20_000, () => sleeper.isFrozen())
      expect(await store.hasOpenTransaction()).toBe(true)

      const victim = crew.start()
      await victim.ready()
      const begun = await millrace.enqueue(neighbour, { ...spec, n: 1, waitMs: 30_000 })
      await eventually(
        'the victim runs',
        20_000,
        async () => (await millrace.get(begun.id))?.state === 'running',
      )
      await victim.kill()
      const heir = crew.start()
      await heir.ready()
      await eventually('the victim’s job is rescued', soonMs, async () => {
        const attempts = await millrace.attempts(begun.id)
        return attempts.some(attempt => attempt.outcome === 'worker-lost')
      })

      // Everybody else's work goes on meanwhile.
      const other = await millrace.enqueue(neighbour, { ...spec, n: 2, waitMs: 0 })
      expect(await millrace.result(other.id, { timeoutMs: soonMs })).toMatchObject({ n: 2 })

      expect(await millrace.result(id, { timeoutMs: soonMs })).toMatchObject({ n: 0, epoch: 2 })
      sleeper.thaw()
      await eventually('the sleeper hears that it is too late', 20_000, () => {
        const ends = crew.facts('end').filter(fact => fact.id === id && fact.epoch === 1)
        return ends.some(fact => fact.how === 'threw')
      })
      const effects = await stage.effects.read(store.url)
      expect(effects.filter(effect => effect.jobId === id)).toEqual([{ jobId: id, epoch: 2 }])
      expect(await millrace.get(id)).toMatchObject({ state: 'completed', epoch: 2 })
    })
  })
}
