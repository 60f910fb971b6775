import type { SideInput } from '../harness.ts'
import type { OpenSubject, Payload, Subject } from '../subjects/subject.ts'

const callers = 100
const aCall = 1_000
const aFillingCall = 5_000

/** Fills a backlog up to `count` jobs in bulk and closes, so that whoever works on it starts from a store at rest. */
export async function fill(open: OpenSubject, { url, count }: SideInput): Promise<Record<string, number>> {
  const subject = await open(url)
  await inCalls(subject, count - (await subject.left()), aFillingCall)
  await subject.close()
  return {}
}

/** Jobs a second, 1,000 a call, one call after the other. */
export async function bulk(open: OpenSubject, { url, count }: SideInput): Promise<{ rate: number }> {
  const subject = await open(url)
  const startedAt = performance.now()
  await inCalls(subject, count, aCall)
  const rate = perSecond(count, startedAt)
  await subject.close()
  return { rate }
}

/** Jobs a second of callers who each call again as soon as they are answered. */
export async function awaits(open: OpenSubject, { url, count }: SideInput): Promise<{ rate: number }> {
  const subject = await open(url)
  let next = 0
  const caller = async (): Promise<void> => {
    while (next < count) await subject.enqueue({ n: next++ })
  }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: callers }, caller))
  const rate = perSecond(count, startedAt)
  await subject.close()
  return { rate }
}

export async function inCalls(subject: Subject, count: number, size = aFillingCall): Promise<void> {
  for (let n = 0; n < count; n += size)
    await subject.enqueueMany(
      Array.from({ length: Math.min(size, count - n) }, (_, index): Payload => ({ n: n + index })),
    )
}

function perSecond(count: number, startedAt: number): number {
  return count / ((performance.now() - startedAt) / 1_000)
}
