import { createMillrace, createWorker, openEngine, type WorkerOptions } from '../../../src/index.ts'
import { allJobs, crashHandlers } from '../jobs.ts'
import { Ledger, unseenStallMs } from '../ledger.ts'
import type { Effects } from '../target.ts'
import { type DeathPoint, watchedEngine } from '../watch.ts'
import { errorCode, hear, input, leave, report } from './child.ts'

/** A worker process that keeps a ledger of all it does. */
export interface WorkerInput {
  url: string
  ledgers: string
  ledger: string
  effectsModule: string
  options: WorkerOptions
  death: DeathPoint | null
}

const { url, ledgers, ledger: name, effectsModule, options, death } = input<WorkerInput>()
const ledger = new Ledger(ledgers, name)
const effects = ((await import(effectsModule)) as { default: Effects }).default

const millrace = createMillrace({ engine: watchedEngine(openEngine(url), ledger, death), jobs: allJobs })
const worker = createWorker(millrace, crashHandlers(ledger, effects), options)
ledger.write({ k: 'hello', pid: process.pid, worker: worker.id, at: Date.now() })
millrace.on('lease-lost', ({ id, attempt, reason }) =>
  ledger.write({ k: 'lost', id, attempt, reason, at: Date.now() }),
)
millrace.on('trouble', ({ where, error }) =>
  ledger.write({ k: 'trouble', where, code: errorCode(error), at: Date.now() }),
)

hear(order => {
  if (order.kind === 'stop') void stop()
})
await worker.start()
watchForStalls(Date.now())
report({ kind: 'ready', worker: worker.id })

/** Writes down when this process could not act, as all its timers were late then. */
function watchForStalls(last: number): void {
  setTimeout(() => {
    const now = Date.now()
    if (now - last > unseenStallMs) ledger.write({ k: 'stall', from: last, at: now })
    watchForStalls(now)
  }, unseenStallMs / 2).unref()
}

async function stop(): Promise<void> {
  await worker.stop({ deadlineMs: 10_000 })
  await millrace.close()
  leave()
}
