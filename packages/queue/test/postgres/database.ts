import pg from 'pg'
import { systemClock } from '../../src/engine/clock.ts'
import { readUrl } from '../../src/engines/postgres/connect.ts'
import { migrate } from '../../src/engines/postgres/migrate.ts'
import { Store } from '../../src/engines/postgres/store.ts'
import type { PostgresServer } from '../support/postgres-server.ts'

/** A connection by plain `pg`, as an application has it. The caller ends it. */
export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  return client
}

/** A database with the newest schema. Answers its URL. */
export async function createStore(server: PostgresServer, name: string): Promise<string> {
  await server.createDatabase(name)
  const url = server.url(name)
  const store = new Store(readUrl(url), systemClock)
  await store.open()
  await migrate(store, { apply: true })
  await store.close()
  return url
}
