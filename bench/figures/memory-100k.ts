import type { Figure } from '../harness.ts'
import { workOff } from './work.ts'

/** The `millrace` command sets this for itself: see packages/cli/bin/millrace.js. */
const asTheCommand = [
  '--import',
  `data:text/javascript,import v8 from 'node:v8'; v8.setFlagsFromString('--semi-space-growth-factor=1')`,
]

export const figure: Figure = {
  name: 'memory-100k',
  about: 'the most memory that the process which works off 100,000 jobs holds',
  async measure(bench) {
    const peers = bench.peersOf('raw-sqlite')
    const found = await bench.compare('memory-100k', bench.pick(1, 3), peers, async (subject, peer) => {
      const { peakRssMb } = await workOff(bench, subject, 100_000, peer, asTheCommand)
      return peakRssMb
    })
    const note = 'peak RSS with Node, and sources whose types it strips (some 35 MB)'
    return bench.results('memory-100k', 'MB', found, peers, () => note)
  },
}
