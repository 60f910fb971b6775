import { type Clock, systemClock, systemRandom } from '../../engine/clock.ts'
import type { Capabilities, Health } from '../../engine/contract.ts'
import { QueueError } from '../../engine/errors.ts'
import { Claimer } from './claimer.ts'
import { checkSchema, type PostgresOptions } from './connect.ts'
import { health } from './health.ts'
import { Intake } from './intake.ts'
import { Kinds } from './kinds.ts'
import { migrate } from './migrate.ts'
import { one } from './queries.ts'
import type { SettleContext } from './settlements.ts'
import { Store } from './store.ts'
import { Teller } from './teller.ts'
import { channelOf, Wakeups } from './wakeups.ts'
import { makeWeeks } from './weeks.ts'

interface Opened {
  intake: Intake
  claimer: Claimer
  wakeups: Wakeups
  schemaVersion: number
}

/** An open store with what every operation needs: how to ask it, and to tell listeners what was done. */
export class PostgresConnection {
  readonly capabilities: Capabilities = {
    transactions: true,
    clock: 'database',
    claimByType: true,
    attemptHistory: true,
    retention: 'by-type',
    flows: 'transactional',
    concurrencyKeys: false,
    finders: true,
    virtualTime: true,
  }
  readonly store: Store
  protected readonly clock: Clock
  protected readonly kinds = new Kinds()
  readonly #from = systemRandom.number().toString(36).slice(2, 10)
  protected readonly teller: Teller
  #opened: Opened | null = null
  #opening: Promise<void> | null = null
  #closed = false
  /** Counters have changed since they were added up. */
  protected unfolded = false

  constructor(options: PostgresOptions & { clock?: Clock }) {
    const { clock, ...rest } = options
    if (rest.schema !== undefined) checkSchema(rest.schema)
    this.clock = clock ?? systemClock
    this.store = new Store(rest, this.clock)
    this.teller = new Teller({
      clock: this.clock,
      from: this.#from,
      emit: hint => this.#opened?.wakeups.emit(hint),
    })
  }

  async open(options: { migrate?: boolean } = {}): Promise<void> {
    if (this.#closed) throw closed()
    this.#opening ??= this.#open(options).catch(error => {
      this.#opening = null
      throw error
    })
    await this.#opening
  }

  async #open(options: { migrate?: boolean }): Promise<void> {
    const { store } = this
    await store.open()
    try {
      const schemaVersion = await migrate(store, { apply: options.migrate ?? true })
      const { storeId } = (await one<{ storeId: string }>(
        store,
        'SELECT store AS "storeId" FROM millrace.meta',
      )) as { storeId: string }
      await makeWeeks(store, store.now()).catch(() => {})
      await this.kinds.refresh(store)
      const claimer = new Claimer({
        store,
        clock: this.clock,
        kinds: this.kinds,
        from: this.#from,
        channel: channelOf(storeId),
        quiet: () => this.#opened?.wakeups.quiet() ?? null,
      })
      this.#opened = {
        schemaVersion,
        claimer,
        intake: new Intake({ store, kinds: this.kinds, from: this.#from, storeId }),
        wakeups: new Wakeups({
          store,
          clock: this.clock,
          channel: channelOf(storeId),
          from: this.#from,
          look: () => claimer.look(),
          expect: hint => {
            if (hint.kind === 'ready') claimer.expect()
          },
        }),
      }
    } catch (error) {
      await store.close()
      throw error
    }
  }

  health(): Promise<Health> {
    return health(this.store, () => this.parts().schemaVersion)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#opening?.catch(() => {})
    const opened = this.#opened
    if (!opened) return
    await opened.intake.close()
    await opened.wakeups.close()
    this.#opened = null
    await this.store.close()
  }

  protected async settling(worker: string, quiet: boolean): Promise<SettleContext> {
    const { claimer } = this.parts()
    return {
      now: this.store.now(),
      channel: claimer.channel,
      wake: this.teller.say('settled'),
      quiet,
      worker: await claimer.number(worker),
      batches: claimer.batches,
      kinds: this.kinds,
    }
  }

  /** Two who change the same jobs in different order collide: the database ends one, which is tried again. */
  protected change<T>(work: () => Promise<T>): Promise<T> {
    this.unfolded = true
    return this.store.persist(work)
  }

  protected context(): { now: number | null; wake: string } {
    return { now: this.store.now(), wake: this.teller.say('ready') }
  }

  protected db(): Store {
    this.parts()
    return this.store
  }

  protected parts(): Opened {
    if (this.#closed) throw closed()
    if (!this.#opened) throw new QueueError('closed', 'the engine is not open yet: call open() first')
    return this.#opened
  }
}

function closed(): QueueError {
  return new QueueError('closed', 'the engine is closed')
}
