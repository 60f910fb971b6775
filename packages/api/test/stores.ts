/** Stores of every kind, for tests. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PostgresServer, startPostgres } from '../../queue/test/support/postgres-server.ts'

export type StoreKind = 'sqlite' | 'postgres'
export const storeKinds = ['sqlite', 'postgres'] as const

export interface TestStore extends AsyncDisposable {
  url: string
}

/** A new one with nothing in it. */
export async function makeStore(kind: StoreKind): Promise<TestStore> {
  if (kind === 'postgres') return { url: await makeDatabase(), [Symbol.asyncDispose]: async () => {} }
  const folder = await mkdtemp(join(tmpdir(), 'millrace-store-'))
  return {
    url: `file:${join(folder, 'millrace.db')}`,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

let starting: Promise<PostgresServer> | null = null
let databases = 0

/** One server for all tests of a file; it and what is in it go away with the process. */
async function makeDatabase(): Promise<string> {
  starting ??= startPostgres()
  const server = await starting
  const name = `store_${++databases}`
  await server.createDatabase(name)
  return server.url(name)
}
