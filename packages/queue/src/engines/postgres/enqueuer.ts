import { nextTurn } from '../../engine/clock.ts'
import type { EnqueueAnswer, NewJob } from '../../engine/contract.ts'
import { QueueError } from '../../engine/errors.ts'

interface Call {
  jobs: NewJob[]
  resolve: (answers: EnqueueAnswer[]) => void
  reject: (error: unknown) => void
}

/** Jobs in one statement, unless a single call brings more. */
const flushAtMost = 1_000
/** Statements under way at once: while one is committed, the next is already prepared. */
const flightsAtMost = 2

/**
 * Turns enqueues that are made at about the same time into one statement, one commit and one wake-up: those of a turn of
 * the event loop, and those that come while earlier ones are on their way. When a group fails, each is tried by itself.
 */
export class Enqueuer {
  readonly #enqueue: (jobs: NewJob[]) => Promise<EnqueueAnswer[]>
  readonly #idle: (() => void)[] = []
  #waiting: Call[] = []
  #flights = 0
  #scheduled = false
  #closed = false

  constructor(enqueue: (jobs: NewJob[]) => Promise<EnqueueAnswer[]>) {
    this.#enqueue = enqueue
  }

  enqueue(jobs: NewJob[]): Promise<EnqueueAnswer[]> {
    if (this.#closed) return Promise.reject(new QueueError('closed', 'the engine is closed'))
    return new Promise((resolve, reject) => {
      this.#waiting.push({ jobs, resolve, reject })
      if (this.#scheduled) return
      this.#scheduled = true
      nextTurn(() => {
        this.#scheduled = false
        this.#pump()
      })
    })
  }

  /** Finishes what was asked for, and takes nothing more. */
  async close(): Promise<void> {
    this.#closed = true
    while (this.#waiting.length > 0 || this.#flights > 0)
      await new Promise<void>(resolve => this.#idle.push(resolve))
  }

  #pump(): void {
    while (this.#flights < flightsAtMost && this.#waiting.length > 0) {
      this.#flights++
      void this.#send(this.#take()).then(() => {
        this.#flights--
        this.#pump()
        if (this.#flights === 0) for (const resolve of this.#idle.splice(0)) resolve()
      })
    }
  }

  #take(): Call[] {
    let jobs = 0
    let calls = 0
    for (const call of this.#waiting) {
      if (calls > 0 && jobs + call.jobs.length > flushAtMost) break
      jobs += call.jobs.length
      calls++
    }
    return this.#waiting.splice(0, calls)
  }

  async #send(calls: Call[]): Promise<void> {
    try {
      const answers = await this.#enqueue(
        calls.length === 1 ? (calls[0] as Call).jobs : calls.flatMap(call => call.jobs),
      )
      let from = 0
      for (const { jobs, resolve } of calls) resolve(answers.slice(from, (from += jobs.length)))
    } catch (error) {
      if (calls.length === 1 || !isOfOne(error)) for (const call of calls) call.reject(error)
      else for (const call of calls) await this.#send([call])
    }
  }
}

/** What ails one call need not ail the others; what ails the database does. */
function isOfOne(error: unknown): boolean {
  return !(error instanceof QueueError) || ['invalid-argument', 'invalid-payload'].includes(error.code)
}
