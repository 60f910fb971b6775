import type { Bench, Figure } from '../harness.ts'
import type { Idle } from '../sides/idle.ts'

/** On a file, where there is no server. */
export const idleCpu: Figure = {
  name: 'idle-cpu',
  about: 'the share of one core that a worker uses which has nothing to do',
  async measure(bench) {
    const seconds = bench.pick(5, 10)
    const found = await bench.compare('idle-cpu', bench.pick(1, 3), [], async subject => {
      const { percent } = await measureIdle(bench, subject, seconds)
      return percent
    })
    return bench.results('idle-cpu', '% of a core', found, [], () => `over ${seconds} s`)
  },
}

export const idle: Figure = {
  name: 'idle',
  about: 'what a worker with nothing to do costs: transactions a second, and CPU',
  async measure(bench) {
    const seconds = bench.pick(15, 30)
    const peers = bench.peersOf('graphile')
    const percent: Record<string, number[]> = {}
    const transactions = await bench.compare('idle', bench.pick(1, 5), peers, async subject => {
      const found = await measureIdle(bench, subject, seconds)
      ;(percent[subject] ??= []).push(found.percent + found.serverPercent)
      return found.transactions
    })
    const note = (): string => `over ${seconds} s`
    return [
      ...bench.results('idle-queries', '/s', transactions, peers, note),
      ...bench.results('idle-cpu', '% of a core', percent, peers, () => `worker and server, ${note()}`),
    ]
  },
}

function measureIdle(bench: Bench, subject: string, seconds: number): Promise<Idle> {
  return bench.withStore(subject, 0, async store => {
    return (await bench.run(subject, 'idle', { ...store, count: seconds })) as unknown as Idle
  })
}
