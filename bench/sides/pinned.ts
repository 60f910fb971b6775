import pg from 'pg'
import { runSide, type SideInput } from '../harness.ts'
import { sharedNow } from '../numbers.ts'
import type { OpenSubject } from '../subjects/subject.ts'
import { cpuMeter } from './cpu.ts'
import { inCalls } from './enqueue.ts'
import { gatherer, type Latency } from './latency.ts'

const parts = 8

/** `first` and `last` are the rates of those eighths; `serverPercent` is of one core, at 50 jobs a second. */
export interface Pinned extends Latency {
  first: number
  last: number
  serverPercent: number
}

/**
 * Works off eight eighths of a backlog while another session leaves a transaction open, then goes on at an even pace.
 * One eighth more goes before the first, so that it does not measure how a process warms up.
 */
export async function pinned(
  open: OpenSubject,
  input: SideInput,
  module: string,
): Promise<Record<keyof Pinned, number>> {
  const { url, count, perSecond, pacedSeconds, server } = input
  const release = await forgetTransaction(url, input.writer)
  const subject = await open(url)
  const eighth = count / parts
  await inCalls(subject, count + eighth)

  const marks: number[] = []
  const { promise: worked, resolve } = Promise.withResolvers<void>()
  const later = gatherer(perSecond * pacedSeconds)
  let ran = 0
  const stop = await subject.work(({ at }) => {
    if (at !== undefined) return later.note(at)
    if (++ran % eighth === 0) marks.push(sharedNow())
    if (ran === count + eighth) resolve()
  }, 'throughput')
  await worked

  const cpu = cpuMeter(server)
  const startedAt = performance.now()
  const producing = runSide(module, 'produce', { ...input, count: perSecond * pacedSeconds })
  const found = await later.all
  const { serverMicros } = cpu()
  const serverPercent = serverMicros / ((performance.now() - startedAt) * 10)
  await producing
  await stop()
  await subject.close()
  await release()
  const rate = (part: number): number =>
    eighth / (((marks[part] ?? Number.NaN) - (marks[part - 1] ?? Number.NaN)) / 1_000)
  return { first: rate(1), last: rate(parts), serverPercent, ...found }
}

/** A transaction that somebody forgot: nothing that ends after its snapshot can be cleaned up while it is open. */
async function forgetTransaction(url: string, writer: boolean): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('CREATE TABLE IF NOT EXISTS bench_forgotten (n int)')
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
  await client.query(writer ? 'INSERT INTO bench_forgotten VALUES (1)' : 'SELECT 1')
  return async () => {
    await client.query('ROLLBACK')
    await client.end()
  }
}
