import type { EnqueueAnswer, NewJob } from '../../engine/contract.ts'
import type { Store } from './store.ts'
import type { Writer } from './writer.ts'

interface Call {
  jobs: NewJob[]
  resolve: (answers: EnqueueAnswer[]) => void
  reject: (error: unknown) => void
}

/** Turns the enqueues of one turn of the event loop into one write. When that fails, each is tried by itself. */
export class Enqueuer {
  readonly #writer: Writer
  readonly #enqueue: (store: Store, jobs: NewJob[]) => EnqueueAnswer[]
  #gathered: Call[] | null = null

  constructor(writer: Writer, enqueue: (store: Store, jobs: NewJob[]) => EnqueueAnswer[]) {
    this.#writer = writer
    this.#enqueue = enqueue
  }

  enqueue(jobs: NewJob[]): Promise<EnqueueAnswer[]> {
    return new Promise((resolve, reject) => {
      const call = { jobs, resolve, reject }
      if (this.#gathered) this.#gathered.push(call)
      else void this.#write((this.#gathered = [call]))
    })
  }

  async #write(calls: Call[]): Promise<void> {
    try {
      const answers = await this.#writer.write(store => {
        // From here on the group is fixed: this may run a second time when a neighbour's write has failed.
        if (this.#gathered === calls) this.#gathered = null
        return this.#enqueue(
          store,
          calls.length === 1 ? (calls[0] as Call).jobs : calls.flatMap(call => call.jobs),
        )
      })
      let from = 0
      for (const { jobs, resolve } of calls) resolve(answers.slice(from, (from += jobs.length)))
    } catch (error) {
      if (this.#gathered === calls) this.#gathered = null
      if (calls.length === 1) (calls[0] as Call).reject(error)
      else for (const call of calls) void this.#write([call])
    }
  }
}
