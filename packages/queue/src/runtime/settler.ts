import { type Clock, nextTurn, sleep } from '../engine/clock.ts'
import type { Engine, SettleAnswer, Settlement } from '../engine/contract.ts'
import { isQueueError, QueueError } from '../engine/errors.ts'
import { describeError } from '../job/attempt-error.ts'
import type { Outcome } from '../job/decide.ts'

/** Hears the answer, and to which outcome: the one that was stored in the end. */
type Heard = (answer: SettleAnswer, outcome: Outcome) => void

interface Entry {
  settlement: Settlement
  heard: Heard
  /** Its own outcome could not be stored, and this one says so. */
  buried: boolean
}

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
  #waiting: Entry[] = []
  /** Tried alone, and not settled. The lease is kept with the worker's others, so they are tried again until it is gone. */
  #aside: Entry[] = []
  #scheduled = false
  #sending = false
  #retrying = false
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
    this.#waiting.push({ settlement, heard, buried: false })
    if (this.#scheduled || this.#sending) return
    this.#scheduled = true
    nextTurn(() => {
      this.#scheduled = false
      void this.#send()
    })
  }

  get busy(): boolean {
    return this.#trying || this.#retrying
  }

  get #trying(): boolean {
    return this.#sending || this.#waiting.length > 0
  }

  /** Resolves when everything that was added is settled. */
  async flushed(): Promise<void> {
    while (this.busy) await this.#turnedIdle()
  }

  /** Resolves when everything that was added is settled, or was tried alone in vain. */
  async tried(): Promise<void> {
    while (this.#trying) await this.#turnedIdle()
  }

  #turnedIdle(): Promise<void> {
    return new Promise(resolve => this.#idle.push(resolve))
  }

  /** What can't be settled at the next try is given up. */
  close(): void {
    this.#closed = true
  }

  async #send(): Promise<void> {
    if (this.#sending) return
    this.#sending = true
    while (this.#waiting.length > 0) await this.#settle(this.#waiting.splice(0))
    this.#sending = false
    this.#rest()
  }

  #rest(): void {
    for (const resolve of this.#idle.splice(0)) resolve()
    if (!this.busy) this.#rested()
  }

  /** Resolves when each is settled, given up, or put aside. */
  async #settle(group: Entry[]): Promise<void> {
    for (;;) {
      const { answers, error } = await this.#ask(group)
      if (answers) return group.forEach((each, index) => tell(each, answers[index] ?? 'lease-lost'))
      // A closed engine answers nothing any more: the leases run out, and another worker takes over.
      if (this.#closed || isQueueError(error, 'closed'))
        return group.forEach(each => tell(each, 'lease-lost'))
      if (!passes(error)) return this.#settleEach(group, error)
      await sleep(this.#clock, retryMs)
    }
  }

  async #ask(group: Entry[]): Promise<{ answers: SettleAnswer[] | null; error?: unknown }> {
    try {
      const settlements = group.map(each => each.settlement)
      return { answers: await this.#engine.settle(this.#worker, settlements) }
    } catch (error) {
      this.#trouble(error)
      return { answers: null, error }
    }
  }

  /** Something in the group can't be stored, now or ever: the others must not wait for it. */
  async #settleEach(group: Entry[], error: unknown): Promise<void> {
    const [only] = group
    if (group.length === 1 && only) return this.#refused(only, error)
    for (const each of group) await this.#settle([each])
  }

  /**
   * Only a value that can't be stored is given up: the job is dead, and says why. Whatever else is wrong is no fault of
   * the job's, and is mended sooner or later.
   */
  async #refused(entry: Entry, error: unknown): Promise<void> {
    if (!isOfValue(error) || entry.settlement.outcome.kind === 'release') this.#putAside(entry)
    else if (entry.buried) tell(entry, 'lease-lost')
    else await this.#settle([buried(entry, error)])
  }

  #putAside(entry: Entry): void {
    this.#aside.push(entry)
    if (!this.#retrying) void this.#retryAside()
  }

  async #retryAside(): Promise<void> {
    this.#retrying = true
    while (this.#aside.length > 0) {
      await sleep(this.#clock, retryMs)
      await this.#settle(this.#aside.splice(0))
    }
    this.#retrying = false
    this.#rest()
  }
}

function tell({ settlement, heard }: Entry, answer: SettleAnswer): void {
  heard(answer, settlement.outcome)
}

/** What it held beside its outcome stays out: that may be what can't be stored. */
function buried({ settlement: { lease, ranMs }, heard }: Entry, error: unknown): Entry {
  const outcome: Outcome = { kind: 'dead', error: describeError(error) }
  return { settlement: { lease, outcome, ranMs }, heard, buried: true }
}

const passing = ['unavailable', 'read-only', 'disk-full', 'timeout']

/** Whether an error of the store can be expected to go away by itself. */
export function passes(error: unknown): boolean {
  return error instanceof QueueError && passing.includes(error.code)
}

/** Whether an error says that this value can't be stored, by no store and at no time. */
function isOfValue(error: unknown): boolean {
  return isQueueError(error) && (error.code.startsWith('invalid-') || error.code === 'payload-too-large')
}
