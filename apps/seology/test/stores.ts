/** Stores of both kinds for tests, and a way to look into them. */

import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import * as stores from '../../../packages/api/test/stores.ts'

export { type StoreKind, storeKinds } from '../../../packages/api/test/stores.ts'

type Row = Record<string, unknown>
type Value = string | number

export interface TestStore extends stores.TestStore {
  /** Looks into the store, or changes it behind everybody's back. Values stand where `?` does. */
  rows(sql: string, ...values: Value[]): Promise<Row[]>
}

/** A new one with nothing in it. */
export async function makeStore(kind: stores.StoreKind): Promise<TestStore> {
  const store = await stores.makeStore(kind)
  const look = kind === 'sqlite' ? lookIntoFile(store.url) : lookIntoDatabase(store.url)
  return {
    url: store.url,
    rows: look.rows,
    async [Symbol.asyncDispose]() {
      await look.close()
      await store[Symbol.asyncDispose]()
    },
  }
}

interface Look {
  rows: TestStore['rows']
  close(): Promise<void>
}

function lookIntoFile(url: string): Look {
  let db: DatabaseSync | null = null
  return {
    async rows(sql, ...values) {
      db ??= new DatabaseSync(url.slice('file:'.length), { timeout: 5_000 })
      const rows = db.prepare(sql).all(...values)
      return rows.map(row => ({ ...row }))
    },
    close: async () => db?.close(),
  }
}

function lookIntoDatabase(url: string): Look {
  let looking: Promise<pg.Client> | null = null
  return {
    async rows(sql, ...values) {
      looking ??= connect(url)
      let at = 0
      const { rows } = await (await looking).query<Row>(
        sql.replaceAll('?', () => `$${++at}`),
        values,
      )
      return rows
    },
    close: async () => (await looking)?.end(),
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client(url)
  client.setTypeParser(pg.types.builtins.INT8, Number)
  client.on('error', () => {})
  await client.connect()
  await client.query('set search_path to millrace')
  return client
}
