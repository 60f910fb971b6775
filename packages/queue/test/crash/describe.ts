import { describe, expect, it } from 'vitest'
import { describeBirth } from './birth.ts'
import { describeFeed } from './feed.ts'
import { describeFlows } from './flows.ts'
import { describeInterruptions } from './interrupted.ts'
import { describePoison } from './poison.ts'
import { useStage } from './stage.ts'
import { type Rescue, rescues } from './rescue-check.ts'
import { runStorm, type StormPlan, type StormRecord } from './storm.ts'
import { badEndings, gather, lostOrDoubled, staleWrites } from './storm-check.ts'
import type { CrashTarget } from './target.ts'
import { describeTicks } from './ticks.ts'

/** `CRASH_SCALE=0.1` is for a quick look while developing; the promise is made at 1. */
const scale = Number(process.env['CRASH_SCALE'] ?? 1)
const seed = Number(process.env['CRASH_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

/** How many of each thing one engine's storm brings. */
export type StormSize = Pick<
  StormPlan,
  'jobs' | 'workerKills' | 'producerKills' | 'zombies' | 'lanes' | 'paceMs'
>

/** The crash suite for one engine: real processes, killed and frozen. */
export function describeCrash(target: CrashTarget, size: StormSize): void {
  const plan: StormPlan = {
    seed,
    jobs: Math.ceil(size.jobs * scale),
    workerKills: Math.ceil(size.workerKills * scale),
    producerKills: Math.ceil(size.producerKills * scale),
    zombies: Math.ceil(size.zombies * scale),
    lanes: size.lanes,
    paceMs: size.paceMs,
    leaseMs: 1_500,
    sweepMs: 300,
  }
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

        const { ofTheDead, ofTheSurvivor } = rescues(evidence, record)
        console.log(summary(target.engine, evidence.jobs.size, record, ofTheDead))
        expect(ofTheDead.length).toBeGreaterThan(plan.zombies)
        expect(ofTheDead.filter(({ delayMs, boundMs }) => delayMs > boundMs)).toEqual([])
        // A worker that is awake beats every third of its lease: it loses none unless it was late by the other two.
        expect(ofTheSurvivor.filter(({ stalledMs }) => stalledMs < (plan.leaseMs * 2) / 3)).toEqual([])
      })
    })
    describePoison(target)
    describeInterruptions(target)
    describeTicks(target, seed)
    describeFeed(target)
    describeFlows(target, { seed, flows: Math.ceil(2_000 * scale), kills: Math.ceil(60 * scale) })
    describeBirth(target, seed)
  })
}

function summary(engine: string, jobs: number, record: StormRecord, dead: Rescue[]): string {
  const { leaseMs, sweepMs } = record.plan
  const median = dead[dead.length >> 1]?.delayMs
  const late = dead.filter(({ delayMs }) => delayMs > leaseMs + sweepMs).length
  return (
    `${engine} storm: ${jobs} jobs, ${record.deaths.length} kills, ${record.zombies.length} zombies; ` +
    `${dead.length} leases rescued after ${median} ms (median), ${dead.at(-1)?.delayMs} ms (slowest); ` +
    `${late} later than ${leaseMs} + ${sweepMs} ms, by stalls that were measured`
  )
}
