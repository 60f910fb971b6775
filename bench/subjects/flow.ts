import {
  createMillrace,
  createWorker,
  defineJob,
  flow,
  type Handler,
  handle,
  type Millrace,
  openEngine,
  type Worker,
} from '../../packages/queue/src/index.ts'
import type { SideInput, Sides } from '../harness.ts'
import { idle } from '../sides/idle.ts'
import { numbered } from './ours.ts'
import type { Subject } from './subject.ts'

/** How many handlers run at once where throughput is measured. */
const concurrency = 200
export const stepsAJob = 10

const node = defineJob({ type: 'BENCH_NODE', payload: numbered })
const stepped = defineJob({ type: 'BENCH_STEPPED', payload: numbered })
const sleeper = defineJob({ type: 'BENCH_SLEEPER', payload: numbered })

const sleeps = handle(sleeper, ({ step }) => step.sleep('a year', '365d'))

async function opened(url: string): Promise<Millrace> {
  const millrace = createMillrace({ engine: openEngine(url), jobs: [node, stepped, sleeper] })
  await millrace.open()
  return millrace
}

async function started(millrace: Millrace, handlers: Handler[]): Promise<Worker> {
  const worker = createWorker(millrace, handlers, { concurrency })
  await worker.start()
  return worker
}

/** Jobs a second of one flow: one job, then `count` − 2 that wait for it, then one that waits for all of those. */
async function fan({ url, count }: SideInput): Promise<{ rate: number; enqueueRate: number }> {
  const millrace = await opened(url)
  const graph = flow('fan')
  const first = graph.add('first', node, { n: 0 })
  const middle = Array.from({ length: count - 2 }, (_, n) => graph.add(`${n}`, node, { n }, { after: first }))
  const last = graph.add('last', node, { n: 0 }, { after: middle })
  const from = performance.now()
  const { job } = await millrace.flows.enqueue(graph)
  const startedAt = performance.now()
  const worker = await started(millrace, [handle(node, () => {})])
  await millrace.result(job(last))
  const rate = (count * 1_000) / (performance.now() - startedAt)
  await worker.stop()
  await millrace.close()
  return { rate, enqueueRate: (count * 1_000) / (startedAt - from) }
}

/** The same jobs, none of which waits for another. */
async function plain({ url, count }: SideInput): Promise<{ rate: number }> {
  const millrace = await opened(url)
  const payloads = Array.from({ length: count }, (_, n) => ({ payload: { n } }))
  await millrace.enqueueMany(node, payloads)
  const startedAt = performance.now()
  const worker = await started(millrace, [handle(node, () => {})])
  await finished(millrace)
  const rate = (count * 1_000) / (performance.now() - startedAt)
  await worker.stop()
  await millrace.close()
  return { rate }
}

/** Durable steps a second of `count` jobs that do nothing else. */
async function steps({ url, count }: SideInput): Promise<{ rate: number }> {
  const millrace = await opened(url)
  await millrace.enqueueMany(
    stepped,
    Array.from({ length: count }, (_, n) => ({ payload: { n } })),
  )
  const startedAt = performance.now()
  const worker = await started(millrace, [
    handle(stepped, async ({ step, payload }) => {
      for (let n = 0; n < stepsAJob; n++) await step.run(`step ${n}`, () => payload.n)
    }),
  ])
  await finished(millrace)
  const rate = (count * stepsAJob * 1_000) / (performance.now() - startedAt)
  await worker.stop()
  await millrace.close()
  return { rate }
}

/** Puts `count` jobs to sleep for a year. */
async function fillSleeping({ url, count }: SideInput): Promise<{ rate: number }> {
  const millrace = await opened(url)
  const startedAt = performance.now()
  await millrace.enqueueMany(
    sleeper,
    Array.from({ length: count }, (_, n) => ({ payload: { n } })),
  )
  const worker = await started(millrace, [sleeps])
  const change = changes(millrace)
  for (;;) {
    const { total } = await millrace.stats()
    if (total.ready + total.running === 0) break
    await change()
  }
  const rate = (count * 1_000) / (performance.now() - startedAt)
  await worker.stop()
  await millrace.close()
  return { rate }
}

async function finished(millrace: Millrace): Promise<void> {
  const change = changes(millrace)
  for (;;) {
    const { total } = await millrace.stats()
    if (total.ready + total.delayed + total.blocked + total.running === 0) return
    await change()
  }
}

/** Waits until something has ended. */
function changes(millrace: Millrace): () => Promise<void> {
  let told = (): void => {}
  millrace.engine.subscribe(hint => hint.kind === 'settled' && told())
  return () =>
    new Promise(resolve => {
      told = resolve
      setTimeout(resolve, 5)
    })
}

async function openIdle(url: string): Promise<Subject> {
  const millrace = await opened(url)
  return {
    enqueue: payload => millrace.enqueue(node, payload),
    enqueueMany: payloads =>
      millrace.enqueueMany(
        node,
        payloads.map(payload => ({ payload })),
      ),
    async work() {
      const worker = createWorker(millrace, [sleeps])
      await worker.start()
      return () => worker.stop()
    },
    left: () => Promise.resolve(0),
    close: () => millrace.close(),
  }
}

export const sides: Sides = { fan, plain, steps, fillSleeping, idle: input => idle(openIdle, input) }
