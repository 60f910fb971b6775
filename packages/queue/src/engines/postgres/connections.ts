import type { ClientBase, ClientConfig, Pool, PoolClient } from 'pg'
import { atMost, type Clock } from '../../engine/clock.ts'
import { type Driver, poolConfig } from './connect.ts'

/** How long a connection that is to end is waited for: one that has fallen silent never says that it has. */
const partingMs = 2_000

/** The connections of one store: a pool that is cut, and made anew, when one of them falls silent. */
export class Connections {
  readonly #driver: Driver
  readonly #config: ClientConfig
  readonly #size: number
  readonly #clock: Clock
  readonly #connected: (client: PoolClient) => void
  #pool: Pool
  #clients = new Set<PoolClient>()
  #busy = new Set<PoolClient>()
  /** Who waits for a connection: a pool that is cut answers them at once. */
  #waiting = new Set<(error: Error) => void>()

  constructor(options: {
    driver: Driver
    config: ClientConfig
    size: number
    clock: Clock
    /** A connection was made. */
    connected: (client: PoolClient) => void
  }) {
    this.#driver = options.driver
    this.#config = options.config
    this.#size = options.size
    this.#clock = options.clock
    this.#connected = options.connected
    this.#pool = this.#make()
  }

  /** Which pool there is. Another after each cut. */
  get generation(): unknown {
    return this.#pool
  }

  #make(): Pool {
    const pool = new this.#driver.Pool(poolConfig(this.#config, this.#size))
    const clients = new Set<PoolClient>()
    const busy = new Set<PoolClient>()
    this.#clients = clients
    this.#busy = busy
    this.#waiting = new Set()
    // A connection that breaks while nobody uses it is replaced when it is needed.
    pool.on('error', () => {})
    pool.on('remove', client => clients.delete(client))
    pool.on('acquire', client => busy.add(client))
    pool.on('release', (_, client) => busy.delete(client))
    pool.on('connect', client => {
      clients.add(client)
      client.on('error', () => {})
      this.#connected(client)
    })
    return pool
  }

  /** A connection of the pool's, to be released. Rejects with the driver's own error. */
  acquire(): Promise<PoolClient> {
    const waiting = this.#waiting
    return new Promise((resolve, reject) => {
      waiting.add(reject)
      this.#pool.connect((error, client) => {
        const late = !waiting.delete(reject)
        if (late) client?.release(true)
        else if (client) resolve(client)
        else reject(error)
      })
    })
  }

  /**
   * A connection of this generation has fallen silent, so the others are no better: all are cut, and made anew when they
   * are needed. Answers the server's processes behind them; null when that was done before.
   */
  cut(generation: unknown): number[] | null {
    if (this.#pool !== generation) return null
    const old = this.#pool
    const silent = [...this.#clients]
    const waiting = this.#waiting
    this.#pool = this.#make()
    for (const reject of waiting) reject(new Error('Connection terminated: the others have fallen silent'))
    waiting.clear()
    silent.forEach(destroy)
    old.end().catch(() => {})
    return silent.map(processId)
  }

  /** Ends the connections that nobody uses at this moment. */
  dropIdle(): void {
    for (const client of this.#clients) if (!this.#busy.has(client)) destroy(client)
  }

  /** What is under way is waited for. */
  async close(): Promise<void> {
    const clients = this.#clients
    const busy = this.#busy
    const ended = this.#pool.end().catch(() => {})
    await atMost(this.#clock, partingMs, ended)
    for (const client of clients) if (!busy.has(client)) destroy(client)
    await ended
  }
}

/** Ends a connection at once, and whatever waits for its answer. */
export function destroy(client: ClientBase): void {
  const { stream } = (client as unknown as { connection: { stream: { destroy(): void } } }).connection
  stream.destroy()
}

/** Ends a connection in order, unless it has nobody to say goodbye to. */
export async function part(clock: Clock, client: ClientBase & { end(): Promise<void> }): Promise<void> {
  await atMost(clock, partingMs, client.end())
  destroy(client)
}

/** The server's process behind a connection. */
export function processId(client: ClientBase): number {
  return (client as unknown as { processID: number }).processID
}
