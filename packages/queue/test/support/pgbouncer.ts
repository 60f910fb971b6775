import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import type { PostgresServer } from './postgres-server.ts'
import { ended, freePort, serverFolder, spawnServer, tail, urlOf, whenUp } from './server-process.ts'

export interface PgBouncer {
  url(database?: string, params?: Record<string, string>): string
  stop(): Promise<void>
}

/** Debian puts it where only root looks. */
const candidates = ['pgbouncer', '/usr/sbin/pgbouncer']

/** Why it can't be started here; null if it can. */
export function pgbouncerMissing(): string | null {
  return command() === undefined ? 'PgBouncer is not installed: install the package pgbouncer' : null
}

/** Starts a pooler before that server, for any of its databases. It and its folder go away with this process. */
export async function startPgBouncer(
  server: PostgresServer,
  options: { poolMode?: 'transaction' | 'session' } = {},
): Promise<PgBouncer> {
  const binary = command()
  if (binary === undefined) throw new Error(pgbouncerMissing() ?? '')
  const folder = serverFolder('pgbouncer')
  const port = await freePort()
  const settings = join(folder, 'pgbouncer.ini')
  const log = join(folder, 'pgbouncer.log')
  // What it does not know of a client's startup packet it refuses, as it does by default.
  writeFileSync(
    settings,
    `[databases]
* = host=127.0.0.1 port=${server.port} user=postgres

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir = ${folder}
auth_type = any
pool_mode = ${options.poolMode ?? 'transaction'}
max_client_conn = 500
default_pool_size = 20
`,
    { mode: 0o644 },
  )
  const child = spawnServer(binary, [settings], folder, log)
  const url: PgBouncer['url'] = (database = 'postgres', params = {}) => urlOf(port, database, params)
  const isUp = async (): Promise<void> => {
    const client = new pg.Client({ connectionString: url() })
    client.on('error', () => {})
    await client.connect()
    await client.query('SELECT 1').finally(() => client.end())
  }
  if (!(await whenUp(child, isUp))) throw new Error(`PgBouncer did not start:\n${tail(log)}`)
  return {
    url,
    async stop() {
      child.kill('SIGTERM')
      await ended(child)
    },
  }
}

function command(): string | undefined {
  return candidates.find(each => spawnSync(each, ['--version']).status === 0)
}
