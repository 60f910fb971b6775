import { QueueError } from '../../engine/errors.ts'
import { clientConfig, type Driver } from './connect.ts'
import { processId } from './connections.ts'
import { asQueueError } from './postgres-errors.ts'

export interface Server {
  /** 150_018 for 15.18. */
  version: number
  /** Whether something stands between this process and the server, so that a session may change under way. */
  pooler: boolean
  synchronousCommit: string
  readOnly: boolean
}

/** One plain connection: who is there, and is it the server itself that we talk to? */
export async function meet(driver: Driver, url: string): Promise<Server> {
  const config = clientConfig(driver, url, { pooler: true, durable: true })
  const client = new driver.Client(config)
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query<{ pid: number; version: number; commit: string; ro: string }>(
      `SELECT pg_backend_pid() AS pid, current_setting('server_version_num')::int4 AS version,
         current_setting('synchronous_commit') AS commit, current_setting('transaction_read_only') AS ro`,
    )
    const [{ pid, version, commit, ro }] = rows as [(typeof rows)[0]]
    if (version < 130_000)
      throw new QueueError('unsupported', `PostgreSQL 13 or newer is needed, and this is ${version / 10_000}`)
    const ownPid = processId(client)
    return { version, pooler: ownPid !== pid, synchronousCommit: commit, readOnly: ro === 'on' }
  } catch (error) {
    throw asQueueError(error)
  } finally {
    await client.end().catch(() => {})
  }
}
