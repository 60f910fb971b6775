import type { Bench, Figure } from '../harness.ts'
import type { Result } from '../result.ts'
import type { Latency } from '../sides/latency.ts'

interface Of {
  name: string
  about: string
  perSecond: number
  apart: boolean
  peers: string[]
}

export const latency = latencyFigure({
  name: 'latency',
  about: 'from the call of enqueue to the start of the handler, in one process, at 200 jobs/s',
  perSecond: 200,
  apart: false,
  peers: ['bullmq-redis'],
})

export const latencyTwoProcesses = latencyFigure({
  name: 'latency-two-processes',
  about: 'the same with enqueues in one process and the worker in another',
  perSecond: 200,
  apart: true,
  peers: [],
})

export const latency50 = latencyFigure({
  name: 'latency-50-per-second',
  about: 'from the call of enqueue in one process to the start of the handler in another, at 50 jobs/s',
  perSecond: 50,
  apart: true,
  peers: ['graphile'],
})

function latencyFigure(of: Of): Figure {
  return { name: of.name, about: of.about, measure: bench => measureLatency(bench, of) }
}

/** p50 and p99 of each round, each with a row of its own. */
async function measureLatency(
  bench: Bench,
  { name, perSecond, apart, peers: subjects }: Of,
): Promise<Result[]> {
  const peers = bench.peersOf(...subjects)
  const count = perSecond * bench.pick(3, 10)
  const p99: Record<string, number[]> = {}
  const p50 = await bench.compare(name, bench.pick(3, 5), peers, (subject, _peer) =>
    bench.withStore(subject, 0, async store => {
      const numbers = await bench.run(subject, 'latency', { ...store, count, perSecond, apart })
      const found = numbers as unknown as Latency
      ;(p99[subject] ??= []).push(found.p99)
      return found.p50
    }),
  )
  return [
    ...bench.results(`${name}-p50`, 'ms', p50, peers),
    ...bench.results(`${name}-p99`, 'ms', p99, peers),
  ]
}
