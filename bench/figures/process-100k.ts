import { fillBull, processBull, withBullQueue } from '../bullmq.ts'
import { type Bench, type Figure, median, result, shown, type Sides } from '../harness.ts'
import { fillOurs, processOurs } from '../ours.ts'
import { rawEnqueue, rawName, rawProcess } from '../raw-sqlite.ts'

const jobs = 100_000

export const figure: Figure = {
  name: 'process-100k',
  about: 'a backlog of 100,000 no-op jobs, worked off by one process',
  async measure(bench) {
    const cpu = { ours: [] as number[], raw: [] as number[] }
    const once = (side: 'ours' | 'raw') => async (): Promise<number> => {
      const { rate, cpuMicros } = await processOnce(bench, side)
      cpu[side].push(cpuMicros)
      return rate
    }
    // BullMQ's rate does not depend on the number; a fifth of the jobs is enough to see it.
    const count = bench.pick(jobs / 5, jobs)
    const bull = (): Promise<number> =>
      bench.withFolder(async folder => rateOf(await bench.side(import.meta.url, 'bullmq', { folder, count })))
    const found = await bench.rounds('process-100k', bench.pick(3, 7), {
      ours: once('ours'),
      raw: once('raw'),
      bullmq: bench.redis.url === null ? null : bull,
    })
    // Processor time is what a busy machine disturbs least.
    const note = `CPU ${shown(median(cpu.ours))} µs a job, raw ${shown(median(cpu.raw))} µs`
    return [
      result('process-100k', 'jobs/s', { ours: found.ours, peer: found.raw }, rawName, note),
      bench.againstBull('process-100k', 'jobs/s', found.ours, found.bullmq),
    ]
  },
}

export interface Processed {
  rate: number
  cpuMicros: number
  peakRssMb: number
}

/** One round: a fresh file with a backlog of 100,000, worked off by a fresh process. */
export async function processOnce(
  bench: Bench,
  side: 'ours' | 'raw',
  nodeArgs: string[] = [],
): Promise<Processed> {
  const fill = side === 'ours' ? 'fill' : 'fillRaw'
  const template = await bench.template(`${side}-100k`, folder =>
    bench.side(import.meta.url, fill, { folder, count: jobs }),
  )
  return processCopy(bench, template, side, nodeArgs)
}

/** Works off 100,000 jobs of a copy of a store. */
export function processCopy(
  bench: Bench,
  template: string,
  side: 'ours' | 'raw',
  nodeArgs: string[] = [],
): Promise<Processed> {
  return bench.withCopy(template, async folder => {
    const numbers = await bench.side(import.meta.url, side, { folder, count: jobs }, nodeArgs)
    return numbers as unknown as Processed
  })
}

export function rateOf(numbers: Record<string, number>): number {
  return numbers['rate'] ?? Number.NaN
}

async function measured(
  count: number,
  run: () => number | Promise<number>,
): Promise<Record<keyof Processed, number>> {
  const before = process.cpuUsage()
  const rate = await run()
  const { user, system } = process.cpuUsage(before)
  return { rate, cpuMicros: (user + system) / count, peakRssMb: process.resourceUsage().maxRSS / 1_024 }
}

export const sides: Sides = {
  fill: async ({ folder, count }) => {
    await fillOurs(folder, count)
    return {}
  },
  ours: ({ folder, count }) => measured(count, () => processOurs(folder, count)),
  fillRaw: async ({ folder, count }) => ({ rate: rawEnqueue(folder, count, 1_000) }),
  raw: ({ folder, count }) => measured(count, () => rawProcess(folder, count)),
  bullmq: ({ redisUrl, count }) =>
    withBullQueue(redisUrl, async (queue, name) => {
      await fillBull(queue, count, 1_000)
      return { rate: await processBull(redisUrl, name, count) }
    }),
}
