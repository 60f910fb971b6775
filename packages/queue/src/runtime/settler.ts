import { type Clock, nextTurn, sleep } from '../engine/clock.ts'
import type { Engine, SettleAnswer, Settlement } from '../engine/contract.ts'
import { isQueueError, QueueError } from '../engine/errors.ts'
import { describeError } from '../job/attempt-error.ts'

type Heard = (answer: SettleAnswer) => void

/** A settle that is not answered is repeated; that is safe, because a lease ends its job only once. */
const retryMs = 250

/**
 * Gathers ended attempts and settles them in groups. What ends while a group is on its way makes the next one, so one
 * slow job never holds back its neighbours, and a busy worker pays for one commit a group.
 */
export class Settler {
  readonly #engine: Engine
  readonly #worker: string
  readonly #clock: Clock
  readonly #trouble: (error: unknown) => void
  readonly #rested: () => void
  #waiting: { settlement: Settlement; heard: Heard }[] = []
  #scheduled = false
  #sending = false
  #closed = false
  #idle: (() => void)[] = []

  constructor(options: {
    engine: Engine
    worker: string
    clock: Clock
    trouble: (error: unknown) => void
    /** Everything that was added is settled. */
    rested: () => void
  }) {
    this.#engine = options.engine
    this.#worker = options.worker
    this.#clock = options.clock
    this.#trouble = options.trouble
    this.#rested = options.rested
  }

  add(settlement: Settlement, heard: Heard): void {
    this.#waiting.push({ settlement, heard })
    if (this.#scheduled || this.#sending) return
    this.#scheduled = true
    nextTurn(() => {
      this.#scheduled = false
      void this.#send()
    })
  }

  get busy(): boolean {
    return this.#sending || this.#waiting.length > 0
  }

  /** Resolves when everything that was added is settled. */
  async flushed(): Promise<void> {
    while (this.busy) await new Promise<void>(resolve => this.#idle.push(resolve))
  }

  /** What can't be settled at the next try is given up. */
  close(): void {
    this.#closed = true
  }

  async #send(): Promise<void> {
    if (this.#sending) return
    this.#sending = true
    while (this.#waiting.length > 0) {
      const group = this.#waiting
      this.#waiting = []
      const answers = await this.#settle(group.map(each => each.settlement))
      group.forEach(({ heard }, index) => heard(answers[index] ?? 'lease-lost'))
    }
    this.#sending = false
    const idle = this.#idle
    this.#idle = []
    for (const resolve of idle) resolve()
    this.#rested()
  }

  async #settle(settlements: Settlement[]): Promise<SettleAnswer[]> {
    for (;;) {
      try {
        return await this.#engine.settle(this.#worker, settlements)
      } catch (error) {
        this.#trouble(error)
        // A closed engine answers nothing any more: the leases run out, and another worker takes over.
        if (this.#closed || isQueueError(error, 'closed')) return settlements.map(() => 'lease-lost')
        if (!passes(error)) return this.#settleEach(settlements, error)
        await sleep(this.#clock, retryMs)
      }
    }
  }

  /** Something in the group can't be stored, now or ever: the others must not wait for it. */
  async #settleEach(settlements: Settlement[], error: unknown): Promise<SettleAnswer[]> {
    const [only] = settlements
    if (settlements.length === 1 && only) return [await this.#bury(only, error)]
    const answers: SettleAnswer[] = []
    for (const settlement of settlements) answers.push(...(await this.#settle([settlement])))
    return answers
  }

  /** An outcome that can't be stored would be tried for ever: the job is dead, and says why. */
  async #bury(settlement: Settlement, error: unknown): Promise<SettleAnswer> {
    const outcome = { kind: 'dead', error: describeError(error) } as const
    try {
      const [answer] = await this.#engine.settle(this.#worker, [{ ...settlement, outcome }])
      return answer ?? 'lease-lost'
    } catch (further) {
      this.#trouble(further)
      return 'lease-lost'
    }
  }
}

const passing = ['unavailable', 'read-only', 'disk-full', 'timeout']

/** Whether an error of the store can be expected to go away by itself. */
export function passes(error: unknown): boolean {
  return error instanceof QueueError && passing.includes(error.code)
}
