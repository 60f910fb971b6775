import { describe, expect, it } from 'vitest'
import { Crew } from './crew.ts'
import { neighbour, poison } from './jobs.ts'
import type { WorkSpec } from './ledger.ts'
import { useStage } from './stage.ts'
import type { CrashTarget } from './target.ts'

const options = { concurrency: 5, leaseMs: 900, sweepMs: 150, pollMs: 100 }
const quiet = { busyMs: 0, failures: 0, viaTx: false, chatty: false } satisfies Partial<WorkSpec>

/** A job that takes its process down with it, in three ways. */
export function describePoison(target: CrashTarget): void {
  describe('a poison job', () => {
    const stage = useStage(target)
    for (const how of ['SIGKILL', 'exit', 'uncaught'] as const)
      it(`(${how}) is dead after three workers, and its neighbours complete`, {
        timeout: 120_000,
      }, async () => {
        const { millrace } = stage
        // The neighbours before it run when it strikes, those behind it wait in the worker's hands or in the store.
        const neighbours = [
          ...(await millrace.enqueueMany(neighbour, some(3, 400))),
          ...(await millrace.enqueueMany(neighbour, some(1, 0))),
        ]
        const { id } = await millrace.enqueue(poison, { n: 0, how })
        neighbours.push(...(await millrace.enqueueMany(neighbour, some(40, 150))))

        const crew = new Crew(target, stage.store, options)
        await crew.keepAlive('the poison is dead and all others are done', async () => {
          const { total } = await millrace.stats()
          return total.ready + total.delayed + total.running === 0
        })

        const job = await millrace.get(id)
        expect(job).toMatchObject({ state: 'dead', deaths: 3 })
        expect(job?.lastError?.message).toBeTruthy()
        expect(crew.deaths).toHaveLength(3)
        expect(crew.facts('start').filter(fact => fact.id === id)).toHaveLength(3)
        const attempts = await millrace.attempts(id)
        expect(attempts.map(attempt => attempt.outcome)).toEqual([
          'worker-lost',
          'worker-lost',
          'worker-lost',
        ])
        for (const each of neighbours) {
          const ended = await millrace.get(each.id)
          const outcomes = (await millrace.attempts(each.id)).map(attempt => attempt.outcome)
          expect({ id: each.id, state: ended?.state, outcomes }).toMatchObject({ state: 'completed' })
          expect(outcomes.filter(outcome => outcome === 'completed')).toHaveLength(1)
          expect(outcomes).not.toContain('failed')
        }
      })
  })
}

let nextN = 1
function some(count: number, waitMs: number): { payload: WorkSpec }[] {
  return Array.from({ length: count }, () => ({ payload: { ...quiet, n: nextN++, waitMs } }))
}
