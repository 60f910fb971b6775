import { withBullQueue } from '../bullmq.ts'
import { type Figure, result, type Sides } from '../harness.ts'
import { noop, openOurs } from '../ours.ts'
import { rawEnqueue, rawName } from '../raw-sqlite.ts'
import { rateOf } from './process-100k.ts'

const callers = 100

export const figure: Figure = {
  name: 'enqueue-100-awaits',
  about: '100 callers, each of whom awaits its enqueue before the next',
  async measure(bench) {
    const count = bench.pick(50_000, 200_000)
    const rounds = bench.pick(3, 7)
    const side = (name: string) => (): Promise<number> =>
      bench.withFolder(async folder => rateOf(await bench.side(import.meta.url, name, { folder, count })))
    const found = await bench.rounds('enqueue-100-awaits', rounds, {
      ours: side('ours'),
      raw: side('raw'),
      bullmq: bench.redis.url === null ? null : side('bullmq'),
    })
    return [
      result(
        'enqueue-100-awaits',
        'jobs/s',
        { ours: found.ours, peer: found.raw },
        `${rawName}, 100 a transaction`,
      ),
      bench.againstBull('enqueue-100-awaits', 'jobs/s', found.ours, found.bullmq),
    ]
  },
}

/** The rate of `callers` who each call again as soon as they are answered. */
async function together(count: number, call: (n: number) => Promise<unknown>): Promise<{ rate: number }> {
  let next = 0
  const startedAt = performance.now()
  const caller = async (): Promise<void> => {
    while (next < count) await call(next++)
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return { rate: count / ((performance.now() - startedAt) / 1_000) }
}

export const sides: Sides = {
  ours: async ({ folder, count }) => {
    const millrace = openOurs(folder)
    await millrace.open()
    const found = await together(count, n => millrace.enqueue(noop, { n }))
    await millrace.close()
    return found
  },
  raw: async ({ folder, count }) => ({ rate: rawEnqueue(folder, count, callers) }),
  bullmq: ({ redisUrl, count }) =>
    withBullQueue(redisUrl, queue => together(count, n => queue.add('BENCH_NOOP', { n }))),
}
