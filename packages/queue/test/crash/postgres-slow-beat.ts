import { describe, expect, it } from 'vitest'
import type { Lease } from '../../src/engine/contract.ts'
import { aJob, complete } from '../conformance/samples.ts'
import { eventually } from './eventually.ts'
import { asking } from './postgres-client.ts'
import { useStage } from './stage.ts'
import type { CrashTarget } from './target.ts'

const worker = 'slow'
const leaseMs = 2_000
const door = 4_217

/** A beat that began before the lease ended, and commits after it: until then others see the lease as ended. */
export function describeSlowBeat(target: CrashTarget): void {
  describe('a beat that is slow to commit', () => {
    const stage = useStage(target)
    it('leaves the job to somebody, however its settle was answered meanwhile', { timeout: 60_000 }, () =>
      asking(stage.store.url, async keeper => {
        const { engine, newId } = stage.millrace
        const id = newId()
        const beat = (leases: Lease[]): Promise<unknown> =>
          engine.heartbeat({ worker, label: '', leases, leaseMs })
        await engine.enqueue([aJob({ id })])
        await keeper.query(`
          CREATE FUNCTION crash_wait() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN PERFORM pg_advisory_xact_lock(${door}); RETURN NULL; END $$;
          CREATE TRIGGER crash_wait AFTER UPDATE ON millrace.worker FOR EACH ROW EXECUTE FUNCTION crash_wait()`)
        await beat([])
        const begun = performance.now()
        const lanes = [{ queue: 'default', types: ['mail'] }]
        const [lease] = (await engine.claim({ worker, lanes, limit: 1, leaseMs })).jobs as unknown as [Lease]

        await keeper.query(`SELECT pg_advisory_lock(${door})`)
        await eventually(
          'a good part of the lease is over',
          10_000,
          () => performance.now() > begun + leaseMs / 2,
        )
        const beating = beat([lease])
        await eventually('the beat waits at the door', 10_000, async () => {
          const { rowCount } = await keeper.query(
            `SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = ${door} AND NOT granted`,
          )
          return rowCount === 1
        })
        await eventually('others see the lease as ended', 10_000, async () => {
          const workers = await engine.workers()
          return !workers.some(each => each.worker === worker)
        })
        const settling = engine.settle(worker, [{ lease, outcome: complete(), ranMs: 1 }])
        await Promise.race([
          settling,
          eventually('it is answered or waits', 300, () => false).catch(() => {}),
        ])
        await keeper.query(`SELECT pg_advisory_unlock(${door})`)
        await beating

        const [answer] = await settling
        if (answer === 'settled') return
        expect(answer).toBe('lease-lost')
        // The worker lives on, and knows of no lease any more.
        await eventually('the job is given back', 15_000, async () => {
          await beat([])
          await engine.rescue({ maxDeaths: 3, limit: 10 })
          return (await stage.millrace.get(id))?.state === 'queued'
        })
      }),
    )
  })
}
