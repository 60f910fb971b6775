import { type ChildProcess, execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import pg from 'pg'
import { cached, findPostgres, type PostgresBinaries, type PostgresVersion } from './postgres-binaries.ts'
import {
  ended,
  freePort,
  killAllIn,
  serverFolder,
  spawnServer,
  tail,
  urlOf,
  whenUp,
} from './server-process.ts'
import { giveTo, serverUser } from './server-user.ts'

export interface PostgresServer {
  /** The major version. */
  readonly version: number
  readonly port: number
  /** Holds the data folder `data`, the unix socket and the log `postgres.log`. */
  readonly folder: string
  url(database?: string, params?: Record<string, string>): string
  createDatabase(name: string): Promise<void>
  stop(mode?: 'fast' | 'immediate'): Promise<void>
  /** Starts it again after `stop` or `kill`, on the same port. */
  start(): Promise<void>
  /** SIGKILLs the postmaster and all its children. */
  kill(): void
}

export interface PostgresOptions {
  /** 15, the default, stands for the machine's own server, of whatever major version it is. */
  version?: PostgresVersion
  /** Whether what it acknowledged survives a power cut. By default not, which is faster. */
  durable?: boolean
  settings?: Record<string, string>
}

/** After a crash everything is synced by one call, not file by file, which takes seconds. From version 14 on. */
const recovers = { recovery_init_sync_method: 'syncfs' }
const relaxed = { fsync: 'off', full_page_writes: 'off' }

/** Starts a server of its own, in a temp folder, that trusts everybody. It and its folder go away with this process. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const binaries = findPostgres(options.version ?? 15)
  const folder = serverFolder(`postgres-${binaries.version}`)
  execFileSync('cp', ['-a', '--reflink=auto', emptyCluster(binaries), join(folder, 'data')])
  const settings = {
    max_connections: '100',
    ...(binaries.version >= 14 ? recovers : {}),
    ...(options.durable ? {} : relaxed),
    ...options.settings,
  }
  const server = new Server(binaries, folder, await freePort(), settings)
  await server.start()
  return server
}

class Server implements PostgresServer {
  readonly version: number
  readonly port: number
  readonly folder: string
  readonly #command: string
  readonly #settings: Record<string, string>
  #child: ChildProcess | null = null

  constructor(binaries: PostgresBinaries, folder: string, port: number, settings: Record<string, string>) {
    this.version = binaries.version
    this.port = port
    this.folder = folder
    this.#command = join(binaries.folder, 'postgres')
    this.#settings = {
      port: `${port}`,
      listen_addresses: '127.0.0.1',
      unix_socket_directories: folder,
      ...settings,
    }
  }

  url(database = 'postgres', params: Record<string, string> = {}): string {
    return urlOf(this.port, database, params)
  }

  async createDatabase(name: string): Promise<void> {
    await this.#ask(`CREATE DATABASE ${pg.escapeIdentifier(name)}`)
  }

  async start(): Promise<void> {
    const log = join(this.folder, 'postgres.log')
    const data = join(this.folder, 'data')
    if (this.#child !== null) await ended(this.#child)
    const args = ['-D', data, ...Object.entries(this.#settings).map(([name, value]) => `--${name}=${value}`)]
    // After a SIGKILL a child that is still going down holds the shared memory, and a start fails at once.
    for (const deadlineAt = Date.now() + 30_000; ; ) {
      const child = spawnServer(this.#command, args, data, log)
      this.#child = child
      if (await whenUp(child, () => this.#ask('SELECT 1'))) return
      if (Date.now() > deadlineAt || !/still in use|still running/.test(tail(log)))
        throw new Error(`PostgreSQL ${this.version} did not start:\n${tail(log)}`)
    }
  }

  async stop(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    if (this.#child === null) return
    this.#child.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
    await ended(this.#child)
  }

  kill(): void {
    // The postmaster first: while it lives it can start more children.
    this.#child?.kill('SIGKILL')
    killAllIn(join(this.folder, 'data'))
  }

  async #ask(sql: string): Promise<void> {
    const client = new pg.Client({ connectionString: this.url() })
    // A server that goes down between two answers is told by the query that fails.
    client.on('error', () => {})
    await client.connect()
    try {
      await client.query(sql)
    } finally {
      await client.end()
    }
  }
}

/** A data folder as `initdb` makes it, kept in the temp folder, because making one takes seconds. */
function emptyCluster({ version, folder }: PostgresBinaries): string {
  const user = serverUser()
  return cached(`millrace-initdb-${version}-${user.uid ?? process.getuid?.() ?? 0}`, draft => {
    giveTo(user, draft)
    const options = ['-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync']
    const done = spawnSync(join(folder, 'initdb'), ['-D', draft, ...options], {
      ...user,
      cwd: '/',
      encoding: 'utf8',
    })
    if (done.status !== 0) throw new Error(`initdb failed: ${done.stderr || done.error?.message || ''}`)
  })
}
