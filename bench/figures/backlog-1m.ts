import { type Figure, result } from '../harness.ts'
import { processCopy, processOnce } from './process-100k.ts'

const module = new URL('./process-100k.ts', import.meta.url).href

export const figure: Figure = {
  name: 'backlog-1m',
  about: 'process 100,000 jobs with 1,000,000 more waiting, against the same without them',
  async measure(bench) {
    const large = await bench.template('ours-1100k', folder =>
      bench.side(module, 'fill', { folder, count: 1_100_000 }),
    )
    const found = await bench.rounds('backlog-1m', bench.pick(1, 5), {
      ours: async () => (await processCopy(bench, large, 'ours')).rate,
      small: async () => (await processOnce(bench, 'ours')).rate,
    })
    return [
      result('backlog-1m', 'jobs/s', { ours: found.ours, peer: found.small }, 'ours, no further backlog'),
    ]
  },
}
