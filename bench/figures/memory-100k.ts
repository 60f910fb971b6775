import { type Figure, result } from '../harness.ts'
import { rawName } from '../raw-sqlite.ts'
import { processOnce } from './process-100k.ts'

/** The `millrace` command sets this for itself: see packages/cli/bin/millrace.js. */
const asTheCommand = [
  '--import',
  `data:text/javascript,import v8 from 'node:v8'; v8.setFlagsFromString('--semi-space-growth-factor=1')`,
]

export const figure: Figure = {
  name: 'memory-100k',
  about: 'the most memory that the process which works off 100,000 jobs holds',
  async measure(bench) {
    const peak = (side: 'ours' | 'raw') => async (): Promise<number> =>
      (await processOnce(bench, side, asTheCommand)).peakRssMb
    const found = await bench.rounds('memory-100k', bench.pick(1, 3), {
      ours: peak('ours'),
      raw: peak('raw'),
    })
    return [
      result(
        'memory-100k',
        'MB',
        { ours: found.ours, peer: found.raw },
        rawName,
        'peak RSS with Node, and sources whose types it strips (some 35 MB)',
      ),
    ]
  },
}
