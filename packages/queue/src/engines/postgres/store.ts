import type { Client, ClientConfig, PoolClient, QueryResult } from 'pg'
import { type Clock, sleep } from '../../engine/clock.ts'
import { QueueError } from '../../engine/errors.ts'
import { clientConfig, type Driver, loadDriver, type PostgresOptions } from './connect.ts'
import { Connections, destroy, processId } from './connections.ts'
import { asQueueError, isCollision, isConnectionLoss, isSilence } from './postgres-errors.ts'
import { array, type Queries, schemaText } from './queries.ts'
import { meet, type Server } from './server.ts'
import { Slots } from './slots.ts'

/** How long a call that may be repeated is repeated before its caller hears that the database is away. */
const patienceMs = 15_000

interface Runner {
  query(query: { text: string; values: unknown[]; name?: string; rowMode?: 'array' }): Promise<QueryResult>
}

interface Statement {
  sql: string
  values: readonly unknown[]
  array: boolean
  /** Of the engine's own connections: its plan may be kept there. */
  own: boolean
}

interface Listening {
  heard(payload: string | undefined): void
  /** The connection was made anew: what was said meanwhile nobody heard. */
  renewed(): void
}

/** The connections to one database, and how statements get there and back. */
export class Store implements Queries {
  readonly schema: string
  readonly options: PostgresOptions
  readonly #slots: Slots
  readonly #clock: Clock
  readonly #text: (sql: string) => string
  readonly #names = new Map<string, string>()
  readonly #connected = new Set<() => void>()
  readonly #silent = new Set<() => void>()
  readonly #own = new WeakSet<object>()
  #driver: Driver | null = null
  #config: ClientConfig | null = null
  #connections: Connections | null = null
  #server: Server | null = null
  #listening: { channel: string; on: Listening } | null = null

  constructor(options: PostgresOptions, clock: Clock) {
    this.options = options
    this.schema = options.schema ?? 'millrace'
    this.#slots = new Slots(Math.max(1, this.#size - 1))
    this.#clock = clock
    this.#text = schemaText(this.schema)
  }

  get server(): Server {
    if (!this.#server) throw new QueueError('closed', 'the engine is not open yet: call open() first')
    return this.#server
  }

  get #size(): number {
    return this.options.connections ?? 5
  }

  get single(): boolean {
    return this.#size === 1
  }

  /** Whether wake-ups can be heard. */
  get listens(): boolean {
    return this.options.wakeups ? this.options.wakeups === 'listen' : !this.server.pooler
  }

  /** What a statement is told of the time: nothing, so that the database's own decides, except on a virtual clock. */
  now(): number | null {
    return this.#clock.real ? null : this.#clock.now()
  }

  /** Calls when a connection was made anew: what was remembered of the database may not hold there. */
  onConnect(listener: () => void): void {
    this.#connected.add(listener)
  }

  /** Calls when the connections were cut because one had fallen silent. */
  onSilence(listener: () => void): void {
    this.#silent.add(listener)
  }

  async open(): Promise<void> {
    this.#driver = await loadDriver()
    this.#server = await meet(this.#driver, this.options.url)
    const { pooler, synchronousCommit } = this.#server
    const durable = !['off', 'local'].includes(synchronousCommit)
    this.#config = clientConfig(this.#driver, this.options.url, { pooler, durable })
    this.#connections = new Connections({
      driver: this.#driver,
      config: this.#config,
      size: this.#size,
      clock: this.#clock,
      connected: client => {
        for (const listener of this.#connected) listener()
        if (this.single) this.#hear(client)
      },
    })
  }

  #hear(client: PoolClient): void {
    client.on('notification', ({ payload }) => this.#listening?.on.heard(payload))
    if (!this.#listening) return
    const { channel, on } = this.#listening
    client.query(`LISTEN "${channel}"`).then(
      () => on.renewed(),
      () => {},
    )
  }

  async close(): Promise<void> {
    const connections = this.#connections
    this.#connections = null
    await connections?.close()
  }

  async all<Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.#once({ sql, values, array: false, own: true })) as Row[]
  }

  async rows<Row extends unknown[]>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await this.#once({ sql, values, array: true, own: true })) as Row[]
  }

  /** On whichever connection is free. One that a statement failed on is not used again: it may be the one to blame. */
  async #once(statement: Statement): Promise<unknown[]> {
    const client = await this.#acquire()
    try {
      const rows = await this.#query(client, statement)
      client.release()
      return rows
    } catch (error) {
      client.release(error as Error)
      throw error
    }
  }

  /** Runs `work` in one transaction on one connection. What it throws rolls back and comes out as it is. */
  async transaction<T>(work: (db: Queries, client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#acquire()
    let broken: Error | undefined
    try {
      this.#own.add(client)
      await this.#query(client, { sql: 'BEGIN', values: [], array: false, own: true })
      const answer = await work(this.#on(client, true), client)
      await this.#query(client, { sql: 'COMMIT', values: [], array: false, own: true })
      return answer
    } catch (error) {
      broken = await this.#rollBack(client, error)
      throw error
    } finally {
      client.release(broken)
    }
  }

  /**
   * Reads in one view of the whole. `settings` hold within it. The first message begins and sets, and nobody waits for the
   * end of what has changed nothing.
   */
  async view<T>(settings: readonly string[], work: (db: Queries) => Promise<T>): Promise<T> {
    const client = await this.#acquire()
    const local = settings.map(setting => `; SET LOCAL ${setting}`).join('')
    const run = (sql: string): Promise<unknown> =>
      this.#query(client, { sql, values: [], array: false, own: true })
    try {
      this.#own.add(client)
      await run(`BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY${local}`)
      const answer = await work(this.#on(client, true))
      run('COMMIT').then(
        () => client.release(),
        (error: Error) => client.release(error),
      )
      return answer
    } catch (error) {
      client.release(await this.#rollBack(client, error))
      throw error
    }
  }

  /** One that a handler keeps open for as long as it likes: these leave a connection to the engine. */
  handlerTransaction<T>(work: (db: Queries, client: PoolClient) => Promise<T>): Promise<T> {
    return this.#slots.run(() => this.transaction(work))
  }

  /** Answers why the client is of no use any more, if it is. */
  async #rollBack(client: PoolClient, because: unknown): Promise<Error | undefined> {
    // A statement of the caller's own, to which nothing came back: no more would to another.
    if ([because, (because as Error | null)?.cause].some(isSilence)) {
      destroy(client)
      this.#terminate([processId(client)])
      return because as Error
    }
    return client.query('ROLLBACK').then(
      () => undefined,
      (failure: Error) => failure,
    )
  }

  /**
   * Ends the server's side of connections that were cut here: it may not have noticed, and then a transaction would hold
   * its rows against everybody until it has been idle for too long.
   */
  #terminate(processes: number[]): void {
    if (processes.length === 0 || this.server.pooler) return
    const sql = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE pid = ANY ($1::int4[]) AND usename = current_user AND application_name = current_setting('application_name')
        AND backend_start < clock_timestamp() - interval '3 s'`
    this.persist(() => this.all(sql, [array(processes)])).catch(() => {})
  }

  /** Whether this is a client of the engine's own, as `complete` hands it out. */
  owns(client: unknown): boolean {
    return typeof client === 'object' && client !== null && this.#own.has(client)
  }

  /** Statements on one client, without prepared names: whose client it is, we do not know. */
  over(client: { query: unknown }): Queries {
    return this.#on(client, false)
  }

  #on(client: { query: unknown }, own: boolean): Queries {
    const query = (sql: string, values: readonly unknown[], array: boolean): Promise<unknown[]> =>
      this.#query(client, { sql, values, array, own })
    return {
      all: <Row>(sql: string, values: readonly unknown[] = []) => query(sql, values, false) as Promise<Row[]>,
      rows: <Row extends unknown[]>(sql: string, values: readonly unknown[] = []) =>
        query(sql, values, true) as Promise<Row[]>,
    }
  }

  /**
   * Repeats what changes nothing more when it comes twice, until the database answers. `again` is true from the second
   * time on: the first may have been carried out.
   */
  async persist<T>(work: (again: boolean) => Promise<T>): Promise<T> {
    const startedAt = this.#clock.monotonic()
    for (let tries = 0; ; tries++) {
      try {
        return await work(tries > 0)
      } catch (error) {
        const { cause } = error as QueueError
        const passes = isConnectionLoss(cause ?? error) || isCollision(cause ?? error)
        const waited = this.#clock.real ? this.#clock.monotonic() - startedAt : tries * 1_000
        if (!passes || !this.#connections || waited > patienceMs) throw error
        if (this.#clock.real) await sleep(this.#clock, Math.min(500, 20 * 2 ** tries))
      }
    }
  }

  /** Nobody waits for the connections that rest; should they be broken, nobody will. */
  dropIdle(): void {
    this.#connections?.dropIdle()
  }

  /** A client of its own, for listening. The caller ends it. */
  client(): Client {
    const { Client } = this.#driver as Driver
    // No statement timeout matters there, and a pooler's restrictions do.
    return new Client(this.#config as ClientConfig)
  }

  /** Listens on the pool's own connection, when there is only one. */
  async listen(channel: string, on: Listening): Promise<void> {
    this.#listening = { channel, on }
    await this.all(`LISTEN "${channel}"`)
  }

  async #acquire(): Promise<PoolClient> {
    if (!this.#connections) throw new QueueError('closed', 'the engine is closed')
    try {
      return await this.#connections.acquire()
    } catch (error) {
      throw asQueueError(error)
    }
  }

  async #query(on: { query: unknown }, statement: Statement): Promise<unknown[]> {
    const connections = this.#connections
    const generation = connections?.generation
    const text = this.#text(statement.sql)
    const query = { text, values: statement.values as unknown[] }
    // Without values it may be several statements, which can't be prepared.
    const prepared = statement.own && statement.values.length > 0 && !this.server.pooler
    const named = prepared ? { ...query, name: this.#name(text) } : query
    try {
      const { rows } = await (on as Runner).query(statement.array ? { ...named, rowMode: 'array' } : named)
      return rows
    } catch (error) {
      if (isSilence(error) && connections) this.#cut(connections, generation)
      throw asQueueError(error)
    }
  }

  #cut(connections: Connections, generation: unknown): void {
    const processes = connections.cut(generation)
    if (processes === null) return
    for (const listener of this.#silent) listener()
    this.#terminate(processes)
  }

  /** A prepared statement's name, the same on every connection. */
  #name(text: string): string {
    let name = this.#names.get(text)
    if (name === undefined) this.#names.set(text, (name = `millrace_${this.#names.size + 1}`))
    return name
  }
}
