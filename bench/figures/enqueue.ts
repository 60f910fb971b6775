import type { Figure } from '../harness.ts'

export const enqueueBulk: Figure = enqueueing({
  name: 'enqueue-bulk',
  about: 'enqueueMany with 1,000 jobs a call, one call after the other',
  side: 'bulk',
  quick: 100_000,
  whole: 300_000,
})

export const enqueueAwaits: Figure = enqueueing({
  name: 'enqueue-100-awaits',
  about: '100 callers, each of whom awaits its enqueue before the next',
  side: 'awaits',
  quick: 50_000,
  whole: 200_000,
})

function enqueueing(of: {
  name: string
  about: string
  side: 'bulk' | 'awaits'
  quick: number
  whole: number
}): Figure {
  return {
    name: of.name,
    about: of.about,
    async measure(bench) {
      const jobs = bench.pick(of.quick, of.whole)
      const found = await bench.compare(of.name, bench.pick(3, 7), bench.peers, (subject, peer) =>
        bench.withStore(subject, 0, async store => {
          const count = Math.round(jobs * (peer?.share?.[of.side] ?? 1))
          const { rate } = await bench.run(subject, of.side, { ...store, count })
          return rate ?? Number.NaN
        }),
      )
      return bench.results(of.name, 'jobs/s', found, bench.peers, peer =>
        peer?.subject === 'raw-sqlite' ? `${of.side === 'bulk' ? '1,000' : 100} a transaction` : undefined,
      )
    },
  }
}
