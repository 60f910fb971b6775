import { runSide, type SideInput } from '../harness.ts'
import { percentile, sharedNow } from '../numbers.ts'
import type { OpenSubject, Subject } from '../subjects/subject.ts'

/** From the call of enqueue to the start of the handler, in milliseconds. */
export interface Latency {
  p50: number
  p99: number
}

/** Enqueues in this process or in one of its own, at an even pace, and works in this one. */
export async function latency(
  open: OpenSubject,
  input: SideInput,
  module: string,
): Promise<Record<keyof Latency, number>> {
  const subject = await open(input.url)
  const { note, all } = gatherer(input.count)
  const stop = await subject.work(({ at }) => note(at ?? 0), 'latency')
  const producing = input.apart ? runSide(module, 'produce', input) : evenly(subject, input)
  const found = await all
  await producing
  await stop()
  await subject.close()
  return { ...found }
}

export async function produce(open: OpenSubject, input: SideInput): Promise<Record<string, number>> {
  const subject = await open(input.url)
  await evenly(subject, input)
  await subject.close()
  return {}
}

/** Calls `enqueue` at an even pace, and not in bursts. */
async function evenly(subject: Subject, { count, perSecond }: SideInput): Promise<void> {
  const startedAt = performance.now()
  const answers: Promise<unknown>[] = []
  for (let n = 0; n < count; n++) {
    const waitMs = startedAt + (n * 1_000) / perSecond - performance.now()
    if (waitMs > 0) await new Promise(resolve => setTimeout(resolve, waitMs))
    answers.push(subject.enqueue({ n, at: sharedNow() }))
  }
  await Promise.all(answers)
}

/** Gathers waits until there are `count`, leaving out the first tenth: a process that has just started is slow. */
export function gatherer(count: number): { note: (sentAtMs: number) => void; all: Promise<Latency> } {
  const waits: number[] = []
  const { promise, resolve } = Promise.withResolvers<Latency>()
  const note = (sentAtMs: number): void => {
    waits.push(sharedNow() - sentAtMs)
    if (waits.length !== count) return
    const warm = waits.slice(Math.floor(count / 10))
    resolve({ p50: percentile(warm, 0.5), p99: percentile(warm, 0.99) })
  }
  return { note, all: promise }
}
