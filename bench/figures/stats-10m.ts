import type { PostgresBench } from '../engines/postgres.ts'
import type { Figure } from '../harness.ts'
import { shown } from '../numbers.ts'
import { result } from '../result.ts'
import { historyOf, sizeNote } from './history-10m.ts'

export const figure: Figure<PostgresBench> = {
  name: 'stats-10m',
  about: 'the statistics and the first page of the list, with the history of history-10m',
  async measure(bench) {
    const history = await historyOf(bench)
    const looks: Record<string, number>[] = []
    const found = await bench.rounds('stats-10m', bench.pick(3, 5), {
      ours: async () => {
        const look = await bench.run('ours', 'look', history)
        looks.push(look)
        return look['stats'] ?? Number.NaN
      },
    })
    const of = (part: string): number[] => looks.map(each => each[part] ?? Number.NaN)
    const note = (part: string): string =>
      `${sizeNote(bench)}; the longest ${shown(Math.max(...of(part)))} ms`
    const { ours = [] } = found
    return [
      result('stats-10m', 'ms', { ours }, null, note('statsMax')),
      result('stats-10m-list', 'ms', { ours: of('list') }, null, note('listMax')),
    ]
  },
}
