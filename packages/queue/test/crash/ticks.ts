import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Job } from '../../src/index.ts'
import { Crew } from './crew.ts'
import { eventually } from './eventually.ts'
import { ticked } from './jobs.ts'
import { Random } from './random.ts'
import { useStage } from './stage.ts'
import type { CrashTarget } from './target.ts'
import type { DeathPoint } from './watch.ts'

const everyMs = 100
const enough = 40
const options = { concurrency: 4, leaseMs: 900, sweepMs: 150, pollMs: 100, maxDeaths: 1_000 }

/** Schedulers that are killed right before, right after and in the middle of recording a tick. */
export function describeTicks(target: CrashTarget, seed: number): void {
  describe('a schedule', () => {
    const stage = useStage(target)
    it('fires each tick exactly once however its schedulers die', { timeout: 120_000 }, async () => {
      const { millrace } = stage
      const random = new Random(seed)
      await millrace.schedules.put('crash-ticks', {
        job: ticked,
        payload: { n: 0 },
        every: everyMs,
        misfire: { catchUp: 1_000 },
      })
      const crew = new Crew(target, stage.store, options)
      const lane = async (kills: number): Promise<void> => {
        for (let kill = 0; kill < kills; kill++) {
          const death = deathPoint(random)
          const child = crew.start(death)
          await child.report('ready')
          if (death) await Promise.race([child.exited, wait(3_000)])
          else await wait(random.between(0, 400))
          await child.kill()
        }
      }
      await Promise.all([lane(8), lane(8)])
      const last = crew.start()
      await last.ready()
      await eventually('enough ticks have fired to tell', 60_000, async () => {
        const ticks = await millrace.schedules.ticks('crash-ticks', { limit: enough })
        return ticks.length === enough
      })
      await millrace.schedules.pause('crash-ticks')
      await eventually('the schedule rests, and all that it fired has run', 30_000, async () => {
        // A plan that was made before the pause is carried out; what is skipped comes after all that.
        const [newest] = await millrace.schedules.ticks('crash-ticks', { limit: 1 })
        const { total } = await millrace.stats()
        return newest?.outcome === 'skipped' && total.ready + total.delayed + total.running === 0
      })
      await last.stop()

      const ticks = (await millrace.schedules.ticks('crash-ticks', { limit: 10_000 })).reverse()
      const fired = ticks.filter(tick => tick.outcome === 'fired')
      const first = ticks[0]?.scheduledAt ?? 0
      expect(fired.length).toBeGreaterThanOrEqual(enough)
      // While paused, ticks pass without a job: those may only be the last ones.
      expect(ticks.slice(0, fired.length)).toEqual(fired)
      expect(ticks.map(tick => tick.scheduledAt)).toEqual(ticks.map((_, index) => first + index * everyMs))
      const jobs = await allJobsOf(stage.millrace, 'CRASH_TICKED')
      expect(jobs.map(job => job.id).sort()).toEqual(fired.map(tick => tick.jobId).sort())
      expect(new Set(jobs.map(job => job.state))).toEqual(new Set(['completed']))
    })
  })
}

function deathPoint(random: Random): DeathPoint | null {
  if (random.chance(0.4)) return null
  return { call: 'fireTick', moment: random.pick(['before', 'after']), nth: random.between(1, 5) }
}

async function allJobsOf(millrace: ReturnType<typeof useStage>['millrace'], type: string): Promise<Job[]> {
  const jobs: Job[] = []
  let cursor: string | null = null
  do {
    const page: { jobs: Job[]; cursor: string | null } = await millrace.list(
      { types: [type] },
      cursor === null ? { limit: 1_000 } : { cursor, limit: 1_000 },
    )
    jobs.push(...page.jobs)
    cursor = page.cursor
  } while (cursor !== null)
  return jobs
}
