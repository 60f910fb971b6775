import type { Bench, Figure } from '../harness.ts'
import { sharedNow } from '../numbers.ts'
import { result } from '../result.ts'

/** Enough for a process to start and to connect. */
const startUpMs = 3_000

export const figure: Figure = {
  name: 'two-processes',
  about: 'the same backlog worked off by two processes together, against one',
  async measure(bench) {
    const jobs = bench.pick(100_000, 300_000)
    const found = await bench.rounds('two-processes', bench.pick(3, 5), {
      ours: () => together(bench, 2, jobs),
      one: () => together(bench, 1, jobs),
    })
    const { ours = [], one = [] } = found
    return [result('two-processes', 'jobs/s', { ours, peer: one }, 'ours, one process')]
  },
}

function together(bench: Bench, processes: number, jobs: number): Promise<number> {
  return bench.withStore('ours', jobs, async store => {
    const startAtMs = sharedNow() + startUpMs
    const all = await Promise.all(
      Array.from({ length: processes }, () => bench.run('ours', 'workTogether', { ...store, startAtMs })),
    )
    const ran = all.reduce((sum, each) => sum + (each['ran'] ?? 0), 0)
    if (ran !== jobs) throw new Error(`${ran} handlers ran for ${jobs} jobs`)
    const endedAtMs = Math.max(...all.map(each => each['endedAtMs'] ?? Number.NaN))
    return jobs / ((endedAtMs - startAtMs) / 1_000)
  })
}
