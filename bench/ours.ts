import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import {
  createMillrace,
  createWorker,
  defineJob,
  handle,
  type Millrace,
  openEngine,
  type Worker,
} from '../packages/queue/src/index.ts'

/** Looks at what it gets, as a schema library would, without measuring one. */
const numbered: StandardSchemaV1<{ n: number; at?: number }> = {
  '~standard': {
    version: 1,
    vendor: 'bench',
    validate: value =>
      typeof (value as { n?: unknown } | null)?.n === 'number'
        ? { value: value as { n: number; at?: number } }
        : { issues: [{ message: 'n must be a number', path: ['n'] }] },
  },
}

export const noop = defineJob({ type: 'BENCH_NOOP', payload: numbered })

/** How many handlers run at once where throughput is measured. */
export const concurrency = 200

export function openOurs(folder: string): Millrace {
  const url = pathToFileURL(join(folder, 'bench.db')).href
  return createMillrace({ engine: openEngine(url), jobs: [noop] })
}

/** A backlog, stored in bulk and closed, so that whoever works on it starts from a file at rest. */
export async function fillOurs(folder: string, count: number): Promise<void> {
  const millrace = openOurs(folder)
  for (let n = 0; n < count; n += 5_000)
    await millrace.enqueueMany(
      noop,
      Array.from({ length: Math.min(5_000, count - n) }, (_, index) => ({ payload: { n: n + index } })),
    )
  await millrace.close()
}

/** Works on a backlog until `count` more jobs are durably completed; answers jobs a second. */
export async function processOurs(folder: string, count: number): Promise<number> {
  const millrace = openOurs(folder)
  await millrace.open()
  const before = (await millrace.stats()).total.completed
  const { promise: allRan, resolve: reached } = Promise.withResolvers<void>()
  let ran = 0
  const worker = createWorker(
    millrace,
    [
      handle(noop, ({ payload, job }) => {
        if (payload.n < 0 || job.attempt < 1) throw new Error('not what was enqueued')
        if (++ran === count) reached()
      }),
    ],
    { concurrency },
  )
  const startedAt = performance.now()
  await worker.start()
  await allRan
  while ((await millrace.stats()).total.completed - before < count)
    await new Promise(resolve => setTimeout(resolve, 1))
  const seconds = (performance.now() - startedAt) / 1_000
  await finish(worker, millrace)
  return count / seconds
}

export async function finish(worker: Worker, millrace: Millrace): Promise<void> {
  await worker.stop()
  await millrace.close()
}

/** A clock that all processes of this machine share, in milliseconds. */
export function sharedNow(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
