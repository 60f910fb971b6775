import type { Figure } from '../harness.ts'
import { result } from '../result.ts'
import { worked, workOff } from './work.ts'

const jobs = 100_000

export const figure: Figure = {
  name: 'backlog-1m',
  about: 'process 100,000 jobs with 1,000,000 more waiting (quick: 500,000), against the same without them',
  async measure(bench) {
    const waiting = bench.pick(500_000, 1_000_000)
    const found = await bench.rounds('backlog-1m', bench.pick(3, 5), {
      ours: () =>
        bench.withStore('ours', jobs + waiting, async store => {
          const { rate } = await worked(bench, 'ours', { ...store, count: jobs })
          return rate
        }),
      alone: async () => (await workOff(bench, 'ours', jobs)).rate,
    })
    const { ours = [], alone = [] } = found
    return [result('backlog-1m', 'jobs/s', { ours, peer: alone }, 'ours, no further backlog')]
  },
}
