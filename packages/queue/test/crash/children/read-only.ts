import { createMillrace, createWorker, handle, openEngine } from '../../../src/index.ts'
import { eventually } from '../eventually.ts'
import { neighbour } from '../jobs.ts'
import { errorCode, hear, input, leave, report } from './child.ts'

/** Works on a store whose file it may only read, hears that it may write again, and goes on. */
export interface ReadOnlySight {
  /** Codes that enqueues were refused with before it was told. */
  refused: string[]
  /** What could be read meanwhile. */
  readable: number
  acked: string[]
  states: string[]
}

const { url, existing } = input<{ url: string; existing: string[] }>()
const sight: ReadOnlySight = { refused: [], readable: 0, acked: [], states: [] }
const spec = { busyMs: 0, waitMs: 0, failures: 0, viaTx: false, chatty: false }
const millrace = createMillrace({ engine: openEngine(url), jobs: [neighbour] })
const handler = handle(neighbour, ({ payload, job }) => ({
  n: payload.n,
  epoch: job.epoch,
  pid: process.pid,
}))
const worker = createWorker(millrace, [handler], { pollMs: 100 })

const writable = new Promise<void>(resolve => hear(order => order.kind === 'stop' && resolve()))
await enqueue()
await enqueue()
sight.readable = (await millrace.stats()).total.ready
report({ kind: 'ready', worker: null })
await writable

await eventually('an enqueue goes through again', 20_000, async () => {
  await enqueue()
  return sight.acked.length > 0
})
await worker.start()
await eventually('all work is done', 20_000, async () => {
  const { total } = await millrace.stats()
  return total.ready + total.delayed + total.running === 0
})
for (const id of [...existing, ...sight.acked]) sight.states.push((await millrace.get(id))?.state ?? 'lost')
await worker.stop()
await millrace.close()
report({ kind: 'answer', answer: sight })
leave()

async function enqueue(): Promise<void> {
  try {
    sight.acked.push((await millrace.enqueue(neighbour, { ...spec, n: 1 })).id)
  } catch (error) {
    sight.refused.push(errorCode(error))
  }
}
