import { openSync, writeSync } from 'node:fs'
import { createMillrace, openEngine } from '../../../src/index.ts'
import { neighbour } from '../jobs.ts'
import { input } from './child.ts'

/** Enqueues in each way there is, and writes a mark before it asks and when it is answered. */
const { url, marks } = input<{ url: string; marks: string }>()
const fd = openSync(marks, 'a')
const payload = { n: 1, busyMs: 0, waitMs: 0, failures: 0, viaTx: false, chatty: false }
const millrace = createMillrace({ engine: openEngine(url), jobs: [neighbour] })
await millrace.open()

const ways: Record<string, () => Promise<unknown>> = {
  single: () => millrace.enqueue(neighbour, payload),
  concurrent: () => Promise.all(Array.from({ length: 100 }, () => millrace.enqueue(neighbour, payload))),
  many: () =>
    millrace.enqueueMany(
      neighbour,
      Array.from({ length: 100 }, () => ({ payload })),
    ),
  keyed: () => millrace.enqueue(neighbour, payload, { idempotencyKey: 'once' }),
}
for (let round = 0; round < 3; round++)
  for (const [name, ask] of Object.entries(ways)) {
    if (name === 'keyed' && round > 0) continue
    writeSync(fd, `ask ${name}\n`)
    await ask()
    writeSync(fd, `ack ${name}\n`)
  }
await millrace.close()
