import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { type PostgresServer, startPostgres } from '../../packages/queue/test/support/postgres-server.ts'
import { Bench, type Peer } from '../harness.ts'
import { peersMissing } from '../peers.ts'

/** Same for all: enough memory that a store of this size is served from it, and no checkpoint in the middle of a round. */
const settings = {
  shared_buffers: '1GB',
  max_wal_size: '8GB',
  checkpoint_timeout: '15min',
  max_connections: '200',
  synchronous_commit: 'on',
}

const profiling = {
  shared_preload_libraries: 'pg_stat_statements',
  'pg_stat_statements.track': 'all',
  compute_query_id: 'on',
}

/** A larger store is filled once and topped up for each round. */
const mostFilledAnew = 500_000

export interface Database {
  name: string
  url: string
  server: number
}

/** A server of its own for the run, and a database of its own for each side of each round. */
export class PostgresBench extends Bench {
  readonly peers: readonly Peer[]
  readonly #server: PostgresServer
  readonly #process: number
  readonly #made = new Map<string, Promise<Database>>()
  #count = 0

  private constructor(
    options: { quick: boolean; say: (line: string) => void },
    server: PostgresServer,
    missing: string | null,
  ) {
    super(options)
    this.#server = server
    this.#process = Number(readFileSync(join(server.folder, 'data', 'postmaster.pid'), 'utf8').split('\n')[0])
    const reason = missing === null ? {} : { missing }
    this.peers = [
      {
        subject: 'graphile',
        title: 'graphile-worker 0.18',
        share: { awaits: options.quick ? 0.05 : 0.1 },
        ...reason,
      },
      {
        subject: 'pg-boss',
        title: 'pg-boss 12',
        share: { work: 0.3, bulk: 0.5, awaits: options.quick ? 0.03 : 0.1 },
        ...reason,
      },
      {
        subject: 'bullmq-postgres',
        title: 'BullMQ 6 on PostgreSQL',
        share: { work: options.quick ? 0.03 : 0.1, bulk: 0.2, awaits: options.quick ? 0.05 : 0.1 },
        ...reason,
      },
    ]
  }

  static async start(options: {
    quick: boolean
    say: (line: string) => void
    profile: boolean
  }): Promise<PostgresBench> {
    const server = await startPostgres({
      version: 15,
      durable: true,
      settings: options.profile ? { ...settings, ...profiling } : settings,
    })
    return new PostgresBench(options, server, peersMissing())
  }

  stop(): Promise<void> {
    return this.#server.stop('immediate')
  }

  /** What the server says of itself. */
  async describe(): Promise<string> {
    const [row] = await this.query<{ said: string }>(
      this.#server.url(),
      `SELECT 'PostgreSQL ' || current_setting('server_version') || ', ' || string_agg(name || '=' || current_setting(name), ', ' ORDER BY name) AS said
       FROM pg_settings WHERE name IN ('synchronous_commit', 'fsync', 'full_page_writes', 'shared_buffers', 'max_wal_size')`,
    )
    return row?.said ?? ''
  }

  /** One statement on a connection of its own. */
  async query<Row extends pg.QueryResultRow>(url: string, sql: string): Promise<Row[]> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      return (await client.query<Row>(sql)).rows
    } finally {
      await client.end()
    }
  }

  async withStore<T>(subject: string, jobs: number, use: (store: Database) => Promise<T>): Promise<T> {
    const kept = jobs > mostFilledAnew
    const name = kept ? `kept-${subject}-${jobs}` : `${subject}-${this.#count++}`
    const database = kept ? await this.once(name, () => Promise.resolve()) : await this.#create(name)
    try {
      await this.run(subject, 'fill', { ...database, count: jobs })
      await this.rest(database)
      return await use(database)
    } finally {
      if (!kept) await this.#drop(database)
    }
  }

  async withKept<T>(
    name: string,
    fill: (store: Database) => Promise<unknown>,
    use: (store: Database) => Promise<T>,
  ): Promise<T> {
    const filled = async (database: Database): Promise<void> => {
      await fill(database)
      await this.rest(database)
    }
    return use(await this.once(name, filled))
  }

  /** A database that is filled at its first use and kept for the run. */
  once(name: string, fill: (database: Database) => Promise<unknown>): Promise<Database> {
    const made = this.#made.get(name) ?? this.#make(name, fill)
    this.#made.set(name, made)
    return made
  }

  async #make(name: string, fill: (database: Database) => Promise<unknown>): Promise<Database> {
    const database = await this.#create(name)
    await fill(database)
    return database
  }

  /** What autovacuum does to a store within a minute. */
  async rest(database: Database): Promise<void> {
    await this.query(database.url, 'VACUUM (ANALYZE)')
  }

  async #create(name: string): Promise<Database> {
    await this.query(this.#server.url(), `CREATE DATABASE ${pg.escapeIdentifier(name)}`)
    return { name, url: this.#server.url(name), server: this.#process }
  }

  async #drop({ name }: Database): Promise<void> {
    await this.query(this.#server.url(), `DROP DATABASE ${pg.escapeIdentifier(name)} WITH (FORCE)`)
  }
}
