import { describe, expect, it } from 'vitest'
import { describeBirth } from './birth.ts'
import { describeInterruptions } from './interrupted.ts'
import { describePoison } from './poison.ts'
import { useStage } from './stage.ts'
import { runStorm, type StormPlan } from './storm.ts'
import { badEndings, gather, lostOrDoubled, rescues, staleWrites } from './storm-check.ts'
import type { CrashTarget } from './target.ts'
import { describeTicks } from './ticks.ts'

/** `CRASH_SCALE=0.1` is for a quick look while developing; the promise is made at 1. */
const scale = Number(process.env['CRASH_SCALE'] ?? 1)
const seed = Number(process.env['CRASH_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

const plan: StormPlan = {
  seed,
  jobs: Math.ceil(10_000 * scale),
  workerKills: Math.ceil(68 * scale),
  producerKills: Math.ceil(32 * scale),
  zombies: Math.ceil(20 * scale),
  leaseMs: 1_500,
  sweepMs: 300,
}

/** The crash suite for one engine: real processes, killed and frozen. */
export function describeCrash(target: CrashTarget): void {
  describe(`${target.engine} under kill -9 and freezes`, () => {
    describe('a storm', () => {
      const stage = useStage(target)
      it(`of ${plan.workerKills + plan.producerKills} kills and ${plan.zombies} freezes loses nothing (CRASH_SEED=${seed})`, {
        timeout: 900_000,
      }, async () => {
        const record = await runStorm(target, stage.store, stage.millrace, plan)
        const evidence = await gather(stage.millrace, record, await stage.effects.read(stage.store.url))

        expect(lostOrDoubled(evidence).slice(0, 20)).toEqual([])
        expect(badEndings(evidence).slice(0, 20)).toEqual([])
        expect(staleWrites(evidence, record).slice(0, 20)).toEqual([])
        expect(await stage.store.complaints()).toEqual([])
        expect(record.deaths).toHaveLength(plan.workerKills + plan.producerKills)
        expect(record.zombies).toHaveLength(plan.zombies)
        expect(evidence.jobs.size).toBeGreaterThanOrEqual(plan.jobs)

        const { total } = await stage.millrace.stats()
        expect(total).toMatchObject({
          completed: evidence.jobs.size,
          ready: 0,
          running: 0,
          dead: 0,
          cancelled: 0,
        })

        // A dead worker's last beat came before its death, so its leases end at most `leaseMs` after that, and the next
        // sweep is due at most `sweepMs` later. That sweep runs in the undisturbed worker, whose timers fire late by
        // what its event loop stood still (measured there), and whose own statement may wait as long once more.
        const { delaysMs, fromTheLiving } = rescues(evidence, record)
        const boundMs = plan.leaseMs + plan.sweepMs + 2 * record.maxDelayMs
        const slowestMs = delaysMs.at(-1) ?? 0
        console.log(
          `${target.engine} storm: ${evidence.jobs.size} jobs, ${record.deaths.length} kills, ${record.zombies.length} zombies, ` +
            `${delaysMs.length} leases rescued after ${delaysMs[delaysMs.length >> 1]} ms (median), ${slowestMs} ms (slowest), ` +
            `bound ${plan.leaseMs} + ${plan.sweepMs} + 2 × ${record.maxDelayMs.toFixed(0)} ms of event loop delay`,
        )
        expect(delaysMs.length).toBeGreaterThan(plan.zombies)
        expect(slowestMs).toBeLessThanOrEqual(boundMs)
        // A worker that is awake beats every third of its lease: it loses none unless it was late by the other two.
        if (record.maxDelayMs < (plan.leaseMs * 2) / 3)
          expect(fromTheLiving.filter(lease => lease.includes('survivor'))).toEqual([])
      })
    })
    describePoison(target)
    describeInterruptions(target)
    describeTicks(target, seed)
    describeBirth(target, seed)
  })
}
