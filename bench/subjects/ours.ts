import type { StandardSchemaV1 } from '@standard-schema/spec'
import {
  createMillrace,
  createWorker,
  defineJob,
  handle,
  type Millrace,
  openEngine,
} from '../../packages/queue/src/index.ts'
import { median } from '../numbers.ts'
import { type Payload, sidesOf, type Subject } from './subject.ts'

/** Looks at what it gets, as a schema library would, without measuring one. */
export const numbered: StandardSchemaV1<Payload> = {
  '~standard': {
    version: 1,
    vendor: 'bench',
    validate: value =>
      typeof (value as { n?: unknown } | null)?.n === 'number'
        ? { value: value as Payload }
        : { issues: [{ message: 'n must be a number', path: ['n'] }] },
  },
}

const noop = defineJob({ type: 'BENCH_NOOP', payload: numbered })

/** How many handlers run at once where throughput is measured. */
const concurrency = 200

function createOurs(url: string): Millrace {
  return createMillrace({ engine: openEngine(url), jobs: [noop] })
}

async function open(url: string): Promise<Subject> {
  const millrace = createOurs(url)
  await millrace.open()
  const besidePeers = !url.startsWith('file:')
  return {
    enqueue: payload => millrace.enqueue(noop, payload),
    enqueueMany: payloads =>
      millrace.enqueueMany(
        noop,
        payloads.map(payload => ({ payload })),
      ),
    async work(run, tuning) {
      const worker = createWorker(
        millrace,
        [
          handle(noop, context => {
            const { payload, job } = context
            if (payload.n < 0 || job.attempt < 1) throw new Error('not what was enqueued')
            // It is made when it is taken; the peers' handlers make theirs, so ours takes it.
            if (besidePeers && context.signal.aborted) throw new Error('stopped before it began')
            run(payload)
          }),
        ],
        tuning === 'throughput' ? { concurrency } : {},
      )
      await worker.start()
      return () => worker.stop()
    },
    async left() {
      const { total } = await millrace.stats()
      return total.ready + total.delayed + total.blocked + total.running
    },
    close: () => millrace.close(),
  }
}

const looks = 50

/** How long the statistics and the first page of the list take, in milliseconds. */
async function look({ url }: { url: string }): Promise<Record<string, number>> {
  const millrace = createOurs(url)
  const times = async (call: () => Promise<unknown>): Promise<number[]> => {
    const all: number[] = []
    for (let n = 0; n <= looks; n++) {
      const startedAt = performance.now()
      await call()
      all.push(performance.now() - startedAt)
    }
    // The first connects, and is planned.
    return all.slice(1)
  }
  const stats = await times(() => millrace.stats())
  const list = await times(() => millrace.list({}, { limit: 50 }))
  await millrace.close()
  return {
    stats: median(stats),
    statsMax: Math.max(...stats),
    list: median(list),
    listMax: Math.max(...list),
  }
}

export const sides = { ...sidesOf(import.meta.url, open), look }
