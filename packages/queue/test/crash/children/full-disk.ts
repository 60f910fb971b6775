import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createMillrace, createWorker, handle, openEngine } from '../../../src/index.ts'
import { eventually } from '../eventually.ts'
import { neighbour } from '../jobs.ts'
import { errorCode, input } from './child.ts'

/** Fills the small disk it is given, goes on working on it, frees it again, and prints what it saw. */
export interface FullDiskSight {
  acked: string[]
  /** Codes of the enqueues that were refused while the disk was full. */
  refused: string[]
  /** What the worker met while the disk was full. */
  trouble: string[]
  doneWhileFull: number
  /** Whether an enqueue went through again, in the same process. */
  resumed: boolean
  states: string[]
}

const { folder } = input<{ folder: string }>()
const ballast = join(folder, 'ballast')
const spec = { busyMs: 0, waitMs: 0, failures: 0, viaTx: false, chatty: false }
const sight: FullDiskSight = {
  acked: [],
  refused: [],
  trouble: [],
  doneWhileFull: 0,
  resumed: false,
  states: [],
}

const millrace = createMillrace({ engine: openEngine(`file:${join(folder, 'store.db')}`), jobs: [neighbour] })
millrace.on('trouble', ({ error }) => sight.trouble.push(errorCode(error)))
const handler = handle(neighbour, ({ payload, job }) => ({
  n: payload.n,
  epoch: job.epoch,
  pid: process.pid,
}))
const worker = createWorker(millrace, [handler], { pollMs: 100, sweepMs: 300, leaseMs: 5_000 })

await enqueue(50)
fill()
while (sight.refused.length < 3) await enqueue(20)
await worker.start()
await eventually('the worker meets the full disk', 20_000, () => sight.trouble.length > 0)
sight.doneWhileFull = (await millrace.stats()).total.completed
await enqueue(5)

rmSync(ballast)
await eventually('an enqueue goes through again', 20_000, async () => {
  const before = sight.acked.length
  await enqueue(1)
  return sight.acked.length > before
})
sight.resumed = true
await eventually('all work is done', 30_000, async () => {
  const { total } = await millrace.stats()
  return total.ready + total.delayed + total.running === 0
})
for (const id of sight.acked) sight.states.push((await millrace.get(id))?.state ?? 'lost')
await worker.stop()
await millrace.close()
console.log(JSON.stringify(sight))

async function enqueue(count: number): Promise<void> {
  const asked = Array.from({ length: count }, (_, n) =>
    millrace.enqueue(neighbour, { ...spec, n, pad: 'x'.repeat(4_000) }),
  )
  for (const answer of await Promise.allSettled(asked))
    if (answer.status === 'fulfilled') sight.acked.push(answer.value.id)
    else sight.refused.push(errorCode(answer.reason))
}

/** Leaves a few pages, so that it is a write in the middle that fails. */
function fill(): void {
  const { bavail, bsize } = statfsSync(folder)
  writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - 200_000)))
}
