import { setTimeout as wait } from 'node:timers/promises'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import {
  defineJob,
  type Handler,
  handle,
  type HandlerContext,
  NonRetryableError,
  type RunningJob,
} from '../../src/index.ts'
import type { Ledger, WorkSpec } from './ledger.ts'
import type { Effects } from './target.ts'

/** Schemas are not on trial here, and a process that lives for half a second has no time to load a library. */
function trusted<T>(): StandardSchemaV1<T, T> {
  return { '~standard': { version: 1, vendor: 'crash-suite', validate: value => ({ value: value as T }) } }
}

export interface WorkResult {
  n: number
  epoch: number
  pid: number
}

export const work = defineJob({
  type: 'CRASH_WORK',
  payload: trusted<WorkSpec>(),
  result: trusted<WorkResult>(),
  maxAttempts: 100,
  backoff: () => 20,
})

/** Kills the process that runs it, each time. */
export const poison = defineJob({
  type: 'CRASH_POISON',
  payload: trusted<{ n: number; how: PoisonWay }>(),
  maxAttempts: 10,
})
export type PoisonWay = 'SIGKILL' | 'exit' | 'uncaught'

/** Works beside the poison, with the attempts that a definition has by default. */
export const neighbour = defineJob({
  type: 'CRASH_NEIGHBOUR',
  payload: trusted<WorkSpec & { pad?: string }>(),
  result: trusted<WorkResult>(),
  backoff: () => 20,
})

/** On its first attempt it dies or freezes in the middle of its own transaction. */
export const interrupted = defineJob({
  type: 'CRASH_INTERRUPTED',
  payload: trusted<{ n: number; signal: 'SIGKILL' | 'SIGSTOP'; moment: 'in-tx' | 'after-tx' }>(),
  result: trusted<WorkResult>(),
  maxAttempts: 5,
})

/** Deaths are dealt out at random among its workers, so it has attempts to spare. */
export const ticked = defineJob({ type: 'CRASH_TICKED', payload: trusted<{ n: number }>(), maxAttempts: 100 })

/** What a job of a flow is to do, besides looking whether those before it have completed. */
export interface NodeSpec {
  n: number
  steps: number
  /** How long each step takes. */
  waitMs: number
  sleepMs: number
  /** Enqueues a child and waits for it. */
  child: boolean
  /** How many jobs it adds to its flow. */
  adds: number
  /** Waits for the signal `go`. */
  waits: boolean
}

export const flowing = defineJob({
  type: 'CRASH_FLOWING',
  payload: trusted<NodeSpec>(),
  result: trusted<{ n: number }>(),
  maxAttempts: 100,
  backoff: () => 20,
})

export const allJobs = [work, poison, neighbour, interrupted, ticked, flowing]

/** The handlers, writing what they do into the process's own ledger. */
export function crashHandlers(ledger: Ledger, effects: Effects): Handler[] {
  const recorded = async <T>(job: RunningJob, n: number, run: () => T | Promise<T>): Promise<T> => {
    const { id, attempt, epoch } = job
    ledger.write({ k: 'start', id, n, attempt, epoch, at: Date.now() })
    let how: 'returned' | 'threw' = 'threw'
    try {
      const result = await run()
      how = 'returned'
      return result
    } finally {
      ledger.write({ k: 'end', id, n, epoch, how, at: Date.now() })
    }
  }

  return [
    handle(work, ({ payload, job, progress, log, complete }) =>
      recorded(job, payload.n, async () => {
        if (payload.chatty) {
          progress(50, `job ${payload.n}`)
          log.info('half way', { n: payload.n })
        }
        // The signal is ignored on purpose: a zombie that goes on to its late return is what is to be refused.
        await perform(payload)
        if (job.attempt <= payload.failures)
          throw new Error(`attempt ${job.attempt} of job ${payload.n} fails as planned`)
        const result = { n: payload.n, epoch: job.epoch, pid: process.pid }
        if (!payload.viaTx) return result
        return completeWith(
          complete,
          () => result,
          tx => effects.record(tx, { jobId: job.id, epoch: job.epoch }),
        )
      }),
    ),
    handle(poison, ({ payload, job }) =>
      recorded(job, payload.n, () => {
        if (payload.how === 'exit') process.exit(0)
        if (payload.how === 'SIGKILL') process.kill(process.pid, 'SIGKILL')
        process.nextTick(() => {
          throw new Error('nobody catches this')
        })
        return new Promise(() => {})
      }),
    ),
    handle(neighbour, ({ payload, job }) =>
      recorded(job, payload.n, async () => {
        await perform(payload)
        return { n: payload.n, epoch: job.epoch, pid: process.pid }
      }),
    ),
    handle(interrupted, ({ payload, job, complete }) =>
      recorded(job, payload.n, async () => {
        const first = job.epoch === 1
        const end = (): WorkResult => {
          if (first && payload.moment === 'in-tx') process.kill(process.pid, payload.signal)
          return { n: payload.n, epoch: job.epoch, pid: process.pid }
        }
        const result = await completeWith(complete, end, tx =>
          effects.record(tx, { jobId: job.id, epoch: job.epoch }),
        )
        if (first && payload.moment === 'after-tx') process.kill(process.pid, payload.signal)
        return result
      }),
    ),
    handle(ticked, ({ payload, job }) => recorded(job, payload.n, () => {})),
    handle(flowing, context => flow(ledger, context)),
  ]
}

async function flow(
  ledger: Ledger,
  context: HandlerContext<NodeSpec, { n: number }>,
): Promise<{ n: number }> {
  const { payload, job, step, dependencies, flow: within } = context
  const { id, epoch } = job
  for (const { name, state } of await dependencies.all())
    if (state !== 'completed') throw new NonRetryableError(`it runs, although ${name} is ${state}`)
  const small = { steps: 1, waitMs: 0, sleepMs: 0, child: false, adds: 0, waits: false }
  for (let n = 0; n < payload.steps; n++) {
    const name = `step ${n}`
    const token = await step.run(name, async () => {
      const made = `${process.pid}-${epoch}-${ledger.count}`
      ledger.write({ k: 'step', id, name, epoch, token: made, at: Date.now() })
      if (payload.waitMs > 0) await wait(payload.waitMs)
      return made
    })
    ledger.write({ k: 'stood', id, name, epoch, token, at: Date.now() })
  }
  if (payload.sleepMs > 0) await step.sleep('a nap', payload.sleepMs)
  for (let n = 0; n < payload.adds; n++)
    await within.add(`${id} adds ${n}`, flowing, { ...small, n: payload.n + n / 10 })
  if (payload.waits) await step.waitForSignal('go')
  if (payload.child) {
    const { n } = await step.enqueueAndWait(`child of ${id}`, flowing, { ...small, n: payload.n + 0.5 })
    if (n !== payload.n + 0.5) throw new NonRetryableError(`it got another's result: ${n}`)
  }
  return { n: payload.n }
}

/** Completes with a write of its own, which takes a promise on some engines and must not on others. */
function completeWith(
  complete: HandlerContext<unknown, WorkResult>['complete'],
  end: () => WorkResult,
  write: (tx: unknown) => void | Promise<void>,
): Promise<WorkResult> {
  return complete(tx => {
    const written = write(tx)
    return (written instanceof Promise ? written.then(end) : end()) as WorkResult
  })
}

async function perform(spec: WorkSpec): Promise<void> {
  if (spec.busyMs > 0) {
    const until = performance.now() + spec.busyMs
    while (performance.now() < until);
  }
  if (spec.waitMs > 0) await wait(spec.waitMs)
}
