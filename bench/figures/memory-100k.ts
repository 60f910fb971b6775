import { type Figure, result } from '../harness.ts'
import { rawName } from '../raw-sqlite.ts'
import { processOnce } from './process-100k.ts'

export const figure: Figure = {
  name: 'memory-100k',
  about: 'the most memory that the process which works off 100,000 jobs holds',
  async measure(bench) {
    const peak = (side: 'ours' | 'raw') => async (): Promise<number> =>
      (await processOnce(bench, side)).peakRssMb
    const found = await bench.rounds('memory-100k', bench.pick(1, 3), {
      ours: peak('ours'),
      raw: peak('raw'),
    })
    return [
      result('memory-100k', 'MB', { ours: found.ours, peer: found.raw }, rawName, 'peak RSS, Node included'),
    ]
  },
}
