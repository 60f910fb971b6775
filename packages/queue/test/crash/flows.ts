import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { flow, type FlowNode, type Millrace } from '../../src/index.ts'
import { Crew } from './crew.ts'
import { eventually } from './eventually.ts'
import { flowing, type NodeSpec } from './jobs.ts'
import { Random } from './random.ts'
import { useStage } from './stage.ts'
import type { CrashTarget } from './target.ts'
import type { DeathPoint } from './watch.ts'

const options = { concurrency: 8, leaseMs: 900, sweepMs: 150, pollMs: 100, maxDeaths: 1_000 }
const lanes = 2

/** Workers that are killed inside flows and steps. */
export function describeFlows(
  target: CrashTarget,
  plan: { seed: number; flows: number; kills: number },
): void {
  describe('a flow', () => {
    const stage = useStage(target)
    it(`of ${plan.flows} ends, each step recorded once, through ${plan.kills} kills (CRASH_SEED=${plan.seed})`, {
      timeout: 600_000,
    }, async () => {
      const { millrace } = stage
      const random = new Random(plan.seed)
      const crew = new Crew(target, stage.store, options)
      let killing = lanes
      const kill = async (kills: number): Promise<void> => {
        for (let n = 0; n < kills; n++) {
          const death = deathPoint(random)
          const child = crew.start(death)
          await child.report('ready')
          if (death) await Promise.race([child.exited, wait(2_500)])
          else await wait(random.between(50, 500))
          await child.kill()
        }
        killing--
      }
      const survivor = crew.start()
      await survivor.ready()
      const killed = Promise.all(Array.from({ length: lanes }, () => kill(Math.ceil(plan.kills / lanes))))

      const planned = new Map<string, number>()
      // To the last kill there is something to be killed in.
      while (planned.size < plan.flows || killing > 0) {
        const { id, jobs } = await enqueueOne(millrace, random, planned.size)
        planned.set(id, jobs)
        const { total } = await millrace.stats()
        if (total.ready > 100 && killing > 0) await wait(50)
      }
      await killed
      await eventually('every flow ends', 180_000, async () => {
        const { total } = await millrace.stats()
        return total.ready + total.delayed + total.blocked + total.running === 0
      })
      await survivor.stop()

      const ends = await Promise.all([...planned.keys()].map(id => millrace.flows.get(id)))
      expect(ends.filter(end => end?.state !== 'completed').slice(0, 5)).toEqual([])
      expect(ends.filter(end => end?.total !== planned.get(end?.id ?? '')).slice(0, 5)).toEqual([])
      const { faults, repeated, stood } = stepFaults(crew)
      expect(faults.slice(0, 20)).toEqual([])
      expect(stood).toBeGreaterThan(plan.flows)
      expect(await stage.store.complaints()).toEqual([])
      console.log(
        `${target.engine} flows: ${planned.size} flows, ${ends.reduce((sum, end) => sum + (end?.total ?? 0), 0)} jobs, ` +
          `${stood} steps, ${plan.kills} kills; ${repeated} steps were under way when their worker died, and ran again`,
      )
    })
  })
}

/** A chain, a fan or a diamond of up to six jobs. Answers how many there will be, with those that they add. */
async function enqueueOne(
  millrace: Millrace,
  random: Random,
  number: number,
): Promise<{ id: string; jobs: number }> {
  const graph = flow('crash')
  const nodes: FlowNode<typeof flowing>[] = []
  const waiting: FlowNode<typeof flowing>[] = []
  let jobs = 0
  for (let n = 0; n < random.between(1, 6); n++) {
    const spec: NodeSpec = {
      n: number * 10 + n,
      steps: random.between(0, 3),
      waitMs: random.chance(0.2) ? random.between(1, 30) : 0,
      sleepMs: random.chance(0.1) ? random.between(1, 100) : 0,
      child: random.chance(0.1),
      adds: random.chance(0.1) ? random.between(1, 3) : 0,
      waits: random.chance(0.1),
    }
    const after = nodes.filter(() => random.chance(0.4))
    const node = graph.add(`node ${n}`, flowing, spec, { after })
    nodes.push(node)
    if (spec.waits) waiting.push(node)
    jobs += 1 + spec.adds + (spec.child ? 1 : 0)
  }
  const { id, job } = await millrace.flows.enqueue(graph)
  for (const node of waiting) await millrace.signal(job(node), 'go', number)
  return { id, jobs }
}

/** A step whose record stood, and that ran or answered otherwise in a later attempt. */
function stepFaults(crew: Crew): { faults: string[]; repeated: number; stood: number } {
  const faults: string[] = []
  const standing = new Map<string, { epoch: number; token: string }>()
  for (const fact of crew.facts('stood')) {
    const key = `${fact.id} ${fact.name}`
    const before = standing.get(key)
    if (before && before.token !== fact.token)
      faults.push(`${key} answered ${before.token} and ${fact.token}`)
    if (!before || fact.epoch < before.epoch) standing.set(key, fact)
  }
  const runs = new Map<string, number>()
  for (const fact of crew.facts('step')) {
    const key = `${fact.id} ${fact.name}`
    runs.set(key, (runs.get(key) ?? 0) + 1)
    const stood = standing.get(key)
    if (stood && fact.epoch > stood.epoch)
      faults.push(`${key} stood at epoch ${stood.epoch} and ran again at ${fact.epoch}`)
  }
  const repeated = [...runs.values()].filter(count => count > 1).length
  return { faults, repeated, stood: standing.size }
}

function deathPoint(random: Random): DeathPoint | null {
  if (random.chance(0.5)) return null
  return {
    call: random.pick(['report', 'settle', 'extendFlow', 'claim']),
    moment: random.pick(['before', 'after']),
    nth: random.between(1, 6),
  }
}
