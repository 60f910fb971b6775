import type { Bench, Figure } from '../harness.ts'
import { median } from '../numbers.ts'
import { result } from '../result.ts'
import { stepsAJob } from '../subjects/flow.ts'
import { workOff } from './work.ts'

/** The most that a flow may hold. */
const whole = 10_000
const small = 2_500

function side(bench: Bench, name: string, count: number, field = 'rate'): Promise<number> {
  return bench.withStore('ours', 0, async store => {
    const found = await bench.run('flow', name, { ...store, count })
    return found[field] as number
  })
}

const fan: Figure = {
  name: 'flow-fan',
  about: `a flow of ${whole} jobs that fans out and in again, against as many plain jobs`,
  async measure(bench) {
    const { ours = [], plain = [] } = await bench.rounds('flow-fan', bench.pick(3, 7), {
      ours: () => side(bench, 'fan', whole),
      plain: () => side(bench, 'plain', whole),
    })
    return [result('flow-fan', 'jobs/s', { ours, peer: plain }, 'ours, plain jobs')]
  },
}

const linear: Figure = {
  name: 'flow-linear',
  about: `the rate of a flow of ${whole} jobs against that of four of ${small}`,
  async measure(bench) {
    const four = async (): Promise<number> => {
      const rates: number[] = []
      for (let n = 0; n < 4; n++) rates.push(await side(bench, 'fan', small))
      return median(rates)
    }
    const { ours = [], quarter = [] } = await bench.rounds('flow-linear', bench.pick(3, 5), {
      ours: () => side(bench, 'fan', whole),
      quarter: four,
    })
    return [result('flow-linear', 'jobs/s', { ours, peer: quarter }, `ours, ${small} jobs`)]
  },
}

const enqueue: Figure = {
  name: 'flow-enqueue',
  about: `storing a flow of ${whole} jobs with its edges`,
  async measure(bench) {
    const { ours = [] } = await bench.rounds('flow-enqueue', bench.pick(2, 5), {
      ours: () => side(bench, 'fan', whole, 'enqueueRate'),
    })
    return [result('flow-enqueue', 'jobs/s', { ours })]
  },
}

const steps: Figure = {
  name: 'steps',
  about: `durable steps of jobs that have ${stepsAJob} each, one after the other`,
  async measure(bench) {
    const jobs = bench.pick(2_000, 5_000)
    const { ours = [] } = await bench.rounds('steps', bench.pick(3, 7), {
      ours: () => side(bench, 'steps', jobs),
    })
    return [result('steps', 'steps/s', { ours })]
  },
}

const sleeping: Figure = {
  name: 'sleeping-100k',
  about: 'what a worker with nothing to do costs beside 100,000 sleeping jobs, against none',
  async measure(bench) {
    const jobs = bench.pick(20_000, 100_000)
    const seconds = bench.pick(10, 20)
    const cost = (count: number) => (): Promise<number> =>
      bench.withStore('ours', 0, async store => {
        if (count > 0) await bench.run('flow', 'fillSleeping', { ...store, count })
        const found = await bench.run('flow', 'idle', { ...store, count: seconds })
        return (found['percent'] as number) + (found['serverPercent'] as number)
      })
    const { ours = [], none = [] } = await bench.rounds('sleeping-100k', bench.pick(1, 3), {
      ours: cost(jobs),
      none: cost(0),
    })
    const note = `${jobs} jobs, over ${seconds} s`
    return [result('sleeping-100k', '% of a core', { ours, peer: none }, 'ours, none asleep', note)]
  },
}

const plain: Figure = {
  name: 'plain-100k',
  about: 'a backlog of 100,000 plain jobs; to be compared with another version of the code',
  async measure(bench) {
    const { ours = [] } = await bench.rounds('plain-100k', bench.pick(3, 7), {
      ours: async () => (await workOff(bench, 'ours', 100_000)).rate,
    })
    return [result('plain-100k', 'jobs/s', { ours })]
  },
}

/** Of both SQL engines. */
export const flowFigures: Figure[] = [plain, fan, linear, enqueue, steps, sleeping]
