import { createWorker, handle } from '../../packages/queue/src/index.ts'
import { startBull, withBullQueue } from '../bullmq.ts'
import { type Bench, type Figure, percentile, type Result, result, type Sides } from '../harness.ts'
import { finish, noop, openOurs, sharedNow } from '../ours.ts'

const aSecond = 200

export const figure: Figure = {
  name: 'latency',
  about: 'from the call of enqueue to the start of the handler, in one process, at 200 jobs/s',
  measure: bench =>
    measureLatency(bench, { name: 'latency', module: import.meta.url, side: 'ours', bull: true }),
}

/** p50 and p99 of a side that answers both, against BullMQ where there is one. */
export async function measureLatency(
  bench: Bench,
  of: { name: string; module: string; side: string; bull: boolean },
): Promise<Result[]> {
  const count = aSecond * bench.pick(3, 10)
  const rounds = bench.pick(2, 5)
  const run = async (side: string, found: Record<'p50' | 'p99', number[]>): Promise<number> => {
    const numbers = await bench.withFolder(folder => bench.side(of.module, side, { folder, count }))
    found.p50.push(numbers['p50'] ?? Number.NaN)
    found.p99.push(numbers['p99'] ?? Number.NaN)
    return numbers['p50'] ?? Number.NaN
  }
  const ours = { p50: [] as number[], p99: [] as number[] }
  const bull = { p50: [] as number[], p99: [] as number[] }
  const { redis } = bench
  const peer = of.bull && redis.url !== null
  await bench.rounds(of.name, rounds, {
    ours: () => run(of.side, ours),
    bullmq: peer ? () => run('bullmq', bull) : null,
  })
  const note = of.bull && redis.url === null ? redis.reason : undefined
  const peerName = peer ? redis.name : null
  return (['p50', 'p99'] as const).map(part =>
    result(`${of.name}-${part}`, 'ms', { ours: ours[part], peer: bull[part] }, peerName, note),
  )
}

/** Calls `enqueue` at an even pace, and not in bursts. */
export async function evenly(count: number, enqueue: (n: number) => Promise<unknown>): Promise<void> {
  const startedAt = performance.now()
  const answers: Promise<unknown>[] = []
  for (let n = 0; n < count; n++) {
    const waitMs = startedAt + (n * 1_000) / aSecond - performance.now()
    if (waitMs > 0) await new Promise(resolve => setTimeout(resolve, waitMs))
    answers.push(enqueue(n))
  }
  await Promise.all(answers)
}

/** Gathers waits until there are `count`, leaving out the first tenth: a process that has just started is slow. */
export function gatherer(count: number): {
  note: (sentAtMs: number) => void
  all: Promise<{ p50: number; p99: number }>
} {
  const waits: number[] = []
  const { promise, resolve } = Promise.withResolvers<{ p50: number; p99: number }>()
  const note = (sentAtMs: number): void => {
    waits.push(sharedNow() - sentAtMs)
    if (waits.length !== count) return
    const warm = waits.slice(Math.floor(count / 10))
    resolve({ p50: percentile(warm, 0.5), p99: percentile(warm, 0.99) })
  }
  return { note, all: promise }
}

export const sides: Sides = {
  ours: async ({ folder, count }) => {
    const { note, all } = gatherer(count)
    const millrace = openOurs(folder)
    const worker = createWorker(millrace, [handle(noop, ({ payload }) => note(payload.at ?? 0))])
    await worker.start()
    await evenly(count, n => millrace.enqueue(noop, { n, at: sharedNow() }))
    const found = await all
    await finish(worker, millrace)
    return found
  },
  bullmq: ({ redisUrl, count }) =>
    withBullQueue(redisUrl, async (queue, name) => {
      const { note, all } = gatherer(count)
      const stop = await startBull(redisUrl, name, job => note(job.data.at ?? 0))
      await evenly(count, n => queue.add('BENCH_NOOP', { n, at: sharedNow() }))
      const found = await all
      await stop()
      return found
    }),
}
