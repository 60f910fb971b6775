import pg from 'pg'
import type { SideInput } from '../harness.ts'
import { median, wait } from '../numbers.ts'
import type { OpenSubject } from '../subjects/subject.ts'
import { cpuMeter } from './cpu.ts'

/** What a worker costs that has nothing to do. `transactions` a second, 0 where there is no server. */
export interface Idle {
  percent: number
  serverPercent: number
  transactions: number
}

/** A server's sessions tell their counts a second late. */
const settleMs = 3_000
/** The median of several: in one of them autovacuum may come by, whose transactions count as well. */
const windowSeconds = 5

export async function idle(
  open: OpenSubject,
  { url, count: seconds, server }: SideInput,
): Promise<Record<keyof Idle, number>> {
  const subject = await open(url)
  const stop = await subject.work(() => {}, 'default')
  await wait(settleMs)
  const counter = server === 0 ? null : await transactionCounter(url)
  const cpu = cpuMeter(server)
  const startedAt = performance.now()
  const rates = await everyWindow(seconds, () => counter?.read() ?? Promise.resolve(0))
  const { nodeMicros, serverMicros } = cpu()
  const elapsedMs = performance.now() - startedAt
  await counter?.close()
  await stop()
  await subject.close()
  return {
    percent: nodeMicros / (elapsedMs * 10),
    serverPercent: serverMicros / (elapsedMs * 10),
    transactions: median(rates),
  }
}

/** How much a second a count grows in each window. */
async function everyWindow(seconds: number, count: () => Promise<number>): Promise<number[]> {
  const rates: number[] = []
  let [before, at] = [await count(), performance.now()]
  for (let left = seconds; left > 0; left -= windowSeconds) {
    await wait(Math.min(left, windowSeconds) * 1_000)
    const [after, now] = [await count(), performance.now()]
    rates.push(((after - before) * 1_000) / (now - at))
    ;[before, at] = [after, now]
  }
  return rates
}

/** Counts what a database has committed and rolled back; it asks from another database, and so is not counted. */
async function transactionCounter(
  url: string,
): Promise<{ read: () => Promise<number>; close: () => Promise<void> }> {
  const other = new URL(url)
  const database = decodeURIComponent(other.pathname.slice(1))
  other.pathname = '/postgres'
  const client = new pg.Client({ connectionString: other.href })
  await client.connect()
  return {
    async read() {
      const { rows } = await client.query<{ count: number }>(
        `SELECT (xact_commit + xact_rollback)::float AS count FROM pg_stat_database WHERE datname = $1`,
        [database],
      )
      return rows[0]?.count ?? Number.NaN
    },
    close: () => client.end(),
  }
}
