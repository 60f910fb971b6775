import type { SideInput } from '../harness.ts'
import { sharedNow, wait } from '../numbers.ts'
import type { OpenSubject } from '../subjects/subject.ts'
import { cpuMeter } from './cpu.ts'

/** What `work` found. The CPU times are of one job. */
export interface Worked {
  rate: number
  cpuMicros: number
  serverMicros: number
  peakRssMb: number
}

/** Works off `count` jobs of a backlog, from the worker's start until the store says that they are settled. */
export async function work(
  open: OpenSubject,
  { url, count, server }: SideInput,
): Promise<Record<keyof Worked, number>> {
  const subject = await open(url)
  const before = await subject.left()
  if (before < count) throw new Error(`there are ${before} jobs to work on, not ${count}`)
  const { promise: allRan, resolve: reached } = Promise.withResolvers<void>()
  let ran = 0
  const cpu = cpuMeter(server)
  const startedAt = performance.now()
  const stop = await subject.work(({ n }) => {
    if (n < 0) throw new Error('not what was enqueued')
    if (++ran === count) reached()
  }, 'throughput')
  await allRan
  while ((await subject.left()) > before - count) await wait(1)
  const seconds = (performance.now() - startedAt) / 1_000
  const { nodeMicros, serverMicros } = cpu()
  await stop()
  await subject.close()
  return {
    rate: count / seconds,
    cpuMicros: nodeMicros / count,
    serverMicros: serverMicros / count,
    peakRssMb: process.resourceUsage().maxRSS / 1_024,
  }
}

/** Works until nothing is left, beside other processes that do the same and begin at the same time. */
export async function workTogether(
  open: OpenSubject,
  { url, startAtMs }: SideInput,
): Promise<{ ran: number; endedAtMs: number }> {
  const subject = await open(url)
  const early = startAtMs - sharedNow()
  if (early < 0)
    throw new Error(`this process came ${Math.round(-early)} ms too late to start with the others`)
  await wait(early)
  let ran = 0
  let endedAtMs = sharedNow()
  const stop = await subject.work(() => void ran++, 'throughput')
  // Looking costs a little and is the same for all.
  while ((await subject.left()) > 0) await wait(10)
  endedAtMs = sharedNow()
  await stop()
  await subject.close()
  return { ran, endedAtMs }
}
