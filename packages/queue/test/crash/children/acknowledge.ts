import { openSync, writeSync } from 'node:fs'
import { createMillrace, createWorker, type Enqueued, handle, openEngine } from '../../../src/index.ts'
import { neighbour } from '../jobs.ts'
import { input } from './child.ts'

/**
 * Enqueues in each way there is, and writes a mark before it asks and when it is answered. In between a worker does the
 * jobs: what it claims need not reach the disk at once, and must not leave that habit to the next enqueue.
 */
const { url, marks } = input<{ url: string; marks: string }>()
const fd = openSync(marks, 'a')
const payload = { n: 1, busyMs: 0, waitMs: 0, failures: 0, viaTx: false, chatty: false }
const millrace = createMillrace({ engine: openEngine(url), jobs: [neighbour] })
const worker = createWorker(millrace, [
  handle(neighbour, ({ job }) => ({ n: 1, epoch: job.epoch, pid: process.pid })),
])
await worker.start()

const ways: Record<string, () => Promise<Enqueued[]>> = {
  single: async () => [await millrace.enqueue(neighbour, payload)],
  concurrent: () => Promise.all(Array.from({ length: 100 }, () => millrace.enqueue(neighbour, payload))),
  many: () =>
    millrace.enqueueMany(
      neighbour,
      Array.from({ length: 100 }, () => ({ payload })),
    ),
  keyed: async () => [await millrace.enqueue(neighbour, payload, { idempotencyKey: 'once' })],
}
for (let round = 0; round < 3; round++)
  for (const [name, ask] of Object.entries(ways)) {
    if (name === 'keyed' && round > 0) continue
    writeSync(fd, `ask ${name}\n`)
    const enqueued = await ask()
    writeSync(fd, `ack ${name}\n`)
    await Promise.all(enqueued.map(({ id }) => millrace.result(id)))
  }
await worker.stop()
await millrace.close()
