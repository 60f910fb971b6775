import type { Bench, Figure } from '../harness.ts'
import { median, shown } from '../numbers.ts'
import type { Result } from '../result.ts'
import type { Pinned } from '../sides/pinned.ts'

/** A transaction that has only read. */
export const pinnedSnapshot: Figure = {
  name: 'pinned-snapshot',
  about: 'with a transaction left open: the last eighth of a backlog against the first, then 50 jobs/s',
  measure: bench => measurePinned(bench, 'pinned-snapshot', false),
}

/** A transaction that has written: it has an id of its own, and all that comes later has to look past it. */
export const pinnedWriter: Figure = {
  name: 'pinned-snapshot-writer',
  about: 'the same with a transaction that has written a row; not in quick runs',
  measure: async bench => (bench.quick ? [] : measurePinned(bench, 'pinned-snapshot-writer', true)),
}

async function measurePinned(bench: Bench, name: string, writer: boolean): Promise<Result[]> {
  const peers = bench.peersOf('graphile')
  const input = { count: bench.pick(40_000, 200_000), perSecond: 50, pacedSeconds: bench.pick(3, 10), writer }
  const all: Record<string, Pinned[]> = {}
  const kept = await bench.compare(name, bench.pick(3, 5), peers, subject =>
    bench.withStore(subject, 0, async store => {
      const found = (await bench.run(subject, 'pinned', { ...store, ...input })) as unknown as Pinned
      ;(all[subject] ??= []).push(found)
      return found.last / found.first
    }),
  )
  const of = (part: keyof Pinned): Record<string, number[]> =>
    Object.fromEntries(
      Object.entries(all).map(([subject, rounds]) => [subject, rounds.map(each => each[part])]),
    )
  const rates = (subject: string): string => {
    const [first, last] = [of('first')[subject] ?? [], of('last')[subject] ?? []]
    return `${shown(median(first))} → ${shown(median(last))} jobs/s`
  }
  return [
    ...bench.results(name, 'of the first', kept, peers, peer => {
      return `ours ${rates('ours')}${peer ? `, peer ${rates(peer.subject)}` : ''}`
    }),
    ...bench.results(`${name}-p50`, 'ms', of('p50'), peers),
    ...bench.results(`${name}-p99`, 'ms', of('p99'), peers),
    ...bench.results(
      `${name}-cpu`,
      '% of a core',
      of('serverPercent'),
      peers,
      () => 'the server, at 50 jobs/s',
    ),
  ]
}
