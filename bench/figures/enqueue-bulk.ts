import { fillBull, withBullQueue } from '../bullmq.ts'
import { type Figure, result, type Sides } from '../harness.ts'
import { noop, openOurs } from '../ours.ts'
import { rawEnqueue, rawName } from '../raw-sqlite.ts'
import { rateOf } from './process-100k.ts'

const size = 1_000

export const figure: Figure = {
  name: 'enqueue-bulk',
  about: 'enqueueMany with 1,000 jobs a call, one call after the other',
  async measure(bench) {
    const count = bench.pick(100_000, 300_000)
    const side = (name: string) => (): Promise<number> =>
      bench.withFolder(async folder => rateOf(await bench.side(import.meta.url, name, { folder, count })))
    const found = await bench.rounds('enqueue-bulk', bench.pick(3, 7), {
      ours: side('ours'),
      raw: side('raw'),
      bullmq: bench.redis.url === null ? null : side('bullmq'),
    })
    return [
      result(
        'enqueue-bulk',
        'jobs/s',
        { ours: found.ours, peer: found.raw },
        `${rawName}, 1,000 a transaction`,
      ),
      bench.againstBull('enqueue-bulk', 'jobs/s', found.ours, found.bullmq),
    ]
  },
}

export const sides: Sides = {
  ours: async ({ folder, count }) => {
    const millrace = openOurs(folder)
    await millrace.open()
    const startedAt = performance.now()
    for (let n = 0; n < count; n += size)
      await millrace.enqueueMany(
        noop,
        Array.from({ length: Math.min(size, count - n) }, (_, index) => ({ payload: { n: n + index } })),
      )
    const seconds = (performance.now() - startedAt) / 1_000
    await millrace.close()
    return { rate: count / seconds }
  },
  raw: async ({ folder, count }) => ({ rate: rawEnqueue(folder, count, size) }),
  bullmq: ({ redisUrl, count }) =>
    withBullQueue(redisUrl, async queue => {
      const startedAt = performance.now()
      await fillBull(queue, count, size)
      return { rate: count / ((performance.now() - startedAt) / 1_000) }
    }),
}
